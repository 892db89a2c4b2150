//! A shop and its products.

use haat_shared::{catalog::ListProducts, routes, shops::ShopView};
use leptos::prelude::*;
use serde_json::json;

use super::{product_grid::ProductGrid, shops::shop_logo};
use crate::{
    api,
    head::{self, About, ours},
    i18n::{t, tu_string, use_i18n},
    state::{param, query},
    ui::{EmptyState, PageTitle, Pager, loaded, message_shop},
};

/// A shop page.
#[component]
pub(crate) fn Shop() -> impl IntoView {
    let (handle, after) = (param("handle"), query("after"));
    let found = api::find(
        move || (handle.get(), after.get()),
        |(handle, after)| async move {
            let shop = api::shops::shop(handle.clone()).await?;
            let of = ListProducts { shop: handle, after: after.clone(), ..ListProducts::default() };
            let page = api::catalog::list(of).await?;
            Ok((shop, after, page))
        },
    );
    let i18n = use_i18n();
    loaded(found, move |(shop, after, page)| {
        let path = routes::shop(&shop.handle);
        let (own, plain) = (shop.clone(), after.is_empty());
        head::describe(|| About {
            path: if plain { routes::shop(&own.handle) } else { String::new() },
            facts: vec![json!({
                "@context": "https://schema.org",
                "@type": "Store",
                "name": own.name,
                "description": own.description,
                "url": ours(&routes::shop(&own.handle)),
                "address": own.town,
            })],
            title: own.name,
            description: own.description,
            ..About::default()
        });
        let first = (!after.is_empty()).then(|| path.clone());
        let next = page.next.map(|next| format!("{path}?after={next}"));
        let list = if page.items.is_empty() {
            let (title, note) = (tu_string!(i18n, shop.none), tu_string!(i18n, shop.none_note));
            view! { <EmptyState icon="awning" title note /> }.into_any()
        } else {
            view! { <ProductGrid items=page.items with_shop=false /> }.into_any()
        };
        view! {
            <PageTitle text=shop.name.clone() />
            <ShopHead shop />
            <section class="width page" aria-labelledby="on-sale">
                <div class="section-head">
                    <h2 id="on-sale">{t!(i18n, shop.on_sale)}</h2>
                </div>
                {list}
                <Pager first next next_words=tu_string!(i18n, products.next) />
            </section>
        }
    })
}

#[component]
fn ShopHead(shop: ShopView) -> impl IntoView {
    let i18n = use_i18n();
    let count = super::shops::count(shop.products.unwrap_or_default());
    let delivery = match shop.shipping_price {
        None => t!(i18n, product.no_delivery).to_owned(),
        Some(price) if shop.shipping_varies => t!(i18n, shop.delivery_varies, price = price),
        Some(price) if price.amount() == 0 => tu_string!(i18n, shop.delivery_free).to_owned(),
        Some(price) => t!(i18n, shop.delivery, price = price),
    };
    view! {
        <section class="shop-head">
            <div class="width shop-head-row">
                {shop_logo(&shop.name, shop.logo, false)}
                <div>
                    <h1>{shop.name}</h1>
                    <p class="lead">{shop.description}</p>
                    <ul class="facts">
                        <li>{count}</li>
                        <li>{delivery}</li>
                    </ul>
                    {message_shop(i18n, &shop.handle, "")}
                </div>
            </div>
        </section>
    }
}
