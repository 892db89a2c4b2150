//! Shipping a part of an order, and its shipments.

use haat_shared::{
    Error,
    checkout::CheckoutLineView,
    forms::Draft,
    orders::{OrderShipment, Shipment, ShipmentKind},
};
use leptos::prelude::*;

use crate::{
    i18n::{t, use_i18n},
    storefront::Quantities,
    ui::{Button, Field, error_summary},
    words,
};

/// The carrier and tracking fields of one of the page's forms.
#[component]
pub(super) fn ShipFields(
    /// What was typed into this form, and its errors.
    typed: Option<Draft>,
    shipment: Shipment,
    /// Distinguishes the fields of several forms.
    of: String,
    /// Whether to list the errors above.
    #[prop(default = true)]
    summary: bool,
) -> impl IntoView {
    let i18n = use_i18n();
    let faults: Signal<Option<Error>> = Signal::stored(typed.as_ref().and_then(|draft| draft.error.clone()));
    let labels = [
        ("carrier", t!(i18n, seller_orders.carrier)),
        ("tracking_number", t!(i18n, seller_orders.tracking_number)),
        ("tracking_url", t!(i18n, seller_orders.tracking_url)),
    ];
    let [carrier, number, url] = labels;
    let values = match typed {
        Some(draft) => labels.map(|(name, _)| draft.typed(name)),
        None => [shipment.carrier, shipment.tracking_number, shipment.tracking_url],
    };
    let [carrier_value, number_value, url_value] = values;
    let id = |name: &str| format!("{name}{of}");
    let error = faults.get_untracked();
    let summary = error.filter(|_| summary).map(|error| {
        let at = labels
            .into_iter()
            .filter_map(|(name, label)| Some((id(name), label.to_owned(), error.at(name)?)));
        error_summary(i18n, &error, at.collect())
    });
    view! {
        {summary}
        <div class="field-row">
            <Field name=carrier.0 id=id(carrier.0) label=carrier.1 value=carrier_value required=true faults />
            <Field name=number.0 id=id(number.0) label=number.1 value=number_value required=true faults />
        </div>
        <Field name=url.0 id=id(url.0) label=url.1 kind="url" optional=true value=url_value hint=t!(i18n, seller_orders.tracking_hint).to_owned() faults />
    }
}

/// Ships a part of a confirmed order, if there is more than one item to ship.
#[component]
pub(super) fn ShipPart(
    lines: Vec<CheckoutLineView>,
    pickup: bool,
    /// Whether the shop collects cash.
    cash: bool,
    /// Who delivers it, if that is known.
    shipment: Shipment,
    action: String,
    draft: Draft,
) -> impl IntoView {
    let i18n = use_i18n();
    if lines.iter().map(CheckoutLineView::to_ship).sum::<i64>() < 2 {
        return None;
    }
    let typed = Some(draft).filter(|draft| draft.typed("action") == "ship_part");
    let error = typed.as_ref().and_then(|draft| draft.error.clone());
    let lines = lines.into_iter().map(|line| {
        let left = line.to_ship();
        (line, left)
    });
    let label = |title, n| t!(i18n, seller_orders.part_line, title = title, n = n);
    let Quantities { fields: rows, wrong: at_fields } =
        Quantities::of(lines, typed.as_ref(), "", false, label);
    let labels = [
        ("carrier", t!(i18n, seller_orders.carrier)),
        ("tracking_number", t!(i18n, seller_orders.tracking_number)),
        ("tracking_url", t!(i18n, seller_orders.tracking_url)),
    ];
    let of = "-part";
    let summary = error.as_ref().map(|error| {
        let others = labels.map(|(name, label)| (name, format!("{name}{of}"), label));
        Quantities::summary(at_fields, error, &others)
    });
    let open = typed.is_some();
    let fields = (!pickup).then(|| view! { <ShipFields typed shipment of=of.to_owned() summary=false /> });
    Some(view! {
        <details class="more-of" open=open>
            <summary>{if pickup { t!(i18n, seller_orders.ready_part) } else { t!(i18n, seller_orders.ship_part) }}</summary>
            <form method="post" action=action class="form" novalidate>
                <input type="hidden" name="action" value="ship_part" />
                {summary}
                <p class="note">{t!(i18n, seller_orders.part_note)} {cash.then(|| view! { " " {t!(i18n, seller_orders.part_cash_note)} })}</p>
                {rows}
                {fields}
                <div><Button look="secondary">{if pickup { t!(i18n, seller_orders.ready_part) } else { t!(i18n, seller_orders.ship_part) }}</Button></div>
            </form>
        </details>
    })
}

/// A shipment, and the form that corrects its tracking until it is delivered.
#[component]
pub(super) fn Parcel(
    shipment: OrderShipment,
    /// What is in it, if that has to be said.
    contents: Option<String>,
    /// Whether its tracking can be corrected.
    moves: bool,
    /// The URL of its own packing slip, if there is one.
    slip: Option<String>,
    action: String,
    draft: Draft,
) -> impl IntoView {
    let i18n = use_i18n();
    let when = match &shipment.delivered_at {
        Some(at) if shipment.kind == ShipmentKind::Pickup => {
            t!(i18n, seller_orders.picked_up_on, date = words::day(i18n, at))
        }
        Some(at) => t!(i18n, seller_orders.delivered_on, date = words::day(i18n, at)),
        None if shipment.kind == ShipmentKind::Pickup => {
            t!(i18n, seller_orders.ready_since, date = words::day(i18n, &shipment.shipped_at))
        }
        None => t!(i18n, seller_orders.shipped_on, date = words::day(i18n, &shipment.shipped_at)),
    };
    let id = shipment.id.to_string();
    let tracking = shipment.tracking.map(|tracking| {
        let typed = Some(draft).filter(|draft| draft.typed("action") == "track" && draft.typed("shipment") == id);
        let open = typed.is_some();
        let update = moves.then(|| view! {
            <details class="more-of" open=open>
                <summary>{t!(i18n, seller_orders.update_tracking)}</summary>
                <form method="post" action=action class="form" novalidate>
                    <input type="hidden" name="action" value="track" />
                    <input type="hidden" name="shipment" value=id.clone() />
                    <p class="note">{t!(i18n, seller_orders.tracking_note)}</p>
                    <ShipFields typed shipment=tracking.clone() of=format!("-{id}") />
                    <div><Button look="secondary">{t!(i18n, seller_orders.save_tracking)}</Button></div>
                </form>
            </details>
        });
        let number = match tracking.tracking_url.as_str() {
            "" => view! { <span>{tracking.tracking_number}</span> }.into_any(),
            url => {
                view! { <a href=url.to_owned() rel="external noopener" target="_blank">{tracking.tracking_number}</a> }
                    .into_any()
            }
        };
        view! {
            <p class="dots"><span>{tracking.carrier}</span> " " <span>{number}</span></p>
            {update}
        }
    });
    view! {
        <div class="parcel">
            {contents.map(|words| view! { <p>{words}</p> })}
            <p class="note">{when}</p>
            {tracking}
            {slip.map(|href| view! { <p class="paper"><a href=href>{t!(i18n, seller_orders.slip)}</a></p> })}
        </div>
    }
}
