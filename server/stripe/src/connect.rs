//! Stripe Connect: Express accounts of shops, and transfers of payouts to them.
//!
//! The requests are built here, because the SDK's crate with them would take long to compile; the types of most responses are
//! the SDK's.

use async_trait::async_trait;
use haat_engine::payments::{
    self, Connect, GatewayError, GatewayResult, Transfer, TransferOutcome, TransferRequest,
};
use haat_shared::{
    Money,
    id::kinds::{PayoutId, PayoutMethodId},
    payouts::{ConnectedAccount, PayoutProblem},
};
use serde_json::json;
use stripe::{ApiErrorsCode, ApiErrorsType, StripeError};
use stripe_client_core::{RequestBuilder, StripeMethod};
use stripe_shared::{Account, AccountCapabilitiesStatus, Transfer as StripeTransfer, TransferReversal};
use stripe_types::List;

use super::{Stripe, failed, key, money, passes, repeated, units};

/// Our IDs in Stripe's metadata.
const METHOD: &str = "haat_payout_method";
const PAYOUT: &str = "haat_payout";

/// What is read of a link to Stripe's onboarding page.
#[derive(miniserde::Deserialize)]
struct AccountLink {
    url: String,
}

impl Stripe {
    async fn read<T: miniserde::Deserialize>(&self, path: String) -> GatewayResult<T> {
        let send = || RequestBuilder::new(StripeMethod::Get, path.clone()).customize().send(&self.client);
        repeated(send).await
    }

    /// The transfer that was made for a payout. Stripe forgets idempotency keys after a day; the transfer keeps our ID.
    async fn transfer_of(&self, payout: PayoutId) -> GatewayResult<Option<StripeTransfer>> {
        let of = json!({ "transfer_group": payout.to_string(), "limit": 1 });
        let send =
            || RequestBuilder::new(StripeMethod::Get, "/transfers").query(&of).customize().send(&self.client);
        let found: List<StripeTransfer> = repeated(send).await?;
        Ok(found.data.into_iter().next())
    }

    async fn transferred(&self, request: &TransferRequest) -> GatewayResult<TransferOutcome> {
        let TransferRequest { payout, refusals, account, amount } = request;
        if let Some(found) = self.transfer_of(*payout).await? {
            return Ok(TransferOutcome::Made(transfer(&found)?));
        }
        let Some(units) = units::to_stripe(*amount) else {
            let why = format!("Stripe cannot transfer exactly {amount}");
            return Ok(TransferOutcome::Refused(PayoutProblem::Amount, why));
        };
        let form = json!({
            "amount": units,
            "currency": amount.currency().code().to_lowercase(),
            "destination": account,
            "transfer_group": payout.to_string(),
            "metadata": { PAYOUT: payout.to_string() },
        });
        // Stripe repeats a refusal to whoever uses its key again, for a day.
        let key = match refusals {
            0 => key(payout)?,
            n => key(format!("{payout}-{n}"))?,
        };
        let send = || {
            let request = RequestBuilder::new(StripeMethod::Post, "/transfers").form(&form);
            request.customize::<StripeTransfer>().request_strategy(key.clone()).send(&self.client)
        };
        match payments::repeated(send, passes).await {
            Ok(made) => Ok(TransferOutcome::Made(transfer(&made)?)),
            // The key was used for another request: perhaps by an earlier version, so the transfer may have been made.
            Err(StripeError::Stripe(about, _)) if matches!(about.type_, ApiErrorsType::IdempotencyError) => {
                Err(GatewayError::Unreachable("the key was used for another request".into()))
            }
            Err(error) => match (problem(&error), failed(&error)) {
                (None, GatewayError::Refused(why)) => Ok(TransferOutcome::NoFunds(why)),
                (Some(problem), GatewayError::Refused(why)) => Ok(TransferOutcome::Refused(problem, why)),
                (_, error) => Err(error),
            },
        }
    }

    async fn reversed(&self, id: &str) -> GatewayResult<Transfer> {
        // Of all that is left. Stripe refuses to reverse more than that, so it needs no key.
        let send = || {
            let request = RequestBuilder::new(StripeMethod::Post, format!("/transfers/{id}/reversals"));
            request.customize::<TransferReversal>().send(&self.client)
        };
        repeated(send).await?;
        transfer(&self.read(format!("/transfers/{id}")).await?)
    }
}

/// Why Stripe refused a transfer; none if the market's balance is too low.
fn problem(error: &StripeError) -> Option<PayoutProblem> {
    let StripeError::Stripe(about, _) = error else { return Some(PayoutProblem::Refused) };
    let code = about.code.as_ref();
    match code.map_or("", ApiErrorsCode::as_str) {
        "balance_insufficient" | "insufficient_funds" => None,
        "account_invalid"
        | "account_closed"
        | "resource_missing"
        | "insufficient_capabilities_for_transfer" => Some(PayoutProblem::Account),
        _ => Some(PayoutProblem::Refused),
    }
}

fn transfer(found: &StripeTransfer) -> GatewayResult<Transfer> {
    let of = |units: i64| -> GatewayResult<Money> { money(units, &found.currency) };
    Ok(Transfer {
        id: found.id.to_string(),
        payout: found.metadata.get(PAYOUT).and_then(|id| id.parse().ok()),
        amount: of(found.amount)?,
        reversed: of(found.amount_reversed)?,
    })
}

#[async_trait]
impl Connect for Stripe {
    async fn open_account(&self, method: PayoutMethodId) -> GatewayResult<String> {
        // Everything depends on the method alone: Stripe refuses a key that is used again with something else.
        let form = json!({
            "type": "express",
            "capabilities": { "transfers": { "requested": true } },
            "metadata": { METHOD: method.to_string() },
        });
        let key = key(method)?;
        let send = || {
            let request = RequestBuilder::new(StripeMethod::Post, "/accounts").form(&form);
            request.customize::<Account>().request_strategy(key.clone()).send(&self.client)
        };
        Ok(self.patience.call(repeated(send)).await?.id.to_string())
    }

    async fn onboarding_page(
        &self,
        account: &str,
        refresh_url: &str,
        return_url: &str,
    ) -> GatewayResult<String> {
        let form = json!({
            "account": account,
            "type": "account_onboarding",
            "refresh_url": refresh_url,
            "return_url": return_url,
        });
        let send = || {
            let request = RequestBuilder::new(StripeMethod::Post, "/account_links").form(&form);
            request.customize::<AccountLink>().send(&self.client)
        };
        Ok(self.patience.call(repeated(send)).await?.url)
    }

    async fn account(&self, account: &str) -> GatewayResult<ConnectedAccount> {
        let found: Account = self.patience.call(self.read(format!("/accounts/{account}"))).await?;
        let due = found.requirements.and_then(|due| due.currently_due).unwrap_or_default();
        let receives = found.capabilities.and_then(|of| of.transfers);
        Ok(ConnectedAccount {
            details_submitted: found.details_submitted.unwrap_or_default(),
            payouts_enabled: found.payouts_enabled.unwrap_or_default()
                && matches!(receives, Some(AccountCapabilitiesStatus::Active)),
            requirements: due,
        })
    }

    async fn transfer(&self, request: &TransferRequest) -> GatewayResult<TransferOutcome> {
        self.patience.call(self.transferred(request)).await
    }

    async fn read_transfer(&self, id: &str) -> GatewayResult<Transfer> {
        let found: StripeTransfer = self.patience.call(self.read(format!("/transfers/{id}"))).await?;
        transfer(&found)
    }

    async fn reverse(&self, id: &str) -> GatewayResult<Transfer> {
        self.patience.call(self.reversed(id)).await
    }
}
