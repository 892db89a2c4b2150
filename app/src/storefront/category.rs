//! A category: its subcategories and products.

use haat_shared::{
    catalog::{CategoryLink, ListProducts},
    routes,
};
use leptos::prelude::*;

use super::{narrowing::asked, products::Listing};
use crate::{
    api,
    head::{self, About},
    i18n::{t, tu_string, use_i18n},
    state::param,
    ui::{PageTitle, loaded},
};

/// A category page.
#[component]
pub(crate) fn Category() -> impl IntoView {
    let (slug, asked) = (param("slug"), asked());
    let found = api::find(
        move || ListProducts { category: slug.get(), q: String::new(), ..asked() },
        |of| async move {
            let category = api::catalog::category(of.category.clone()).await?;
            let results = api::catalog::find(of.clone()).await?;
            Ok((category, of, results))
        },
    );
    let i18n = use_i18n();
    loaded(found, move |(category, of, results)| {
        let (name, path) = (category.name.clone(), routes::category(&category.slug));
        let (trail, plain) =
            (category.trail.clone(), of.after.is_empty() && of.sort.is_empty() && !of.is_narrowed());
        head::describe(|| About {
            description: tu_string!(i18n, category.about, name = name.as_str()).to_string(),
            facts: vec![head::breadcrumbs(tu_string!(i18n, product.home), &trail, Some((&name, &path)))],
            title: name,
            path: if plain { path } else { String::new() },
            ..About::default()
        });
        let children = category.children.into_iter().map(|child| {
            view! { <a class="chip" href=routes::category(&child.slug)>{child.name}</a> }
        });
        let children = children.collect_view();
        view! {
            <PageTitle text=category.name.clone() />
            <div class="width page">
                <Trail links=category.trail />
                <h1>{category.name}</h1>
                {(!children.is_empty())
                    .then(|| view! { <nav class="chips" aria-label=tu_string!(i18n, category.within)>{children}</nav> })}
                <Listing path=routes::category(&category.slug) of results />
            </div>
        }
    })
}

/// The breadcrumbs.
#[component]
pub(crate) fn Trail(links: Vec<CategoryLink>) -> impl IntoView {
    let i18n = use_i18n();
    let links = links.into_iter().map(|link| {
        view! { <li><a href=routes::category(&link.slug)>{link.name}</a></li> }
    });
    view! {
        <nav class="trail" aria-label=tu_string!(i18n, product.trail)>
            <ol>
                <li><a href=routes::HOME>{t!(i18n, product.home)}</a></li>
                {links.collect_view()}
            </ol>
        </nav>
    }
}
