//! The services of the demo, and what its customers have booked for the next days.

use haat_engine::{
    Caller, Engine, accounts, carts,
    catalog::{self, NewProduct, NewVariant, upsert_products},
    checkout, dispatch, random, services,
};
use haat_shared::{
    Currency, Error, Result,
    accounts::{DEMO_PASSWORD, SignIn},
    appointments::{AskedCalendar, ChosenTime, FindServices, ProviderForm, ServiceForm},
    carts::AddLine,
    catalog::{Attribute, ListProducts},
    id::kinds::ProviderId,
};
use serde::Deserialize;

use super::{customers, life::CUSTOMER};

/// So many appointments are booked.
const BOOKED: usize = 6;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DemoServices {
    /// The shop that offers them.
    pub(super) shop: String,
    provider: Vec<Provider>,
    pub(super) service: Vec<Service>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Provider {
    name: String,
    bio: String,
    town: String,
    zone: String,
    weekly: [String; 7],
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Service {
    sku: String,
    pub(super) title: String,
    category: String,
    description: String,
    details: Vec<(String, String)>,
    pub(super) picture: String,
    /// In paise; in a market of dollars, a hundredth of it in cents.
    price_minor: i64,
    place: String,
    minutes: String,
    after: String,
    notice_hours: String,
    step: String,
    /// Their names.
    providers: Vec<String>,
}

pub(super) fn read() -> Result<DemoServices> {
    toml::from_str(include_str!("../../demo/services.toml")).map_err(|error| {
        tracing::error!(%error, "the services of the demo cannot be read");
        Error::Internal
    })
}

/// Adds the providers and services of the demo. Their products have no pictures yet.
pub(super) async fn add(engine: &Engine) -> Result<()> {
    let (system, demo) = (Caller::system(), read()?);
    let mut providers: Vec<(String, ProviderId)> = Vec::new();
    for Provider { name, bio, town, zone, weekly } in demo.provider {
        let form = ProviderForm { name: name.clone(), bio, town, weekly, ..ProviderForm::new(&zone) };
        providers.push((name, services::save_provider(engine, &system, &demo.shop, None, &form).await?));
    }
    let categories = catalog::category_ids(engine).await?;
    let price = |minor: i64| if engine.currency == Currency::INR { minor } else { minor / 100 };
    for service in demo.service {
        let product = NewProduct {
            title: service.title.clone(),
            brand: String::new(),
            description: service.description,
            category: categories.get(&service.category).copied(),
            attributes: service.details.into_iter().map(|(name, value)| Attribute { name, value }).collect(),
            pictures: Vec::new(),
            option: String::new(),
            variants: vec![NewVariant {
                sku: service.sku,
                title: String::new(),
                price_minor: price(service.price_minor),
                compare_at_minor: None,
                stock: 0,
                weight_g: 0,
            }],
        };
        upsert_products(engine, &system, &demo.shop, vec![product]).await?;
        let asked =
            ListProducts { q: service.title.clone(), shop: demo.shop.clone(), ..ListProducts::default() };
        let found = catalog::list(engine, &system, asked).await?.items;
        let product = found.iter().find(|card| card.title == service.title).ok_or(Error::Internal)?.id;
        let of =
            |name: &String| providers.iter().find(|(known, _)| known == name).map(|(_, id)| id.to_string());
        let form = ServiceForm {
            place: service.place,
            minutes: service.minutes,
            after: service.after,
            notice_hours: service.notice_hours,
            step: service.step,
            providers: service.providers.iter().filter_map(of).collect(),
            ..ServiceForm::new()
        };
        services::save_service(engine, &system, &demo.shop, product, &form).await?;
    }
    book(engine).await
}

/// Appointments of the next days, the first of them the customer's whose account the demo offers. All pay cash.
async fn book(engine: &Engine) -> Result<()> {
    let (offered, _) = services::list(engine, &Caller::guest(), &FindServices::default()).await?;
    let customers = customers::read()?;
    let password = DEMO_PASSWORD.to_owned();
    let signed_in =
        accounts::sign_in(engine, &Caller::guest(), SignIn { email: CUSTOMER.into(), password }).await?;
    let asha = accounts::caller(engine, Some(&signed_in), None).await?;
    for (at, (customer, service)) in customers.iter().zip(offered.iter().cycle()).take(BOOKED).enumerate() {
        let mut caller = if at == 0 { asha.clone() } else { Caller::guest() };
        // What is in the basket stays for later.
        let basket = carts::view(engine, &caller).await?;
        let lines: Vec<_> = basket.groups.iter().flat_map(|group| &group.lines).collect();
        for line in &lines {
            carts::remove_line(engine, &caller, line.id).await?;
        }
        let page = services::booking_page(engine, &caller, &service.slug, &AskedCalendar::default()).await?;
        let Some(time) = page.times.get(at % page.times.len().max(1)) else { continue };
        let chosen = ChosenTime {
            slug: service.slug.clone(),
            provider: time.provider.to_string(),
            starts_at: time.starts_at.to_string(),
        };
        if let Some(token) = services::add_to_cart(engine, &caller, &chosen).await?.token {
            caller.cart = Some(random::token_hash(&token));
        }
        let id = checkout::begin(engine, &caller).await?;
        let view = checkout::view(engine, &caller, id).await?;
        let cash = view.payment_methods.iter().copied().find(|method| !method.collected_by_market());
        let Some(method) = cash else { return Ok(()) };
        checkout::pay(engine, &caller, id, customers::details(customer, method), 1, &view.key).await?;
        for line in lines {
            let line = AddLine { variant: line.variant_id, quantity: line.quantity.to_string() };
            carts::add_line(engine, &caller, line).await?;
        }
    }
    dispatch::drain(engine).await?;
    Ok(())
}
