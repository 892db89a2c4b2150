//! The port to gateways where shops have accounts of their own, to which payouts are transferred.

use async_trait::async_trait;

use super::error::GatewayResult;
use haat_shared::{
    Money,
    id::kinds::{PayoutId, PayoutMethodId},
    payouts::{ConnectedAccount, PayoutProblem},
};

/// A request for the transfer of a payout.
#[derive(Debug, Clone)]
pub struct TransferRequest {
    /// The payout. However often its transfer is requested, it is made once.
    pub payout: PayoutId,
    /// How many transfers of it the gateway has refused for now. A gateway may repeat the response to an earlier request,
    /// so a request after a refusal needs a key of its own.
    pub refusals: i64,
    /// The gateway's ID of the shop's account.
    pub account: String,
    /// The amount.
    pub amount: Money,
}

/// A transfer, as its gateway reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// The gateway's ID of it.
    pub id: String,
    /// The payout that it was made for, if it was made for one.
    pub payout: Option<PayoutId>,
    /// The amount.
    pub amount: Money,
    /// What was taken back of it.
    pub reversed: Money,
}

impl Transfer {
    /// Whether all of it was taken back.
    pub fn is_reversed(&self) -> bool {
        self.reversed == self.amount
    }
}

/// The response to a request for a transfer. With the gateway's words, for admins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransferOutcome {
    /// Made, by this request or by an earlier one.
    Made(Transfer),
    /// Not made, because the market's balance at the gateway is too low for now.
    NoFunds(String),
    /// Not made, and it would be refused again.
    Refused(PayoutProblem, String),
}

/// The port to a gateway's accounts and transfers.
#[async_trait]
pub trait Connect: Send + Sync {
    /// Creates an account for a shop, and returns the gateway's ID of it. Repeating it for the same method returns the same
    /// account.
    async fn open_account(&self, method: PayoutMethodId) -> GatewayResult<String>;
    /// A page of the gateway on which the shop enters its details. It leads to `return_url`, or to `refresh_url` if
    /// the page has expired.
    async fn onboarding_page(
        &self,
        account: &str,
        refresh_url: &str,
        return_url: &str,
    ) -> GatewayResult<String>;
    /// Reads an account.
    async fn account(&self, account: &str) -> GatewayResult<ConnectedAccount>;
    /// Makes a transfer, unless it finds that it was made.
    async fn transfer(&self, request: &TransferRequest) -> GatewayResult<TransferOutcome>;
    /// Reads a transfer.
    async fn read_transfer(&self, id: &str) -> GatewayResult<Transfer>;
    /// Takes back all that is left of a transfer. `Refused` if the shop's account doesn't have as much.
    async fn reverse(&self, id: &str) -> GatewayResult<Transfer>;
}
