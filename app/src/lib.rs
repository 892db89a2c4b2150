//! The user interface: pages, components, texts, and the server functions that they call.
//!
//! Compiled twice: for the server (`ssr`), which renders complete pages that work without scripts, and for
//! the browser (`hydrate`), which makes them interactive.
#![recursion_limit = "256"]
#![allow(unreachable_pub, reason = "the component macro writes `pub` for what is not")]

mod admin;
mod analysing;
pub mod api;
mod arrival;
mod back_office;
mod chat;
mod chunks;
#[cfg(feature = "ssr")]
pub mod cookies;
pub mod countries;
mod discounting;
mod elsewhere;
mod gift_cards;
mod head;
pub mod i18n;
mod layout;
mod previewing;
mod price_lists;
mod promoting;
mod rating;
mod sale_events;
mod seller;
mod services;
mod shipping;
#[cfg(feature = "ssr")]
mod showcase;
mod socket;
#[cfg(feature = "ssr")]
mod start;
mod state;
mod storefront;
pub mod sums;
mod taxing;
pub mod ui;
pub mod words;

#[doc(hidden)]
#[allow(missing_docs, non_upper_case_globals, reason = "keys are called as they are in the files")]
pub mod locales {
    use crate::i18n::{MessageKey, Plural};

    include!(concat!(env!("OUT_DIR"), "/words.rs"));
}

use leptos::{children::ToChildren, prelude::*, tachys::view::iterators::StaticVec};
use leptos_meta::provide_meta_context;
use leptos_router::{
    ParamSegment, PartialPathMatch, PathSegment, PossibleRouteMatch, SsrMode, StaticSegment, WildcardSegment,
    components::{FlatRoutes, Route, RouteProps, Router},
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
///
/// Who goes back before the page is hydrated gets the page of that address from the server. And the links of a
/// page that can't be hydrated are left to the browser.
#[cfg(feature = "ssr")]
const BACK: &str = r#"onpageshow=e=>{if(e.persisted){document.documentElement.hidden=true;location.reload()}};{const html=document.documentElement,at=()=>location.pathname+location.search,first=at();addEventListener("popstate",()=>{if(!html.hasAttribute("data-live")&&at()!==first)location.reload()});addEventListener("click",e=>{if(html.hasAttribute("data-plain")&&e.target.closest("a"))e.stopPropagation()},true)}"#;

/// Shows the back office as the user likes it from the first paint. The browser may block its storage.
#[cfg(feature = "ssr")]
const KEPT: &str = r#";try{for(const k of["data-compact","data-collapsed","data-no-keys"])if(localStorage[k])document.documentElement.setAttribute(k,"")}catch{}"#;

/// Who signs out leaves no unsent messages behind. Offline, nobody signs out.
#[cfg(feature = "ssr")]
const FORGET: &str = r#";addEventListener("submit",e=>{try{if(navigator.onLine&&e.target.matches('[action="SIGN_OUT"]'))for(const k of Object.keys(localStorage))if(k.startsWith("messages "))localStorage.removeItem(k)}catch{}},true)"#;

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
                <meta id="words" name="later" content=i18n::sheet(language).path.as_str() />
                <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
                <link rel="apple-touch-icon" href="/icon-192.png" />
                <link rel="manifest" href="/haat.webmanifest" />
                <AutoReload options=options.clone() />
                <script nonce=leptos::nonce::use_nonce()>{[BACK, KEPT, &FORGET.replace("SIGN_OUT", haat_shared::routes::FORM_SIGN_OUT)].concat()}</script>
                {start::script(options)}
                <MetaTags />
            </head>
            <body>
                <App />
            </body>
        </html>
    }
}

/// The contents of the body.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    view! {
        <Router>
            <Layout>
                <Pages />
            </Layout>
        </Router>
    }
}

/// The pages by their paths. A table, because a component per page would be code per page in the main module.
const PAGES: &[(Path, ChunkPage)] = &[
    (Path("/"), ChunkPage::Home),
    (Path("/products"), ChunkPage::Products),
    (Path("/p/:slug"), ChunkPage::Product),
    (Path("/c/:slug"), ChunkPage::Category),
    (Path("/shops"), ChunkPage::Shops),
    (Path("/shops/:handle"), ChunkPage::Shop),
    (Path("/cart"), ChunkPage::Cart),
    (Path("/checkout/:id"), ChunkPage::Checkout),
    (Path("/purchases/:number"), ChunkPage::Purchase),
    (Path("/events"), ChunkPage::Events),
    (Path("/events/:id"), ChunkPage::Event),
    (Path("/services"), ChunkPage::Services),
    (Path("/services/:slug"), ChunkPage::Book),
    (Path("/appointments/:id/cancel"), ChunkPage::CancelAppointment),
    (Path("/wishlist"), ChunkPage::Account),
    (Path("/privacy"), ChunkPage::Account),
    (Path("/contact"), ChunkPage::Account),
    (Path("/gift-card"), ChunkPage::GiftCard),
    (Path("/gift-cards"), ChunkPage::BuyGiftCard),
    (Path("/sign-in"), ChunkPage::SignIn),
    (Path("/sign-up"), ChunkPage::SignUp),
    (Path("/account"), ChunkPage::Account),
    (Path("/account/cards"), ChunkPage::Account),
    (Path("/account/appointments"), ChunkPage::Appointments),
    (Path("/account/profile"), ChunkPage::Account),
    (Path("/account/addresses"), ChunkPage::Account),
    (Path("/account/data"), ChunkPage::Account),
    (Path("/account/reviews/:number/:position"), ChunkPage::Account),
    (Path("/forgot-password"), ChunkPage::Account),
    (Path("/sign-in/code"), ChunkPage::Account),
    (Path("/reset-password/:id"), ChunkPage::Account),
    (Path("/invitations/:id"), ChunkPage::Account),
    (Path("/notifications"), ChunkPage::Notifications),
    (Path("/notifications/settings"), ChunkPage::Notifications),
    (Path("/messages"), ChunkPage::Messages),
    (Path("/messages/:id"), ChunkPage::Messages),
    (Path("/seller"), ChunkPage::SellerShops),
    (Path("/seller/new"), ChunkPage::OpenShop),
    (Path("/seller/:handle"), ChunkPage::Dashboard),
    (Path("/seller/:handle/orders"), ChunkPage::ShopOrders),
    (Path("/seller/:handle/orders/:number"), ChunkPage::ShopOrder),
    (Path("/seller/:handle/orders/:number/packing-slip"), ChunkPage::PackingSlip),
    (Path("/seller/:handle/packing-slips"), ChunkPage::PackingSlips),
    (Path("/seller/:handle/products"), ChunkPage::SellerProducts),
    (Path("/seller/:handle/products/new"), ChunkPage::NewProduct),
    (Path("/seller/:handle/products/import"), ChunkPage::Import),
    (Path("/seller/:handle/products/:id"), ChunkPage::SellerProduct),
    (Path("/seller/:handle/products/:id/sales"), ChunkPage::SalesOfProduct),
    (Path("/seller/:handle/products/:id/prices"), ChunkPage::PricesOfProduct),
    (Path("/seller/:handle/messages"), ChunkPage::ShopMessages),
    (Path("/seller/:handle/messages/:id"), ChunkPage::ShopMessages),
    (Path("/seller/:handle/reviews"), ChunkPage::ShopReviews),
    (Path("/seller/:handle/analytics"), ChunkPage::ShopAnalytics),
    (Path("/seller/:handle/balance"), ChunkPage::Balance),
    (Path("/seller/:handle/promotions"), ChunkPage::ShopPromotions),
    (Path("/seller/:handle/services"), ChunkPage::ServicesOfShop),
    (Path("/seller/:handle/events"), ChunkPage::ShopEvents),
    (Path("/seller/:handle/events/:id"), ChunkPage::ShopEvent),
    (Path("/seller/:handle/shipping"), ChunkPage::ShopShipping),
    (Path("/seller/:handle/team"), ChunkPage::Settings),
    (Path("/seller/:handle/settings"), ChunkPage::Settings),
    (Path("/seller/*rest"), ChunkPage::NoSellerPage),
    (Path("/admin"), ChunkPage::Admin),
    (Path("/admin/orders"), ChunkPage::AllOrders),
    (Path("/admin/orders/:number"), ChunkPage::AnyOrder),
    (Path("/admin/shops"), ChunkPage::AllShops),
    (Path("/admin/commission"), ChunkPage::Commission),
    (Path("/admin/categories"), ChunkPage::Categories),
    (Path("/admin/shops/:handle"), ChunkPage::AnyShop),
    (Path("/admin/promotions"), ChunkPage::MarketPromotions),
    (Path("/admin/taxes"), ChunkPage::MarketTaxes),
    (Path("/admin/currencies"), ChunkPage::Currencies),
    (Path("/admin/gift-cards"), ChunkPage::MarketGiftCards),
    (Path("/admin/payouts"), ChunkPage::Payouts),
    (Path("/admin/payouts/:id"), ChunkPage::Payout),
    (Path("/admin/users"), ChunkPage::Users),
    (Path("/admin/users/:id"), ChunkPage::User),
    (Path("/admin/reports"), ChunkPage::Reports),
    (Path("/admin/reviews"), ChunkPage::AllReviews),
    (Path("/admin/analytics"), ChunkPage::MarketAnalytics),
    (Path("/admin/search"), ChunkPage::Searches),
    (Path("/admin/contact"), ChunkPage::ContactMessages),
    (Path("/admin/ledger"), ChunkPage::Ledger),
    (Path("/admin/payments"), ChunkPage::Payments),
    (Path("/admin/payments/:id"), ChunkPage::Payment),
    (Path("/admin/jobs"), ChunkPage::Jobs),
    (Path("/admin/outbox"), ChunkPage::Outbox),
    (Path("/admin/announcements"), ChunkPage::Announcements),
    (Path("/admin/notifications"), ChunkPage::Deliveries),
    (Path("/admin/notifications/:id"), ChunkPage::Delivery),
    (Path("/admin/audit"), ChunkPage::Audit),
    (Path("/admin/team"), ChunkPage::Team),
    (Path("/admin/*rest"), ChunkPage::NoAdminPage),
];

/// The page at the current URL.
#[component]
fn Pages() -> impl IntoView {
    let pages = || {
        let page = |&(path, view)| Route(RouteProps { path, view, ssr: SsrMode::Async });
        StaticVec::from(PAGES.iter().map(page).collect::<Vec<_>>())
    };
    view! { <FlatRoutes fallback=|| content(storefront::NotFound().into_any()) children=ToChildren::to_children(pages) /> }
}

/// A path with parameters, such as `/p/:slug`, or a rest, such as `/admin/*rest`. One type for all, where `path!` makes one for each number and
/// order of segments.
#[derive(Clone, Copy)]
struct Path(&'static str);

impl Path {
    fn segments(self) -> impl Iterator<Item = &'static str> {
        self.0.split('/').filter(|segment| !segment.is_empty())
    }
}

impl PossibleRouteMatch for Path {
    fn optional(&self) -> bool {
        false
    }

    fn test<'a>(&self, path: &'a str) -> Option<PartialPathMatch<'a>> {
        let (mut rest, mut matched, mut params) = (path, 0, Vec::new());
        for segment in self.segments() {
            let part = match segment.split_at(1) {
                (":", name) => ParamSegment(name).test(rest),
                ("*", name) => WildcardSegment(name).test(rest),
                _ => StaticSegment(segment).test(rest),
            }?;
            rest = part.remaining();
            matched += part.matched().len();
            params.extend(part.params());
        }
        Some(PartialPathMatch::new(rest, params, path.get(..matched)?))
    }

    fn generate_path(&self, path: &mut Vec<PathSegment>) {
        path.extend(self.segments().map(|segment| match segment.split_at(1) {
            (":", name) => PathSegment::Param(name.into()),
            ("*", name) => PathSegment::Splat(name.into()),
            _ => PathSegment::Static(segment.into()),
        }));
    }
}
