//! What an entry of the audit log, a message of the outbox or a job is about: its number, name and amount, with a link.

use haat_shared::{audit::Subject, orders::ListOrders, routes};
use leptos::prelude::*;

use super::user::url_of_orders;
use crate::{
    i18n::t,
    words::{self, I18n},
};

/// What it is about, below what happened; none if people know it by no name. Users are left to the caller.
pub(super) fn subject(i18n: I18n, about: Subject) -> Option<AnyView> {
    let Subject { number, shop_handle, shop_name, payout_id, payout_number, payment_id, amount, .. } = about;
    let shop = shop_handle.map(|handle| {
        let name = shop_name.unwrap_or_else(|| handle.clone());
        (routes::any_shop(&handle), name)
    });
    let whole = match (number, payout_id.zip(payout_number), payment_id) {
        (_, Some((id, number)), _) => Some((routes::any_payout(id), number)),
        // An order's number is the purchase's number and a position.
        (Some(number), ..) if number.contains('-') => Some((routes::any_order(&number), number)),
        (number, _, Some(id)) => {
            Some((routes::payment(id), number.unwrap_or_else(|| t!(i18n, admin.payment).to_owned())))
        }
        (Some(number), ..) => {
            let of = ListOrders { q: number.clone(), ..ListOrders::default() };
            Some((url_of_orders(&of), number))
        }
        _ => None,
    };
    if whole.is_none() && shop.is_none() {
        return None;
    }
    let link = |(href, words): (String, String)| view! { <span><a href=href>{words}</a></span> };
    let amount = amount.map(|amount| view! { <span class="whole">{words::money(i18n, amount)}</span> });
    Some(
        view! {
            <span class="note below"><span class="dots">{whole.map(link)} " " {shop.map(link)} " " {amount}</span></span>
        }
        .into_any(),
    )
}
