//! Cash on delivery: the shop collects it, so there is nothing to wait for and nothing to give back.

use async_trait::async_trait;
use haat_engine::payments::{Ask, Event, Fetched, GatewayError, PaymentGateway, Standing, Started};
use haat_shared::{Money, id::kinds::RefundId, payments::Method};

/// The gateway that is no gateway.
pub struct Cash;

#[async_trait]
impl PaymentGateway for Cash {
    fn method(&self) -> Method {
        Method::Cash
    }

    async fn start(&self, ask: &Ask) -> Result<Started, GatewayError> {
        Ok(Started {
            gateway_ref: ask.attempt.to_string(),
            standing: Standing::Accepted,
            next_url: String::new(),
        })
    }

    async fn fetch(&self, gateway_ref: &str) -> Result<Fetched, GatewayError> {
        let attempt = gateway_ref.parse().map_err(|_| GatewayError::Refused("no such payment".into()))?;
        Ok(Fetched { attempt, standing: Standing::Accepted })
    }

    async fn refund(&self, _: &str, _: RefundId, _: Money) -> Result<(), GatewayError> {
        Err(GatewayError::Refused("cash is given back by the shop".into()))
    }

    fn signature_header(&self) -> &'static str {
        ""
    }

    fn verify(&self, _: &str, _: &[u8], _: i64) -> Option<Event> {
        None
    }
}
