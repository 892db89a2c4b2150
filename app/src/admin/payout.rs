//! A payout: where it goes, who did what, and what can be done next.

use haat_shared::{
    Error,
    forms::Draft,
    payouts::{AdminPayoutCard, PayoutDetails, PayoutMethodKind, PayoutState},
    permissions::AdminPermission,
    routes,
};
use leptos::prelude::*;

use super::{AdminPage, Part, asked, may, url};
use crate::{
    api,
    i18n::{t, tu_string, use_i18n},
    state::{Visitor, param, query},
    storefront::draft_by,
    ui::{Alert, Button, CodeAlert, ErrorSummary, Field, PageTitle, loaded, unbroken},
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
    // The list with the filters that led here.
    let back = url(Part::Payouts.path(), &untrack(asked()));
    let title = tu_string!(i18n, payouts.numbered, number = card.payout.number.as_str()).to_string();
    let look = if done == "not_reversed" { "bad" } else { "good" };
    let done = done_words(i18n, &done, &card).map(|words| view! { <Alert look>{words}</Alert> });
    let history = history(i18n, &card);
    let actions = manages.then(|| actions(i18n, &card, own, draft));
    let AdminPayoutCard { payout, shop_handle, shop_name, holder, gateway_note, .. } = card;
    let method = format!("{} {}", words::payout_method(i18n, payout.kind), payout.account);
    let reference = match payout.kind {
        PayoutMethodKind::Stripe => t!(i18n, payouts.transfer_id),
        _ => t!(i18n, payouts.reference),
    };
    let facts = [
        (t!(i18n, balance.amount), words::money(i18n, payout.amount)),
        (t!(i18n, payouts.method), method),
        (t!(i18n, payouts.holder), holder),
        (reference, payout.reference),
        (t!(i18n, payouts.reason), words::payout_reason(i18n, &payout.reason).to_owned()),
        (t!(i18n, payouts.gateway_note), gateway_note),
    ];
    let facts = facts.into_iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| {
        view! {
            <div>
                <dt>{name}</dt>
                <dd><bdi>{value}</bdi></dd>
            </div>
        }
    });
    let facts = facts.collect_view();
    view! {
        <PageTitle text=title.clone() />
        <p class="back"><a href=back>{t!(i18n, payouts.all)}</a></p>
        <CodeAlert />
        {done}
        <header class="order-head">
            <div>
                <h1>{unbroken(&title, &payout.number)}</h1>
                <p class="note dots"><span class="whole">{words::money(i18n, payout.amount)}</span> " " <span translate="no"><a href=routes::any_shop(&shop_handle)>{shop_name}</a></span></p>
            </div>
            {words::payout_label(i18n, payout.state)}
        </header>
        {actions}
        <section class="panel" aria-labelledby="details">
            <h2 id="details">{t!(i18n, payouts.details)}</h2>
            <dl class="details">{facts}</dl>
        </section>
        {history}
    }
}

/// What was done before a redirect, unless the payout has moved on since.
fn done_words(i18n: I18n, done: &str, card: &AdminPayoutCard) -> Option<String> {
    let AdminPayoutCard { payout, shop_name, .. } = card;
    let (number, price, shop) = (payout.number.as_str(), payout.amount, shop_name.as_str());
    let stripe = payout.kind == PayoutMethodKind::Stripe;
    Some(match (done, payout.state) {
        ("approve", PayoutState::Approved | PayoutState::Paid) if stripe => {
            t!(i18n, payouts.done_transfer, number = number, price = price, shop = shop)
        }
        ("retry", PayoutState::Approved | PayoutState::Paid) => {
            t!(i18n, payouts.done_retry, number = number, price = price, shop = shop)
        }
        ("return", PayoutState::Returned) if stripe => {
            t!(i18n, payouts.done_reverse, number = number, price = price, shop = shop)
        }
        ("not_reversed", PayoutState::Paid) => t!(i18n, payouts.not_reversed, number = number),
        ("approve", PayoutState::Approved) => {
            t!(i18n, payouts.done_approve, number = number, price = price, shop = shop)
        }
        ("send", PayoutState::Sent) => {
            t!(i18n, payouts.done_send, number = number, price = price, shop = shop)
        }
        ("pay", PayoutState::Paid) => t!(i18n, payouts.done_pay, number = number, price = price, shop = shop),
        ("reject", PayoutState::Rejected) => {
            t!(i18n, payouts.done_reject, number = number, price = price, shop = shop)
        }
        ("return", PayoutState::Returned) => {
            t!(i18n, payouts.done_return, number = number, price = price, shop = shop)
        }
        _ => return None,
    })
}

/// Each step of a payout: when, and by whom.
fn history(i18n: I18n, card: &AdminPayoutCard) -> AnyView {
    let payout = &card.payout;
    let ended = match payout.state {
        PayoutState::Returned => t!(i18n, payouts.returned),
        _ => t!(i18n, payouts.rejected),
    };
    let (none, reason) = (&String::new(), &words::payout_reason(i18n, &payout.reason).to_owned());
    let steps = [
        (t!(i18n, payouts.requested), Some(&payout.requested_at), Some(&card.requested_by), none),
        (t!(i18n, payouts.approved), payout.approved_at.as_ref(), card.approved_by.as_ref(), none),
        (t!(i18n, payouts.sent), payout.sent_at.as_ref(), card.sent_by.as_ref(), &payout.reference),
        (t!(i18n, payouts.paid), payout.paid_at.as_ref(), card.paid_by.as_ref(), none),
        (ended, payout.ended_at.as_ref(), card.ended_by.as_ref(), reason),
    ];
    let steps = steps.into_iter().enumerate().filter_map(|(i, (what, at, by, note))| {
        // The first one shows the zone of all.
        let at = at.map(|at| if i == 0 { words::moment(i18n, at) } else { words::hour(i18n, at) })?;
        let by = match by {
            Some(email) => view! { <span translate="no">{email.clone()}</span> }.into_any(),
            None => view! { <span>{t!(i18n, admin.program)}</span> }.into_any(),
        };
        let note = (!note.is_empty()).then(|| view! { <p><bdi>{note.clone()}</bdi></p> });
        Some(view! {
            <li>
                <strong>{what}</strong>
                <p class="note dots"><span>{at}</span> " " {by}</p>
                {note}
            </li>
        })
    });
    view! {
        <section class="panel" aria-labelledby="history">
            <h2 id="history">{t!(i18n, seller_orders.history)}</h2>
            <ol class="history">{steps.collect_view()}</ol>
        </section>
    }
    .into_any()
}

/// A step that an admin can take, behind what it will do.
struct Step {
    action: &'static str,
    words: &'static str,
    /// What happens then.
    note: String,
    /// The name, the label and the hint of what it asks for.
    field: Option<[&'static str; 3]>,
    /// The button that takes the step.
    button: String,
    look: &'static str,
}

/// What an admin can do with a payout in this state.
fn actions(i18n: I18n, card: &AdminPayoutCard, own: bool, draft: Draft) -> Option<AnyView> {
    let AdminPayoutCard { payout, shop_name, holder, .. } = card;
    let (price, shop) = (payout.amount, shop_name.as_str());
    let account = format!("{} {}", words::payout_method(i18n, payout.kind), payout.account);
    let (account, holder) = (account.as_str(), holder.as_str());
    let stripe = payout.kind == PayoutMethodKind::Stripe;
    let approve = || Step {
        action: "approve",
        words: t!(i18n, payouts.approve),
        note: match stripe {
            true => t!(i18n, payouts.transfer_approve_note, price = price, shop = shop, account = account),
            false => {
                t!(i18n, payouts.approve_note, price = price, shop = shop, account = account, holder = holder)
            }
        },
        field: None,
        button: t!(i18n, payouts.approve_now, price = price),
        look: "primary",
    };
    let send = || Step {
        action: "send",
        words: t!(i18n, payouts.mark_sent),
        note: t!(i18n, payouts.send_note, price = price, shop = shop, account = account, holder = holder),
        field: Some(["reference", t!(i18n, payouts.reference), t!(i18n, payouts.reference_hint)]),
        button: t!(i18n, payouts.send_now, price = price),
        look: "primary",
    };
    let pay = || Step {
        action: "pay",
        words: t!(i18n, payouts.mark_paid),
        note: t!(i18n, payouts.pay_note, price = price, shop = shop),
        field: None,
        button: t!(i18n, payouts.pay_now, price = price),
        look: "primary",
    };
    let reject = || Step {
        action: "reject",
        words: t!(i18n, payouts.reject),
        note: t!(i18n, payouts.reject_note, price = price, shop = shop),
        field: Some(["reason", t!(i18n, payouts.reason), t!(i18n, payouts.reference_hint)]),
        button: t!(i18n, payouts.reject_now, price = price),
        look: "danger",
    };
    let back = || Step {
        action: "return",
        words: t!(i18n, payouts.mark_returned),
        note: t!(i18n, payouts.return_note, price = price, shop = shop),
        field: Some(["reason", t!(i18n, payouts.reason), t!(i18n, payouts.return_hint)]),
        button: t!(i18n, payouts.return_now, price = price),
        look: "danger",
    };
    let retry = || Step {
        action: "retry",
        words: t!(i18n, payouts.retry),
        note: t!(i18n, payouts.retry_note, price = price, shop = shop),
        field: None,
        button: t!(i18n, payouts.retry_now, price = price),
        look: "primary",
    };
    let reverse = || Step {
        action: "return",
        words: t!(i18n, payouts.reverse),
        note: t!(i18n, payouts.reverse_note, price = price, shop = shop),
        field: Some(["reason", t!(i18n, payouts.reason), t!(i18n, payouts.reference_hint)]),
        button: t!(i18n, payouts.reverse_now, price = price),
        look: "danger",
    };
    let steps = match payout.state {
        PayoutState::Approved if card.unconfirmed => vec![retry()],
        PayoutState::Approved if stripe => vec![retry(), reject()],
        PayoutState::Paid if stripe => vec![reverse()],
        PayoutState::Requested if own => vec![reject()],
        PayoutState::Requested => vec![approve(), reject()],
        PayoutState::Approved => vec![send(), reject()],
        PayoutState::Sent => vec![pay(), back()],
        PayoutState::Paid => vec![back()],
        PayoutState::Rejected | PayoutState::Returned => return None,
    };
    let path = routes::any_payout(payout.id);
    let own = (own && payout.state == PayoutState::Requested)
        .then(|| view! { <p class="note">{t!(i18n, error.own_payout)}</p> });
    let unconfirmed = card.unconfirmed.then(|| view! { <p class="note">{t!(i18n, payouts.unconfirmed)}</p> });
    let steps = steps.into_iter().map(|step| view! { <Asking step path=path.clone() draft=draft.clone() /> });
    Some(
        view! {
            <section class="panel" aria-labelledby="next">
                <h2 id="next">{t!(i18n, seller_orders.next_step)}</h2>
                {own}
                {unconfirmed}
                {steps.collect_view()}
            </section>
        }
        .into_any(),
    )
}

#[component]
fn Asking(step: Step, path: String, draft: Draft) -> impl IntoView {
    let Step { action, words, note, field, button, look } = step;
    let mine = draft.typed("action") == action;
    let typed = if mine { draft } else { Draft::default() };
    let open = typed.error.is_some();
    let field = field.map(|[name, label, hint]| {
        let value = typed.typed(name);
        let faults: Signal<Option<Error>> = Signal::stored(typed.error);
        view! {
            <ErrorSummary faults labels=vec![(name, label.to_owned())] />
            <Field name label value hint required=true faults />
        }
    });
    view! {
        <details class="more-of payout-step" open=open>
            <summary>{words}</summary>
            <form method="post" action=path class="form" novalidate>
                <input type="hidden" name="action" value=action />
                <p>{note}</p>
                {field}
                <div><Button look>{button}</Button></div>
            </form>
        </details>
    }
}
