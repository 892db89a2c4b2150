//! A shop's balance.

use haat_shared::ledger::{Balance, TrialBalance};
use leptos::{prelude::*, server_fn::codec::Json};

use super::ApiError;

/// A shop's balance and transactions.
#[server(name = FetchBalance, prefix = "/api", endpoint = "ledger/balance", input = Json)]
pub async fn balance(handle: String, after: String) -> Result<Balance, ApiError> {
    super::call(async |engine, caller| haat_engine::ledger::balance(&engine, &caller, &handle, &after).await)
        .await
}

/// The balance of every account.
#[server(name = FetchTrialBalance, prefix = "/api", endpoint = "ledger/trial_balance", input = Json)]
pub async fn trial_balance() -> Result<TrialBalance, ApiError> {
    super::call(async |engine, caller| haat_engine::books::trial_balance(&engine, &caller).await).await
}
