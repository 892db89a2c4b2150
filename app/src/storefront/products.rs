//! All products, or those that a search finds.

use haat_shared::catalog::{ListProducts, ProductPage};
use leptos::prelude::*;
use leptos_router::params::ParamsMap;

use super::product_grid::ProductGrid;
use crate::{
    api,
    i18n::{t, tu_string, use_i18n},
    state::query,
    ui::{EmptyState, LinkButton, PageTitle, Pager, loaded},
};

/// A page of products.
#[component]
pub(crate) fn Products() -> impl IntoView {
    let (q, after) = (query("q"), query("after"));
    let found = api::find(
        move || (q.get(), after.get()),
        |(q, after)| async move {
            let of = ListProducts { q: q.clone(), after: after.clone(), ..ListProducts::default() };
            api::catalog::list(of).await.map(|page| (q, after, page))
        },
    );
    loaded(found, |(q, after, page)| view! { <Found q after page /> })
}

#[component]
fn Found(q: String, after: String, page: ProductPage) -> impl IntoView {
    let i18n = use_i18n();
    let title = if q.is_empty() {
        tu_string!(i18n, products.title).to_owned()
    } else {
        tu_string!(i18n, products.title_search, q = q.as_str()).to_string()
    };
    let first = (!after.is_empty()).then(|| address(&q, None));
    let next = page.next.as_deref().map(|next| address(&q, Some(next)));
    let list = if page.items.is_empty() {
        let note = if q.is_empty() {
            tu_string!(i18n, products.none_yet)
        } else {
            tu_string!(i18n, products.none_search)
        };
        view! {
            <EmptyState icon="search" title=tu_string!(i18n, products.none) note=note>
                <LinkButton href="/products" look="secondary">{t!(i18n, products.show_all)}</LinkButton>
            </EmptyState>
        }
        .into_any()
    } else {
        view! {
            <h2 class="hidden">{t!(i18n, products.list)}</h2>
            <ProductGrid items=page.items />
        }
        .into_any()
    };
    view! {
        <PageTitle text=title.clone() />
        <div class="width page">
            <h1>{title}</h1>
            {list}
            <Pager first next next_words=tu_string!(i18n, products.next) />
        </div>
    }
}

fn address(q: &str, after: Option<&str>) -> String {
    let mut query = ParamsMap::new();
    if !q.is_empty() {
        query.insert("q", q.to_owned());
    }
    if let Some(after) = after {
        query.insert("after", after.to_owned());
    }
    format!("/products{}", query.to_query_string())
}
