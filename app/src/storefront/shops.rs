//! The directory of shops.

use haat_shared::{
    media::Picture,
    routes,
    shops::{COUNTED_TO, ShopCard},
};
use leptos::prelude::*;

use crate::{
    api,
    head::{self, About},
    i18n::{t, tn, tu_string, use_i18n},
    state::query,
    ui::{self, EmptyState, Icon, PageTitle, Pager, loaded, still},
};

/// All shops, page by page.
#[component]
pub(crate) fn Shops() -> impl IntoView {
    let after = query("after");
    let found = api::find(
        move || after.get(),
        |after| async move { api::shops::list(after.clone()).await.map(|page| (after, page)) },
    );
    let i18n = use_i18n();
    loaded(found, move |(after, page)| {
        let plain = after.is_empty();
        head::describe(|| About {
            title: tu_string!(i18n, shops.title).into(),
            description: tu_string!(i18n, shops.about).into(),
            path: if plain { routes::SHOPS.into() } else { String::new() },
            ..About::default()
        });
        let first = (!after.is_empty()).then(|| routes::SHOPS.to_owned());
        let next = page.next.map(|next| routes::with(routes::SHOPS, &[("after", &next)]));
        let list = if page.items.is_empty() {
            let (title, note) = (tu_string!(i18n, shops.none), tu_string!(i18n, shops.none_note));
            view! { <EmptyState icon="awning" title note /> }.into_any()
        } else {
            view! {
                <h2 class="hidden">{t!(i18n, layout.all_shops)}</h2>
                <ShopGrid shops=page.items />
            }
            .into_any()
        };
        view! {
            <PageTitle text=tu_string!(i18n, shops.title) />
            <div class="width page">
                <h1>{t!(i18n, shops.title)}</h1>
                {list}
                <Pager first next next_words=tu_string!(i18n, shops.next) />
            </div>
        }
    })
}

/// A shop's logo, or an awning if it has none.
pub(crate) fn shop_logo(shop: &str, logo: Option<Picture>, small: bool) -> impl IntoView {
    let shop_logo = match logo {
        Some(logo) => view! { <ui::Picture of=Some(logo) title=shop.to_owned() sizes="72px" /> }.into_any(),
        None => view! { <Icon name="awning" /> }.into_any(),
    };
    view! { <span class="shop-logo" class:small=small aria-hidden="true">{shop_logo}</span> }
}

/// The number of a shop's products, as text.
pub(super) fn count(products: i64) -> String {
    let i18n = use_i18n();
    match products {
        COUNTED_TO.. => tu_string!(i18n, shop.products_more).to_owned(),
        n => tn!(i18n, shop.products, n),
    }
}

/// A grid of shops.
#[component]
pub(crate) fn ShopGrid(shops: Vec<ShopCard>) -> impl IntoView {
    still(move || {
        let cards = shops.into_iter().map(|shop| {
            let town = (!shop.town.is_empty()).then(|| view! { <li>{shop.town}</li> });
            view! {
                <li class="shop-card">
                    {shop_logo(&shop.name, shop.logo, true)}
                    <div>
                        <h3 class="shop-card-name"><a href=routes::shop(&shop.handle)>{shop.name}</a></h3>
                        <p class="shop-card-words">{shop.description}</p>
                        <ul class="facts">
                            {town}
                            <li>{count(shop.products)}</li>
                        </ul>
                    </div>
                </li>
            }
        });
        view! { <ul class="shop-grid">{cards.collect_view()}</ul> }.into_any()
    })
}
