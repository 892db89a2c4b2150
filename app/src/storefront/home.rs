//! The first page.

use haat_shared::catalog::ListProducts;
use leptos::prelude::*;

use super::product_grid::ProductGrid;
use crate::{
    api,
    i18n::{t, tu_string, use_i18n},
    ui::{EmptyState, Icon, LinkButton, PageTitle, loaded},
};

/// What the market is, and what is new in it.
#[component]
pub(crate) fn Home() -> impl IntoView {
    let i18n = use_i18n();
    let newest = api::find(|| (), |()| api::catalog::list(ListProducts::default()));
    view! {
        <PageTitle text=tu_string!(i18n, home.title) />
        <section class="hero">
            <div class="width hero-row">
                <div class="hero-words">
                    <h1>{t!(i18n, home.title)}</h1>
                    <p class="lead">{t!(i18n, home.lead)}</p>
                    <LinkButton href="/products">{t!(i18n, home.see_all)}</LinkButton>
                </div>
                <ul class="points">
                    <li><Icon name="basket" />{t!(i18n, home.point_one)}</li>
                    <li><Icon name="truck" />{t!(i18n, home.point_two)}</li>
                    <li><Icon name="person" />{t!(i18n, home.point_three)}</li>
                </ul>
            </div>
        </section>
        {loaded(
            newest,
            move |page| {
                let empty = page.items.is_empty();
                view! {
                    <section class="width page" aria-labelledby="newest">
                        <div class="section-head">
                            <h2 id="newest">{t!(i18n, home.newest)}</h2>
                            {page.next.is_some().then(|| view! { <a class="more" href="/products">{t!(i18n, home.see_all)}</a> })}
                        </div>
                        {if empty {
                            view! {
                                <EmptyState
                                    icon="awning"
                                    title=tu_string!(i18n, products.none)
                                    note=tu_string!(i18n, products.none_yet)
                                 />
                            }
                                .into_any()
                        } else {
                            view! { <ProductGrid items=page.items /> }.into_any()
                        }}
                    </section>
                }
            },
        )}
    }
}
