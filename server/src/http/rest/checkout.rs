//! Checkouts: a cart, where it goes and how it is paid; then paying.

use std::collections::BTreeMap;

use haat_engine::{carts, checkout, orders};
use haat_shared::{
    Error, Money, Result,
    checkout::{CheckoutForm, CheckoutGroup, CheckoutState, CheckoutSums, CheckoutView, PaymentOutcome},
    id::kinds::{CartId, CheckoutId, ShopId},
    orders::PurchaseView,
    payments::{Method, NextAction},
    routes::*,
    shipping::Delivery,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Api, Ask,
    parts::{At, Body, Found, Made, Once},
};

pub(super) fn routes(api: Api) -> Api {
    api.on(API_BEGIN_CHECKOUT, "Holds what is in a cart, and says what it costs.", begin)
        .on(API_CHECKOUT, "A checkout as it stands.", view)
        .on(API_SAVE_CHECKOUT, "Changes where it goes, how it is brought or how it is paid.", save)
        .on(API_PAY, "Pays: answers with the purchase, or with where to go on.", pay)
}

/// Where goods go.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Destination {
    /// Who receives them.
    #[schema(format = "line", max_length = 100)]
    name: String,
    /// Street and number.
    #[schema(format = "line", max_length = 200)]
    line1: String,
    /// Flat, floor, landmark.
    #[serde(default)]
    #[schema(format = "optional-line", max_length = 200)]
    line2: String,
    /// Town.
    #[schema(format = "line", max_length = 100)]
    city: String,
    /// State or province.
    #[serde(default)]
    #[schema(format = "optional-line", max_length = 100)]
    region: String,
    /// Postal code.
    #[serde(default)]
    #[schema(format = "optional-line", max_length = 20)]
    postal_code: String,
    /// ISO 3166 code of the country.
    #[schema(pattern = "^[A-Za-z]{2}$")]
    country: String,
    /// Telephone for the courier.
    #[serde(default)]
    #[schema(pattern = "^[-0-9+() .]*$", max_length = 30)]
    phone: String,
}

/// Where a cart goes and how it is paid.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Wishes {
    /// Where the confirmation goes.
    #[schema(format = "email-address", max_length = 254)]
    email: String,
    /// Where the goods go.
    address: Destination,
    /// How each shop is to bring its part, by the shop's id; the usual way where nothing is said.
    #[serde(default)]
    delivery: BTreeMap<ShopId, Delivery>,
    /// How it is paid.
    method: Method,
}

/// A checkout to be begun.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewCheckout {
    /// What is bought.
    cart: CartId,
    /// Where the confirmation goes.
    #[schema(format = "email-address", max_length = 254)]
    email: String,
    /// Where the goods go.
    address: Destination,
    /// How each shop is to bring its part, by the shop's id; the usual way where nothing is said.
    #[serde(default)]
    delivery: BTreeMap<ShopId, Delivery>,
    /// How it is paid.
    method: Method,
}

impl Wishes {
    /// The form that says the same, if it holds.
    fn form(self, ask: &Ask) -> Result<CheckoutForm> {
        let Destination { name, line1, line2, city, region, postal_code, country, phone } = self.address;
        let form = CheckoutForm {
            email: self.email,
            name,
            line1,
            line2,
            city,
            region,
            postal_code,
            country,
            phone,
            method: self.method.as_str().into(),
            delivery: self
                .delivery
                .into_iter()
                .map(|(shop, way)| (shop.to_string(), way.as_str().into()))
                .collect(),
            seen: String::new(),
        };
        match form.check(&checkout::offered(ask.engine())) {
            Ok(_) => Ok(form),
            Err(faults) => Err(Error::Invalid(faults)),
        }
    }
}

/// A checkout as it stands.
#[derive(Serialize, ToSchema)]
struct Checkout {
    /// Its id.
    id: CheckoutId,
    /// Where it stands.
    state: CheckoutState,
    /// Where the confirmation goes.
    email: String,
    /// Where the goods go.
    address: Destination,
    /// How it is paid.
    method: Option<Method>,
    /// What is bought, by shop.
    groups: Vec<CheckoutGroup>,
    /// What it costs.
    sums: CheckoutSums,
    /// How it can be paid.
    methods: Vec<Method>,
    /// How the last try to pay went.
    payment: Option<PaymentOutcome>,
    /// Where the payment that is under way goes on.
    next: Option<NextAction>,
    /// The purchase that it became.
    purchase: Option<PurchaseLink>,
}

/// Where a purchase is found.
#[derive(Serialize, ToSchema)]
struct PurchaseLink {
    /// Its number.
    number: String,
    /// What lets anyone read it: `/purchases/{number}?key=…`.
    key: String,
}

/// The number and key in the address of a purchase's page.
fn link(url: &str) -> Option<PurchaseLink> {
    let (number, key) = url.strip_prefix("/purchases/")?.split_once("?key=")?;
    Some(PurchaseLink { number: number.into(), key: key.into() })
}

impl From<CheckoutView> for Checkout {
    fn from(view: CheckoutView) -> Self {
        let form = view.form;
        Self {
            id: view.id,
            state: view.state,
            email: form.email,
            address: Destination {
                name: form.name,
                line1: form.line1,
                line2: form.line2,
                city: form.city,
                region: form.region,
                postal_code: form.postal_code,
                country: form.country,
                phone: form.phone,
            },
            method: Method::parse(&form.method),
            groups: view.groups,
            sums: view.sums,
            methods: view.methods,
            payment: view.payment,
            next: view.next,
            purchase: view.purchase_url.as_deref().and_then(link),
        }
    }
}

async fn begin(ask: Ask, (Body(new), _): (Body<NewCheckout>, Once)) -> Result<Made<Checkout>> {
    carts::is_own(ask.engine(), &ask.caller, new.cart).await?;
    let NewCheckout { email, address, delivery, method, .. } = new;
    let form = Wishes { email, address, delivery, method }.form(&ask)?;
    let id = checkout::begin(ask.engine(), &ask.caller).await?;
    checkout::save(ask.engine(), &ask.caller, id, form).await?;
    let view = checkout::view(ask.engine(), &ask.caller, id).await?;
    Ok(Made(view.into()))
}

async fn view(ask: Ask, At(id): At<CheckoutId>) -> Result<Found<Checkout>> {
    let view = checkout::view(ask.engine(), &ask.caller, id).await?;
    Ok(Found(view.into()))
}

async fn save(ask: Ask, (At(id), Body(wishes)): (At<CheckoutId>, Body<Wishes>)) -> Result<Found<Checkout>> {
    let form = wishes.form(&ask)?;
    checkout::save(ask.engine(), &ask.caller, id, form).await?;
    let view = checkout::view(ask.engine(), &ask.caller, id).await?;
    Ok(Found(view.into()))
}

/// What is agreed to.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Agreed {
    /// The total that the shopper saw. Another one is refused, not charged.
    total: Option<Money>,
}

/// How paying ended, or where it goes on.
#[derive(Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Paid {
    /// It is bought.
    Done {
        /// What lets anyone read the purchase: `/purchases/{number}?key=…`.
        key: String,
        /// What was bought.
        purchase: Box<PurchaseView>,
    },
    /// The shopper goes on at the gateway's page; the purchase follows.
    Redirect {
        /// Its address.
        url: String,
    },
}

async fn pay(
    ask: Ask,
    (At(id), Body(agreed), Once(key)): (At<CheckoutId>, Body<Agreed>, Once),
) -> Result<Found<Paid>> {
    let (engine, caller) = (ask.engine(), &ask.caller);
    let seen = agreed.total.map(|total| total.amount().to_string()).unwrap_or_default();
    let form = CheckoutForm { seen, ..checkout::typed(engine, caller, id).await? };
    let url = match checkout::pay(engine, caller, id, form, &key).await? {
        NextAction::Redirect { url } => return Ok(Found(Paid::Redirect { url })),
        NextAction::Done { url } => url,
    };
    let PurchaseLink { number, key } = link(&url).ok_or(Error::Internal)?;
    let purchase = orders::purchase(engine, caller, &number, &key).await?;
    Ok(Found(Paid::Done { key, purchase: purchase.into() }))
}
