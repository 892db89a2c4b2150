//! The user interface: pages, components, texts, and the server functions that they call.
//!
//! Compiled twice: for the server (`ssr`), which renders complete pages that work without scripts, and for
//! the browser (`hydrate`), which makes them interactive.
#![recursion_limit = "256"]
#![allow(unreachable_pub, reason = "the component macro writes `pub` for what is not")]

mod admin;
pub mod api;
mod arrival;
mod back_office;
mod chunks;
#[cfg(feature = "ssr")]
pub mod cookies;
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
    use crate::i18n::{MessageKey, Plural};

    include!(concat!(env!("OUT_DIR"), "/words.rs"));
}

use leptos::prelude::*;
use leptos_meta::provide_meta_context;
use leptos_router::{
    SsrMode,
    components::{FlatRoutes, Route, Router},
    path,
};
#[cfg(feature = "ssr")]
pub use showcase::showcase;

pub use crate::state::mark_as_live;
use crate::{
    chunks::ChunkPage,
    layout::{Layout, content},
};

/// A page restored from the back-forward cache may be outdated: who is signed in, what is paid. It is
/// hidden and requested again, with or without the rest of the program.
#[cfg(feature = "ssr")]
const BACK: &str = "onpageshow=e=>{if(e.persisted){document.documentElement.hidden=true;location.reload()}}";

/// Shows the back office as the user likes it from the first paint. The browser may block its storage.
#[cfg(feature = "ssr")]
const KEPT: &str = r#";try{for(const k of["data-compact","data-collapsed","data-no-keys"])if(localStorage[k])document.documentElement.setAttribute(k,"")}catch{}"#;

/// The whole document around [`App`], with its headers. Server only.
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
                <script nonce=leptos::nonce::use_nonce()>{[BACK, KEPT].concat()}</script>
                <HydrationScripts options defer=true />
                <MetaTags />
            </head>
            <body>
                <App />
            </body>
        </html>
    }
}

/// The contents of the body, and the routes of all pages.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    view! {
            <Router>
                <Layout>
                    <FlatRoutes fallback=|| content(storefront::NotFound().into_any())>
                        <Route path=path!("/") view=|| content(storefront::Home().into_any()) ssr=SsrMode::Async />
                        <Route path=path!("/products") view=ChunkPage::Products ssr=SsrMode::Async />
                        <Route path=path!("/p/:slug") view=ChunkPage::Product ssr=SsrMode::Async />
                        <Route path=path!("/c/:slug") view=ChunkPage::Category ssr=SsrMode::Async />
                        <Route path=path!("/shops") view=ChunkPage::Shops ssr=SsrMode::Async />
                        <Route path=path!("/shops/:handle") view=ChunkPage::Shop ssr=SsrMode::Async />
                        <Route path=path!("/cart") view=ChunkPage::Cart ssr=SsrMode::Async />
                        <Route path=path!("/checkout/:id") view=ChunkPage::Checkout ssr=SsrMode::Async />
                        <Route path=path!("/purchases/:number") view=ChunkPage::Purchase ssr=SsrMode::Async />
                        <Route path=path!("/sign-in") view=ChunkPage::SignIn ssr=SsrMode::Async />
                        <Route path=path!("/sign-up") view=ChunkPage::SignUp ssr=SsrMode::Async />
                        <Route path=path!("/account") view=ChunkPage::Account ssr=SsrMode::Async />
                        <Route path=path!("/seller") view=ChunkPage::SellerShops ssr=SsrMode::Async />
                        <Route path=path!("/seller/new") view=ChunkPage::OpenShop ssr=SsrMode::Async />
                        <Route path=path!("/seller/:handle") view=ChunkPage::Dashboard ssr=SsrMode::Async />
                        <Route path=path!("/seller/:handle/orders") view=ChunkPage::ShopOrders ssr=SsrMode::Async />
                        <Route path=path!("/seller/:handle/orders/:number") view=ChunkPage::ShopOrder ssr=SsrMode::Async />
                        <Route path=path!("/seller/:handle/orders/:number/packing-slip") view=ChunkPage::PackingSlip ssr=SsrMode::Async />
                        <Route path=path!("/seller/:handle/packing-slips") view=ChunkPage::PackingSlips ssr=SsrMode::Async />
                        <Route path=path!("/seller/:handle/products") view=ChunkPage::SellerProducts ssr=SsrMode::Async />
                        <Route path=path!("/seller/:handle/products/new") view=ChunkPage::NewProduct ssr=SsrMode::Async />
                        <Route path=path!("/seller/:handle/products/import") view=ChunkPage::Import ssr=SsrMode::Async />
                        <Route path=path!("/seller/:handle/products/:id") view=ChunkPage::SellerProduct ssr=SsrMode::Async />
                        <Route path=path!("/seller/:handle/balance") view=ChunkPage::Balance ssr=SsrMode::Async />
                        <Route path=path!("/seller/:handle/settings") view=ChunkPage::Settings ssr=SsrMode::Async />
                        <Route path=path!("/seller/*rest") view=ChunkPage::NoSellerPage ssr=SsrMode::Async />
                        <Route path=path!("/admin") view=ChunkPage::Admin ssr=SsrMode::Async />
                        <Route path=path!("/admin/orders") view=ChunkPage::AllOrders ssr=SsrMode::Async />
                        <Route path=path!("/admin/orders/:number") view=ChunkPage::AnyOrder ssr=SsrMode::Async />
                        <Route path=path!("/admin/shops") view=ChunkPage::AllShops ssr=SsrMode::Async />
                        <Route path=path!("/admin/users") view=ChunkPage::Users ssr=SsrMode::Async />
                        <Route path=path!("/admin/jobs") view=ChunkPage::Jobs ssr=SsrMode::Async />
                        <Route path=path!("/admin/outbox") view=ChunkPage::Outbox ssr=SsrMode::Async />
                        <Route path=path!("/admin/mails") view=ChunkPage::Mails ssr=SsrMode::Async />
                        <Route path=path!("/admin/mails/:id") view=ChunkPage::Mail ssr=SsrMode::Async />
                        <Route path=path!("/admin/audit") view=ChunkPage::Audit ssr=SsrMode::Async />
                        <Route path=path!("/admin/team") view=ChunkPage::Team ssr=SsrMode::Async />
                        <Route path=path!("/admin/*rest") view=ChunkPage::NoAdminPage ssr=SsrMode::Async />
                    </FlatRoutes>
                </Layout>
            </Router>
    }
}
