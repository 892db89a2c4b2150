//! The top bar of a back office: menu of shops, search, links out of it, and the account.

use haat_shared::{accounts::Me, routes};
use leptos::{
    ev,
    prelude::*,
    wasm_bindgen::JsCast,
    web_sys::{Element, HtmlElement},
};

use super::{
    Office,
    kept::{COMPACT, Kept, NO_KEYS, kept},
    keys::row_keys,
};
use crate::{
    i18n::{t, use_i18n},
    layout::Languages,
    state::{address, sign_in_from},
    ui::Icon,
};

/// The form that signs out, which the palette submits too.
pub(super) const SIGN_OUT: &str = "sign-out";

#[component]
pub(super) fn Bar(me: Option<Me>, office: Option<Office>, opened: RwSignal<bool>) -> impl IntoView {
    let i18n = use_i18n();
    let home = office.as_ref().and_then(|office| office.places.first()).map(|place| place.href.clone());
    let list = office.as_ref().and_then(|office| office.lists.first()).map(|(href, _)| href.clone());
    let shop = office.as_ref().and_then(|office| office.shop.clone());
    let ways_out = move || {
        let shop = shop.as_deref().map(|handle| {
            view! {
                <a class="office-out" href=routes::shop(handle)>
                    <Icon name="awning" />
                    {t!(i18n, seller_orders.visit)}
                </a>
            }
        });
        view! {
            {shop}
            <a class="office-out" href=routes::API_DOCS rel="external">
                <Icon name="book" />
                {t!(i18n, office.help)}
            </a>
        }
    };
    close_menus();
    let account = match me.clone() {
        Some(me) => view! { <Account me ways_out=ways_out().into_any() /> }.into_any(),
        None => {
            let href = sign_in_from(&address());
            view! { <a class="office-out" href=href>{t!(i18n, header.sign_in)}</a> }.into_any()
        }
    };
    view! {
        <header class="office-bar">
            <a class="office-logo" href=home.unwrap_or_else(|| routes::SELLER_SHOPS.into()) aria-label=format!("{}: {}", t!(i18n, brand.name), t!(i18n, office.home))>
                <Icon name="awning" />
                <span translate="no">{t!(i18n, brand.name)}</span>
            </a>
            {me.map(|me| view! { <Shops me office=office.as_ref().map(|office| office.name.clone()) /> })}
            {list.map(|href| view! { <Search href opened /> })}
            <div class="office-outs">{ways_out()}</div>
            {account}
        </header>
    }
}

/// The menu of the user's shops and the admin area.
#[component]
fn Shops(me: Me, office: Option<String>) -> impl IntoView {
    let i18n = use_i18n();
    let shops = me.shops.into_iter().map(|shop| {
        view! { <li><a class="menu-item" href=routes::dashboard(&shop.handle) translate="no">{shop.name}</a></li> }
    });
    let shops = shops.collect_view();
    let admin = (!me.admin_roles.is_empty()).then(|| {
        view! { <li><a class="menu-item" href=routes::ADMIN>{t!(i18n, admin.link)}</a></li> }
    });
    let name = office.unwrap_or_else(|| t!(i18n, settings.yours).to_owned());
    view! {
        <details class="menu office-shops" name="office-menu">
            <summary>
                <span class="hidden">{t!(i18n, office.switch)}</span>
                <span class="office-name">{name}</span>
                <Icon name="down" />
            </summary>
            <ul class="menu-list">
                {shops}
                {admin}
                <li class="menu-apart">
                    <a class="menu-item" href=routes::OPEN_SHOP>{t!(i18n, office.open_another)}</a>
                </li>
            </ul>
        </details>
    }
}

/// The search: a link to a list, which becomes a button that opens the palette.
#[component]
fn Search(href: String, opened: RwSignal<bool>) -> impl IntoView {
    let i18n = use_i18n();
    let keys = RwSignal::new("Ctrl K");
    let live = RwSignal::new(false);
    Effect::new(move || {
        live.set(true);
        if window().navigator().platform().is_ok_and(|name| name.starts_with("Mac")) {
            keys.set("⌘ K");
        }
    });
    view! {
        <a
            class="office-search"
            href=href
            role=move || live.get().then_some("button")
            aria-haspopup=move || live.get().then_some("dialog")
            on:click=move |event| {
                event.prevent_default();
                opened.set(true);
            }
            on:keydown=move |event| {
                if event.key() == " " {
                    event.prevent_default();
                    opened.set(true);
                }
            }
        >
            <Icon name="search" />
            <span class="office-search-words">{t!(i18n, office.search)}</span>
            <kbd class="live-only" aria-hidden="true" translate="no">{keys}</kbd>
        </a>
    }
}

/// The menu of the signed-in user.
#[component]
fn Account(me: Me, ways_out: AnyView) -> impl IntoView {
    let i18n = use_i18n();
    let (compact, no_keys) = (kept(COMPACT), kept(NO_KEYS));
    row_keys(no_keys);
    let choice = move |setting: Kept, words: &'static str, on: bool| {
        view! {
            <button type="button" aria-pressed=move || (setting.get() == on).to_string() on:click=move |_| setting.set(on)>
                {words}
            </button>
        }
    };
    view! {
        <details class="menu menu-end" name="office-menu">
            <summary>
                <Icon name="person" />
                <span class="office-person" translate="no">{me.name.clone()}</span>
                <Icon name="down" />
            </summary>
            <div class="menu-list">
                <p class="menu-who" translate="no">
                    <strong>{me.name}</strong>
                    <span class="note">{me.email}</span>
                </p>
                <a class="menu-item" href=routes::ACCOUNT>{t!(i18n, header.account)}</a>
                <div class="menu-outs">{ways_out}</div>
                <div class="menu-apart live-only" role="group" aria-labelledby="density">
                    <p id="density" class="menu-title">{t!(i18n, office.density)}</p>
                    <div class="choices-row">
                        {choice(compact, t!(i18n, office.comfortable), false)}
                        {choice(compact, t!(i18n, office.compact), true)}
                    </div>
                </div>
                <div class="menu-apart live-only keys-only" role="group" aria-labelledby="keys">
                    <p id="keys" class="menu-title">{t!(i18n, office.keys)}</p>
                    <div class="choices-row">
                        {choice(no_keys, t!(i18n, office.on), false)}
                        {choice(no_keys, t!(i18n, office.off), true)}
                    </div>
                    <p class="note">{t!(i18n, office.keys_note)}</p>
                </div>
                <div class="menu-apart">
                    <p class="menu-title" aria-hidden="true">{t!(i18n, language.choose)}</p>
                    <Languages />
                </div>
                <form id=SIGN_OUT class="menu-apart" method="post" action=routes::FORM_SIGN_OUT>
                    <button class="menu-item" type="submit">{t!(i18n, header.sign_out)}</button>
                </form>
            </div>
        </details>
    }
}

/// Closes a menu on a click beside it, and on Escape.
fn close_menus() {
    let open = || document().query_selector("details.menu[open]").ok().flatten();
    Effect::new(move || {
        let clicked = window_event_listener(ev::click, move |event| {
            let Some(menu) = open() else { return };
            let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
            if !target.is_some_and(|target| menu.contains(Some(&target))) {
                let _ = menu.remove_attribute("open");
            }
        });
        let pressed = window_event_listener(ev::keydown, move |event| {
            let Some(menu) = open().filter(|_| event.key() == "Escape") else { return };
            let _ = menu.remove_attribute("open");
            let title = menu.query_selector("summary").ok().flatten();
            if let Some(title) = title.and_then(|title| title.dyn_into::<HtmlElement>().ok()) {
                let _ = title.focus();
            }
        });
        on_cleanup(move || {
            clicked.remove();
            pressed.remove();
        });
    });
}
