//! All products, or the results of a search.

use haat_shared::{
    catalog::{ListProducts, SORTS, facets::ProductResults},
    routes,
};
use leptos::prelude::*;

use super::{
    narrowing::{address, asked, count, filters, remarks},
    product_grid::ProductGrid,
};
use crate::{
    api,
    head::{self, About},
    i18n::{t, tu_string, use_i18n},
    state::Roots,
    ui::{self, EmptyState, LinkButton, PageTitle, Pager, awaited, loaded},
    words,
};

/// A page of products.
#[component]
pub(crate) fn Products() -> impl IntoView {
    let found =
        api::find(
            asked(),
            |of| async move { api::catalog::find(of.clone()).await.map(|results| (of, results)) },
        );
    let i18n = use_i18n();
    loaded(found, move |(of, results)| {
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
                <Listing path=routes::PRODUCTS of results />
            </div>
        }
    })
}

/// A product list with filters, sorting and pagination, or an empty state.
#[component]
pub(crate) fn Listing(
    /// The path of its page.
    #[prop(into)]
    path: String,
    /// The requested filters.
    of: ListProducts,
    /// The results.
    results: ProductResults,
) -> impl IntoView {
    let i18n = use_i18n();
    let ProductResults { page, found } = results;
    let remarks = found.as_ref().map(|found| remarks(i18n, &path, &of, found));
    let empty = page.items.is_empty();
    if empty && found.is_none() && of.q.is_empty() {
        let (title, note) = (tu_string!(i18n, products.none_at_all), tu_string!(i18n, products.none_yet));
        return view! {
            <EmptyState icon="search" title note>
                <LinkButton href=routes::PRODUCTS look="secondary">{t!(i18n, products.show_all)}</LinkButton>
            </EmptyState>
        }
        .into_any();
    }
    let filters =
        found.as_ref().filter(|_| !empty || of.is_narrowed()).map(|found| filters(&path, &of, found));
    if empty {
        return view! {
            {remarks}
            {filters}
            {nothing_found(i18n, &path, of)}
        }
        .into_any();
    }
    let count = found.as_ref().map(|found| count(i18n, found));
    let first = (!of.after.is_empty()).then(|| address(&path, &of, ""));
    let next = page.next.as_deref().map(|next| address(&path, &of, next));
    let usual = if of.q.is_empty() || found.is_none() { SORTS[0] } else { SORTS[4] };
    let offered = SORTS.iter().filter(|sort| **sort != SORTS[4] || usual == SORTS[4]);
    let sorts = offered.map(|sort| {
        let current = of.sort == *sort || (of.sort.is_empty() && *sort == usual);
        let words = match *sort {
            "price_low" => tu_string!(i18n, products.sort_price_low),
            "price_high" => tu_string!(i18n, products.sort_price_high),
            "rating" => tu_string!(i18n, products.sort_rating),
            "relevance" => tu_string!(i18n, products.sort_relevance),
            _ => tu_string!(i18n, products.sort_newest),
        };
        let sort = if *sort == usual { "" } else { sort };
        let href = address(&path, &ListProducts { sort: sort.to_owned(), ..of.clone() }, "");
        (href, words, current)
    });
    let sorts = ui::sorts(sorts.collect());
    view! {
        {remarks}
        <div class="finder">
            {filters}
            <div>
                {count}
                {sorts}
                <h2 class="hidden">{t!(i18n, products.list)}</h2>
                <ProductGrid items=page.items />
                <Pager first next next_words=tu_string!(i18n, products.next) />
            </div>
        </div>
    }
    .into_any()
}

/// What to try after a search without results: other words, fewer filters, or a category.
fn nothing_found(i18n: words::I18n, path: &str, of: ListProducts) -> AnyView {
    let filtered =
        ListProducts { q: of.q.clone(), category: of.category.clone(), ..ListProducts::default() } != of;
    let without_filters = filtered.then(|| {
        let href = routes::with(path, &[("q", &of.q)]);
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
