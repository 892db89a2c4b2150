//! The customer.

use haat_shared::{id::kinds::UserId, orders::OtherOrder, routes, shipping::ShippingMethod};
use leptos::prelude::*;

use crate::{
    i18n::{t, tn, tu_string, use_i18n},
    ui::{email_address, message_customer},
    words,
};

/// The customer, with their other orders in this shop.
#[component]
pub(super) fn Customer(
    handle: String,
    name: String,
    email: String,
    count: i64,
    orders: Vec<OtherOrder>,
    /// The number of the order.
    number: String,
    looks: bool,
    /// Whether the customer can be messaged.
    can_message: bool,
    /// The account, for admins who may see users.
    account: Option<UserId>,
) -> impl IntoView {
    let i18n = use_i18n();
    // Of a deleted account, neither an address nor other orders are known.
    let known = !email.is_empty();
    let mail = known.then(|| {
        let href = format!("mailto:{email}");
        view! { <p translate="no"><a href=href>{email_address(&email)}</a></p> }
    });
    let message = can_message.then(|| message_customer(i18n, &handle, &number));
    let shown = orders.len() as i64;
    let rows = orders.into_iter().map(|order| {
        let href = match looks {
            true => routes::any_order(&order.number),
            false => routes::shop_order(&handle, &order.number),
        };
        view! {
            <li class="row">
                <div>
                    <a class="row-link unbroken" href=href>{order.number}</a>
                    <p class="note dots">
                        <span>{words::day(i18n, &order.placed_at)}</span> " " <span>{words::order_state(i18n, order.state, ShippingMethod::Standard)}</span>
                    </p>
                </div>
                <p class="price">{words::money(i18n, order.total)}</p>
            </li>
        }
    });
    let rows = rows.collect_view();
    let words = match count {
        0 if looks => t!(i18n, admin.first_order).to_owned(),
        0 => t!(i18n, seller_orders.first_order).to_owned(),
        _ if looks => tn!(i18n, admin.other_orders, count),
        _ => tn!(i18n, seller_orders.other_orders, count),
    };
    let more = (count > shown).then(|| {
        view! { <p class="note">{tu_string!(i18n, seller_orders.latest_shown, n = shown).to_string()}</p> }
    });
    view! {
        <section class="panel" aria-labelledby="customer">
            <h3 id="customer">{t!(i18n, seller_orders.customer)}</h3>
            {match account {
                Some(id) => view! { <p translate="no"><a href=routes::user(id)>{name}</a></p> }.into_any(),
                None => view! { <p translate="no">{name}</p> }.into_any(),
            }}
            {mail}
            {message}
            {known.then(|| view! { <p class="note">{words}</p> })}
            {(count > 0).then(|| view! { <ul class="rows">{rows}</ul> })}
            {more}
        </section>
    }
}
