//! The home page.

use haat_shared::{
    catalog::{CategoryCard, HomeView, ProductCard},
    routes,
};
use leptos::prelude::*;
use serde_json::json;

use super::{product_grid::ProductGrid, shops::ShopGrid};
use crate::{
    api,
    head::{self, About, ours},
    i18n::{t, tu_string, use_i18n},
    ui::{EmptyState, Icon, LinkButton, PageTitle, Picture, loaded, still},
};

/// The display width of the categories' pictures, in two or four columns.
const TILE: &str = "(min-width: 1200px) 266px, (min-width: 640px) 22vw, 46vw";

/// The home page.
#[component]
pub(crate) fn Home() -> impl IntoView {
    let i18n = use_i18n();
    let found = api::find(|| (), |()| api::catalog::home());
    head::describe(|| About {
        title: tu_string!(i18n, home.title).into(),
        description: tu_string!(i18n, home.lead).into(),
        path: routes::HOME.into(),
        facts: vec![json!({
            "@context": "https://schema.org",
            "@type": "WebSite",
            "name": "Haat",
            "url": ours(routes::HOME),
            "potentialAction": {
                "@type": "SearchAction",
                "target": {
                    "@type": "EntryPoint",
                    "urlTemplate": ours(&format!("{}?q={{search_term_string}}", routes::PRODUCTS)),
                },
                "query-input": "required name=search_term_string",
            },
        })],
        ..About::default()
    });
    view! {
        <PageTitle text=tu_string!(i18n, home.title) />
        {still(hero)}
        {loaded(
            found,
            move |HomeView { categories, popular, newest, shops }| {
                let nothing = newest.is_empty();
                // The place of the first product's picture, and that of the first of the new arrivals.
                let from = categories.len();
                let newest_from = from + popular.len();
                view! {
                    <div class="width page sections">
                        {(!categories.is_empty())
                            .then(|| {
                                view! {
                                    <section aria-labelledby="categories">
                                        <h2 id="categories">{t!(i18n, home.categories)}</h2>
                                        {still(move || tiles(categories))}
                                    </section>
                                }
                            })}
                        {shelf("popular", tu_string!(i18n, home.popular), "", popular, from)}
                        {if nothing {
                            view! {
                                <EmptyState
                                    icon="awning"
                                    title=tu_string!(i18n, products.none_at_all)
                                    note=tu_string!(i18n, products.none_yet)
                                />
                            }
                                .into_any()
                        } else {
                            shelf("newest", tu_string!(i18n, home.newest), tu_string!(i18n, home.see_all), newest, newest_from)
                                .into_any()
                        }}
                        {(!shops.is_empty())
                            .then(|| {
                                view! {
                                    <section aria-labelledby="shops">
                                        <div class="section-head">
                                            <h2 id="shops">{t!(i18n, home.shops)}</h2>
                                            <a class="more" href=routes::SHOPS>{t!(i18n, home.all_shops)}</a>
                                        </div>
                                        <ShopGrid shops />
                                    </section>
                                }
                            })}
                    </div>
                }
            },
        )}
    }
}

/// The main categories.
fn tiles(categories: Vec<CategoryCard>) -> AnyView {
    let tiles = categories.into_iter().enumerate().map(|(place, root)| {
        view! {
            <li class="tile">
                <Picture of=root.picture title=root.name.clone() sizes=TILE place />
                <a class="tile-name" href=routes::category(&root.slug)>{root.name}</a>
            </li>
        }
    });
    view! { <ul class="tiles">{tiles.collect_view()}</ul> }.into_any()
}

/// What the market is.
fn hero() -> AnyView {
    let i18n = use_i18n();
    view! {
        <section class="hero">
            <div class="width hero-row">
                <div class="hero-words">
                    <h1>{t!(i18n, home.title)}</h1>
                    <p class="lead">{t!(i18n, home.lead)}</p>
                    <LinkButton href=routes::PRODUCTS>{t!(i18n, home.see_all)}</LinkButton>
                </div>
                <ul class="points">
                    <li><Icon name="basket" />{t!(i18n, home.point_one)}</li>
                    <li><Icon name="truck" />{t!(i18n, home.point_two)}</li>
                    <li><Icon name="person" />{t!(i18n, home.point_three)}</li>
                </ul>
            </div>
        </section>
    }
    .into_any()
}

/// A heading with products, and a link to more of them if it has a label.
fn shelf(
    id: &'static str,
    title: &'static str,
    more: &'static str,
    items: Vec<ProductCard>,
    from: usize,
) -> Option<AnyView> {
    if items.is_empty() {
        return None;
    }
    let more = (!more.is_empty()).then(|| view! { <a class="more" href=routes::PRODUCTS>{more}</a> });
    Some(
        view! {
            <section aria-labelledby=id>
                <div class="section-head">
                    <h2 id=id>{title}</h2>
                    {more}
                </div>
                <ProductGrid items from />
            </section>
        }
        .into_any(),
    )
}
