//! A grid of products.

use haat_shared::{catalog::ProductCard, routes};
use leptos::prelude::*;

use crate::{
    i18n::{t, use_i18n},
    ui::{Picture, Price, Was, still},
};

/// The display width of pictures, in two, three or four columns.
const SIZES: &str = "(min-width: 1200px) 266px, (min-width: 1000px) 22vw, (min-width: 640px) 30vw, 46vw";

/// A grid of products.
#[component]
pub(crate) fn ProductGrid(
    items: Vec<ProductCard>,
    #[prop(default = true)] with_shop: bool,
    /// The place of its first picture: the page's first, or one further down.
    #[prop(optional)]
    from: usize,
) -> impl IntoView {
    still(move || {
        let cards = (from..).zip(items);
        let cards = cards.map(|(place, product)| view! { <Card product place with_shop /> }).collect_view();
        view! { <ul class="grid">{cards}</ul> }.into_any()
    })
}

#[component]
fn Card(product: ProductCard, place: usize, with_shop: bool) -> impl IntoView {
    let i18n = use_i18n();
    let price = if product.price_varies {
        t!(i18n, products.from, price = product.price).into_any()
    } else {
        view! { <Price of=product.price /> }.into_any()
    };
    let before = product.compare_at.map(|before| view! { <Was price=before /> });
    // If the shop's name begins with the brand, the brand isn't repeated.
    let brand = (!product.brand.is_empty() && !product.shop_name.starts_with(&product.brand))
        .then(|| view! { <p class="card-brand">{product.brand}</p> });
    let shop = with_shop.then(|| {
        view! {
            <p class="card-shop">
                <a href=routes::shop(&product.shop_handle)>{product.shop_name}</a>
            </p>
        }
    });
    view! {
        <li class="card">
            <div class="card-picture">
                <Picture of=product.picture title=product.title.clone() sizes=SIZES place />
                {(!product.in_stock).then(|| view! { <span class="badge">{t!(i18n, products.sold_out)}</span> })}
            </div>
            {brand}
            <h3 class="card-title">
                <a href=routes::product(&product.slug)>{product.title}</a>
            </h3>
            <p class="card-price">{price} {before}</p>
            {shop}
        </li>
    }
}
