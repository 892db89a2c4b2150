//! The next action of an order.

use haat_shared::{
    forms::Draft,
    orders::{OrderState, Shipment},
    shipping::ShippingMethod,
};
use leptos::prelude::*;

use super::ship::ShipFields;
use crate::{
    i18n::{t, use_i18n},
    ui::Button,
};

/// The next action.
#[component]
pub(super) fn NextStep(
    state: OrderState,
    method: ShippingMethod,
    /// The page of the shop's appointments.
    services: String,
    /// Whether a part of it is shipped.
    partly: bool,
    /// Whether everything is shipped or refunded.
    nothing_left: bool,
    /// Whether a return request waits for an answer.
    asks: bool,
    /// Whether returned items are on their way.
    awaits: bool,
    /// Who delivers it, if that is known.
    shipment: Shipment,
    action: String,
    draft: Draft,
) -> impl IntoView {
    let i18n = use_i18n();
    let pickup = !method.is_carried();
    let (note, todo) = match (state, pickup) {
        (OrderState::Placed, _) => {
            (t!(i18n, seller_orders.placed_note), Some(("confirm", t!(i18n, seller_orders.confirm))))
        }
        (OrderState::Confirmed | OrderState::Shipped, _) if method == ShippingMethod::Appointment => {
            (t!(i18n, services.next_note), None)
        }
        (OrderState::Delivered, _) if method == ShippingMethod::Appointment && !asks && !awaits => {
            (t!(i18n, services.over), None)
        }
        (OrderState::Confirmed, _) if nothing_left => {
            (t!(i18n, seller_orders.nothing_left_note), Some(("ship", t!(i18n, seller_orders.ship))))
        }
        (OrderState::Confirmed, false) if partly => {
            (t!(i18n, seller_orders.rest_note), Some(("ship", t!(i18n, seller_orders.ship_rest))))
        }
        (OrderState::Confirmed, false) => {
            (t!(i18n, seller_orders.confirmed_note), Some(("ship", t!(i18n, seller_orders.ship))))
        }
        (OrderState::Confirmed, true) => (
            t!(i18n, seller_orders.confirmed_note_pickup),
            Some(("ship", t!(i18n, seller_orders.ship_pickup))),
        ),
        (OrderState::Shipped, false) => {
            (t!(i18n, seller_orders.shipped_note), Some(("deliver", t!(i18n, seller_orders.deliver))))
        }
        (OrderState::Shipped, true) => (
            t!(i18n, seller_orders.shipped_note_pickup),
            Some(("deliver", t!(i18n, seller_orders.deliver_pickup))),
        ),
        (OrderState::Delivered, _) if asks => (t!(i18n, seller_orders.answer_note), None),
        (OrderState::Delivered, _) if awaits => (t!(i18n, seller_orders.delivered_note_returns), None),
        (OrderState::Delivered, false) => (t!(i18n, seller_orders.delivered_note), None),
        (OrderState::Delivered, true) => (t!(i18n, seller_orders.delivered_note_pickup), None),
        (OrderState::Cancelled, _) => (t!(i18n, seller_orders.cancelled_note), None),
    };
    let form = todo.map(|(step, words)| {
        let typed = Some(draft).filter(|draft| draft.typed("action") == "ship");
        let fields = (step == "ship" && !pickup && !nothing_left)
            .then(|| view! { <ShipFields typed shipment of=String::new() /> });
        view! {
            <form method="post" action=action class="form" novalidate>
                <input type="hidden" name="action" value=step />
                {fields}
                <div><Button>{words}</Button></div>
            </form>
        }
    });
    let services = (method == ShippingMethod::Appointment)
        .then(|| view! { <p><a href=services>{t!(i18n, services.appointments)}</a></p> });
    view! {
        <p>{note}</p>
        {form}
        {services}
    }
}
