//! Who buys in the demo market: `server/demo/customers.toml`.

use haat_shared::{Error, Result, checkout::CheckoutUpdate, payments::PaymentMethod};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Customers {
    customer: Vec<Customer>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Customer {
    pub(super) name: String,
    pub(super) email: String,
    line1: String,
    line2: String,
    city: String,
    region: String,
    postal_code: String,
    country: String,
    phone: String,
    pub(super) locale: String,
}

pub(super) fn read() -> Result<Vec<Customer>> {
    let Customers { customer } =
        toml::from_str(include_str!("../../demo/customers.toml")).map_err(|error| {
            tracing::error!(%error, "the demo's customers cannot be read");
            Error::Internal
        })?;
    Ok(customer)
}

/// What someone enters at the checkout.
pub(super) fn details(customer: &Customer, method: PaymentMethod) -> CheckoutUpdate {
    CheckoutUpdate {
        email: customer.email.clone(),
        name: customer.name.clone(),
        line1: customer.line1.clone(),
        line2: customer.line2.clone(),
        city: customer.city.clone(),
        region: customer.region.clone(),
        postal_code: customer.postal_code.clone(),
        country: customer.country.clone(),
        phone: customer.phone.clone(),
        payment_method: Some(method),
        ..CheckoutUpdate::default()
    }
}
