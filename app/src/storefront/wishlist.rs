//! The wishlist, one's own or that of a link.

use haat_shared::{
    catalog::options_text,
    routes,
    wishlist::{Wish, Wishlist, WishlistLink},
};
use leptos::prelude::*;

use crate::{
    api,
    i18n::{t, use_i18n},
    state::query,
    ui::{Alert, CodeAlert, EmptyState, LinkButton, PageTitle, Picture, loaded},
    words::{self, I18n},
};

/// The page. Its forms are plain, with and without JavaScript.
#[component]
pub(super) fn Wishes() -> impl IntoView {
    crate::head::keep_out();
    let i18n = use_i18n();
    let (list, key, done) = (query("list"), query("key"), query("done"));
    let found = api::find(
        move || (list.get(), key.get(), done.get()),
        |(list, key, _)| async move {
            let link = match list.is_empty() {
                true => None,
                false => Some(WishlistLink { list: api::id(&list)?, key }),
            };
            let shared = link.is_some();
            Ok((api::wishlist::view(link).await?, shared))
        },
    );
    loaded(found, move |(wishlist, shared)| {
        let Wishlist { items, link } = wishlist;
        let title = if shared { t!(i18n, wishlist.shared) } else { t!(i18n, wishlist.title) };
        let done = match done.get_untracked().as_str() {
            "add" | "later" => Some(t!(i18n, wishlist.added)),
            "move" => Some(t!(i18n, wishlist.moved)),
            "remove" => Some(t!(i18n, wishlist.removed)),
            _ => None,
        };
        let contents = if items.is_empty() {
            let (title, note) = match shared {
                true => (t!(i18n, wishlist.shared_none), ""),
                false => (t!(i18n, wishlist.none), t!(i18n, wishlist.none_note)),
            };
            view! {
                <EmptyState icon="heart" title note>
                    <LinkButton href=routes::PRODUCTS>{t!(i18n, cart.shop_around)}</LinkButton>
                </EmptyState>
            }
            .into_any()
        } else {
            let rows = items.into_iter().map(|wish| row(i18n, wish, shared)).collect_view();
            view! { <ul class="rows">{rows}</ul> }.into_any()
        };
        let link = link.map(|link| {
            let path = link.path();
            view! {
                <p class="note">{t!(i18n, wishlist.share)} ": " <a href=path>{t!(i18n, wishlist.shared)}</a></p>
            }
        });
        view! {
            <PageTitle text=title />
            <div class="width page narrow">
                <h1>{title}</h1>
                {done.map(|words| view! { <Alert look="good">{words}</Alert> })}
                <CodeAlert />
                {contents}
                {link}
            </div>
        }
    })
}

fn row(i18n: I18n, wish: Wish, shared: bool) -> AnyView {
    let options = match wish.options.is_empty() {
        true => wish.variant_title,
        false => options_text(&wish.options),
    };
    let title = match wish.slug.is_empty() {
        true => view! { <strong>{wish.title.clone()}</strong> }.into_any(),
        false => {
            let href = routes::product(&wish.slug);
            view! { <a href=href>{wish.title.clone()}</a> }.into_any()
        }
    };
    let cheaper = wish.cheaper_by.map(|less| {
        view! { <p><span class="state delivered">{t!(i18n, wishlist.cheaper, price = words::money(i18n, less))}</span></p> }
    });
    let gone = (!wish.in_stock)
        .then(|| view! { <p><span class="state cancelled">{t!(i18n, products.sold_out)}</span></p> });
    let named = |words: &str| format!("{words}: {}", wish.title);
    // What is on someone else's list can be put into the basket, and stays there.
    let buy = wish.in_stock.then(|| match shared {
        true => view! {
            <form method="post" action=routes::FORM_ADD_LINE>
                <input type="hidden" name="variant" value=wish.variant_id.to_string() />
                <input type="hidden" name="quantity" value="1" />
                <input type="hidden" name="back" value=routes::WISHLIST />
                <button type="submit" class="button secondary" aria-label=named(t!(i18n, product.add))>{t!(i18n, product.add)}</button>
            </form>
        }
        .into_any(),
        false => view! {
            <button type="submit" class="button secondary" name="action" value="move" aria-label=named(t!(i18n, wishlist.to_basket))>{t!(i18n, wishlist.to_basket)}</button>
        }
        .into_any(),
    });
    let own = match shared {
        true => buy.into_any(),
        false => view! {
            <form method="post" action=routes::WISHLIST class="actions">
                <input type="hidden" name="id" value=wish.id.to_string() />
                {buy}
                <button type="submit" class="button quiet" name="action" value="remove" aria-label=named(t!(i18n, wishlist.remove))>{t!(i18n, wishlist.remove)}</button>
            </form>
        }
        .into_any(),
    };
    view! {
        <li class="row purchase-row">
            <div class="purchase-pictures">
                <Picture of=wish.picture title=wish.title.clone() sizes="56px" />
            </div>
            <div class="purchase-what">
                {title}
                <p class="note dots"><span>{wish.shop_name}</span> {(!options.is_empty()).then(|| view! { " " <span>{options}</span> })}</p>
                {cheaper}
                {gone}
                {own}
            </div>
            <p class="price">{words::money(i18n, wish.price)}</p>
        </li>
    }
    .into_any()
}
