//! The admins' lists, background jobs, and the team.

use haat_engine::{
    accounts,
    admin::{self, Grantee},
    audit, books, jobs, orders, outbox, payments, shops,
};
use haat_shared::{
    Result,
    accounts::{TeamMember, UserCard},
    admin::{PaymentAction, PaymentCard, PaymentDetails},
    audit::{AuditEntry, JobCard, OutboxMessageCard},
    id::kinds::{JobId, PaymentId, RefundId, UserId},
    ledger::TrialBalance,
    orders::OrderCard,
    page::{ListRequest, PageRequest},
    payments::PaymentState,
    permissions::AdminRole,
    routes::*,
    shops::AdminShopCard,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Api, RequestContext,
    extract::{At, Body, Limit, Once, Paging, Query, page},
    orders::WhichOrders,
    reply::{Found, Listed},
};

pub(super) fn routes(api: Api) -> Api {
    api.on(API_ALL_ORDERS, "Lists the orders of all shops, newest first.", all_orders)
        .on(API_ALL_SHOPS, "Lists all shops, newest first.", all_shops)
        .on(API_USERS, "Lists all users, newest first.", users)
        .on(
            API_TRIAL_BALANCE,
            "Returns the balance of every ledger account, and the last seal.",
            trial_balance,
        )
        .on(API_PAYMENTS, "Lists all payments, newest first.", all_payments)
        .on(API_PAYMENT, "Returns a payment with its refunds and webhooks.", payment)
        .on(
            API_FOLLOW_UP_PAYMENT,
            "Reads a payment from its gateway again, captures or cancels it.",
            follow_up_payment,
        )
        .on(
            API_RETRY_REFUND,
            "Requests a refund again that came back after the gateway had made it.",
            retry_refund,
        )
        .on(API_SETTLE_REFUND, "Records that a refund that came back was paid in another way.", settle_refund)
        .on(API_AUDIT, "Lists the audit log, newest first.", audited)
        .on(API_OUTBOX, "Lists outbox messages, newest first.", all_messages)
        .on(API_JOBS, "Lists unfinished jobs, newest first.", all_jobs)
        .on(API_RETRY_JOB, "Retries a job immediately.", retry)
        .on(API_DISCARD_JOB, "Discards a job.", discard)
        .on(API_TEAM, "Lists the admins and their roles.", team)
        .on(API_GRANT_ROLE, "Grants a role to a user. Granting it again changes nothing.", grant_role)
        .on(API_REVOKE_ROLE, "Revokes a role. The last owner keeps this role.", revoke_role)
}

/// The filters of a list.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Which {
    /// Only items that match these words.
    #[schema(format = "optional-line", max_length = 100)]
    q: Option<String>,
    /// The `next` cursor of the previous page.
    after: Option<String>,
    /// The maximum number of items to return.
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 100)]
    limit: Option<Limit>,
}

async fn all_orders(context: RequestContext, Query(of): Query<WhichOrders>) -> Result<Listed<OrderCard>> {
    orders::list_all(context.engine(), &context.caller, of.into()).await.map(Listed)
}

async fn all_shops(context: RequestContext, Query(of): Query<Which>) -> Result<Listed<AdminShopCard>> {
    let q = of.q.unwrap_or_default();
    shops::list_all(context.engine(), &context.caller, &q, page(&of.after, of.limit)).await.map(Listed)
}

async fn users(context: RequestContext, Query(of): Query<Which>) -> Result<Listed<UserCard>> {
    let q = of.q.unwrap_or_default();
    accounts::list(context.engine(), &context.caller, &q, page(&of.after, of.limit)).await.map(Listed)
}

async fn audited(context: RequestContext, Query(of): Query<Paging>) -> Result<Listed<AuditEntry>> {
    audit::list(context.engine(), &context.caller, page(&of.after, of.limit)).await.map(Listed)
}

async fn trial_balance(context: RequestContext, (): ()) -> Result<Found<TrialBalance>> {
    books::trial_balance(context.engine(), &context.caller).await.map(Found)
}

/// The filters of a list of payments.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WhichPayments {
    /// Only payments with this ID at us or at the gateway, of a purchase or order with this number, of this email address, or of
    /// this amount in the market's currency.
    #[schema(format = "optional-line", max_length = 255)]
    q: Option<String>,
    /// Only payments with this status.
    status: Option<PaymentState>,
    /// The `next` cursor of the previous page.
    after: Option<String>,
    /// The maximum number of items to return.
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 100)]
    limit: Option<Limit>,
}

async fn all_payments(
    context: RequestContext,
    Query(of): Query<WhichPayments>,
) -> Result<Listed<PaymentCard>> {
    let PageRequest { after, limit } = page(&of.after, of.limit);
    let state = of.status.map(|state| state.as_str().to_owned()).unwrap_or_default();
    let ask = ListRequest {
        q: of.q.unwrap_or_default(),
        state,
        after: after.to_owned(),
        limit,
        ..ListRequest::default()
    };
    payments::list(context.engine(), &context.caller, &ask).await.map(|found| Listed(found.page))
}

async fn payment(context: RequestContext, At(id): At<PaymentId>) -> Result<Found<PaymentDetails>> {
    payments::details(context.engine(), &context.caller, id).await.map(Found)
}

/// What to do about a payment.
type AtAction = At<(PaymentId, PaymentAction)>;

async fn follow_up_payment(context: RequestContext, (At((id, action)), _): (AtAction, Once)) -> Result<()> {
    payments::follow_up(context.engine(), &context.caller, id, action).await
}

async fn retry_refund(context: RequestContext, (At(id), _): (At<RefundId>, Once)) -> Result<()> {
    payments::retry_refund(context.engine(), &context.caller, id).await
}

/// How a refund was paid.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Settlement {
    /// How it was paid, for example the bank's reference. For the audit log.
    #[schema(format = "line", max_length = 300)]
    note: String,
}

async fn settle_refund(
    context: RequestContext,
    (At(id), Body(how), _): (At<RefundId>, Body<Settlement>, Once),
) -> Result<()> {
    payments::settle_refund(context.engine(), &context.caller, id, &how.note).await
}

/// The filters of a list of outbox messages.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WhichMessages {
    /// Only messages that haven't been processed yet.
    waiting: Option<bool>,
    /// The `next` cursor of the previous page.
    after: Option<String>,
    /// The maximum number of items to return.
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 100)]
    limit: Option<Limit>,
}

async fn all_messages(
    context: RequestContext,
    Query(of): Query<WhichMessages>,
) -> Result<Listed<OutboxMessageCard>> {
    let waiting = of.waiting.unwrap_or_default();
    outbox::list(context.engine(), &context.caller, waiting, page(&of.after, of.limit)).await.map(Listed)
}

/// The status of an unfinished job.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum JobState {
    /// Waiting for its next attempt.
    Queued,
    /// Failed after too many attempts.
    Dead,
    /// Discarded by an admin.
    Discarded,
}

/// The filters of a list of jobs.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WhichJobs {
    /// Only jobs with this status.
    #[schema(inline)]
    status: Option<JobState>,
    /// The `next` cursor of the previous page.
    after: Option<String>,
    /// The maximum number of items to return.
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 100)]
    limit: Option<Limit>,
}

async fn all_jobs(context: RequestContext, Query(of): Query<WhichJobs>) -> Result<Listed<JobCard>> {
    let state = match of.status {
        None => "",
        Some(JobState::Queued) => "queued",
        Some(JobState::Dead) => "dead",
        Some(JobState::Discarded) => "discarded",
    };
    jobs::list(context.engine(), &context.caller, state, page(&of.after, of.limit)).await.map(Listed)
}

async fn retry(context: RequestContext, (At(id), _): (At<JobId>, Once)) -> Result<()> {
    jobs::retry(context.engine(), &context.caller, id).await
}

async fn discard(context: RequestContext, (At(id), _): (At<JobId>, Once)) -> Result<()> {
    jobs::discard(context.engine(), &context.caller, id).await
}

/// A list of admins.
#[derive(Serialize, ToSchema)]
struct Team {
    /// The admins, by email address.
    items: Vec<TeamMember>,
}

async fn team(context: RequestContext, (): ()) -> Result<Found<Team>> {
    admin::team(context.engine(), &context.caller).await.map(|items| Found(Team { items }))
}

/// A role of a user.
type AtRole = At<(UserId, AdminRole)>;

async fn grant_role(context: RequestContext, At((user, role)): AtRole) -> Result<()> {
    admin::grant_role(context.engine(), &context.caller, Grantee::Id(user), role).await
}

async fn revoke_role(context: RequestContext, At((user, role)): AtRole) -> Result<()> {
    admin::revoke_role(context.engine(), &context.caller, user, role).await
}
