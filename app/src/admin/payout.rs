//! A payout: where it goes, who did what, and what can be done next.

use haat_shared::{
    Error,
    forms::Draft,
    payouts::{AdminPayoutCard, PayoutDetails, PayoutState},
    permissions::AdminPermission,
    routes,
};
use leptos::prelude::*;

use super::{AdminPage, Part, asked, may, url};
use crate::{
    api,
    i18n::{t, use_i18n},
    state::{Visitor, param, query},
    storefront::draft_by,
    ui::{Alert, Button, CodeAlert, ErrorSummary, Field, PageTitle, loaded},
    words::{self, I18n},
};

/// A payout's page.
#[component]
pub(crate) fn Payout() -> impl IntoView {
    let (id, draft, done) = (param("id"), query("draft"), query("done"));
    let visitor = expect_context::<Visitor>();
    let found = api::find(
        move || (id.get(), draft.get(), done.get()),
        move |(id, draft, done)| async move {
            let details = api::payouts::any(api::id(&id)?).await?;
            let manages = may(visitor, AdminPermission::ManagePayouts).await;
            Ok((details, draft_by("payout", draft).await?, done, manages))
        },
    );
    let page = loaded(found, |(details, draft, done, manages)| {
        view! { <Shown details draft done manages /> }
    });
    view! { <AdminPage here=Part::Payouts>{page}</AdminPage> }
}

#[component]
fn Shown(details: PayoutDetails, draft: Draft, done: String, manages: bool) -> impl IntoView {
    let i18n = use_i18n();
    let PayoutDetails { card, own } = details;
    let AdminPayoutCard { payout, shop_handle, shop_name, holder, requested_by, approved_by } = card;
    // The list with the filters that led here.
    let back = url(Part::Payouts.path(), &untrack(asked()));
    let title = t!(i18n, payouts.payout_of, price = payout.amount);
    let done = match done.as_str() {
        "approve" | "send" | "pay" | "reject" | "return" => Some(t!(i18n, form.saved)),
        _ => None,
    };
    let done = done.map(|words| view! { <Alert look="good">{words}</Alert> });
    let method = format!("{} {}", words::payout_method(i18n, payout.kind), payout.account);
    let by = |at: &str, who: Option<&str>| {
        let at = words::moment(i18n, at);
        who.map_or(at.clone(), |who| format!("{at} · {who}"))
    };
    let approver = approved_by.unwrap_or_else(|| t!(i18n, admin.program).to_owned());
    let ended = if payout.state == PayoutState::Returned {
        t!(i18n, payouts.returned)
    } else {
        t!(i18n, payouts.rejected)
    };
    let facts = [
        (t!(i18n, payouts.method), Some(method)),
        (t!(i18n, payouts.holder), Some(holder)),
        (t!(i18n, payouts.requested), Some(by(&payout.requested_at, Some(&requested_by)))),
        (t!(i18n, payouts.approved), payout.approved_at.as_deref().map(|at| by(at, Some(&approver)))),
        (t!(i18n, payouts.sent), payout.sent_at.as_deref().map(|at| by(at, Some(&payout.reference)))),
        (t!(i18n, payouts.paid), payout.paid_at.as_deref().map(|at| by(at, None))),
        (ended, payout.ended_at.as_deref().map(|at| by(at, Some(&payout.reason)))),
    ];
    let facts = facts.into_iter().filter_map(|(name, value)| {
        let value = value?;
        Some(view! {
            <div>
                <dt>{name}</dt>
                <dd><bdi>{value}</bdi></dd>
            </div>
        })
    });
    let facts = facts.collect_view();
    let actions = manages.then(|| actions(i18n, routes::any_payout(payout.id), payout.state, own, draft));
    view! {
        <PageTitle text=title.clone() />
        <p class="back"><a href=back>{t!(i18n, payouts.all)}</a></p>
        <CodeAlert />
        {done}
        <header class="order-head">
            <div>
                <h1>{title}</h1>
                <p class="note" translate="no"><a href=routes::any_shop(&shop_handle)>{shop_name}</a></p>
            </div>
            {words::payout_label(i18n, payout.state)}
        </header>
        {actions}
        <section class="panel" aria-labelledby="details">
            <h2 id="details">{t!(i18n, payouts.details)}</h2>
            <dl class="details">{facts}</dl>
        </section>
    }
}

/// What an admin can do with a payout in this state.
fn actions(i18n: I18n, path: String, state: PayoutState, own: bool, draft: Draft) -> Option<AnyView> {
    let step = |action: &'static str, words: &'static str| {
        view! {
            <form method="post" action=path.clone()>
                <input type="hidden" name="action" value=action />
                <Button>{words}</Button>
            </form>
        }
        .into_any()
    };
    let asking = |action: &'static str,
                  name: &'static str,
                  label: &'static str,
                  hint: &'static str,
                  words: &'static str,
                  look: &'static str| {
        let typed = if draft.typed("action") == action { draft.clone() } else { Draft::default() };
        let value = typed.typed(name);
        let faults: Signal<Option<Error>> = Signal::stored(typed.error);
        view! {
            <form method="post" action=path.clone() class="form" novalidate>
                <ErrorSummary faults labels=vec![(name, label.to_owned())] />
                <input type="hidden" name="action" value=action />
                <Field name label value hint required=true faults />
                <div><Button look>{words}</Button></div>
            </form>
        }
        .into_any()
    };
    let reject = || {
        let hint = t!(i18n, payouts.reason_hint);
        asking("reject", "reason", t!(i18n, payouts.reason), hint, t!(i18n, payouts.reject), "danger")
    };
    let back = || {
        let hint = t!(i18n, payouts.return_hint);
        asking("return", "reason", t!(i18n, payouts.reason), hint, t!(i18n, payouts.mark_returned), "danger")
    };
    let forms = match state {
        PayoutState::Requested if own => {
            vec![view! { <p class="note">{t!(i18n, error.own_payout)}</p> }.into_any(), reject()]
        }
        PayoutState::Requested => vec![step("approve", t!(i18n, payouts.approve)), reject()],
        PayoutState::Approved => {
            let hint = t!(i18n, payouts.reference_hint);
            let send = t!(i18n, payouts.mark_sent);
            vec![asking("send", "reference", t!(i18n, payouts.reference), hint, send, "primary"), reject()]
        }
        PayoutState::Sent => vec![step("pay", t!(i18n, payouts.mark_paid)), back()],
        PayoutState::Paid => vec![back()],
        PayoutState::Rejected | PayoutState::Returned => return None,
    };
    let forms = forms.into_iter().map(|form| view! { <div class="payout-step">{form}</div> }).collect_view();
    Some(
        view! {
            <section class="panel" aria-labelledby="next">
                <h2 id="next">{t!(i18n, seller_orders.next_step)}</h2>
                {forms}
            </section>
        }
        .into_any(),
    )
}
