//! The returns of an order, with the answers to the customer's requests.

use haat_shared::{
    Error,
    checkout::CheckoutLineView,
    forms::Draft,
    orders::OrderRefund,
    refunds::Refundable,
    returns::{OrderReturn, ReturnReason, ReturnState},
};
use leptos::prelude::*;

use super::refund::effects;
use crate::{
    i18n::{t, use_i18n},
    storefront::{contents, pictures, wishes},
    ui::{Alert, Button, Check, Field, error_summary, unbroken},
    words,
};

/// What the forms of a return need of its order.
#[derive(Clone)]
pub(super) struct Answering {
    /// Where the forms are sent.
    pub(super) action: String,
    /// The input of a rejected form.
    pub(super) draft: Draft,
    /// Whether it is an admin, who answers only what the shop has left unanswered.
    pub(super) admin: bool,
    /// Where customers send returns.
    pub(super) address: String,
    /// What is left to refund.
    pub(super) left: Option<Refundable>,
}

/// The returns of an order.
#[component]
pub(super) fn Returns(
    returns: Vec<OrderReturn>,
    lines: Vec<CheckoutLineView>,
    refunds: Vec<OrderRefund>,
    /// Where another order is shown.
    order_at: fn(&str, &str) -> String,
    /// The shop's handle.
    handle: String,
    /// The order's number.
    number: String,
    /// `None` if they can only be looked at.
    answering: Option<Answering>,
) -> impl IntoView {
    let i18n = use_i18n();
    if returns.is_empty() {
        return None;
    }
    let returns = returns.into_iter().map(|back| {
        let items = contents(&lines, &back.lines);
        let refunded = back.refund_id.and_then(|id| refunds.iter().find(|refund| refund.id == id));
        let refunded = refunded.map(|refund| {
            let amount = words::money(i18n, refund.amount);
            view! { <p class="note">{t!(i18n, seller_orders.return_refunded, price = amount)}</p> }
        });
        let due = (back.state == ReturnState::Requested).then(|| {
            let words = match back.escalated {
                true => t!(i18n, seller_orders.return_escalated).to_owned(),
                false => t!(i18n, seller_orders.answer_by, date = words::moment(i18n, &back.answer_by)),
            };
            view! { <p class="note">{words}</p> }
        });
        let received = back.received_at.as_ref().map(|at| {
            let words = t!(i18n, seller_orders.received_on, date = words::day(i18n, at));
            view! { <p class="note">{words}</p> }
        });
        let forms = answering.clone().filter(|with| !with.admin || back.escalated).map(|with| {
            view! { <Answer back=back.clone() with /> }
        });
        let note = (!back.note.is_empty()).then(|| view! { <p>"“"{back.note.clone()}"”"</p> });
        let answer = (!back.answer.is_empty()).then(|| {
            view! { <p class="note">{t!(i18n, seller_orders.answer)}": "{back.answer.clone()}</p> }
        });
        let open = matches!(back.state, ReturnState::Requested | ReturnState::Approved | ReturnState::Received);
        let wished = (!back.exchange.is_empty()).then(|| {
            let stock = match back.exchange.iter().all(|wish| wish.in_stock) {
                true => t!(i18n, seller_orders.exchange_in_stock),
                false => t!(i18n, seller_orders.exchange_out_of_stock),
            };
            let stock = open.then(|| view! { <p class="note">{stock}</p> });
            let titles = wishes(&lines, &back.exchange);
            view! {
                <p>{t!(i18n, seller_orders.exchange_wished)}": "<strong>{titles}</strong></p>
                {stock}
            }
        });
        let sent = back.exchange_order.as_deref().map(|number| {
            let words = t!(i18n, seller_orders.exchange_order, number = number);
            let words = unbroken(&words, number);
            view! { <p class="note"><a href=order_at(&handle, number)>{words}</a></p> }
        });
        let pictures = pictures(i18n, &back.pictures, &|file| format!("{}/images/{file}", order_at(&handle, &number)));
        let reason = words::return_reason(i18n, back.reason);
        view! {
            <li class="return">
                <p>
                    <span class=format!("state {}", back.state.as_str())>{words::return_state(i18n, back.state)}</span>
                    " "
                    <strong>{items}</strong>
                </p>
                <p class="note dots"><span>{reason}</span> " " <span>{words::moment(i18n, &back.opened_at)}</span></p>
                {wished}
                {note}
                {pictures}
                {answer}
                {received}
                {refunded}
                {sent}
                {due}
                {forms}
            </li>
        }
    });
    Some(view! {
        <section class="panel order" aria-labelledby="returns">
            <h2 id="returns">{t!(i18n, seller_orders.returns)}</h2>
            <ul class="returns">{returns.collect_view()}</ul>
        </section>
    })
}

/// What can be done about a return now.
#[component]
fn Answer(back: OrderReturn, with: Answering) -> impl IntoView {
    let i18n = use_i18n();
    let Answering { action, draft, admin, address, left } = with;
    let id = back.id.to_string();
    let typed = Some(draft).filter(|draft| draft.typed("return") == id);
    let is = |name: &str| typed.as_ref().is_some_and(|draft| draft.typed("action") == name);
    let rejecting = is("return_reject");
    let error = typed.as_ref().and_then(|draft| draft.error.clone());
    let faults: Signal<Option<Error>> = Signal::stored(error.clone().filter(|_| !rejecting));
    let rejection_faults: Signal<Option<Error>> = Signal::stored(error.clone().filter(|_| rejecting));
    let (note_id, reason_id) = (format!("note-{id}"), format!("reason-{id}"));
    let summary = error.map(|error| {
        let labels = [
            ("note", &note_id, t!(i18n, seller_orders.return_to)),
            ("reason", &reason_id, t!(i18n, seller_orders.reject_reason)),
        ];
        let at = labels
            .into_iter()
            .filter_map(|(name, id, label)| Some((id.clone(), label.to_owned(), error.at(name)?)));
        let at: Vec<_> = at.collect();
        match &error {
            // The items or the shipping costs were refunded otherwise.
            Error::Invalid(_) if at.is_empty() => {
                view! { <Alert>{t!(i18n, seller_orders.nothing_left_to_refund)}</Alert> }.into_any()
            }
            error => error_summary(i18n, error, at),
        }
    });
    let quote = left.as_ref().and_then(|left| left.quote(&back.lines, false).ok());
    let cash = left.as_ref().is_some_and(|left| !left.by_marketplace);
    let price = quote.as_ref().map(|quote| words::money(i18n, quote.amount));
    let money = quote.map(|quote| effects(i18n, &quote, cash, false));
    let checked = |name: &str| typed.as_ref().is_some_and(|draft| draft.typed(name) == "true");
    let shipping = left.filter(|left| left.shipping.amount() > 0 && price.is_some()).map(|left| {
        let label = t!(i18n, seller_orders.refund_shipping, price = words::money(i18n, left.shipping));
        view! { <Check name="shipping" id=format!("shipping-{id}") label checked=checked("shipping") /> }
    });
    let button = |action: &'static str, look: &'static str, words: String| {
        view! { <button type="submit" class=format!("button {look}") name="action" value=action>{words}</button> }
    };
    // What the customer would like instead of the money, and whether there is enough of it.
    let exchange = (!back.exchange.is_empty()).then(|| back.exchange.iter().all(|wish| wish.in_stock));
    let refund_look = if exchange == Some(true) { "secondary" } else { "primary" };
    let refund =
        |words: fn(crate::words::I18n, String) -> String| price.clone().map(|price| words(i18n, price));
    let never = back.reason == ReturnReason::NeverArrived;
    let (fields, buttons) = match back.state {
        ReturnState::Requested => {
            let note = match typed.as_ref().filter(|_| !rejecting) {
                Some(draft) => draft.typed("note"),
                None => address,
            };
            let note = (!never).then(|| {
                view! {
                    <Field
                        name="note"
                        id=note_id
                        label=t!(i18n, seller_orders.return_to)
                        value=note
                        hint=t!(i18n, seller_orders.return_to_hint).to_owned()
                        required=true
                        faults
                    />
                }
            });
            let approve = (!never).then(|| {
                button("return_approve", "primary", t!(i18n, seller_orders.return_approve).to_owned())
            });
            let now = refund(|i18n, price| t!(i18n, seller_orders.return_refund_now, price = price));
            let now = now
                .map(|words| button("return_refund_now", if never { "primary" } else { "secondary" }, words));
            (view! { {note} {shipping} }.into_any(), view! { {approve} {now} }.into_any())
        }
        ReturnState::Approved if !admin => {
            let restock = t!(i18n, seller_orders.restock);
            let fields = view! {
                <Check name="restock" id=format!("restock-{id}") label=restock checked=checked("restock") />
                {shipping}
            };
            let both = refund(|i18n, price| t!(i18n, seller_orders.return_receive_refund, price = price));
            let both = both.map(|words| button("return_receive_refund", refund_look, words));
            let other = (exchange == Some(true)).then(|| {
                let words = t!(i18n, seller_orders.return_receive_exchange).to_owned();
                button("return_receive_exchange", "primary", words)
            });
            let only =
                button("return_receive", "secondary", t!(i18n, seller_orders.return_receive).to_owned());
            let now = refund(|i18n, price| t!(i18n, seller_orders.return_refund_now, price = price));
            let now = now.map(|words| button("return_refund", "quiet", words));
            (fields.into_any(), view! { {other} {both} {only} {now} }.into_any())
        }
        ReturnState::Received if !admin => {
            let now = refund(|i18n, price| t!(i18n, seller_orders.refund_now, price = price));
            let now = now.map(|words| button("return_refund", refund_look, words));
            let other = (exchange == Some(true)).then(|| {
                button("return_exchange", "primary", t!(i18n, seller_orders.exchange_send).to_owned())
            });
            if now.is_none() && other.is_none() {
                return None;
            }
            (shipping.into_any(), view! { {other} {now} }.into_any())
        }
        _ => return None,
    };
    let reject = (back.state == ReturnState::Requested).then(|| {
        let value = if rejecting { typed.as_ref().map(|draft| draft.typed("reason")) } else { None };
        view! {
            <details class="more-of" open=rejecting>
                <summary>{t!(i18n, seller_orders.return_reject)}</summary>
                <form method="post" action=action.clone() class="form" novalidate>
                    <input type="hidden" name="action" value="return_reject" />
                    <input type="hidden" name="return" value=id.clone() />
                    <Field
                        name="reason"
                        id=reason_id
                        label=t!(i18n, seller_orders.reject_reason)
                        value=value.unwrap_or_default()
                        hint=t!(i18n, seller_orders.reason_hint).to_owned()
                        required=true
                        faults=rejection_faults
                    />
                    <div><Button look="danger">{t!(i18n, seller_orders.return_reject)}</Button></div>
                </form>
            </details>
        }
    });
    Some(view! {
        {summary}
        <form method="post" action=action.clone() class="form" novalidate>
            <input type="hidden" name="return" value=id.clone() />
            {money}
            {fields}
            <div class="actions">{buttons}</div>
        </form>
        {reject}
    })
}
