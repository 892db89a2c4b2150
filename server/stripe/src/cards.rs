//! Saved cards: a customer of Stripe per user, whose cards Stripe keeps. Its fields and its page offer them, and to save
//! another one; what Stripe may show again is what the shopper agreed to there (`allow_redisplay`).

use std::collections::HashMap;

use async_trait::async_trait;
use haat_engine::{
    payments::{self, CardVault, GatewayCard, GatewayError, GatewayResult},
    random,
};
use haat_shared::id::kinds::UserId;
use stripe::{RequestStrategy, StripeError, StripeRequest};
use stripe_checkout::checkout_session::{
    CreateCheckoutSession, CreateCheckoutSessionAllowedPaymentMethodTypes,
    CreateCheckoutSessionSavedPaymentMethodOptions,
    CreateCheckoutSessionSavedPaymentMethodOptionsPaymentMethodSave as OnPage,
};
use stripe_client_core::{RequestBuilder, StripeMethod};
use stripe_core::{
    customer::{CreateCustomer, ListPaymentMethodsCustomer, ListPaymentMethodsCustomerType},
    customer_session::{
        CreateCustomerSession, CreateCustomerSessionComponents,
        CreateCustomerSessionComponentsPaymentElement, CreateCustomerSessionComponentsPaymentElementFeatures,
        CreateCustomerSessionComponentsPaymentElementFeaturesPaymentMethodRedisplay as Redisplay,
        CreateCustomerSessionComponentsPaymentElementFeaturesPaymentMethodSave as InFields,
        CreateCustomerSessionComponentsPaymentElementFeaturesPaymentMethodSaveUsage as Usage,
    },
};
use stripe_shared::{ApiErrorsCode, CheckoutSessionMode, PaymentMethod};

use super::{Stripe, failed, key, passes};

/// Our ID of the user, in the metadata of the customer. Stripe gets nothing else about them from here.
const USER: &str = "haat_user";
/// How many cards Stripe's fields show at most. Its own maximum.
const SHOWN: i64 = 10;

/// Removes a payment method from its customer. Not part of the SDK's crates that we compile.
struct Detach(String);

impl StripeRequest for Detach {
    type Output = PaymentMethod;

    fn build(&self) -> RequestBuilder {
        RequestBuilder::new(StripeMethod::Post, format!("/payment_methods/{}/detach", self.0))
    }
}

/// What Stripe's page offers a customer.
pub(super) fn on_stripes_page() -> CreateCheckoutSessionSavedPaymentMethodOptions {
    let mut options = CreateCheckoutSessionSavedPaymentMethodOptions::new();
    options.payment_method_save = Some(OnPage::Enabled);
    options
}

/// Whether Stripe doesn't know an object that a request names.
fn is_missing(error: &StripeError) -> bool {
    matches!(error, StripeError::Stripe(about, _) if about.code == Some(ApiErrorsCode::ResourceMissing))
}

/// The error of a request about a customer, who may have been deleted in Stripe's dashboard.
pub(super) fn customer_failed(error: &StripeError) -> GatewayError {
    if is_missing(error) { GatewayError::Gone("no such customer".into()) } else { failed(error) }
}

/// Sends a request of which only the first one counts, a few times if that may help.
async fn once<T, F>(send: impl Fn(RequestStrategy) -> F) -> GatewayResult<T>
where
    F: Future<Output = Result<T, StripeError>>,
{
    // Of this call alone: a customer who was deleted at Stripe is created again within the day that it remembers a key.
    let key = key(random::token())?;
    payments::repeated(|| send(key.clone()), passes).await.map_err(|error| customer_failed(&error))
}

impl Stripe {
    async fn customers_cards(&self, customer: &str) -> GatewayResult<Vec<GatewayCard>> {
        let mut request =
            ListPaymentMethodsCustomer::new(customer).type_(ListPaymentMethodsCustomerType::Card).limit(100);
        let mut cards = Vec::new();
        loop {
            let send = || request.customize().send(&self.client);
            let page = payments::repeated(send, passes).await.map_err(|error| customer_failed(&error))?;
            let last = page.data.last().map(|method| method.id.to_string());
            cards.extend(page.data.into_iter().filter_map(|method| {
                let card = method.card?;
                Some(GatewayCard {
                    id: method.id.to_string(),
                    brand: card.brand,
                    last4: card.last4,
                    exp_month: card.exp_month,
                    exp_year: card.exp_year,
                })
            }));
            match last.filter(|_| page.has_more) {
                Some(last) => request = request.starting_after(last),
                None => return Ok(cards),
            }
        }
    }
}

#[async_trait]
impl CardVault for Stripe {
    async fn create_customer(&self, user: UserId) -> GatewayResult<String> {
        let metadata = HashMap::from([(USER.to_owned(), user.to_string())]);
        let create = CreateCustomer::new().metadata(metadata);
        Ok(self
            .patience
            .call(once(|key| create.customize().request_strategy(key).send(&self.client)))
            .await?
            .id
            .to_string())
    }

    async fn cards(&self, customer: &str) -> GatewayResult<Vec<GatewayCard>> {
        self.patience.call(self.customers_cards(customer)).await
    }

    async fn remove_card(&self, card: &str) -> GatewayResult<()> {
        let detach = Detach(card.to_owned());
        self.patience
            .call(once(|key| detach.customize().request_strategy(key).send(&self.client)))
            .await
            .map(drop)
    }

    async fn new_card_page(&self, customer: &str, return_url: &str) -> GatewayResult<String> {
        let create = CreateCheckoutSession::new()
            .mode(CheckoutSessionMode::Setup)
            .allowed_payment_method_types(vec![CreateCheckoutSessionAllowedPaymentMethodTypes::Card])
            .customer(customer)
            .success_url(return_url)
            .cancel_url(return_url);
        let session = self
            .patience
            .call(once(|key| create.customize().request_strategy(key).send(&self.client)))
            .await?;
        session.url.ok_or_else(|| GatewayError::Unreachable("a page without a URL".into()))
    }

    async fn offer_cards(&self, customer: &str) -> GatewayResult<String> {
        let mut features = CreateCustomerSessionComponentsPaymentElementFeatures::new();
        features.payment_method_redisplay = Some(Redisplay::Enabled);
        features.payment_method_redisplay_limit = Some(SHOWN);
        features.payment_method_save = Some(InFields::Enabled);
        features.payment_method_save_usage = Some(Usage::OnSession);
        let mut element = CreateCustomerSessionComponentsPaymentElement::new(true);
        element.features = Some(features);
        let mut components = CreateCustomerSessionComponents::new();
        components.payment_element = Some(element);
        let create = CreateCustomerSession::new(components).customer(customer);
        Ok(self
            .patience
            .call(once(|key| create.customize().request_strategy(key).send(&self.client)))
            .await?
            .client_secret)
    }
}
