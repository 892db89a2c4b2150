//! All products, or the results of a search.

use haat_shared::{
    catalog::{ListProducts, ProductPage, SORTS},
    routes,
};
use leptos::prelude::*;

use super::product_grid::ProductGrid;
use crate::{
    api,
    head::{self, About},
    i18n::{t, tu_string, use_i18n},
    state::{Roots, query, searched},
    ui::{self, EmptyState, LinkButton, PageTitle, Pager, awaited, loaded},
    words,
};

/// A page of products.
#[component]
pub(crate) fn Products() -> impl IntoView {
    let (q, sort, after) = (searched(), query("sort"), query("after"));
    let found = api::find(
        move || ListProducts { q: q.get(), sort: sort.get(), after: after.get(), ..ListProducts::default() },
        |of| async move { api::catalog::list(of.clone()).await.map(|page| (of, page)) },
    );
    let i18n = use_i18n();
    loaded(found, move |(of, page)| {
        let title = if of.q.is_empty() {
            tu_string!(i18n, products.title).to_owned()
        } else {
            tu_string!(i18n, products.title_search, q = of.q.as_str()).to_string()
        };
        let (plain, heading) = (of == ListProducts::default(), title.clone());
        head::describe(|| About {
            title: heading,
            description: tu_string!(i18n, home.lead).into(),
            // Searches, further pages and other sort orders are duplicates of the same content.
            path: if plain { routes::PRODUCTS.into() } else { String::new() },
            ..About::default()
        });
        view! {
            <PageTitle text=title.clone() />
            <div class="width page">
                <h1>{title}</h1>
                <Listing path=routes::PRODUCTS of page />
            </div>
        }
    })
}

/// A product list with sorting and pagination, or an empty state.
#[component]
pub(crate) fn Listing(
    /// The path of its page.
    #[prop(into)]
    path: String,
    /// The requested filters.
    of: ListProducts,
    /// The results.
    page: ProductPage,
) -> impl IntoView {
    let i18n = use_i18n();
    if page.items.is_empty() && !of.q.is_empty() {
        return nothing_found(i18n, of);
    }
    if page.items.is_empty() {
        let (title, note) = (tu_string!(i18n, products.none_at_all), tu_string!(i18n, products.none_yet));
        return view! {
            <EmptyState icon="search" title note>
                <LinkButton href=routes::PRODUCTS look="secondary">{t!(i18n, products.show_all)}</LinkButton>
            </EmptyState>
        }
        .into_any();
    }
    let at = |sort: &str, after: &str| routes::with(&path, &[("q", &of.q), ("sort", sort), ("after", after)]);
    let first = (!of.after.is_empty()).then(|| at(&of.sort, ""));
    let next = page.next.as_deref().map(|next| at(&of.sort, next));
    let sorts = SORTS.iter().map(|sort| {
        let current = of.sort == *sort || (of.sort.is_empty() && *sort == SORTS[0]);
        let words = match *sort {
            "price_low" => tu_string!(i18n, products.sort_price_low),
            "price_high" => tu_string!(i18n, products.sort_price_high),
            "rating" => tu_string!(i18n, products.sort_rating),
            _ => tu_string!(i18n, products.sort_newest),
        };
        let href = at(if *sort == SORTS[0] { "" } else { sort }, "");
        (href, words, current)
    });
    view! {
        {ui::sorts(sorts.collect())}
        <h2 class="hidden">{t!(i18n, products.list)}</h2>
        <ProductGrid items=page.items />
        <Pager first next next_words=tu_string!(i18n, products.next) />
    }
    .into_any()
}

/// What to try after a search without results: other words, fewer filters, or a category.
fn nothing_found(i18n: words::I18n, of: ListProducts) -> AnyView {
    let filtered = ListProducts { q: of.q.clone(), ..ListProducts::default() } != of;
    let without_filters = filtered.then(|| {
        let href = routes::with(routes::PRODUCTS, &[("q", &of.q)]);
        view! { <LinkButton href>{t!(i18n, products.remove_filters)}</LinkButton> }
    });
    let roots = expect_context::<Roots>().0;
    let categories = awaited(roots, move |roots| {
        let links = roots.unwrap_or_default().into_iter().map(|root| {
            view! { <a class="chip" href=routes::category(&root.slug)>{root.name}</a> }
        });
        let links = links.collect_view();
        let links = (!links.is_empty()).then(|| {
            view! {
                <nav class="search-help" aria-labelledby="popular-categories">
                    <h2 id="popular-categories">{t!(i18n, products.popular_categories)}</h2>
                    <div class="chips">{links}</div>
                </nav>
            }
        });
        links.into_any()
    });
    view! {
        <EmptyState icon="search" title=tu_string!(i18n, products.none) note=tu_string!(i18n, products.none_search)>
            <ul class="search-tips">
                <li>{t!(i18n, products.check_spelling)}</li>
                <li>{t!(i18n, products.fewer_words)}</li>
            </ul>
            <div class="actions">
                {without_filters}
                <LinkButton href=routes::PRODUCTS look="secondary">{t!(i18n, products.show_all)}</LinkButton>
            </div>
        </EmptyState>
        {categories}
    }
    .into_any()
}
