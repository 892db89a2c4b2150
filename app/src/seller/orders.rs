//! The orders of a shop, with its own lines alone.

use haat_shared::{orders::ShopOrderView, payments::Method};
use leptos::prelude::*;

use crate::{
    api,
    i18n::{t, tu_string, use_i18n},
    state::{param, query},
    storefront::{AddressLines, order_lines},
    ui::{EmptyState, LinkButton, PageTitle, Pager, Sums, loaded},
    words,
};

/// A shop's orders.
#[component]
pub(crate) fn Orders() -> impl IntoView {
    let i18n = use_i18n();
    let (handle, after) = (param("handle"), query("after"));
    let found = api::find(
        move || (handle.get(), after.get()),
        |(handle, after)| async move {
            api::orders::of_shop(handle.clone(), after.clone()).await.map(|page| (handle, after, page))
        },
    );
    loaded(found, move |(handle, after, page)| {
        let path = format!("/seller/{handle}/orders");
        let next = page.next.map(|next| format!("{path}?after={next}"));
        let first = (!after.is_empty()).then_some(path);
        let visit = format!("/shops/{handle}");
        let list = if page.items.is_empty() {
            let (title, note) = (tu_string!(i18n, seller.none), tu_string!(i18n, seller.none_note));
            view! {
                <EmptyState icon="box" title note>
                    <LinkButton href=visit look="secondary">{t!(i18n, seller.visit)}</LinkButton>
                </EmptyState>
            }
            .into_any()
        } else {
            page.items.into_iter().map(|order| view! { <Order order /> }).collect_view().into_any()
        };
        view! {
            <PageTitle text=tu_string!(i18n, seller.title) />
            <div class="width page narrow">
                <h1>{t!(i18n, seller.title)}</h1>
                {list}
                <Pager first next next_words=tu_string!(i18n, seller.next) />
            </div>
        }
    })
}

#[component]
fn Order(order: ShopOrderView) -> impl IntoView {
    let i18n = use_i18n();
    let ShopOrderView { order, placed_at, address, method, commission } = order;
    let number = tu_string!(i18n, purchase.order, number = order.number.as_str()).to_string();
    let placed = tu_string!(i18n, seller.placed, date = words::day(i18n, &placed_at)).to_string();
    let payment = match method {
        Method::Sandbox => tu_string!(i18n, seller.collected).to_owned(),
        Method::Cash => tu_string!(i18n, seller.to_collect, price = order.total.to_string()).to_string(),
    };
    view! {
        <section class="panel order">
            <header class="order-head">
                <div>
                    <h2>{number}</h2>
                    <p class="note">{placed}</p>
                </div>
                <p class=format!("state {}", order.state.as_str())>{words::order_state(i18n, order.state)}</p>
            </header>
            {order_lines(i18n, order.lines)}
            <Sums subtotal=order.subtotal delivery=order.delivery total=order.total tax=order.tax />
            <div class="facts-panel">
                <div>
                    <h3>{t!(i18n, seller.goes_to)}</h3>
                    <AddressLines address />
                </div>
                <div>
                    <h3>{t!(i18n, seller.payment)}</h3>
                    <p>{payment}</p>
                    <p class="note">{t!(i18n, seller.commission)} " " <span class="price">{commission.to_string()}</span></p>
                </div>
            </div>
        </section>
    }
}
