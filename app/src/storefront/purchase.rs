//! A purchase: its items, the status of its orders, and whom to contact. It begins with thanks; once a shop
//! has acted, with the news.

use haat_shared::{
    Error, Money,
    appointments::{AppointmentState, AppointmentView, Moving},
    checkout::CheckoutLineView,
    forms::Draft,
    orders::{
        Actor, LineQuantity, OrderRefund, OrderState, OrderView, PurchaseView, RefundReason, Shipment,
        ShipmentKind,
    },
    reviews::Reviewable,
    routes,
    shipping::ShippingMethod,
};
use leptos::prelude::*;

use super::{
    checkout::order_lines,
    gifts,
    invoices::invoice_links,
    returns::{AskReturn, Holding, Returns},
    sign_up::draft_by,
};
use crate::{
    api,
    elsewhere::Elsewhere,
    i18n::{t, tu_string, use_i18n},
    state::{param, query},
    ui::{
        AddressLines, Alert, Button, CodeAlert, Field, Icon, LinkButton, PageTitle, Print, Sums, loaded,
        message_shop, unbroken,
    },
    words::{self, I18n},
};

/// A purchase page.
#[component]
pub(crate) fn Purchase() -> impl IntoView {
    crate::head::keep_out();
    let (number, key, draft) = (param("number"), query("key"), query("draft"));
    let elsewhere = expect_context::<Elsewhere>();
    let found = api::find(
        move || (number.get(), key.get(), draft.get(), elsewhere.changes()),
        |(number, key, draft, _)| async move {
            let purchase = api::orders::purchase(number.clone(), key.clone()).await?;
            let appointments = match purchase.appointments {
                0 => Vec::new(),
                _ => api::services::of_purchase(number.clone(), key.clone()).await?,
            };
            let reviewable = api::reviews::of_purchase(number).await?;
            Ok(((purchase, appointments, reviewable), key, draft_by("cancel_by_customer", draft).await?))
        },
    );
    loaded(found, |((purchase, appointments, reviewable), key, draft)| {
        let booked = booked(use_i18n(), &purchase.number, &key, appointments);
        view! { <Shown purchase key draft booked reviewable /> }
    })
}

/// The appointments of a purchase, and the links with which they are moved.
fn booked(i18n: I18n, number: &str, key: &str, appointments: Vec<AppointmentView>) -> Option<AnyView> {
    if appointments.is_empty() {
        return None;
    }
    let rows = appointments.into_iter().map(|of| {
        let time = words::moment(i18n, &of.starts_at);
        let cancelled = (of.state == AppointmentState::Cancelled).then(|| t!(i18n, services.cancelled));
        let moving = Moving {
                id: of.id.to_string(),
                purchase: number.to_owned(),
                key: key.to_owned(),
                ..Moving::default()
        };
        let change = (!of.movable.is_empty()).then(|| {
            let href = routes::with(&routes::book(&of.movable), &moving.fields());
            let label = format!("{}: {}, {time}", t!(i18n, services.move_it), of.title);
            view! { <a href=href aria-label=label>{t!(i18n, services.move_it)}</a> }
        });
        let cancel = of.cancellation.map(|_| {
            let label = format!("{}: {}, {time}", t!(i18n, services.cancel_it), of.title);
            view! { <a href=moving.cancel_link() aria-label=label>{t!(i18n, services.cancel_it)}</a> }
        });
        view! {
            <li>
                <strong>{of.title}</strong>
                <p class="dots"><span>{time}</span> " " <span>{of.provider}</span> " " {cancelled.map(|words| view! { <span>{words}</span> })} " " {change} " " {cancel}</p>
            </li>
        }
    });
    let calendar = routes::with(&routes::purchase_calendar(number), &[("key", key)]);
    Some(
        view! {
            <section class="panel" aria-labelledby="booked">
                <h2 id="booked">{t!(i18n, services.appointments)}</h2>
                <ul class="rows">{rows.collect_view()}</ul>
                <p><a href=calendar rel="external"><Icon name="clock" /> {t!(i18n, services.add_to_calendar)}</a></p>
            </section>
        }
        .into_any(),
    )
}

#[component]
fn Shown(
    purchase: PurchaseView,
    key: String,
    draft: Draft,
    /// Its appointments.
    booked: Option<AnyView>,
    reviewable: Vec<Reviewable>,
) -> impl IntoView {
    let i18n = use_i18n();
    let (number, email) = (purchase.number.as_str(), purchase.email.as_str());
    let new = purchase.orders.iter().all(|order| order.state == OrderState::Placed);
    let (title, lead) = if new {
        let lead = tu_string!(i18n, purchase.lead, number = number, email = email);
        (tu_string!(i18n, purchase.title), lead)
    } else {
        let lead = tu_string!(i18n, purchase.lead_later, number = number);
        (tu_string!(i18n, purchase.title_later), lead)
    };
    let lead = unbroken(&lead, number);
    let ask = unbroken(&tu_string!(i18n, purchase.ask, number = number, email = email), number);
    let made = tu_string!(i18n, purchase.made, date = words::moment(i18n, &purchase.created_at)).to_string();
    let (collected_by_market, pickup) = (purchase.payment_method.collected_by_market(), purchase.is_pickup());
    let done = query("done").get_untracked();
    let cancelled = purchase.orders.iter().any(|o| o.number == done && o.state == OrderState::Cancelled);
    let cancelled = cancelled.then(|| {
        let words = unbroken(&tu_string!(i18n, purchase.cancelled_done, number = done.as_str()), &done);
        view! { <Alert look="good">{words}</Alert> }
    });
    let told = match done.as_str() {
        "return" => Some(t!(i18n, purchase.return_sent)),
        "moved" => Some(t!(i18n, services.moved_to)),
        "resend_gift" => Some(t!(i18n, gifts.resent)),
        "withdraw" => Some(t!(i18n, purchase.return_withdrawn_done)),
        _ => None,
    };
    let told = told.map(|words| view! { <Alert look="good">{words}</Alert> });
    // Cash is due only for orders that aren't cancelled; for cards, the amount paid is shown.
    let paid = purchase.totals.total;
    let total = if collected_by_market { paid } else { purchase.in_cash() };
    let rest = purchase.paid_otherwise();
    let cards = purchase.gift_cards.iter().map(|card| {
        view! { <p>{words::gift_card(i18n, &card.last4)} " " <span class="price">{words::money(i18n, card.amount)}</span></p> }
    });
    let cards = cards.collect_view();
    let payment = if total.amount() == 0 {
        view! { <p>{t!(i18n, purchase.cancelled_nothing)}</p> }.into_any()
    } else {
        let method = (purchase.gift_cards.is_empty() || rest.amount() > 0).then(|| {
            let words = words::paid_by(
                i18n,
                purchase.payment_method,
                words::cash(i18n, purchase.is_appointment(), pickup),
            );
            let part = (!purchase.gift_cards.is_empty()).then(|| words::money(i18n, rest));
            view! { <p>{words} " " {part.map(|part| view! { <span class="price">{part}</span> })}</p> }
        });
        view! {
            {cards}
            {method}
            <p class="price big">{words::money(i18n, total)}</p>
        }
        .into_any()
    };
    let action = routes::purchase(&purchase.number);
    let back: Vec<_> = purchase.orders.iter().map(|order| purchase.if_cancelled(order)).collect();
    let orders = purchase.orders.into_iter().zip(back).map(|(order, back)| {
        let link = |id| routes::with(&routes::invoice(&purchase.number, id), &[("key", &key)]);
        let invoices = invoice_links(i18n, &order.invoices, &link);
        let reviews = review_links(i18n, &order, &reviewable);
        let cancel = view! {
            {reviews}
            {invoices}
            {again(i18n, &order, &action, &key)}
            <Cancel order=order.clone() back=back.filter(|_| collected_by_market) action=action.clone() key=key.clone() draft=draft.clone() />
        };
        let holding = Holding {
            action: action.clone(),
            key: key.clone(),
            draft: draft.clone(),
            by_market: collected_by_market,
        };
        view! { <Order order collected_by_market cancel=cancel.into_any() holding /> }
    });
    let orders = orders.collect_view();
    let bought = gifts::in_purchase(i18n, purchase.gifts, &action, &key);
    let goes_to = (!purchase.address.parts.country.is_empty()).then(|| {
        view! {
            <div>
                <h2>{if pickup { t!(i18n, checkout.contact) } else { t!(i18n, purchase.goes_to) }}</h2>
                <AddressLines address=purchase.address />
            </div>
        }
    });
    view! {
        <PageTitle text=title />
        <div class="width page narrow">
            <header class="thanks">
                {new.then(|| view! { <span class="thanks-mark" aria-hidden="true"><Icon name="check" /></span> })}
                <h1>{title}</h1>
                <p class="lead">{lead}</p>
                <p class="note">{made}</p>
                <Print words=t!(i18n, purchase.print) />
            </header>
            <CodeAlert />
            {gifts::refused(i18n, &query("error").get_untracked())}
            {cancelled}
            {told}
            {booked}
            {orders}
            {bought}
            <section class="panel facts-panel">
                {goes_to}
                {purchase.billing_address.map(|address| view! {
                    <div>
                        <h2>{t!(i18n, purchase.bill_to)}</h2>
                        <AddressLines address />
                    </div>
                })}
                <div>
                    <h2>{t!(i18n, purchase.payment)}</h2>
                    {payment}
                </div>
            </section>
            <section class="panel facts-panel questions">
                <div>
                    <h2>{t!(i18n, purchase.questions)}</h2>
                    <p>{ask}</p>
                </div>
            </section>
            <p class="page-next">
                <LinkButton href=routes::HOME look="secondary">{t!(i18n, purchase.go_on)}</LinkButton>
            </p>
        </div>
    }
}

/// The links to review what was delivered, or to change these reviews.
fn review_links(i18n: words::I18n, order: &OrderView, reviewable: &[Reviewable]) -> Option<AnyView> {
    let links = reviewable.iter().filter(|item| item.order == order.number).filter_map(|item| {
        let line = order.lines.iter().find(|line| line.position == item.position)?;
        let words = match item.rating {
            0 => t!(i18n, reviews.write),
            _ => t!(i18n, reviews.edit),
        };
        let href = routes::write_review(&order.number, item.position);
        Some(view! { <li><a href=href>{words}": "<span translate="no">{line.title.clone()}</span></a></li> })
    });
    let links: Vec<_> = links.collect();
    (!links.is_empty()).then(|| view! { <ul class="facts">{links}</ul> }.into_any())
}

/// A button that puts the same items into the basket. Appointments are booked for a time, and exchanges were ordered before.
fn again(i18n: words::I18n, order: &OrderView, action: &str, key: &str) -> Option<AnyView> {
    if order.is_appointment() || order.exchange_of.is_some() {
        return None;
    }
    let label = format!("{}: {}", t!(i18n, purchase.again), order.number);
    let form = view! {
        <form method="post" action=action.to_owned()>
            <input type="hidden" name="order" value=order.number.clone() />
            <input type="hidden" name="key" value=key.to_owned() />
            <button type="submit" class="button secondary" name="action" value="again" aria-label=label>{t!(i18n, purchase.again)}</button>
        </form>
    };
    Some(form.into_any())
}

#[component]
fn Order(order: OrderView, collected_by_market: bool, cancel: AnyView, holding: Holding) -> impl IntoView {
    let i18n = use_i18n();
    let less = no_longer_paid(i18n, &order);
    let unshipped = Some(order.cancelled()).filter(|less| less.amount() > 0);
    let money = (order.state == OrderState::Cancelled)
        .then(|| words::cancelled_money(i18n, &order, collected_by_market));
    let message = message_shop(i18n, &order.shop_handle, &order.number);
    let number = tu_string!(i18n, purchase.order, number = order.number.as_str());
    let number = unbroken(&number, &order.number);
    let nothing_comes = order.is_refunded_unshipped();
    let waiting = matches!(order.state, OrderState::Placed | OrderState::Confirmed | OrderState::Shipped);
    let due = match (nothing_comes, waiting) {
        (true, _) => Some(t!(i18n, purchase.nothing_comes).to_owned()),
        (false, true) => Some(words::estimated_delivery(i18n, &order)),
        (false, false) => None,
    };
    let due = due.map(|words| view! { <p class="order-due">{words}</p> });
    // Which items are in a parcel goes without saying if there is only one.
    let order_partly = order.is_partly_shipped();
    let partly = order_partly && order.shipping_method.is_carried();
    let several = order.shipments.len() > 1 || order_partly;
    let returns = view! { <Returns order=order.clone() holding=holding.clone() /> };
    let ask = view! { <AskReturn order=order.clone() holding /> };
    let shipments = order.shipments.into_iter().map(|shipment| {
        let contents = several.then(|| contents(&order.lines, &shipment.lines));
        let ready = several && shipment.kind == ShipmentKind::Pickup;
        let ready = ready.then(|| view! { <p class="order-due">{tu_string!(i18n, purchase.step_ready)}</p> });
        let (sent, got) = (Some(shipment.shipped_at), shipment.delivered_at);
        let dates = match shipment.kind {
            ShipmentKind::Parcel => {
                Some((t!(i18n, purchase.step_shipped), t!(i18n, purchase.step_delivered)))
            }
            ShipmentKind::Pickup => Some((t!(i18n, purchase.step_ready), t!(i18n, purchase.step_collected))),
            ShipmentKind::Digital | ShipmentKind::Appointment => None,
        };
        let dates = dates.map(|(sent_words, got_words)| {
            let steps = [(sent_words, sent), (got_words, got)].into_iter();
            let steps =
                steps.filter_map(|(words, at)| Some(format!("{words}: {}", words::moment(i18n, &at?))));
            steps.collect::<Vec<_>>().join(" · ")
        });
        view! {
            {contents.map(|words| view! { <p class="order-due">{words}</p> })}
            {ready}
            {shipment.tracking.map(|tracking| view! { <Travels shipment=tracking /> })}
            {dates.map(|words| view! { <p class="note">{words}</p> })}
        }
    });
    let shipments = shipments.collect_view();
    let exchange = order.exchange_of.as_ref().map(|first| {
        let words = t!(i18n, purchase.exchange_of, number = first);
        view! { <p class="order-due">{unbroken(&words, first)}</p> }
    });
    // The refund of a cancelled order is told above.
    let part = order.refunds.iter();
    let part = part.filter(|refund| matches!(refund.reason, RefundReason::ByShop | RefundReason::ByMarket));
    let part: Vec<&OrderRefund> = part.collect();
    let refunded = match collected_by_market {
        true => words::refunds(i18n, &part),
        false => {
            let sum = part.iter().map(|refund| refund.amount.amount()).sum();
            let sum = Money::new(sum, order.totals.total.currency());
            (sum.amount() > 0).then(|| t!(i18n, purchase.part_refunded_cash, total = sum))
        }
    };
    let refunded = refunded.map(|words| view! { <p class="order-due">{words}</p> });
    let unshipped = unshipped.map(|less| {
        view! { <p class="order-due">{t!(i18n, purchase.part_cancelled_cash, total = less)}</p> }
    });
    view! {
        <section class="panel order">
            <header class="order-head">
                <h2>
                    <a href=routes::shop(&order.shop_handle)>{order.shop_name}</a>
                </h2>
                <p class="note">{number}</p>
                {message}
            </header>
            {exchange}
            {(!nothing_comes).then(|| view! { <Timeline state=order.state partly=order_partly way=order.shipping_method /> })}
            {due}
            {money.map(|words| view! { <p class="order-due">{words}</p> })}
            {partly.then(|| view! { <p class="order-due">{t!(i18n, purchase.partly_shipped)}</p> })}
            {shipments}
            {refunded}
            {unshipped}
            {returns}
            {order_lines(i18n, order.lines, true, &order.refunds)}
            <Sums totals=order.totals taxes=order.taxes discounts=order.discounts less />
            {ask}
            {cancel}
        </section>
    }
}

/// What of an order's total is no longer paid: refunds, and items of a cash order that were cancelled.
pub(crate) fn no_longer_paid(i18n: words::I18n, order: &OrderView) -> Vec<(&'static str, Money)> {
    let cancelled = order.cancelled();
    let refunded = Money::new(order.refunded().amount() - cancelled.amount(), cancelled.currency());
    let less = [(t!(i18n, cart.cancelled), cancelled), (t!(i18n, cart.refunded), refunded)];
    less.into_iter().filter(|(_, sum)| sum.amount() > 0).collect()
}

/// Cancelling an order before the shop has confirmed it: the consequences, and the reason, if there is one.
#[component]
fn Cancel(
    order: OrderView,
    /// What goes back to gift cards and to the payment method, if anything was paid.
    #[prop(into)]
    back: Option<[Money; 2]>,
    action: String,
    key: String,
    draft: Draft,
) -> impl IntoView {
    let i18n = use_i18n();
    if !OrderState::Cancelled.reached_from(Actor::Shopper).contains(&order.state) {
        // Those who come to cancel it learn why they can't, and whom to ask.
        let why = match (order.state, order.is_partly_shipped()) {
            (OrderState::Confirmed, true) => t!(i18n, purchase.cancel_partly).to_owned(),
            (OrderState::Confirmed, false) => t!(i18n, purchase.cancel_late, shop = order.shop_name),
            _ => return None,
        };
        return Some(view! { <p class="note paper">{why}</p> }.into_any());
    }
    let mine = draft.typed("order") == order.number && draft.typed("action").is_empty();
    let faults: Signal<Option<Error>> = Signal::stored(draft.error.clone().filter(|_| mine));
    let what = match (&order.exchange_of, back) {
        (Some(first), _) => t!(i18n, purchase.cancel_exchange, number = first),
        (None, None) => tu_string!(i18n, purchase.cancel_cash).to_owned(),
        (None, Some([card, rest])) => match (card.amount(), rest.amount()) {
            (0, _) => t!(i18n, purchase.cancel_paid, total = rest),
            (_, 0) => t!(i18n, purchase.cancel_card, total = card),
            _ => t!(i18n, purchase.cancel_both, card = card, rest = rest),
        },
    };
    let until = tu_string!(i18n, purchase.cancel_until, shop = order.shop_name.as_str()).to_string();
    let hint = tu_string!(i18n, purchase.reason_hint, shop = order.shop_name.as_str()).to_string();
    let (id, label) = (format!("reason-{}", order.number), t!(i18n, purchase.reason));
    let typed = if mine { draft.typed("reason") } else { String::new() };
    let form = view! {
        <details class="more-of" open=mine>
            <summary>{t!(i18n, purchase.cancel)}</summary>
            <form method="post" action=action class="form" novalidate>
                <input type="hidden" name="order" value=order.number.clone() />
                <input type="hidden" name="key" value=key />
                <p>{until} " " {what}</p>
                <Field name="reason" id label=label value=typed hint optional=true faults />
                <div><Button look="danger">{t!(i18n, purchase.cancel_now)}</Button></div>
            </form>
        </details>
    };
    Some(form.into_any())
}

/// What a shipment or return holds: `2 × Clay bowl, 1 × Jug`.
pub(crate) fn contents(lines: &[CheckoutLineView], part: &[LineQuantity]) -> String {
    let named = part.iter().filter_map(|part| {
        let line = lines.iter().find(|line| line.position == part.position)?;
        let title = match line.variant_title.as_str() {
            "" => line.title.clone(),
            variant => format!("{} ({variant})", line.title),
        };
        Some(format!("{} × {title}", part.quantity))
    });
    named.collect::<Vec<_>>().join(", ")
}

/// The carrier and tracking of a shipment.
#[component]
fn Travels(shipment: Shipment) -> impl IntoView {
    let i18n = use_i18n();
    let Shipment { carrier, tracking_number, tracking_url } = shipment;
    let words = tu_string!(i18n, purchase.travels, carrier = carrier, number = tracking_number).to_string();
    let link = (!tracking_url.is_empty())
        .then(|| view! { " " <a href=tracking_url rel="external noopener">{t!(i18n, purchase.follow)}</a> });
    view! { <p class="order-due">{words}{link}</p> }
}

/// The progress of an order.
#[component]
pub(crate) fn Timeline(
    state: OrderState,
    /// Whether parts of it were shipped while others have not been.
    #[prop(optional)]
    partly: bool,
    /// The shipping method.
    way: ShippingMethod,
    /// Whether to explain what the status means for the customer.
    #[prop(default = true)]
    news: bool,
) -> impl IntoView {
    use OrderState::{Cancelled, Confirmed, Delivered, Placed, Shipped};
    let i18n = use_i18n();
    let steps: &[OrderState] = match way {
        _ if state == Cancelled => &[Placed, Cancelled],
        ShippingMethod::Appointment => &[Placed, Confirmed, Delivered],
        _ => &[Placed, Confirmed, Shipped, Delivered],
    };
    let reached = steps.iter().position(|s| *s == state).unwrap_or(0);
    let steps = steps.iter().enumerate().map(|(i, step)| {
        // Phones have no room for a fifth step.
        let name = match partly && *step == state {
            true => words::shop_order_state(i18n, state, true, way),
            false => words::order_step(i18n, *step, way),
        };
        let (look, said) = match i.cmp(&reached) {
            std::cmp::Ordering::Less => ("done", Some(tu_string!(i18n, purchase.step_done))),
            std::cmp::Ordering::Equal => ("now", Some(tu_string!(i18n, purchase.step_now))),
            std::cmp::Ordering::Greater => ("later", None),
        };
        let said = said.map(|words| view! { <span class="hidden">" ("{words}")"</span> });
        view! { <li class=look>{name}{said}</li> }
    });
    view! {
        <ol class="timeline" class:cancelled=state == Cancelled>{steps.collect_view()}</ol>
        {news.then(|| view! { <p class="timeline-news" class:cancelled=state == Cancelled>{words::order_news(i18n, state, way)}</p> })}
    }
}
