//! Saved cards: they are at the gateway, and only their customer sees and removes them.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use haat_engine::{
    Caller, Engine, Parts, cards, checkout,
    payments::{
        Capabilities, CardVault, GatewayCard, GatewayError, GatewayEvent, GatewayPayment, GatewayResult,
        GatewayStatus, NextStep, PaymentGateway, PaymentRequest, PaymentSession, RefundRequest, RefundStatus,
        Webhook,
    },
};
use haat_shared::{
    Conflict, Error,
    cards::CardValidity,
    id::kinds::{PaymentId, UserId},
};

use crate::{both, support::*};

/// A gateway that saves cards, and has a page for payments that nobody finishes.
#[derive(Default)]
struct Vault {
    /// The customers: whose, and their cards.
    customers: Mutex<Vec<(String, UserId, Vec<GatewayCard>)>>,
    /// The payments that were requested, and for which customer.
    requests: Mutex<Vec<(PaymentId, Option<String>)>>,
    down: AtomicBool,
    /// It accepts requests, and never responds.
    silent: AtomicBool,
}

impl Vault {
    async fn up(&self) -> GatewayResult<()> {
        if self.silent.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        match self.down.load(Ordering::Relaxed) {
            true => Err(GatewayError::Unreachable("down".into())),
            false => Ok(()),
        }
    }

    async fn of<T>(&self, id: &str, what: impl FnOnce(&mut Vec<GatewayCard>) -> T) -> GatewayResult<T> {
        self.up().await?;
        let mut customers = self.customers.lock().unwrap();
        let found = customers.iter_mut().find(|customer| customer.0 == id);
        found.map(|found| what(&mut found.2)).ok_or_else(|| GatewayError::Gone("no such customer".into()))
    }

    /// A card of the customer of a user.
    fn save(&self, user: &Caller, id: &str, (exp_year, exp_month): (i64, i64)) {
        let mut customers = self.customers.lock().unwrap();
        let found = customers.iter_mut().find(|customer| Some(customer.1) == user.user_id()).unwrap();
        let (brand, last4) = ("visa".into(), "4242".into());
        found.2.insert(0, GatewayCard { id: id.into(), brand, last4, exp_month, exp_year });
    }

    fn created(&self) -> usize {
        self.customers.lock().unwrap().len()
    }
}

#[async_trait::async_trait]
impl PaymentGateway for Vault {
    fn name(&self) -> &'static str {
        "sandbox"
    }
    fn capabilities(&self) -> Capabilities {
        Capabilities { captures: true, refunds: true }
    }
    fn vault(&self) -> Option<&dyn CardVault> {
        Some(self)
    }
    async fn create(&self, request: &PaymentRequest) -> GatewayResult<PaymentSession> {
        self.requests.lock().unwrap().push((request.attempt, request.customer.clone()));
        if let Some(customer) = &request.customer {
            self.of(customer, |_| ()).await?;
        }
        let (gateway_ref, next) = (request.attempt.to_string(), NextStep::Redirect("http://pay".into()));
        Ok(PaymentSession { gateway_ref, status: GatewayStatus::Waiting, next })
    }
    async fn retrieve(&self, _: &str) -> GatewayResult<GatewayPayment> {
        Err(GatewayError::Unreachable("stub".into()))
    }
    async fn capture(&self, _: &str) -> GatewayResult<GatewayStatus> {
        Err(GatewayError::Refused("stub".into()))
    }
    async fn cancel(&self, _: &str) -> GatewayResult<GatewayStatus> {
        Err(GatewayError::Refused("stub".into()))
    }
    async fn refund(&self, _: &RefundRequest) -> GatewayResult<RefundStatus> {
        Err(GatewayError::Refused("stub".into()))
    }
    async fn webhook(&self, _: Webhook<'_>, _: i64) -> GatewayResult<Vec<GatewayEvent>> {
        Ok(Vec::new())
    }
}

#[async_trait::async_trait]
impl CardVault for Vault {
    async fn create_customer(&self, user: UserId) -> GatewayResult<String> {
        self.up().await?;
        // So that two at once both get here.
        tokio::time::sleep(Duration::from_millis(20)).await;
        let mut customers = self.customers.lock().unwrap();
        let id = format!("cus_{}", customers.len());
        customers.push((id.clone(), user, Vec::new()));
        Ok(id)
    }
    async fn cards(&self, customer: &str) -> GatewayResult<Vec<GatewayCard>> {
        self.of(customer, |cards| cards.clone()).await
    }
    async fn remove_card(&self, card: &str) -> GatewayResult<()> {
        self.up().await?;
        let mut customers = self.customers.lock().unwrap();
        let owner = customers.iter_mut().find(|customer| customer.2.iter().any(|own| own.id == card));
        let owner = owner.ok_or_else(|| GatewayError::Refused("not attached".into()))?;
        owner.2.retain(|own| own.id != card);
        Ok(())
    }
    async fn new_card_page(&self, customer: &str, return_url: &str) -> GatewayResult<String> {
        self.of(customer, |_| format!("http://gateway/{customer}?back={return_url}")).await
    }
    async fn offer_cards(&self, customer: &str) -> GatewayResult<String> {
        self.of(customer, |_| format!("secret of {customer}")).await
    }
}

fn with_vault(market: &Market) -> (Engine, Arc<Vault>) {
    let vault = Arc::new(Vault::default());
    let gateways: Vec<Arc<dyn PaymentGateway>> = vec![vault.clone()];
    (Engine::new(Parts { gateways, ..market.parts() }).unwrap(), vault)
}

async fn ids(engine: &Engine, caller: &Caller) -> Vec<String> {
    cards::list(engine, caller).await.unwrap().into_iter().map(|card| card.id).collect()
}

const BACK: &str = "http://localhost:1/account/cards";

both! {
    async fn cards_are_those_of_their_customer(market) {
        let (engine, vault) = with_vault(market);
        let asha = market.signed_up(&Caller::guest(), "asha").await;
        let ravi = market.signed_up(&Caller::guest(), "ravi").await;
        assert!(cards::enabled(&engine, &asha) && !cards::enabled(&market.engine, &asha));
        assert_eq!(ids(&market.engine, &asha).await, [""; 0], "this gateway saves no cards");
        assert_eq!(cards::new_page(&market.engine, &asha, BACK).await, Err(Error::NotFound));
        assert_eq!(ids(&engine, &asha).await, [""; 0]);
        assert_eq!(vault.created(), 0, "looking creates no customer");

        let page = cards::new_page(&engine, &asha, BACK).await.unwrap();
        assert_eq!(page, format!("http://gateway/cus_0?back={BACK}"));
        assert_eq!(cards::offer(&engine, &ravi).await, Ok(Some("secret of cus_1".into())));
        assert_eq!(cards::offer(&engine, &asha).await, Ok(Some("secret of cus_0".into())));
        vault.save(&asha, "card_a", (2034, 12));
        vault.save(&asha, "card_b", (2034, 12));
        vault.save(&ravi, "card_r", (2034, 12));
        assert_eq!(ids(&engine, &asha).await, ["card_b", "card_a"]);
        assert_eq!(ids(&engine, &ravi).await, ["card_r"]);

        // Other people's cards are as those that don't exist.
        for (caller, card) in [(&ravi, "card_a"), (&ravi, "nothing"), (&asha, "card_r"), (&asha, "")] {
            assert_eq!(cards::remove(&engine, caller, card).await, Err(Error::NotFound), "{card}");
        }
        assert_eq!(cards::remove(&engine, &asha, "card_a").await, Ok(()));
        assert_eq!(cards::remove(&engine, &asha, "card_a").await, Err(Error::NotFound));
        assert_eq!((ids(&engine, &asha).await, ids(&engine, &ravi).await), (vec!["card_b".to_owned()], vec!["card_r".to_owned()]));

        // Guests and the program itself have none.
        for caller in [Caller::guest(), Caller::system()] {
            assert_eq!(cards::list(&engine, &caller).await, Err(Error::SignInNeeded));
            assert_eq!(cards::remove(&engine, &caller, "card_b").await, Err(Error::SignInNeeded));
            assert_eq!(cards::new_page(&engine, &caller, BACK).await, Err(Error::SignInNeeded));
            assert_eq!(cards::offer(&engine, &caller).await, Ok(None));
        }
        assert_eq!(vault.created(), 2);
    }

    async fn cards_say_when_they_expire(market) {
        let (engine, vault) = with_vault(market);
        let asha = market.signed_up(&Caller::guest(), "asha").await;
        cards::offer(&engine, &asha).await.unwrap();
        let now = engine.zone.local(market.clock.now_ms());
        let (year, month): (i64, i64) = (now[..4].parse().unwrap(), now[5..7].parse().unwrap());
        let last_month = if month == 1 { (year - 1, 12) } else { (year, month - 1) };
        for (id, expires) in [("a", last_month), ("b", (year, month)), ("c", (year + 3, month))] {
            vault.save(&asha, id, expires);
        }
        let found = cards::list(&engine, &asha).await.unwrap();
        let validities: Vec<_> = found.iter().map(|card| card.validity).collect();
        assert_eq!(validities, [CardValidity::Valid, CardValidity::ExpiresSoon, CardValidity::Expired]);
    }

    async fn two_tabs_at_once_have_one_customer(market) {
        let (engine, vault) = with_vault(market);
        let asha = market.signed_up(&Caller::guest(), "asha").await;
        let (one, other) = tokio::join!(cards::offer(&engine, &asha), cards::offer(&engine, &asha));
        assert_eq!(one.unwrap(), other.unwrap());
        assert_eq!(vault.created(), 2, "one of them is never used");
    }

    async fn a_customer_whom_the_gateway_has_forgotten_is_replaced(market) {
        let (engine, vault) = with_vault(market);
        let asha = market.signed_up(&Caller::guest(), "asha").await;
        cards::offer(&engine, &asha).await.unwrap();
        vault.save(&asha, "card_a", (2034, 12));
        let forget = || vault.customers.lock().unwrap().iter_mut().for_each(|customer| customer.0.push('x'));
        forget();
        assert_eq!(ids(&engine, &asha).await, [""; 0]);
        assert_eq!(cards::offer(&engine, &asha).await, Ok(Some("secret of cus_1".into())));
        forget();
        assert_eq!(cards::offer(&engine, &asha).await, Ok(Some("secret of cus_2".into())));

        // A payment fails once, and then works.
        forget();
        let id = with_cart(market, &asha).await;
        let declined = checkout::pay(&engine, &asha, id, form("sandbox"), 1, "k").await;
        assert_eq!(declined, Err(Conflict::PaymentDeclined.into()));
        checkout::pay(&engine, &asha, id, form("sandbox"), 1, "k2").await.unwrap();
        assert_eq!(customers(&vault), [Some("cus_2"), Some("cus_3")].map(|id| id.map(str::to_owned)));
    }

    async fn a_gateway_that_is_down_is_waited_for_briefly(market) {
        let (engine, vault) = with_vault(market);
        let asha = market.signed_up(&Caller::guest(), "asha").await;
        let ravi = market.signed_up(&Caller::guest(), "ravi").await;
        cards::offer(&engine, &asha).await.unwrap();
        vault.save(&asha, "card_a", (2034, 12));
        let busy = Error::Busy { retry_after_s: 2 };
        vault.silent.store(true, Ordering::Relaxed);
        let waited = tokio::time::timeout(Duration::from_secs(10), cards::list(&engine, &asha)).await;
        assert_eq!(waited.unwrap(), Err(busy.clone()));
        vault.silent.store(false, Ordering::Relaxed);
        vault.down.store(true, Ordering::Relaxed);
        assert_eq!(cards::list(&engine, &asha).await, Err(busy.clone()));
        assert_eq!(cards::remove(&engine, &asha, "card_a").await, Err(busy.clone()));
        assert_eq!(cards::new_page(&engine, &asha, BACK).await, Err(busy.clone()));
        assert_eq!(cards::offer(&engine, &ravi).await, Err(busy));
        assert_eq!(ids(&engine, &ravi).await, [""; 0], "no customer, no question");
        // Ravi has no customer and gets none now; he can pay all the same.
        let id = with_cart(market, &ravi).await;
        checkout::pay(&engine, &ravi, id, form("sandbox"), 1, "k").await.unwrap();
        assert_eq!(customers(&vault), [None]);
        vault.down.store(false, Ordering::Relaxed);
        assert_eq!(ids(&engine, &asha).await, ["card_a"]);
    }

    /// Numbers of stolen cards are tried out where cards can be entered without buying anything.
    async fn new_cards_are_counted(market) {
        let (engine, _) = with_vault(market);
        let asha = market.signed_up(&Caller::guest(), "asha").await;
        // Not over midnight.
        let day = 24 * 3_600_000;
        market.clock.advance_ms(day - market.clock.now_ms() % day);
        for _ in 0..20 {
            cards::new_page(&engine, &asha, BACK).await.unwrap();
        }
        let limited = cards::new_page(&engine, &asha, BACK).await;
        assert!(matches!(limited, Err(Error::RateLimited { retry_after_s: 86_000.. })), "{limited:?}");
        let ravi = market.signed_up(&Caller::guest(), "ravi").await;
        cards::new_page(&engine, &ravi, BACK).await.unwrap();
        market.clock.advance_ms(day);
        cards::new_page(&engine, &asha, BACK).await.unwrap();
    }

    async fn a_payment_is_requested_for_who_pays(market) {
        let (engine, vault) = with_vault(market);
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 9).await;
        let guest = market.guest_with(&[(bowl, 1)]).await;
        let id = checkout::begin(&engine, &guest).await.unwrap();
        let pay = async |caller: &Caller, key: &str| checkout::pay(&engine, caller, id, form("sandbox"), 1, key).await.unwrap();
        pay(&guest, "k").await;
        assert_eq!((customers(&vault), vault.created()), (vec![None], 0), "a guest has no customer");
        // The guest signs up meanwhile: another payment, for the customer. Repeated, it is the same one.
        let asha = market.signed_up(&guest, "asha").await;
        pay(&asha, "k2").await;
        pay(&asha, "k3").await;
        let asha_s = Some("cus_0".to_owned());
        assert_eq!(customers(&vault), [None, asha_s.clone(), asha_s]);
        let requests = vault.requests.lock().unwrap().clone();
        assert!(requests[0].0 != requests[1].0 && requests[1].0 == requests[2].0);
    }
}

/// A checkout of one product.
async fn with_cart(market: &Market, caller: &Caller) -> haat_shared::id::kinds::CheckoutId {
    let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 9).await;
    let mut caller = caller.clone();
    market.add(&mut caller, bowl, 1).await.unwrap();
    checkout::begin(&market.engine, &caller).await.unwrap()
}

fn customers(vault: &Vault) -> Vec<Option<String>> {
    vault.requests.lock().unwrap().iter().map(|(_, customer)| customer.clone()).collect()
}
