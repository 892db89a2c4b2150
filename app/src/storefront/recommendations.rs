//! Recommended products: with a product, and on the account page. They are data, links and plain forms.

use haat_shared::{
    catalog::ProductCard,
    recommendations::{Recommendation, Recommendations, RelatedProducts},
    routes,
};
use leptos::prelude::*;

use super::product_grid::ProductGrid;
use crate::{
    i18n::{t, use_i18n},
    ui::{Alert, Picture, still},
    words::{self, I18n},
};

/// The place of pictures that are seen after scrolling.
const BELOW: usize = 9;

/// What goes with a product.
pub(super) fn related(i18n: I18n, found: RelatedProducts) -> AnyView {
    let RelatedProducts { mut items, together } = found;
    let popular = items.split_off(together.min(items.len()));
    let shelf = |id: &'static str, title: &'static str, items: Vec<ProductCard>| {
        (!items.is_empty()).then(|| {
            // Far below the product's own pictures, which are loaded first.
            view! {
                <section class="width product-related" aria-labelledby=id>
                    <h2 id=id>{title}</h2>
                    <ProductGrid items from=BELOW />
                </section>
            }
            .into_any()
        })
    };
    view! {
        {shelf("together", t!(i18n, recommendations.together), items)}
        {shelf("category-popular", t!(i18n, recommendations.popular_here), popular)}
    }
    .into_any()
}

/// What is recommended to a user, and whether they want that.
pub(super) fn for_you(found: Recommendations, done: &str) -> AnyView {
    let done = done.to_owned();
    still(move || {
        let i18n = use_i18n();
        let told = match done.as_str() {
            "dismissed" => Some(t!(i18n, recommendations.dismissed)),
            "off" => Some(t!(i18n, recommendations.turned_off)),
            "on" => Some(t!(i18n, recommendations.turned_on)),
            _ => None,
        };
        let (note, action, button) = match found.enabled {
            true => (t!(i18n, recommendations.note), "off", t!(i18n, recommendations.turn_off)),
            false => (t!(i18n, recommendations.off_note), "on", t!(i18n, recommendations.turn_on)),
        };
        let rows = found.items.into_iter().map(|item| row(i18n, item)).collect_view();
        let list = (!rows.is_empty()).then(|| view! { <ul class="rows">{rows}</ul> });
        view! {
            <section id="for-you" aria-labelledby="for-you-title">
                <h2 id="for-you-title">{t!(i18n, recommendations.title)}</h2>
                {told.map(|words| view! { <Alert look="good">{words}</Alert> })}
                <p class="note">{note}</p>
                {list}
                <form method="post" action=routes::FORM_RECOMMENDATIONS>
                    <button type="submit" class="button quiet" name="action" value=action>{button}</button>
                </form>
            </section>
        }
        .into_any()
    })
}

fn row(i18n: I18n, item: Recommendation) -> AnyView {
    let product = item.product;
    let reason = match item.because {
        Some(because) => t!(i18n, recommendations.because, title = because.title.as_str()),
        None => t!(i18n, recommendations.popular).to_owned(),
    };
    let dismiss = t!(i18n, recommendations.dismiss);
    let label = format!("{dismiss}: {}", product.title);
    view! {
        <li class="row purchase-row">
            <div class="purchase-pictures">
                <Picture of=product.picture title=product.title.clone() sizes="56px" />
            </div>
            <div class="purchase-what">
                <a href=routes::product(&product.slug)>{product.title}</a>
                <p class="note">{product.shop_name}</p>
                <p class="note">{reason}</p>
                <form method="post" action=routes::FORM_RECOMMENDATIONS>
                    <input type="hidden" name="product" value=product.id.to_string() />
                    <button type="submit" class="button quiet" name="action" value="dismiss" aria-label=label>{dismiss}</button>
                </form>
            </div>
            <p class="price">{words::money(i18n, product.price)}</p>
        </li>
    }
    .into_any()
}
