/// x
pub trait PaymentGateway: Send + Sync {
    /// m
    fn method(&self) -> haat_shared::payments::Method;
}
