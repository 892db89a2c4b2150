//! The pages of the seller dashboard, one file per page.

mod balance;
mod home;
mod imports;
mod order;
mod orders;
mod product;
mod products;
mod settings;
mod shops;

pub(crate) use balance::Balance;
pub(crate) use home::Home;
pub(crate) use imports::Import;
pub(crate) use order::{Order, PackingSlip};
pub(crate) use orders::Orders;
pub(crate) use product::{NewProduct, Product};
pub(crate) use products::Products;
pub(crate) use settings::Settings;
pub(crate) use shops::{OpenShop, SellerShops};

use haat_shared::{
    Error,
    media::{Picture, Purpose},
    permissions::Permission,
    routes,
};
use leptos::{prelude::*, web_sys};

use crate::{
    i18n::{t, tu_string, use_i18n},
    state::{Visitor, param},
    ui::{BackOffice, back_office_link, chips, search},
};

/// The sections of the seller dashboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Home,
    Orders,
    Products,
    Balance,
    Settings,
}

impl Part {
    const ALL: [Self; 5] = [Self::Home, Self::Orders, Self::Products, Self::Balance, Self::Settings];

    fn path(self, handle: &str) -> String {
        match self {
            Self::Home => routes::dashboard(handle),
            Self::Orders => routes::shop_orders(handle),
            Self::Products => routes::seller_products(handle),
            Self::Balance => routes::balance(handle),
            Self::Settings => routes::settings(handle),
        }
    }

    fn icon(self) -> &'static str {
        match self {
            Self::Home => "awning",
            Self::Orders => "truck",
            Self::Products => "box",
            Self::Balance => "card",
            Self::Settings => "settings",
        }
    }

    /// The permission that a section requires.
    fn needs(self) -> Permission {
        match self {
            Self::Home | Self::Orders => Permission::SeeOrders,
            Self::Products => Permission::ManageCatalog,
            Self::Balance => Permission::SeeMoney,
            Self::Settings => Permission::ManageShop,
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
    let (handle, visitor) = (param("handle"), expect_context::<Visitor>().0);
    let nav = move || {
        Suspend::new(async move {
            let me = visitor.await.ok().flatten()?;
            let shop = me.shops.into_iter().find(|shop| handle.with(|handle| shop.handle == *handle))?;
            let links = Part::ALL.into_iter().filter(|part| shop.role.may(part.needs())).map(|part| {
                let words = match part {
                    Part::Home => t!(i18n, dashboard.home),
                    Part::Orders => t!(i18n, seller_orders.title),
                    Part::Products => t!(i18n, seller_products.title),
                    Part::Balance => t!(i18n, balance.title),
                    Part::Settings => t!(i18n, settings.title),
                };
                back_office_link(part.path(&shop.handle), part.icon(), words, part == here)
            });
            Some(view! {
                <a class="back-office-shop" href=routes::shop(&shop.handle)>
                    <span>{shop.name}</span>
                    <span class="note">{t!(i18n, seller_orders.visit)}</span>
                </a>
                <ul>{links.collect_view()}</ul>
            })
        })
    };
    let nav = view! { <Transition>{nav}</Transition> }.into_any();
    view! { <BackOffice label=tu_string!(i18n, dashboard.nav) nav>{children()}</BackOffice> }
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
