//! The user interface: pages, components, words, and the server functions they call.
//!
//! Compiled twice: for the server (`ssr`), which renders whole pages that work as they are, and for the browser
//! (`hydrate`), where they come to life.
#![recursion_limit = "256"]
#![allow(unreachable_pub, reason = "the component macro writes `pub` for what is not")]

mod admin;
pub mod api;
mod arrival;
mod chunks;
pub mod countries;
mod head;
pub mod i18n;
mod layout;
mod seller;
#[cfg(feature = "ssr")]
mod showcase;
mod state;
mod storefront;
pub mod ui;
pub mod words;

#[doc(hidden)]
#[allow(missing_docs, non_upper_case_globals, reason = "keys are called as they are in the files")]
pub mod locales {
    use crate::i18n::Key;

    include!(concat!(env!("OUT_DIR"), "/words.rs"));
}

use leptos::prelude::*;
use leptos_meta::provide_meta_context;
use leptos_router::{
    Lazy, SsrMode,
    components::{FlatRoutes, Route, Router},
    path,
};
#[cfg(feature = "ssr")]
pub use showcase::showcase;

use crate::layout::Layout;
pub use crate::state::mark_as_live;

/// The whole page around [`App`], with the headers that belong to it. Server only.
#[cfg(feature = "ssr")]
pub fn shell(options: LeptosOptions) -> impl IntoView {
    use leptos_meta::{HashedStylesheet, MetaTags};

    layout::secure_headers();
    provide_context(head::Described::default());
    let language = i18n::provide();
    view! {
        <!DOCTYPE html>
        <html lang=language.tag() dir=language.direction()>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <HashedStylesheet options=options.clone() id="haat" />
                <link id="words" rel="preload" fetchpriority="low" r#as="fetch" crossorigin="anonymous" href=i18n::sheet(language).path.as_str() />
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
    view! {
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
                        <Route path=path!("/seller") view={Lazy::<chunks::OwnShops>::new()} ssr=SsrMode::Async />
                        <Route path=path!("/seller/new") view={Lazy::<chunks::OpenShop>::new()} ssr=SsrMode::Async />
                        <Route path=path!("/seller/:handle") view={Lazy::<chunks::Counter>::new()} ssr=SsrMode::Async />
                        <Route path=path!("/seller/:handle/orders") view={Lazy::<chunks::ShopOrders>::new()} ssr=SsrMode::Async />
                        <Route path=path!("/seller/:handle/orders/:number") view={Lazy::<chunks::ShopOrder>::new()} ssr=SsrMode::Async />
                        <Route path=path!("/seller/:handle/products") view={Lazy::<chunks::OwnProducts>::new()} ssr=SsrMode::Async />
                        <Route path=path!("/seller/:handle/products/new") view={Lazy::<chunks::NewProduct>::new()} ssr=SsrMode::Async />
                        <Route path=path!("/seller/:handle/products/import") view={Lazy::<chunks::Import>::new()} ssr=SsrMode::Async />
                        <Route path=path!("/seller/:handle/products/:id") view={Lazy::<chunks::OwnProduct>::new()} ssr=SsrMode::Async />
                        <Route path=path!("/seller/:handle/balance") view={Lazy::<chunks::Balance>::new()} ssr=SsrMode::Async />
                        <Route path=path!("/seller/:handle/settings") view={Lazy::<chunks::Settings>::new()} ssr=SsrMode::Async />
                        <Route path=path!("/admin") view={Lazy::<chunks::Desk>::new()} ssr=SsrMode::Async />
                        <Route path=path!("/admin/orders") view={Lazy::<chunks::AllOrders>::new()} ssr=SsrMode::Async />
                        <Route path=path!("/admin/shops") view={Lazy::<chunks::AllShops>::new()} ssr=SsrMode::Async />
                        <Route path=path!("/admin/users") view={Lazy::<chunks::Users>::new()} ssr=SsrMode::Async />
                        <Route path=path!("/admin/jobs") view={Lazy::<chunks::Jobs>::new()} ssr=SsrMode::Async />
                        <Route path=path!("/admin/outbox") view={Lazy::<chunks::Outbox>::new()} ssr=SsrMode::Async />
                        <Route path=path!("/admin/mails") view={Lazy::<chunks::Mails>::new()} ssr=SsrMode::Async />
                        <Route path=path!("/admin/mails/:id") view={Lazy::<chunks::Mail>::new()} ssr=SsrMode::Async />
                        <Route path=path!("/admin/audit") view={Lazy::<chunks::Audit>::new()} ssr=SsrMode::Async />
                    </FlatRoutes>
                </Layout>
            </Router>
    }
}
