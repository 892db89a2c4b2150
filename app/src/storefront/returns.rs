//! Returns on the page of a purchase: asking for one, and what became of it.

use haat_shared::{
    Error, FieldCode,
    checkout::CheckoutLineView,
    forms::Draft,
    media::Picture,
    orders::{Actor, OrderState, OrderView},
    returns::{ExchangeOption, ReturnReason, ReturnState, exchange_field, reasons},
    routes,
};
use leptos::prelude::*;

use super::{Quantities, contents};
use crate::{
    i18n::{t, tn, use_i18n},
    ui::{Alert, Button, Field, Select},
    words,
};

/// What the forms of an order need of its purchase.
#[derive(Clone)]
pub(super) struct Holding {
    /// Where the forms are sent.
    pub(super) action: String,
    /// The key of the purchase's link; empty for the account that made it.
    pub(super) key: String,
    /// The input of a rejected form.
    pub(super) draft: Draft,
    /// Whether the marketplace has collected the money.
    pub(super) by_market: bool,
}

/// The returns of an order, each with its status and what to do.
#[component]
pub(super) fn Returns(order: OrderView, holding: Holding) -> impl IntoView {
    let i18n = use_i18n();
    if order.returns.is_empty() {
        return None;
    }
    let returns = order.returns.iter().map(|back| {
        let shop = order.shop_name.as_str();
        let refund = back.refund_id.and_then(|id| order.refunds.iter().find(|refund| refund.id == id));
        let exchange = !back.exchange.is_empty();
        let wished = exchange.then(|| {
            let titles = wishes(&order.lines, &back.exchange);
            view! { <p class="note">{t!(i18n, purchase.exchange_wished)}": "{titles}</p> }
        });
        let news = match (back.state, refund) {
            (ReturnState::Requested, _) if back.escalated => t!(i18n, purchase.return_escalated, shop = shop),
            (ReturnState::Requested, _) => {
                let date = words::day(i18n, &back.answer_by);
                t!(i18n, purchase.return_requested, shop = shop, date = date)
            }
            (ReturnState::Approved, _) if exchange => t!(i18n, purchase.exchange_approved, shop = shop),
            (ReturnState::Received, _) if exchange && back.exchange.iter().any(|wish| !wish.in_stock) => {
                t!(i18n, purchase.exchange_out_of_stock, shop = shop)
            }
            (ReturnState::Received, _) if exchange => t!(i18n, purchase.exchange_at_shop, shop = shop),
            (ReturnState::Exchanged, _) => {
                let number = back.exchange_order.as_deref().unwrap_or_default();
                t!(i18n, purchase.exchange_sent, shop = shop, number = number)
            }
            (ReturnState::Approved, _) => t!(i18n, purchase.return_approved, shop = shop),
            (ReturnState::Rejected, _) => t!(i18n, purchase.return_rejected).to_owned(),
            (ReturnState::Withdrawn, _) => t!(i18n, purchase.return_withdrawn).to_owned(),
            (ReturnState::Received, _) => t!(i18n, purchase.return_at_shop, shop = shop),
            (ReturnState::Refunded, Some(refund)) => {
                t!(i18n, purchase.return_refunded, price = words::money(i18n, refund.amount))
            }
            (ReturnState::Refunded, None) => String::new(),
        };
        // Where to send the items matters until they have arrived.
        let told = matches!(back.state, ReturnState::Approved | ReturnState::Rejected) && !back.answer.is_empty();
        let answer = told.then(|| {
            let heading = match back.state {
                ReturnState::Rejected => t!(i18n, seller_orders.reason),
                _ => t!(i18n, purchase.return_to),
            };
            view! { <p><strong>{heading}":"</strong>" "{back.answer.clone()}</p> }
        });
        let asked = format!(
            "{} · {}",
            words::return_reason(i18n, back.reason),
            words::moment(i18n, &back.opened_at)
        );
        let note = (!back.note.is_empty()).then(|| view! { <p class="note">"“"{back.note.clone()}"”"</p> });
        let Holding { action: at, key, .. } = holding.clone();
        let pictures = pictures(i18n, &back.pictures, &|file| {
            routes::with(&format!("{at}/images/{file}"), &[("key", &key)])
        });
        let withdraw = back.state.may(ReturnState::Withdrawn, Actor::Shopper).then(|| {
            let Holding { action, key, .. } = holding.clone();
            view! {
                <form method="post" action=action>
                    <input type="hidden" name="action" value="withdraw" />
                    <input type="hidden" name="order" value=order.number.clone() />
                    <input type="hidden" name="return" value=back.id.to_string() />
                    <input type="hidden" name="key" value=key />
                    <Button look="quiet">{t!(i18n, purchase.return_withdraw)}</Button>
                </form>
            }
        });
        view! {
            <li class="return">
                <p>
                    <span class=format!("state {}", back.state.as_str())>{words::return_state(i18n, back.state)}</span>
                    " "
                    <strong>{contents(&order.lines, &back.lines)}</strong>
                </p>
                <p class="note">{asked}</p>
                {wished}
                {note}
                {pictures}
                <p>{news}</p>
                {answer}
                {withdraw}
            </li>
        }
    });
    let returns = returns.collect_view();
    Some(view! {
        <div>
            <h3>{t!(i18n, seller_orders.returns)}</h3>
            <ul class="returns">{returns}</ul>
        </div>
    })
}

/// What the customer would like instead: `Clay bowl, Large; Jug`.
pub(crate) fn wishes(lines: &[CheckoutLineView], wishes: &[ExchangeOption]) -> String {
    let each = wishes.iter().filter_map(|wish| {
        let line = lines.iter().find(|line| line.position == wish.position)?;
        Some(match wish.title.as_str() {
            "" => line.title.clone(),
            variant => format!("{}, {variant}", line.title),
        })
    });
    each.collect::<Vec<_>>().join("; ")
}

/// Thumbnails of the pictures of a return, each of which leads to the whole picture.
pub(crate) fn pictures(
    i18n: words::I18n,
    pictures: &[Picture],
    at: &dyn Fn(String) -> String,
) -> Option<AnyView> {
    if pictures.is_empty() {
        return None;
    }
    let pictures = (1i64..).zip(pictures).map(|(n, picture)| {
        let (thumbnail, whole) = (at(picture.file(true)), at(picture.file(false)));
        let alt = t!(i18n, purchase.return_picture, n = n);
        view! {
            <li>
                <a href=whole rel="external" target="_blank">
                    <img src=thumbnail alt=alt width="96" height="96" loading="lazy" />
                </a>
            </li>
        }
    });
    Some(view! { <ul class="return-pictures">{pictures.collect_view()}</ul> }.into_any())
}

/// For each line that can be exchanged: for what, or whether it is to be refunded.
fn exchanges(i18n: words::I18n, order: &OrderView, typed: Option<&Draft>, of: &str) -> AnyView {
    let lines = order.lines.iter().filter(|line| line.to_return() > 0).filter_map(|line| {
        let offered = order.exchange_options.iter().filter(|option| option.position == line.position);
        let offered: Vec<_> = offered.filter(|option| option.in_stock).collect();
        if offered.is_empty() {
            return None;
        }
        let name = exchange_field(line.position);
        let chosen = typed.map(|draft| draft.typed(&name)).unwrap_or_default();
        let options = offered.into_iter().map(|option| {
            let value = option.variant_id.to_string();
            let words = match option.same {
                true => t!(i18n, purchase.return_for_same).to_owned(),
                false => t!(i18n, purchase.return_for_variant, title = option.title.as_str()),
            };
            let selected = chosen == value;
            view! { <option value=value selected=selected>{words}</option> }
        });
        let options = options.collect_view();
        let title = match line.variant_title.as_str() {
            "" => line.title.clone(),
            variant => format!("{}, {variant}", line.title),
        };
        let id = format!("{name}{of}");
        Some(view! {
            <div class="field">
                <label for=id.clone()>{t!(i18n, purchase.return_instead, title = title)}</label>
                <select id=id name=name>
                    <option value="">{t!(i18n, purchase.return_for_refund)}</option>
                    {options}
                </select>
            </div>
        })
    });
    lines.collect_view().into_any()
}

/// Asking to return a part of an order, or to be refunded for what never arrived.
#[component]
pub(super) fn AskReturn(order: OrderView, holding: Holding) -> impl IntoView {
    let i18n = use_i18n();
    let Holding { action, key, draft, by_market } = holding;
    let pickup = !order.shipping_method.is_carried();
    let allowed = reasons(order.state, order.returnable_until.is_some(), pickup, by_market);
    if allowed.is_empty() || order.lines.iter().all(|line| line.to_return() == 0) {
        return None;
    }
    let typed =
        Some(draft).filter(|draft| draft.typed("action") == "return" && draft.typed("order") == order.number);
    let error = typed.as_ref().and_then(|draft| draft.error.clone());
    let faults: Signal<Option<Error>> = Signal::stored(error.clone());
    let value = |name: &str| typed.as_ref().map(|draft| draft.typed(name)).unwrap_or_default();
    let of = format!("-{}", order.number);
    // The page knows this many returns, so a second click is the same request.
    let once = order.returns.len().to_string();
    let until = order.returnable_until.as_ref().filter(|_| order.state == OrderState::Delivered);
    let (shop, delivered) = (order.shop_name.as_str(), order.state == OrderState::Delivered);
    // What the shop takes back, besides what isn't as it should be.
    let (lead, policy) = match (until, delivered, order.returns_days) {
        (Some(until), ..) => (t!(i18n, purchase.return_until, date = words::day(i18n, until)), None),
        (None, true, 0) => (t!(i18n, purchase.return_never, shop = shop), None),
        (None, true, _) => (t!(i18n, purchase.return_over).to_owned(), None),
        (None, false, days) => {
            let later = match days {
                0 => t!(i18n, purchase.return_never_later, shop = shop),
                days => tn!(i18n, purchase.return_later, days),
            };
            (t!(i18n, purchase.never_arrived_note, shop = shop), Some(later))
        }
    };
    let policy = policy.map(|words| view! { <p class="note">{words}</p> });
    let summary_words = match until {
        Some(_) => t!(i18n, purchase.return_ask),
        None if delivered => t!(i18n, purchase.problem_ask),
        None => t!(i18n, purchase.never_arrived_ask),
    };
    let instead = order.returnable_until.is_some().then(|| exchanges(i18n, &order, typed.as_ref(), &of));
    let lines = order.lines.into_iter().map(|line| {
        let left = line.to_return();
        (line, left)
    });
    let label = |title, n| t!(i18n, seller_orders.part_line, title = title, n = n);
    let Quantities { fields, wrong } = Quantities::of(lines, typed.as_ref(), &of, true, label);
    let pictures_label = t!(i18n, purchase.return_pictures);
    let labels = [
        ("pictures", pictures_label),
        ("reason", t!(i18n, purchase.return_reason)),
        ("note", t!(i18n, purchase.return_note)),
    ];
    let summary = error.map(|error| {
        let others = labels.map(|(name, label)| (name, format!("return-{name}{of}"), label));
        match error.at("exchange") {
            Some(FieldCode::Missing) => view! { <Alert>{t!(i18n, purchase.exchange_all)}</Alert> }.into_any(),
            Some(_) => view! { <Alert>{t!(i18n, purchase.exchange_same)}</Alert> }.into_any(),
            None => Quantities::summary(wrong, &error, &others).into_any(),
        }
    });
    let options = allowed.iter().map(|reason| (reason.as_str(), words::return_reason(i18n, *reason)));
    // Nothing is chosen for the customer, unless there is nothing to choose.
    let choose = (allowed.len() > 1).then(|| ("", t!(i18n, purchase.return_choose)));
    let options: Vec<_> = choose.into_iter().chain(options).collect();
    let chosen = match allowed {
        [only] => only.as_str().to_owned(),
        _ => value("reason"),
    };
    let [_, (_, reason_label), (_, note_label)] = labels;
    let hint = t!(i18n, purchase.return_note_hint, shop = order.shop_name.as_str());
    let other = allowed.contains(&ReturnReason::Other);
    let open = typed.is_some();
    let note = value("note");
    let kept = value("kept");
    let kept_count = kept.split_whitespace().count() as i64;
    let kept_count = (kept_count > 0).then(|| {
        view! { <p class="note">{t!(i18n, purchase.return_pictures_kept, n = kept_count)}</p> }
    });
    let pictures_id = format!("return-pictures{of}");
    let pictures_hint = t!(i18n, purchase.return_pictures_hint, shop = order.shop_name.as_str());
    let picture_fault = faults.get_untracked().and_then(|error| error.at("pictures").or(error.at("images")));
    let picture_fault = picture_fault.map(|code| words::field(i18n, code));
    let wrong_pictures = picture_fault.is_some();
    Some(view! {
        <details class="more-of" open=open>
            <summary>{summary_words}</summary>
            <form method="post" action=format!("{action}/returns") enctype="multipart/form-data" class="form" novalidate>
                // Read before any photo is.
                <input type="hidden" name="key" value=key />
                <input type="hidden" name="order" value=order.number.clone() />
                <input type="hidden" name="action" value="return" />
                <input type="hidden" name="kept" value=kept.clone() />
                <input type="hidden" name="once" value=once />
                {summary}
                <p class="note">{lead}</p>
                {policy}
                {fields}
                {instead}
                <Select name="reason" id=format!("return-reason{of}") label=reason_label value=chosen options faults />
                <Field name="note" id=format!("return-note{of}") label=note_label value=note hint optional=!other faults />
                <div class="field" class:wrong=wrong_pictures>
                    <label for=pictures_id.clone()>{t!(i18n, form.optional, label = pictures_label)}</label>
                    <input type="file" id=pictures_id.clone() name="pictures" accept="image/jpeg,image/png,image/webp" multiple aria-invalid=wrong_pictures.then_some("true") aria-describedby=format!("{pictures_id}-error {pictures_id}-hint") />
                    <p class="field-error" id=format!("{pictures_id}-error")>{picture_fault}</p>
                    <p class="field-hint" id=format!("{pictures_id}-hint")>{pictures_hint}</p>
                    {kept_count}
                </div>
                <div><Button look="secondary">{t!(i18n, purchase.return_send)}</Button></div>
            </form>
        </details>
    })
}
