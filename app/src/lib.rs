//! The user interface: pages, components, words, and the server functions they call.
//!
//! Compiled twice: for the server (`ssr`), which renders whole pages that work as they are, and for the browser
//! (`hydrate`), where they come to life.
#![recursion_limit = "256"]
#![allow(unreachable_pub, reason = "the component macro writes `pub` for what is not")]

pub mod api;
mod chunks;
pub mod countries;
mod head;
pub mod i18n;
mod layout;
mod seller;
mod state;
mod storefront;
pub mod ui;
pub mod words;

#[allow(unused)]
mod locales {
    include!(concat!(env!("OUT_DIR"), "/i18n.rs"));
}

use leptos::prelude::*;
use leptos_i18n::Locale;
use leptos_meta::{Html, provide_meta_context};
use leptos_router::{
    Lazy, SsrMode,
    components::{FlatRoutes, Route, Router},
    path,
};

use crate::layout::Layout;
pub use crate::state::mark_as_live;

/// The whole page around [`App`], with the headers that belong to it. Server only.
#[cfg(feature = "ssr")]
pub fn shell(options: LeptosOptions) -> impl IntoView {
    use leptos_meta::{HashedStylesheet, MetaTags};

    layout::secure_headers();
    provide_context(head::Described::default());
    view! {
        <!DOCTYPE html>
        <html>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <HashedStylesheet options=options.clone() id="haat" />
                <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
                <AutoReload options=options.clone() />
                <HydrationScripts options defer=true />
                <MetaTags />
            </head>
            <body>
                <App />
            </body>
        </html>
    }
}

/// Everything inside the body, and which page is at which address.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    let language = i18n::provide();
    view! {
        <Html attr:lang=language.as_str() attr:dir=language.direction().as_str() />
            <Router>
                <Layout>
                    <FlatRoutes fallback=|| storefront::NotFound().into_any()>
                        <Route path=path!("/") view=|| storefront::Home().into_any() ssr=SsrMode::Async />
                        <Route path=path!("/products") view={Lazy::<chunks::Products>::new()} ssr=SsrMode::Async />
                        <Route path=path!("/p/:slug") view={Lazy::<chunks::Product>::new()} ssr=SsrMode::Async />
                        <Route path=path!("/c/:slug") view={Lazy::<chunks::Category>::new()} ssr=SsrMode::Async />
                        <Route path=path!("/shops") view={Lazy::<chunks::Shops>::new()} ssr=SsrMode::Async />
                        <Route path=path!("/shops/:handle") view={Lazy::<chunks::Shop>::new()} ssr=SsrMode::Async />
                        <Route path=path!("/basket") view={Lazy::<chunks::Basket>::new()} ssr=SsrMode::Async />
                        <Route path=path!("/checkout/:id") view={Lazy::<chunks::Checkout>::new()} ssr=SsrMode::Async />
                        <Route path=path!("/purchases/:number") view={Lazy::<chunks::Purchase>::new()} ssr=SsrMode::Async />
                        <Route path=path!("/sign-in") view={Lazy::<chunks::SignIn>::new()} ssr=SsrMode::Async />
                        <Route path=path!("/sign-up") view={Lazy::<chunks::SignUp>::new()} ssr=SsrMode::Async />
                        <Route path=path!("/account") view={Lazy::<chunks::Account>::new()} ssr=SsrMode::Async />
                        <Route path=path!("/seller/:handle/orders") view={Lazy::<chunks::ShopOrders>::new()} ssr=SsrMode::Async />
                    </FlatRoutes>
                </Layout>
            </Router>
    }
}
