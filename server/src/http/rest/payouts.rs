//! Payouts: those of a shop for its members, and those of all shops for admins.

use haat_engine::payouts;
use haat_shared::{
    Currency, Money, Result,
    id::kinds::{PayoutId, PayoutMethodId},
    payouts::{
        AdminPayoutCard, PayoutCard, PayoutForm, PayoutMethodCard, PayoutMethodForm, PayoutMethodKind,
        PayoutState,
    },
    routes::*,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Api, RequestContext,
    extract::{At, Body, Limit, Once, Paging, Query, page},
    reply::{Found, Listed, Made},
    shops::typed,
};

pub(super) fn routes(api: Api) -> Api {
    api.on(API_SHOP_PAYOUTS, "Lists a shop's payouts, newest first.", of_shop)
        .on(
            API_REQUEST_PAYOUT,
            "Requests a payout. The amount is no longer available from then on, and in transit until it is paid.",
            request,
        )
        .on(API_PAYOUT_METHODS, "Lists a shop's payout methods.", methods)
        .on(
            API_ADD_PAYOUT_METHOD,
            "Adds a payout method. The shop's owners get an email, and payouts can use it after a while.",
            add_method,
        )
        .on(
            API_CONNECT_PAYOUTS,
            "Connects an account at Stripe, and returns the page on which the shop's details are entered. Calling it \
             again returns a new page for the same account. Not found if payouts to Stripe are not enabled.",
            connect,
        )
        .on(API_REMOVE_PAYOUT_METHOD, "Removes a payout method.", remove_method)
        .on(API_PAYOUTS, "Lists the payouts of all shops, newest first.", all)
        .on(API_PAYOUT, "Retrieves a payout.", any)
        .on(API_APPROVE_PAYOUT, "Approves a payout that someone else requested.", approve)
        .on(API_RETRY_PAYOUT, "Transfers an approved payout to Stripe now that has not been transferred yet.", retry)
        .on(API_SEND_PAYOUT, "Marks an approved payout as sent.", send)
        .on(API_PAY_PAYOUT, "Marks a payout that was sent as paid.", pay)
        .on(API_REJECT_PAYOUT, "Rejects a payout that wasn't sent: the amount is available again.", reject)
        .on(
            API_RETURN_PAYOUT,
            "Marks a payout as returned by the bank, or reverses its transfer to Stripe: the amount is available again.",
            back,
        )
        .on(API_REQUEST_PAYOUT_FOR, "Requests a payout on behalf of a shop.", request_for)
}

async fn of_shop(
    context: RequestContext,
    (At(handle), Query(of)): (At<String>, Query<Paging>),
) -> Result<Listed<PayoutCard>> {
    payouts::of_shop(context.engine(), &context.caller, &handle, page(&of.after, of.limit)).await.map(Listed)
}

/// An amount of a payout, in minor units of the shop's currency.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is the schema of amounts that are sent")]
struct PayoutAmount {
    /// The amount in minor units.
    #[schema(minimum = 1, maximum = 1000000000000i64)]
    amount: i64,
    /// The currency.
    currency: Currency,
}

/// The parameters of a new payout.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RequestedPayout {
    /// The amount, at most what is available.
    #[schema(value_type = PayoutAmount)]
    amount: Money,
    /// The ID of one of the shop's payout methods.
    method: PayoutMethodId,
}

impl RequestedPayout {
    fn form(&self) -> PayoutForm {
        PayoutForm {
            amount: typed(self.amount),
            currency: self.amount.currency().to_string(),
            method: self.method.to_string(),
        }
    }
}

/// A requested payout.
#[derive(Serialize, ToSchema)]
struct PayoutRequested {
    /// The payout's ID.
    id: PayoutId,
}

async fn request(
    context: RequestContext,
    (At(handle), Body(new), Once(key)): (At<String>, Body<RequestedPayout>, Once),
) -> Result<Made<PayoutRequested>> {
    let id = payouts::request(context.engine(), &context.caller, &handle, &new.form(), &key).await?;
    Ok(Made(PayoutRequested { id }))
}

async fn request_for(
    context: RequestContext,
    (At(handle), Body(new), Once(key)): (At<String>, Body<RequestedPayout>, Once),
) -> Result<Made<PayoutRequested>> {
    let id = payouts::request_for(context.engine(), &context.caller, &handle, &new.form(), &key).await?;
    Ok(Made(PayoutRequested { id }))
}

/// The payout methods of a shop.
#[derive(Serialize, ToSchema)]
struct PayoutMethods {
    /// The methods, oldest first.
    items: Vec<PayoutMethodCard>,
}

async fn methods(context: RequestContext, At(handle): At<String>) -> Result<Found<PayoutMethods>> {
    let items = payouts::methods(context.engine(), &context.caller, &handle).await?;
    Ok(Found(PayoutMethods { items }))
}

/// The parameters of a new payout method.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AddedPayoutMethod {
    /// The type of method. An account at Stripe is connected by another call.
    kind: PayoutMethodKind,
    /// The name of the account's holder.
    #[schema(format = "line", max_length = 70)]
    holder: String,
    /// The IBAN, or the number of an account in India. For bank accounts only.
    #[serde(default)]
    #[schema(format = "optional-line", max_length = 42)]
    account: String,
    /// The IFSC of the bank's branch, for accounts in India.
    #[serde(default)]
    #[schema(format = "optional-line", max_length = 42)]
    ifsc: String,
    /// The email address of the PayPal account. For PayPal only.
    #[serde(default)]
    #[schema(format = "optional-line", max_length = 254)]
    email: String,
}

/// An added payout method.
#[derive(Serialize, ToSchema)]
struct PayoutMethodAdded {
    /// The method's ID.
    id: PayoutMethodId,
}

async fn add_method(
    context: RequestContext,
    (At(handle), Body(new), _): (At<String>, Body<AddedPayoutMethod>, Once),
) -> Result<Made<PayoutMethodAdded>> {
    let AddedPayoutMethod { kind, holder, account, ifsc, email } = new;
    let form = PayoutMethodForm { kind: kind.as_str().into(), holder, account, ifsc, email };
    let id = payouts::add_method(context.engine(), &context.caller, &handle, &form).await?;
    Ok(Made(PayoutMethodAdded { id }))
}

/// A connected account.
#[derive(Serialize, ToSchema)]
struct PayoutAccountConnected {
    /// The payout method's ID.
    id: PayoutMethodId,
    /// Stripe's page on which the shop's details are entered, once and soon. Null if Stripe needs nothing.
    url: Option<String>,
}

async fn connect(
    context: RequestContext,
    (At(handle), _): (At<String>, Once),
) -> Result<Found<PayoutAccountConnected>> {
    let payouts::Onboarding { method: id, url } =
        payouts::connect(context.engine(), &context.caller, &handle).await?;
    Ok(Found(PayoutAccountConnected { id, url }))
}

async fn remove_method(
    context: RequestContext,
    At((handle, id)): At<(String, PayoutMethodId)>,
) -> Result<()> {
    payouts::remove_method(context.engine(), &context.caller, &handle, id).await
}

/// The filters of a list of payouts.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WhichPayouts {
    /// Only payouts with this status.
    status: Option<PayoutState>,
    /// The `next` cursor of the previous page.
    after: Option<String>,
    /// The maximum number of items to return.
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 100)]
    limit: Option<Limit>,
}

async fn all(context: RequestContext, Query(of): Query<WhichPayouts>) -> Result<Listed<AdminPayoutCard>> {
    let state = of.status.map_or("", PayoutState::as_str);
    payouts::list(context.engine(), &context.caller, state, page(&of.after, of.limit)).await.map(Listed)
}

async fn any(context: RequestContext, At(id): At<PayoutId>) -> Result<Found<AdminPayoutCard>> {
    payouts::any(context.engine(), &context.caller, id).await.map(|details| Found(details.card))
}

async fn approve(context: RequestContext, (At(id), _): (At<PayoutId>, Once)) -> Result<()> {
    payouts::approve(context.engine(), &context.caller, id).await
}

async fn retry(context: RequestContext, (At(id), _): (At<PayoutId>, Once)) -> Result<()> {
    payouts::retry_transfer(context.engine(), &context.caller, id).await
}

/// How a payout was sent.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Sending {
    /// The bank's reference of the transfer.
    #[schema(format = "line", max_length = 64)]
    reference: String,
}

async fn send(
    context: RequestContext,
    (At(id), Body(of), _): (At<PayoutId>, Body<Sending>, Once),
) -> Result<()> {
    payouts::mark_sent(context.engine(), &context.caller, id, &of.reference).await
}

async fn pay(context: RequestContext, (At(id), _): (At<PayoutId>, Once)) -> Result<()> {
    payouts::mark_paid(context.engine(), &context.caller, id).await
}

/// Why a payout isn't made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PayoutReason {
    /// The reason, which the shop reads.
    #[schema(format = "line", max_length = 200)]
    reason: String,
}

async fn reject(
    context: RequestContext,
    (At(id), Body(why), _): (At<PayoutId>, Body<PayoutReason>, Once),
) -> Result<()> {
    payouts::reject(context.engine(), &context.caller, id, &why.reason).await
}

async fn back(
    context: RequestContext,
    (At(id), Body(why), _): (At<PayoutId>, Body<PayoutReason>, Once),
) -> Result<()> {
    payouts::mark_returned(context.engine(), &context.caller, id, &why.reason).await
}
