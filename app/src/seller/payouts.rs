//! Payouts on the balance page: the form that requests one, where they go, and what became of them.

use haat_shared::{
    Error, Money,
    forms::Draft,
    payouts::{
        ConnectedAccount, PayoutCard, PayoutForm, PayoutMethodCard, PayoutMethodForm, PayoutMethodKind,
        PayoutState, ShopPayouts,
    },
};
use leptos::prelude::*;

use crate::{
    i18n::{t, tu_string, use_i18n},
    ui::{Alert, Amount, Button, Choice, ErrorSummary, Field, Table, email_address},
    words::{self, I18n},
};

/// The result of an action before a redirect.
#[component]
pub(super) fn Done(
    what: String,
    /// The payout that was requested, if it is among those of the page.
    payout: Option<PayoutCard>,
    methods: Vec<PayoutMethodCard>,
) -> impl IntoView {
    let i18n = use_i18n();
    let words = match (what.as_str(), payout) {
        ("withdraw", Some(payout)) => {
            let method = format!("{} {}", words::payout_method(i18n, payout.kind), payout.account);
            t!(i18n, payouts.done_withdraw_of, price = payout.amount, method = method)
        }
        ("withdraw", None) => t!(i18n, payouts.done_withdraw).to_owned(),
        ("add_method", _) => t!(i18n, payouts.done_added).to_owned(),
        ("remove_method", _) => t!(i18n, payouts.done_removed).to_owned(),
        ("connect", _) => {
            let mut connected = methods.into_iter().filter_map(|method| method.connected);
            if !connected.any(|account| account.payouts_enabled) {
                let words = t!(i18n, payouts.done_connecting);
                return Some(view! { <Alert look="info">{words}</Alert> }.into_any());
            }
            t!(i18n, payouts.done_connected).to_owned()
        }
        _ => return None,
    };
    Some(view! { <Alert look="good">{words}</Alert> }.into_any())
}

/// The draft, if it is that of this form of the page.
fn draft_of(action: &str, draft: Draft) -> Draft {
    if draft.typed("action") == action { draft } else { Draft::default() }
}

/// The form that requests a payout, or why there is none.
#[component]
pub(super) fn Withdraw(
    path: String,
    /// What can be withdrawn.
    available: Money,
    page: ShopPayouts,
    draft: Draft,
) -> impl IntoView {
    let i18n = use_i18n();
    let ShopPayouts { minimum, key, methods, .. } = page;
    let draft = draft_of("withdraw", draft);
    let usable: Vec<_> = methods.iter().filter(|method| method.usable).collect();
    let least = if available.currency() == minimum.currency() { minimum.amount().max(1) } else { 1 };
    let why = match (available.amount() < least, usable.is_empty(), methods.is_empty()) {
        (true, ..) => Some(t!(i18n, payouts.too_little, price = minimum)),
        (false, true, true) => Some(t!(i18n, payouts.no_method).to_owned()),
        (false, true, false) => Some(t!(i18n, payouts.method_waits).to_owned()),
        _ => None,
    };
    let form = match why {
        None => form(i18n, path, available, &usable, minimum, key, draft),
        why => view! { <p class="note">{why}</p> }.into_any(),
    };
    view! {
        <section class="panel" aria-labelledby="withdraw">
            <h2 id="withdraw">{t!(i18n, payouts.withdraw)}</h2>
            {form}
        </section>
    }
}

fn form(
    i18n: I18n,
    path: String,
    available: Money,
    methods: &[&PayoutMethodCard],
    minimum: Money,
    key: String,
    draft: Draft,
) -> AnyView {
    let typed = PayoutForm::read(|name| draft.typed(name));
    let faults: Signal<Option<Error>> = Signal::stored(draft.error);
    let labels = vec![
        ("amount", t!(i18n, balance.amount).to_owned()),
        ("method", t!(i18n, payouts.method).to_owned()),
    ];
    let hint = match available.currency() == minimum.currency() {
        true => t!(i18n, payouts.amount_hint, least = minimum, most = available),
        false => t!(i18n, payouts.at_most, price = available),
    };
    let value = match (typed.method.is_empty(), methods.first()) {
        (true, Some(method)) => method.id.to_string(),
        _ => typed.method,
    };
    let options = methods.iter().map(|method| {
        let words = format!("{} {}", words::payout_method(i18n, method.kind), method.account);
        (method.id.to_string(), words, method.holder.clone())
    });
    let amount = format!("{} ({})", t!(i18n, balance.amount), available.currency().code());
    view! {
        <form method="post" action=path class="form" novalidate>
            <ErrorSummary faults labels />
            <input type="hidden" name="action" value="withdraw" />
            <input type="hidden" name="key" value=key />
            <Amount name="amount" label=amount value=typed.amount required=true hint currency=available.currency() faults />
            <Choice name="method" label=t!(i18n, payouts.method) value options=options.collect() faults />
            <div><Button>{t!(i18n, payouts.request)}</Button></div>
        </form>
    }
    .into_any()
}

/// What is to be said of a shop's account at Stripe, and whether the shop has to do something there.
fn of_account(i18n: I18n, account: &ConnectedAccount, connects: bool) -> (Option<&'static str>, bool) {
    let needs = !account.requirements.is_empty();
    match (account.details_submitted, account.payouts_enabled) {
        _ if !connects => (Some(t!(i18n, payouts.stripe_off)), false),
        (false, _) => (Some(t!(i18n, payouts.stripe_unfinished)), true),
        (true, false) if needs => (Some(t!(i18n, payouts.stripe_needs)), true),
        // Also to look again, should the webhook be lost.
        (true, false) => (Some(t!(i18n, payouts.stripe_checks)), true),
        (true, true) if needs => (Some(t!(i18n, payouts.stripe_soon)), true),
        (true, true) => (None, false),
    }
}

/// Where payouts go, and the form that adds another method.
#[component]
pub(super) fn Methods(
    path: String,
    methods: Vec<PayoutMethodCard>,
    /// Whether an account at Stripe can be connected.
    connects: bool,
    draft: Draft,
) -> impl IntoView {
    let i18n = use_i18n();
    let draft = draft_of("add_method", draft);
    let open = draft.error.is_some();
    let offers_stripe = connects && methods.iter().all(|method| method.connected.is_none());
    let rows = methods.into_iter().map(|method| {
        let (state, to_do) = match &method.connected {
            Some(account) => of_account(i18n, account, connects),
            None => (None, false),
        };
        let waits = method.connected.as_ref().is_none_or(|account| account.payouts_enabled) && !method.usable;
        let note = match (state, waits) {
            (Some(state), _) => state.to_owned(),
            (None, false) => method.holder.clone(),
            (None, true) => {
                let from = words::moment(i18n, &method.usable_at);
                format!("{} · {}", method.holder, t!(i18n, payouts.usable_from, date = from))
            }
        };
        let remove = match method.account.as_str() {
            "" => format!("{} {}", t!(i18n, payouts.remove), words::payout_method(i18n, method.kind)),
            account => format!("{} {account}", t!(i18n, payouts.remove)),
        };
        let go_on = to_do.then(|| {
            view! {
                <form method="post" action=path.clone()>
                    <input type="hidden" name="action" value="connect" />
                    <Button>{t!(i18n, payouts.stripe_continue)}</Button>
                </form>
            }
        });
        view! {
            <li class="row">
                <div>
                    <strong>{words::payout_method(i18n, method.kind)}" "<bdi class="whole">{email_address(&method.account)}</bdi></strong>
                    <p class="note">{note}</p>
                </div>
                {go_on}
                <form method="post" action=path.clone()>
                    <input type="hidden" name="action" value="remove_method" />
                    <input type="hidden" name="method" value=method.id.to_string() />
                    <button type="submit" class="button secondary" aria-label=remove>{t!(i18n, payouts.remove)}</button>
                </form>
            </li>
        }
    });
    let rows = rows.collect_view();
    view! {
        <section class="panel" aria-labelledby="methods">
            <h2 id="methods">{t!(i18n, payouts.methods)}</h2>
            <ul class="rows">{rows}</ul>
            <details class="more-of" open=open>
                <summary>{t!(i18n, payouts.add)}</summary>
                <AddMethod path=path.clone() offers_stripe draft />
            </details>
        </section>
    }
}

#[component]
fn AddMethod(path: String, offers_stripe: bool, draft: Draft) -> impl IntoView {
    let i18n = use_i18n();
    let typed = PayoutMethodForm::read(|name| draft.typed(name));
    let faults: Signal<Option<Error>> = Signal::stored(draft.error);
    let label = |name: &str| {
        match name {
            "kind" => t!(i18n, payouts.kind),
            "holder" => t!(i18n, payouts.holder),
            "account" => t!(i18n, payouts.account),
            "ifsc" => t!(i18n, payouts.ifsc),
            _ => t!(i18n, payouts.email),
        }
        .to_owned()
    };
    let labels = ["kind", "holder", "account", "ifsc", "email"].map(|name| (name, label(name))).to_vec();
    let kinds = PayoutMethodKind::ALL.into_iter();
    let kinds = kinds.filter(|kind| offers_stripe || *kind != PayoutMethodKind::Stripe);
    let options = kinds.map(|kind| {
        let note = match kind {
            PayoutMethodKind::BankAccount => t!(i18n, payouts.bank_account_note),
            PayoutMethodKind::Paypal => t!(i18n, payouts.paypal_note),
            PayoutMethodKind::Stripe => t!(i18n, payouts.stripe_note),
        };
        (kind.as_str().to_owned(), words::payout_method(i18n, kind).to_owned(), note.to_owned())
    });
    let value =
        if typed.kind.is_empty() { PayoutMethodKind::BankAccount.as_str().to_owned() } else { typed.kind };
    view! {
        <form method="post" action=path class="form payout-method" novalidate>
            <ErrorSummary faults labels />
            <input type="hidden" name="action" value="add_method" />
            <Choice name="kind" label=label("kind") value options=options.collect() faults />
            <div class="form for-account">
                <Field name="holder" label=label("holder") value=typed.holder hint=t!(i18n, payouts.holder_hint) required=true faults />
            </div>
            <div class="form for-bank">
                <Field name="account" label=label("account") value=typed.account hint=t!(i18n, payouts.account_hint) faults />
                <Field name="ifsc" label=label("ifsc") value=typed.ifsc hint=t!(i18n, payouts.ifsc_hint) faults />
            </div>
            <div class="form for-paypal">
                <Field name="email" label=label("email") kind="email" value=typed.email faults />
            </div>
            <p class="note">{t!(i18n, payouts.add_note)}</p>
            <div><Button look="secondary">{t!(i18n, payouts.add)}</Button></div>
        </form>
    }
}

/// What became of the shop's payouts, newest first.
#[component]
pub(super) fn History(payouts: Vec<PayoutCard>) -> impl IntoView {
    let i18n = use_i18n();
    let list = if payouts.is_empty() {
        view! { <p class="note">{t!(i18n, payouts.none)}</p> }.into_any()
    } else {
        let rows = payouts.into_iter().map(row).collect_view();
        let columns = vec![
            (t!(i18n, payouts.payout), ""),
            (t!(i18n, payouts.method), "wide"),
            (t!(i18n, balance.amount), "number"),
            (t!(i18n, seller_orders.state), ""),
        ];
        view! { <Table caption=tu_string!(i18n, payouts.title) columns>{rows}</Table> }.into_any()
    };
    view! {
        <h2>{t!(i18n, payouts.title)}</h2>
        {list}
    }
}

fn row(payout: PayoutCard) -> impl IntoView {
    let i18n = use_i18n();
    let method = format!("{} {}", words::payout_method(i18n, payout.kind), payout.account);
    // When it got where it is, and what is to be said of it.
    let since = payout.ended_at.or(payout.paid_at).or(payout.sent_at).or(payout.approved_at);
    let since = since.map(|at| words::day(i18n, &at));
    let next = match payout.state {
        PayoutState::Requested => t!(i18n, payouts.next_requested),
        // The reason says why it wasn't transferred at once.
        PayoutState::Approved if !payout.reason.is_empty() => "",
        PayoutState::Approved if payout.kind == PayoutMethodKind::Stripe => t!(i18n, payouts.next_transfer),
        PayoutState::Approved => t!(i18n, payouts.next_approved),
        PayoutState::Sent => t!(i18n, payouts.next_sent),
        PayoutState::Paid | PayoutState::Rejected | PayoutState::Returned => "",
    };
    let said = match payout.reason.as_str() {
        "" => payout.reference,
        reason => words::payout_reason(i18n, reason).to_owned(),
    };
    let note: Vec<_> =
        since.into_iter().chain([next.to_owned(), said]).filter(|text| !text.is_empty()).collect();
    view! {
        <tr>
            <th scope="row">
                <span class="whole">{payout.number}</span>
                <span class="note below">{words::day(i18n, &payout.requested_at)}</span>
                <span class="note narrow">{email_address(&method)}</span>
            </th>
            <td class="wide">{email_address(&method)}</td>
            <td class="number">{words::money(i18n, payout.amount)}</td>
            <td>
                {words::payout_label(i18n, payout.state)}
                <span class="note below">{note.join(" · ")}</span>
            </td>
        </tr>
    }
}
