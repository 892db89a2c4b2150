//! The pages of the seller dashboard, one file per page.

mod balance;
mod home;
mod imports;
mod order;
mod orders;
mod payouts;
mod product;
mod products;
mod reviews;
mod settings;
mod shops;
mod team;

pub(crate) use balance::Balance;
pub(crate) use home::Home;
pub(crate) use imports::Import;
pub(crate) use order::{Order, OrderDetails, PackingSlip, PackingSlips};
pub(crate) use orders::Orders;
pub(crate) use product::{NewProduct, Product};
pub(crate) use products::Products;
pub(crate) use reviews::Reviews;
pub(crate) use settings::Settings;
pub(crate) use shops::{OpenShop, SellerShops};

use haat_shared::{
    Error,
    accounts::Me,
    media::{Picture, Purpose},
    permissions::Permission,
    routes,
};
use leptos::{prelude::*, web_sys};

use crate::{
    api,
    back_office::{BackOffice, Entry, Finding, Office, Place},
    i18n::{t, tu_string, use_i18n},
    state::param,
    ui::{Failure, chips, search},
    words::{self, I18n},
};

/// The sections of the seller dashboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Home,
    Orders,
    Products,
    Messages,
    Reviews,
    Analytics,
    Promotions,
    Events,
    Shipping,
    Services,
    Balance,
    Team,
    Settings,
}

impl Part {
    const ALL: [Self; 13] = [
        Self::Home,
        Self::Orders,
        Self::Messages,
        Self::Products,
        Self::Services,
        Self::Promotions,
        Self::Events,
        Self::Analytics,
        Self::Reviews,
        Self::Balance,
        Self::Shipping,
        Self::Team,
        Self::Settings,
    ];

    fn path(self, handle: &str) -> String {
        match self {
            Self::Home => routes::dashboard(handle),
            Self::Orders => routes::shop_orders(handle),
            Self::Products => routes::seller_products(handle),
            Self::Messages => routes::shop_messages(handle),
            Self::Reviews => routes::shop_reviews(handle),
            Self::Analytics => routes::shop_analytics(handle),
            Self::Promotions => routes::shop_promotions(handle),
            Self::Events => routes::shop_events(handle),
            Self::Balance => routes::balance(handle),
            Self::Shipping => routes::shop_shipping(handle),
            Self::Services => routes::shop_services(handle),
            Self::Team => routes::shop_team(handle),
            Self::Settings => routes::settings(handle),
        }
    }

    fn icon(self) -> &'static str {
        match self {
            Self::Home => "awning",
            Self::Orders => "truck",
            Self::Products => "box",
            Self::Messages => "chat",
            Self::Reviews => "heart",
            Self::Analytics => "chart",
            Self::Promotions => "tag",
            Self::Events => "bolt",
            Self::Balance => "card",
            Self::Shipping => "pin",
            Self::Services => "clock",
            Self::Team => "person",
            Self::Settings => "settings",
        }
    }

    fn title(self, i18n: I18n) -> &'static str {
        match self {
            Self::Home => t!(i18n, dashboard.home),
            Self::Orders => t!(i18n, seller_orders.title),
            Self::Products => t!(i18n, seller_products.title),
            Self::Messages => t!(i18n, chat.title),
            Self::Reviews => t!(i18n, reviews.title),
            Self::Analytics => t!(i18n, analytics.title),
            Self::Promotions => t!(i18n, promotions.title),
            Self::Events => t!(i18n, sale_events.title),
            Self::Balance => t!(i18n, balance.title),
            Self::Shipping => t!(i18n, shipping.title),
            Self::Services => t!(i18n, services.title),
            Self::Team => t!(i18n, settings.members),
            Self::Settings => t!(i18n, settings.title),
        }
    }

    /// The heading of its group in the navigation.
    fn group(self, i18n: I18n) -> &'static str {
        match self {
            Self::Home
            | Self::Orders
            | Self::Messages
            | Self::Products
            | Self::Services
            | Self::Promotions
            | Self::Events => "",
            Self::Analytics
            | Self::Reviews
            | Self::Balance
            | Self::Shipping
            | Self::Team
            | Self::Settings => t!(i18n, office.shop),
        }
    }

    /// The permission that a section requires.
    fn needs(self) -> Permission {
        match self {
            Self::Home | Self::Orders | Self::Services | Self::Analytics => Permission::SeeOrders,
            Self::Products | Self::Promotions | Self::Events => Permission::ManageCatalog,
            Self::Messages | Self::Reviews => Permission::AnswerCustomers,
            Self::Balance => Permission::SeeMoney,
            Self::Shipping | Self::Team | Self::Settings => Permission::ManageShop,
        }
    }
}

/// A page of the seller dashboard, with the navigation at its side, or at the bottom on phones.
#[component]
fn Dashboard(
    /// The current section.
    here: Part,
    /// The page.
    children: Children,
) -> impl IntoView {
    crate::head::keep_out();
    let i18n = use_i18n();
    let handle = param("handle");
    let office = move |me: &Me| handle.with(|handle| office(i18n, me, handle, Some(here)));
    view! { <BackOffice label=tu_string!(i18n, dashboard.nav) office>{children()}</BackOffice> }
}

/// The page of a shop's promotions, which is in a chunk of its own.
pub(crate) fn promotions_page(page: AnyView) -> AnyView {
    view! { <Dashboard here=Part::Promotions>{page}</Dashboard> }.into_any()
}

/// The page of how a shop is doing, which is in another chunk.
pub(crate) fn analytics_page(page: AnyView) -> AnyView {
    view! { <Dashboard here=Part::Analytics>{page}</Dashboard> }.into_any()
}

/// A page of a shop's events, which is in a chunk of its own.
pub(crate) fn events_page(page: AnyView) -> AnyView {
    view! { <Dashboard here=Part::Events>{page}</Dashboard> }.into_any()
}

/// A page about products, which is in a chunk of its own.
pub(crate) fn products_page(page: AnyView) -> AnyView {
    view! { <Dashboard here=Part::Products>{page}</Dashboard> }.into_any()
}

/// The page of a shop's conversations, which is in a chunk of its own.
pub(crate) fn messages_page(page: AnyView) -> AnyView {
    view! { <Dashboard here=Part::Messages>{page}</Dashboard> }.into_any()
}

/// The page of a shop's services, which is in a chunk of its own.
pub(crate) fn services_page(page: AnyView) -> AnyView {
    view! { <Dashboard here=Part::Services>{page}</Dashboard> }.into_any()
}

/// The page of how a shop ships, which is in a chunk of its own.
pub(crate) fn shipping_page(page: AnyView) -> AnyView {
    view! { <Dashboard here=Part::Shipping>{page}</Dashboard> }.into_any()
}

/// The page for addresses of the dashboard that do not exist, with the navigation of the shop that they begin with.
#[component]
pub(crate) fn NotFound() -> impl IntoView {
    let i18n = use_i18n();
    let rest = param("rest");
    let office =
        move |me: &Me| rest.with(|rest| office(i18n, me, rest.split('/').next().unwrap_or_default(), None));
    api::page_not_found();
    view! {
        <BackOffice label=tu_string!(i18n, dashboard.nav) office>
            <Failure error=Error::NotFound />
        </BackOffice>
    }
}

/// What a member sees of a shop's dashboard.
fn office(i18n: I18n, me: &Me, handle: &str, here: Option<Part>) -> Option<Office> {
    let shop = me.shops.iter().find(|shop| shop.handle == handle)?;
    let may = |part: &Part| shop.role.may(part.needs());
    let places = Part::ALL.into_iter().filter(may).map(|part| Place {
        group: part.group(i18n),
        href: part.path(handle),
        icon: part.icon(),
        words: part.title(i18n),
        here: Some(part) == here,
        counts: [Part::Orders, Part::Messages].iter().position(|of| *of == part),
    });
    let actions = may(&Part::Products).then(|| {
        [
            (routes::new_product(handle), t!(i18n, seller_products.add)),
            (routes::import(handle), t!(i18n, imports.title)),
        ]
    });
    let lists = [Part::Orders, Part::Products].into_iter().filter(may);
    Some(Office {
        name: shop.name.clone(),
        shop: Some(shop.handle.clone()),
        places: places.collect(),
        more: None,
        actions: actions.into_iter().flatten().collect(),
        find,
        lists: lists.map(|part| (part.path(handle), part.title(i18n))).collect(),
    })
}

/// The shop's orders and products that contain some words.
fn find(i18n: I18n, handle: String, q: String) -> Finding {
    Box::pin(async move {
        let found = api::search::of_shop(handle.clone(), q).await?;
        let orders = found.orders.into_iter().map(|order| Entry {
            group: t!(i18n, seller_orders.title),
            icon: "truck",
            href: Some(routes::shop_order(&handle, &order.number)),
            note: order.name,
            words: order.number,
        });
        let products = found.products.into_iter().map(|product| Entry {
            group: t!(i18n, seller_products.title),
            icon: "box",
            words: product.title,
            note: words::money(i18n, product.price),
            href: Some(routes::seller_product(&handle, product.id)),
        });
        Ok(orders.chain(products).collect())
    })
}

/// Uploads a picture to a shop, for this purpose.
#[cfg(feature = "hydrate")]
async fn upload(purpose: Purpose, handle: &str, file: web_sys::File) -> Result<Picture, Error> {
    use leptos::wasm_bindgen::JsCast;
    use wasm_bindgen_futures::JsFuture;

    // Files that are too large aren't sent at all. File sizes are whole numbers.
    purpose.upload().check_bytes(file.size() as usize).map_err(|code| Error::field("picture", code))?;
    let broken = |_| Error::Internal;
    let body = web_sys::FormData::new().map_err(broken)?;
    body.append_with_blob("picture", &file).map_err(broken)?;
    let init = web_sys::RequestInit::new();
    init.set_method("POST");
    init.set_body(&body);
    let address = routes::with(&routes::add_picture(handle), &[("purpose", purpose.as_str())]);
    let sent = window().fetch_with_str_and_init(&address, &init);
    let answer = JsFuture::from(sent).await.map_err(|_| Error::Offline)?;
    let answer: web_sys::Response = answer.dyn_into().map_err(broken)?;
    let text = JsFuture::from(answer.text().map_err(broken)?).await.map_err(|_| Error::Offline)?;
    let text = text.as_string().unwrap_or_default();
    if answer.ok() {
        serde_json::from_slice(text.as_bytes()).map_err(|_| Error::Internal)
    } else {
        Err(serde_json::from_slice(text.as_bytes()).unwrap_or(Error::Internal))
    }
}

/// Only browsers upload pictures.
#[cfg(not(feature = "hydrate"))]
async fn upload(_: Purpose, _: &str, _: web_sys::File) -> Result<Picture, Error> {
    Err(Error::Internal)
}
