//! The layout of every page: header, footer, toasts, and security headers.

use haat_shared::routes;
use leptos::prelude::*;
use leptos_router::hooks::use_location;

use crate::{
    arrival, elsewhere,
    i18n::{t, tn, tu_string, use_i18n},
    locales::LANGUAGES,
    state::{self, CartCount, Choices, Roots, Visitor, sign_in_from},
    ui::{Icon, Offline, SearchForm, Toasts, awaited, provide_toasts},
    words,
};

/// Sets the content security policy of the page. The nonce is that of Leptos' own scripts.
#[cfg(feature = "ssr")]
pub(crate) fn secure_headers() {
    let Some(response) = use_context::<leptos_axum::ResponseOptions>() else { return };
    let nonce = leptos::nonce::use_nonce().map(|n| n.to_string()).unwrap_or_default();
    let mut origins = haat_engine::payments::Origins::default();
    if let Some(ctx) = use_context::<crate::api::Ctx>() {
        origins = haat_engine::payments::origins(&ctx.engine);
        origins.forms.extend(haat_engine::accounts::logins::origins(&ctx.engine));
    }
    let at_checkout =
        use_context::<http::request::Parts>().is_some_and(|it| routes::is_checkout(it.uri.path()));
    let needed = needed(origins, at_checkout);
    if needed.windows {
        // Otherwise, the window of a gateway could not talk to the pages of banks that it opens.
        let popups = http::HeaderValue::from_static("same-origin-allow-popups");
        response.insert_header(http::HeaderName::from_static("cross-origin-opener-policy"), popups);
    }
    let policy = policy(&nonce, &needed, std::env::var_os("LEPTOS_WATCH").is_some());
    if let Ok(policy) = http::HeaderValue::from_str(&policy) {
        response.insert_header(http::header::CONTENT_SECURITY_POLICY, policy);
    }
}

/// The origins of payment gateways that a page needs: only the checkout has their fields.
#[cfg(feature = "ssr")]
fn needed(origins: haat_engine::payments::Origins, at_checkout: bool) -> haat_engine::payments::Origins {
    match at_checkout {
        true => origins,
        false => haat_engine::payments::Origins { forms: origins.forms, ..Default::default() },
    }
}

/// The content security policy, with the origins of payment gateways.
#[cfg(feature = "ssr")]
fn policy(nonce: &str, gateways: &haat_engine::payments::Origins, live_reload: bool) -> String {
    let haat_engine::payments::Origins { forms, scripts, frames, connections, windows } = gateways;
    let and = |origins: &[String]| origins.iter().map(|origin| format!(" {origin}")).collect::<String>();
    let nonce = if nonce.is_empty() { String::new() } else { format!(" 'nonce-{nonce}'") };
    // Live reload (`make watch`) listens on a port of its own.
    let reload = if live_reload { " ws://localhost:* ws://127.0.0.1:*" } else { "" };
    // Attributes only: neither the script nor anything else may add style sheets.
    let style = if *windows { " style-src-attr 'unsafe-inline';" } else { "" };
    format!(
        "default-src 'self'; script-src 'self'{nonce} 'wasm-unsafe-eval'{}; style-src 'self';{style} img-src 'self' data:; \
         connect-src 'self'{reload}{}; frame-src 'self'{}; object-src 'none'; base-uri 'none'; \
         frame-ancestors 'none'; form-action 'self'{}",
        and(scripts),
        and(connections),
        and(frames),
        and(forms),
    )
}

/// The layout of a page: with header and footer, except in the back office, which has its own.
#[component]
pub(crate) fn Layout(children: Children) -> impl IntoView {
    let i18n = use_i18n();
    let here = use_location();
    let storefront = Memo::new(move |_| !here.pathname.with(|path| routes::is_back_office(path)));
    state::provide(storefront);
    elsewhere::provide();
    arrival::provide();
    provide_toasts();
    view! {
        <a class="skip" href="#content" rel="external">{t!(i18n, layout.skip)}</a>
        <Offline />
        {move || storefront.get().then(Header)}
        {children()}
        {move || storefront.get().then(Footer)}
        <Toasts />
    }
}

/// A page between header and footer.
pub(crate) fn content(page: AnyView) -> AnyView {
    view! { <main id="content" tabindex="-1">{page}</main> }.into_any()
}

/// A page of the back office, which brings its own layout.
pub(crate) fn unframed(page: AnyView) -> AnyView {
    page
}

#[component]
fn Header() -> impl IntoView {
    let i18n = use_i18n();
    view! {
        <header class="header">
            <div class="topbar">
                <div class="width topbar-row">
                    <p class="topbar-promise">{t!(i18n, brand.promise)}</p>
                    <VisitorNav />
                </div>
            </div>
            <div class="width header-row">
                <a class="logo" href=routes::HOME aria-label=tu_string!(i18n, brand.home)>
                    <Icon name="awning" />
                    <span>{t!(i18n, brand.name)}</span>
                </a>
                <SearchForm />
                <nav class="header-nav" aria-label=tu_string!(i18n, layout.main_nav)>
                    <CartLink />
                </nav>
            </div>
            <CategoryNav />
        </header>
    }
}

/// The signed-in user's menu, or the link to sign in.
#[component]
fn VisitorNav() -> impl IntoView {
    let i18n = use_i18n();
    let visitor = expect_context::<Visitor>().0;
    let here = use_location();
    // After signing in, users return to the page they came from, except to these two.
    let sign_in = move || match here.pathname.get().as_str() {
        routes::HOME => routes::SIGN_IN.to_owned(),
        routes::SIGN_IN | routes::SIGN_UP => {
            sign_in_from(here.query.read().get_str("next").unwrap_or_default())
        }
        path => sign_in_from(&state::with_query(path, &here.search.get())),
    };
    let links = awaited(visitor, move |me| match me.ok().flatten() {
        None => view! { <a class="topbar-link" href=sign_in>{t!(i18n, header.sign_in)}</a> }.into_any(),
        Some(me) => {
            let shops = me.shops.into_iter().map(|shop| {
                let href = routes::dashboard(&shop.handle);
                let words = tu_string!(i18n, header.shop_orders, shop = shop.name).to_string();
                view! { <a class="topbar-link" href=href>{words}</a> }
            });
            let unread = me.unread_notifications;
            let count = (unread > 0).then(
                || view! { <span class="cart-count" aria-hidden="true">{words::number(i18n, unread)}</span> },
            );
            let messages = match me.unread_messages {
                0 => t!(i18n, chat.title).to_owned(),
                n => [t!(i18n, chat.title), " (", &words::number(i18n, n), ")"].concat(),
            };
            let admin = (!me.admin_roles.is_empty()).then(|| {
                view! { <a class="topbar-link" href=routes::ADMIN>{t!(i18n, admin.link)}</a> }
            });
            view! {
                {admin}
                {shops.collect_view()}
                <a class="topbar-link" href=routes::NOTIFICATIONS>
                    <Icon name="bell" />
                    <span class="hidden">{tn!(i18n, notifications.count, unread)}</span>
                    {count}
                </a>
                <a class="topbar-link" href=routes::MESSAGES>{messages}</a>
                <a class="topbar-link" href=routes::ACCOUNT title=tu_string!(i18n, header.account)>
                    <Icon name="person" />
                    <span class="topbar-name">{me.name}</span>
                </a>
                <form method="post" action=routes::FORM_SIGN_OUT>
                    <button class="topbar-link" type="submit">{t!(i18n, header.sign_out)}</button>
                </form>
            }
            .into_any()
        }
    });
    view! {
        <nav class="topbar-nav" aria-label=tu_string!(i18n, layout.account_nav)>
            {links}
        </nav>
    }
}

/// The navigation by category.
#[component]
fn CategoryNav() -> impl IntoView {
    let i18n = use_i18n();
    let roots = expect_context::<Roots>().0;
    let links = awaited(roots, |roots| {
        let links = roots.unwrap_or_default().into_iter().map(|root| {
            view! { <li><a href=routes::category(&root.slug)>{root.name}</a></li> }
        });
        links.collect_view().into_any()
    });
    view! {
        <nav class="categories" aria-label=tu_string!(i18n, layout.categories)>
            <ul class="width">
                {links}
                <li><a href=routes::SHOPS>{t!(i18n, layout.all_shops)}</a></li>
            </ul>
        </nav>
    }
}

/// The link to the cart, with the number of items.
#[component]
fn CartLink() -> impl IntoView {
    let i18n = use_i18n();
    let cart = expect_context::<CartCount>().0;
    awaited(cart, move |count| {
        let item_count = count.unwrap_or_default();
        let name = tn!(i18n, header.cart_items, item_count);
        view! {
            <a class="cart-link" href=routes::CART>
                <Icon name="basket" />
                <span class="hidden">{name}</span>
                <span class="cart-word" aria-hidden="true">{t!(i18n, header.cart)}</span>
                <span class="cart-count" class:empty=item_count == 0 aria-hidden="true">{words::number(i18n, item_count)}</span>
            </a>
        }
        .into_any()
    })
}

#[component]
fn Footer() -> impl IntoView {
    let i18n = use_i18n();
    view! {
        <footer class="footer">
            <div class="width footer-row">
                <div class="footer-about">
                    <p class="footer-name">
                        <Icon name="awning" />
                        {t!(i18n, brand.name)}
                    </p>
                    <p>{t!(i18n, layout.footer_note)}</p>
                </div>
                <nav class="footer-nav" aria-label=tu_string!(i18n, layout.footer_nav)>
                    <a href=routes::PRODUCTS>{t!(i18n, layout.all_products)}</a>
                    <a href=routes::SHOPS>{t!(i18n, layout.all_shops)}</a>
                    <a href=routes::EVENTS>{t!(i18n, sale_events.title)}</a>
                    <a href=routes::SERVICES>{t!(i18n, services.title)}</a>
                    <a href=routes::CART>{t!(i18n, header.cart)}</a>
                    <a href=routes::ACCOUNT>{t!(i18n, header.account)}</a>
                    <a href=routes::BUY_GIFT_CARD>{t!(i18n, gift_cards.title)}</a>
                    <a href=routes::SELLER_SHOPS>{t!(i18n, layout.sell)}</a>
                    <a href=routes::CONTACT>{t!(i18n, contact.title)}</a>
                    <a href=routes::PRIVACY>{t!(i18n, privacy.title)}</a>
                </nav>
                <div>
                    <Currencies />
                    <Languages />
                </div>
            </div>
        </footer>
    }
}

/// The path and query of the current page.
fn here() -> impl Fn() -> String + Clone {
    let here = use_location();
    move || state::with_query(&here.pathname.get(), &here.search.get())
}

/// The currencies that shoppers can choose from, if there are several.
#[component]
fn Currencies() -> impl IntoView {
    let i18n = use_i18n();
    let back = StoredValue::new(here());
    awaited(expect_context::<Choices>().0, move |choices| {
        let choices = choices.unwrap_or_default();
        if choices.is_empty() {
            return ().into_any();
        }
        let buttons = choices.into_iter().map(|(currency, chosen)| {
            let current = chosen.then_some("true");
            view! { <button name="currency" value=currency.listed() aria-current=current>{currency.listed()}</button> }
        });
        view! {
            <form method="post" action=routes::FORM_CURRENCY class="languages" aria-label=tu_string!(i18n, currencies.choose)>
                <input type="hidden" name="back" value=back.get_value() />
                {buttons.collect_view()}
            </form>
        }
        .into_any()
    })
}

/// The languages, each by its own name. Switching loads another page, with and without JavaScript.
#[component]
pub(crate) fn Languages() -> impl IntoView {
    let i18n = use_i18n();
    let back = here();
    let own = t!(i18n, language.name);
    let buttons = LANGUAGES.iter().map(|(tag, name)| {
        let current = (*name == own).then_some("true");
        view! { <button name="locale" value=*tag lang=*tag translate="no" aria-current=current>{*name}</button> }
    });
    view! {
        <form method="post" action=routes::FORM_LANGUAGE class="languages" aria-label=tu_string!(i18n, language.choose)>
            <input type="hidden" name="back" value=back />
            {buttons.collect_view()}
        </form>
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use haat_engine::payments::Origins;

    #[test]
    fn the_policy_allows_what_gateways_need_and_nothing_else() {
        let alone = super::policy("n", &Origins::default(), false);
        assert_eq!(
            alone,
            "default-src 'self'; script-src 'self' 'nonce-n' 'wasm-unsafe-eval'; style-src 'self'; \
             img-src 'self' data:; connect-src 'self'; frame-src 'self'; object-src 'none'; base-uri 'none'; \
             frame-ancestors 'none'; form-action 'self'"
        );
        let origins = Origins {
            forms: vec!["https://pay.acme.example".into(), "https://pay.other.example".into()],
            scripts: vec!["https://js.acme.example".into()],
            frames: vec!["https://frames.acme.example".into()],
            connections: vec!["https://api.acme.example".into()],
            windows: true,
        };
        let with = super::policy("n", &origins, false);
        for part in [
            "script-src 'self' 'nonce-n' 'wasm-unsafe-eval' https://js.acme.example;",
            "connect-src 'self' https://api.acme.example;",
            "frame-src 'self' https://frames.acme.example;",
            "style-src 'self'; style-src-attr 'unsafe-inline';",
            "form-action 'self' https://pay.acme.example https://pay.other.example",
        ] {
            assert!(with.contains(part), "{part}: {with}");
        }
        let elsewhere = super::policy("n", &super::needed(origins, false), false);
        assert_eq!(
            elsewhere,
            format!("{alone} https://pay.acme.example https://pay.other.example"),
            "forms only, where nothing is paid"
        );
    }
}
