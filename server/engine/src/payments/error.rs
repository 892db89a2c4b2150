//! Why calls to gateways fail.

/// Why a call to a gateway failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GatewayError {
    /// No response, or not in time. The request may have succeeded.
    #[error("gateway unreachable: {0}")]
    Unreachable(String),
    /// The gateway refused, and would refuse again.
    #[error("gateway refused: {0}")]
    Refused(String),
    /// The gateway has forgotten the payment, which nobody can pay any more. Nothing was charged.
    #[error("unknown to the gateway: {0}")]
    Gone(String),
}

/// The result of a call to a gateway.
pub type GatewayResult<T> = std::result::Result<T, GatewayError>;
