//! Checkouts: the contents of a cart with address and payment method, and paying for them.

use std::collections::BTreeMap;

use haat_engine::{carts, checkout, gift_cards, orders};
use haat_shared::{
    Currency, Error, FieldError, Money, Result,
    addresses::Address,
    checkout::{BILLING, CheckoutGroup, CheckoutState, CheckoutUpdate, CheckoutView, PaymentOutcome, taken},
    gift_cards::{AppliedGiftCard, Gift},
    id::kinds::{CartId, CheckoutId, ShopId},
    money::Rate,
    orders::PurchaseView,
    payments::{NextAction, PaymentMethod, PurchaseLink},
    pricing::Totals,
    promotions::Discount,
    routes::*,
    shipping::{ShippingMethod, Slot},
    taxes::TaxLine,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Api, RequestContext,
    extract::{At, Body, Once},
    reply::{Found, Made},
};

pub(super) fn routes(api: Api) -> Api {
    api.on(
        API_BEGIN_CHECKOUT,
        "Creates a checkout: reserves the items of a cart and calculates the totals.",
        begin,
    )
    .on(API_CHECKOUT, "Retrieves a checkout.", view)
    .on(
        API_UPDATE_CHECKOUT,
        "Updates the contact details, shipping address, shipping methods or payment method of a checkout.",
        update,
    )
    .on(
        API_PAY,
        "Pays for a checkout. Returns the purchase, or the URL where the customer completes the payment.",
        pay,
    )
}

/// A postal address.
#[derive(Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AddressInput {
    /// The recipient's full name.
    #[schema(format = "line", max_length = 100)]
    name: String,
    /// The street address.
    #[schema(format = "line", max_length = 200)]
    line1: String,
    /// Flat, floor or landmark.
    #[serde(default)]
    #[schema(format = "optional-line", max_length = 200)]
    line2: String,
    /// The town or city. Optional in countries whose addresses don't need one, or have a region instead.
    #[serde(default)]
    #[schema(format = "optional-line", max_length = 100)]
    city: String,
    /// The state or province: its code (ISO 3166-2 without the country, `MH`) or its name. Required in some countries.
    /// `GET /countries/{code}` lists the codes; where there are any, the code is stored, and anything else is rejected.
    #[serde(default)]
    #[schema(format = "optional-line", max_length = 100)]
    region: String,
    /// The postal code, in the format of the country. Required in most countries.
    #[serde(default)]
    #[schema(format = "optional-line", max_length = 20)]
    postal_code: String,
    /// The two-letter country code (ISO 3166-1 alpha-2, and XK). Stored in upper case; UK is read as GB.
    #[schema(pattern = "^[A-Za-z]{2}$")]
    country: String,
    /// A phone number for the courier, with extensions if it has any: at least four digits, in any script.
    #[serde(default)]
    #[schema(format = "phone", max_length = 60)]
    phone: String,
}

impl From<AddressInput> for Address {
    fn from(of: AddressInput) -> Self {
        let AddressInput { name, line1, line2, city, region, postal_code, country, phone } = of;
        Self { name, line1, line2, city, region, postal_code, country, phone }
    }
}

impl From<Address> for AddressInput {
    fn from(of: Address) -> Self {
        let Address { name, line1, line2, city, region, postal_code, country, phone } = of;
        Self { name, line1, line2, city, region, postal_code, country, phone }
    }
}

/// The details of a checkout that can be updated.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CheckoutInput {
    /// The email address for the order confirmation. Invisible characters are removed, and the host is stored in lower case
    /// and in ASCII (`xn--…`). Before the `@`, characters outside ASCII are rejected (`email_not_ascii`) unless the market's
    /// mail server supports SMTPUTF8.
    #[schema(format = "email-address", max_length = 254)]
    email: String,
    /// The shipping address. Not needed if only gift cards are bought.
    #[serde(default)]
    address: AddressInput,
    /// The billing address, if it isn't the shipping address. Its phone number isn't used.
    #[serde(default)]
    billing_address: Option<AddressInput>,
    /// The customer's tax ID: a VAT number of the EU, or a GSTIN.
    #[serde(default)]
    #[schema(format = "optional-line", max_length = 20)]
    tax_id: String,
    /// The shipping method for each shop, keyed by shop ID. Shops that are left out use standard shipping.
    #[serde(default)]
    shipping_methods: BTreeMap<ShopId, ShippingMethod>,
    /// The delivery slot for each shop whose shipping method is `slot`, keyed by shop ID. It is held with the checkout.
    #[serde(default)]
    slots: BTreeMap<ShopId, Slot>,
    /// The payment method. Ignored if gift cards pay the whole total. `gift_card` can't be selected.
    payment_method: PaymentMethod,
    /// The codes of the gift cards that pay first, in this order. They replace those that were entered before; without this
    /// list, those stay.
    #[serde(default)]
    #[schema(max_items = 5)]
    gift_cards: Option<Vec<String>>,
}

/// The parameters of a new checkout.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewCheckout {
    /// The ID of the cart to check out.
    cart_id: CartId,
    /// The email address for the order confirmation. Invisible characters are removed, and the host is stored in lower case
    /// and in ASCII (`xn--…`). Before the `@`, characters outside ASCII are rejected (`email_not_ascii`) unless the market's
    /// mail server supports SMTPUTF8.
    #[schema(format = "email-address", max_length = 254)]
    email: String,
    /// The shipping address. Not needed if only gift cards are bought.
    #[serde(default)]
    address: AddressInput,
    /// The billing address, if it isn't the shipping address. Its phone number isn't used.
    #[serde(default)]
    billing_address: Option<AddressInput>,
    /// The customer's tax ID: a VAT number of the EU, or a GSTIN.
    #[serde(default)]
    #[schema(format = "optional-line", max_length = 20)]
    tax_id: String,
    /// The shipping method for each shop, keyed by shop ID. Shops that are left out use standard shipping.
    #[serde(default)]
    shipping_methods: BTreeMap<ShopId, ShippingMethod>,
    /// The delivery slot for each shop whose shipping method is `slot`, keyed by shop ID. It is held with the checkout.
    #[serde(default)]
    slots: BTreeMap<ShopId, Slot>,
    /// The payment method. Ignored if gift cards pay the whole total. `gift_card` can't be selected.
    payment_method: PaymentMethod,
    /// The codes of the gift cards that pay first, in this order.
    #[serde(default)]
    #[schema(max_items = 5)]
    gift_cards: Option<Vec<String>>,
    /// The currency to pay in, one of `GET /currencies`. By default, that of the shops' prices.
    #[serde(default)]
    currency: Option<Currency>,
}

impl CheckoutInput {
    /// The command, if the input is valid for a checkout in this currency, or in any. Without orders, it has no address.
    fn update(
        self,
        context: &RequestContext,
        currency: Option<Currency>,
        has_orders: bool,
    ) -> Result<CheckoutUpdate> {
        let update = CheckoutUpdate {
            email: self.email,
            tax_id: self.tax_id,
            billing: self.billing_address.map(|address| Address::from(address).without_phone()),
            payment_method: Some(self.payment_method),
            shipping_methods: self.shipping_methods,
            slots: self.slots,
            ..CheckoutUpdate::to(self.address.into())
        };
        match update.check(
            &checkout::offered(context.engine(), currency),
            context.engine().smtputf8,
            has_orders,
        ) {
            // The normalised values are stored.
            Ok(details) => Ok(CheckoutUpdate {
                email: details.email.as_str().into(),
                city: details.address.city,
                region: details.address.region,
                postal_code: details.address.postal_code,
                country: details.address.country,
                phone: details.address.phone,
                tax_id: details.tax_id,
                billing: details.billing,
                ..update
            }),
            Err(faults) => Err(Error::Invalid(faults.into_iter().map(at_address).collect())),
        }
    }
}

/// An error, at its path in the request: `address.country`.
fn at_address(fault: FieldError) -> FieldError {
    if let Some(part) = fault.field.strip_prefix(BILLING) {
        return FieldError::new(format!("billing_address.{part}"), fault.code);
    }
    match fault.field.as_str() {
        "email" | "payment_method" | "tax_id" => fault,
        part => FieldError::new(format!("address.{part}"), fault.code),
    }
}

/// A checkout.
#[derive(Serialize, ToSchema)]
struct Checkout {
    /// The checkout's ID.
    id: CheckoutId,
    /// The checkout's status.
    status: CheckoutState,
    /// The email address for the order confirmation.
    email: String,
    /// The shipping address.
    address: AddressInput,
    /// The billing address, if it isn't the shipping address.
    billing_address: Option<AddressInput>,
    /// The customer's tax ID.
    tax_id: String,
    /// The payment method.
    payment_method: Option<PaymentMethod>,
    /// The items, grouped by shop.
    groups: Vec<CheckoutGroup>,
    /// The totals.
    totals: Totals,
    /// The taxes in them, or added to them, by name and rate.
    taxes: Vec<TaxLine>,
    /// The discounts.
    discounts: Vec<Discount>,
    /// The gift cards that pay first, and what each pays.
    gift_cards: Vec<AppliedGiftCard>,
    /// The gift cards that are bought. Gift cards can't pay for them.
    gifts: Vec<Gift>,
    /// What the payment method pays: the total, less what gift cards pay.
    to_pay: Money,
    /// The version of the totals, and of what gift cards pay. It increases whenever they change.
    quote_version: i64,
    /// The exchange rate at which prices were converted from the marketplace's currency: 1/1 if they were not.
    rate: Rate,
    /// The available payment methods.
    payment_methods: Vec<PaymentMethod>,
    /// The outcome of the last payment attempt.
    payment: Option<PaymentOutcome>,
    /// The next step of the payment in progress.
    next_action: Option<NextAction>,
    /// The purchase that the checkout resulted in.
    purchase: Option<PurchaseLink>,
}

impl From<CheckoutView> for Checkout {
    fn from(view: CheckoutView) -> Self {
        let form = view.form;
        Self {
            id: view.id,
            status: view.state,
            address: form.address().into(),
            email: form.email,
            billing_address: form.billing.map(Into::into),
            tax_id: form.tax_id,
            payment_method: form.payment_method,
            payment_methods: taken(&view.payment_methods, &view.groups),
            groups: view.groups,
            totals: view.quote.totals,
            taxes: view.quote.taxes,
            discounts: view.discounts,
            gift_cards: view.gift_cards,
            gifts: view.gifts,
            to_pay: view.quote.to_pay,
            quote_version: view.quote.version,
            rate: view.rate,
            payment: view.payment,
            next_action: view.next_action,
            purchase: view.purchase,
        }
    }
}

async fn begin(context: RequestContext, (Body(new), _): (Body<NewCheckout>, Once)) -> Result<Made<Checkout>> {
    let has_orders = !carts::by_id(context.engine(), &context.caller, new.cart_id).await?.groups.is_empty();
    let NewCheckout {
        email,
        address,
        billing_address,
        shipping_methods,
        slots,
        payment_method,
        gift_cards,
        tax_id,
        currency,
        ..
    } = new;
    let input = CheckoutInput {
        email,
        address,
        billing_address,
        shipping_methods,
        slots,
        payment_method,
        gift_cards: None,
        tax_id,
    }
    .update(&context, currency, has_orders)?;
    let id = checkout::begin_in(context.engine(), &context.caller, currency).await?;
    checkout::update(context.engine(), &context.caller, id, input).await?;
    enter(&context, id, gift_cards).await?;
    let view = checkout::view(context.engine(), &context.caller, id).await?;
    Ok(Made(view.into()))
}

async fn view(context: RequestContext, At(id): At<CheckoutId>) -> Result<Found<Checkout>> {
    let view = checkout::view(context.engine(), &context.caller, id).await?;
    Ok(Found(view.into()))
}

async fn update(
    context: RequestContext,
    (At(id), Body(mut input)): (At<CheckoutId>, Body<CheckoutInput>),
) -> Result<Found<Checkout>> {
    let before = checkout::view(context.engine(), &context.caller, id).await?;
    let gift_cards = input.gift_cards.take();
    let currency = before.quote.totals.total.currency();
    let input = input.update(&context, Some(currency), !before.groups.is_empty())?;
    checkout::update(context.engine(), &context.caller, id, input).await?;
    enter(&context, id, gift_cards).await?;
    let view = checkout::view(context.engine(), &context.caller, id).await?;
    Ok(Found(view.into()))
}

/// Enters these gift cards in a checkout in place of those that it has.
async fn enter(context: &RequestContext, id: CheckoutId, codes: Option<Vec<String>>) -> Result<()> {
    let Some(codes) = codes else { return Ok(()) };
    let (engine, caller) = (context.engine(), &context.caller);
    for card in checkout::view(engine, caller, id).await?.gift_cards {
        gift_cards::remove(engine, caller, id, card.id).await?;
    }
    for code in codes {
        gift_cards::apply(engine, caller, id, &code).await?;
    }
    Ok(())
}

/// The confirmation of the amount to pay.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Confirmation {
    /// The total shown to the customer. If it no longer matches, the request fails and nothing is charged.
    total: Option<Money>,
    /// The `quote_version` of the totals shown to the customer. If it no longer matches, the request fails
    /// and nothing is charged. Without it and `total`, the customer pays the current total.
    quote_version: Option<i64>,
}

/// The result of a payment, or the next step.
#[derive(Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Paid {
    /// The purchase is complete.
    Done {
        /// The key that grants access to the purchase without signing in: `/purchases/{number}?key=…`.
        key: String,
        /// The purchase.
        purchase: Box<PurchaseView>,
    },
    /// The customer must complete the payment on the gateway's page. The purchase is created afterwards.
    Redirect {
        /// The URL of the gateway's page.
        url: String,
    },
    /// The customer must complete the payment with the gateway's script. The purchase is created afterwards.
    ClientSecret {
        /// The gateway.
        gateway: String,
        /// The secret with which the script confirms this payment.
        client_secret: String,
        /// What else the script needs, such as the publishable key.
        parameters: BTreeMap<String, String>,
    },
    /// The customer must complete the payment in the gateway's widget. The purchase is created afterwards.
    Widget {
        /// The gateway.
        gateway: String,
        /// The parameters of the widget.
        parameters: BTreeMap<String, String>,
    },
}

async fn pay(
    context: RequestContext,
    (At(id), Body(confirmation), Once(key)): (At<CheckoutId>, Body<Confirmation>, Once),
) -> Result<Found<Paid>> {
    let (engine, caller) = (context.engine(), &context.caller);
    let (stored, quote) = checkout::stored(engine, caller, id).await?;
    // A total stands for the version that has it. Versions begin at 1, so another total is never paid.
    let seen = confirmation.total.is_none_or(|total| total == quote.totals.total);
    let quote_version = if seen { confirmation.quote_version.unwrap_or(quote.version) } else { 0 };
    match checkout::pay(engine, caller, id, stored, quote_version, &key).await? {
        NextAction::Redirect { url } => Ok(Found(Paid::Redirect { url })),
        NextAction::ClientSecret { gateway, client_secret, parameters } => {
            Ok(Found(Paid::ClientSecret { gateway, client_secret, parameters }))
        }
        NextAction::Widget { gateway, parameters } => Ok(Found(Paid::Widget { gateway, parameters })),
        NextAction::Done { purchase: PurchaseLink { number, key } } => {
            let purchase = orders::purchase(engine, caller, &number, &key).await?.into();
            Ok(Found(Paid::Done { key, purchase }))
        }
    }
}
