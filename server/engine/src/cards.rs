//! Cards that customers saved at a payment gateway. They stay there: stored is what the gateway calls the customer, and
//! everything else is asked for.

use std::time::Duration;

use tracing::Instrument;

use crate::{
    Caller, Engine, TxResult,
    db::Scalar,
    params,
    payments::{self, CardVault, GatewayCard, GatewayError, GatewayResult},
    quotas, statements,
};
use haat_shared::{
    Error, Result,
    cards::{CardValidity, SavedCard},
    id::kinds::UserId,
    payments::PaymentMethod,
};

/// How long a page waits for the gateway.
const PAGE_LIMIT: Duration = Duration::from_secs(3);
/// How often a user may go to the gateway's page for a new card per day. Thieves try out numbers there.
const NEW_CARDS_PER_DAY: i64 = 20;
const NEW_CARDS: quotas::QuotaKind = ("new_cards", quotas::DAY_MS);

statements! {
    FIND = "SELECT customer_ref AS value FROM gateway_customers WHERE user_id = $1 AND gateway = $2";
    KEEP = "INSERT INTO gateway_customers (user_id, gateway, customer_ref, created_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (user_id, gateway) DO NOTHING";
    FORGET = "DELETE FROM gateway_customers WHERE customer_ref = $1 AND gateway = $2";
}

/// The gateway at which cards are saved.
#[derive(Clone, Copy)]
struct Vault<'a> {
    gateway: &'static str,
    cards: &'a dyn CardVault,
}

fn vault(engine: &Engine) -> Option<Vault<'_>> {
    engine
        .gateways
        .iter()
        .find_map(|gateway| Some(Vault { gateway: gateway.name(), cards: gateway.vault()? }))
}

/// Whether cards can be saved in this market.
pub fn enabled(engine: &Engine, _: &Caller) -> bool {
    vault(engine).is_some()
}

/// The caller's saved cards, newest first. `Busy` if the gateway doesn't respond soon.
pub async fn list(engine: &Engine, caller: &Caller) -> Result<Vec<SavedCard>> {
    let user = caller.signed_in()?.id;
    let Some(vault) = vault(engine) else { return Ok(Vec::new()) };
    let now = engine.zone.local(engine.clock.now_ms());
    let part =
        |range: std::ops::Range<usize>| now.get(range).and_then(|part| part.parse().ok()).unwrap_or_default();
    let month = (part(0..4), part(5..7));
    let shown = |card: GatewayCard| SavedCard {
        validity: CardValidity::of((card.exp_year, card.exp_month), month),
        id: card.id,
        brand: card.brand,
        last4: card.last4,
        exp_month: card.exp_month,
        exp_year: card.exp_year,
    };
    Ok(own(engine, user, vault).await?.into_iter().map(shown).collect())
}

/// The cards of a user's own customer, and of no other.
async fn own(engine: &Engine, user: UserId, vault: Vault<'_>) -> Result<Vec<GatewayCard>> {
    let Some(customer) = known(engine, user, vault).await? else { return Ok(Vec::new()) };
    let cards = soon(vault.cards.cards(&customer));
    Ok(asked(engine, user, vault, &customer, "cards", cards).await?.unwrap_or_default())
}

/// Removes one of the caller's cards. Other people's, and those that were removed, are reported as not found.
pub async fn remove(engine: &Engine, caller: &Caller, card: &str) -> Result<()> {
    let user = caller.signed_in()?.id;
    let vault = vault(engine).ok_or(Error::NotFound)?;
    if !own(engine, user, vault).await?.iter().any(|own| own.id == card) {
        return Err(Error::NotFound);
    }
    let removed =
        vault.cards.remove_card(card).instrument(payments::call(vault.gateway, "remove_card", user));
    match removed.await {
        Ok(()) => Ok(()),
        // Somebody was faster.
        Err(GatewayError::Refused(_) | GatewayError::Gone(_)) => Err(Error::NotFound),
        Err(error) => Err(failed("remove_card", &error)),
    }
}

/// Removes all cards of a user whose account is deleted, as far as the gateway responds: nothing can be paid with what is left,
/// since only we knew whose it is.
pub(crate) async fn remove_all(engine: &Engine, user: UserId) {
    let Some(vault) = vault(engine) else { return };
    for card in own(engine, user, vault).await.unwrap_or_default() {
        let call = payments::call(vault.gateway, "remove_card", user);
        if let Err(error) = soon(vault.cards.remove_card(&card.id)).instrument(call).await {
            tracing::warn!(gateway = vault.gateway, %error, "a card of a deleted account is still at its gateway");
        }
    }
}

/// The URL of the gateway's page on which the caller saves a card without buying anything.
pub async fn new_page(engine: &Engine, caller: &Caller, return_url: &str) -> Result<String> {
    let user = caller.signed_in()?.id;
    let vault = vault(engine).ok_or(Error::NotFound)?;
    let subject = quotas::subject(engine, &user.to_string());
    engine
        .db
        .write("cards::new_page", (subject, engine.clock.now_ms()), |tx, (subject, now)| {
            Box::pin(async move {
                let used = quotas::spend_in_tx(tx, &[((NEW_CARDS, *subject), 1)].into(), *now).await?;
                if used.values().any(|used| *used > NEW_CARDS_PER_DAY) {
                    let left_ms = quotas::DAY_MS - now.rem_euclid(quotas::DAY_MS);
                    let retry_after_s = u32::try_from(left_ms / 1000 + 1).unwrap_or_default();
                    return Err(Error::RateLimited { retry_after_s }.into());
                }
                Ok(())
            })
        })
        .await?;
    for_customer(engine, user, vault, "new_card_page", |customer| async move {
        vault.cards.new_card_page(&customer, return_url).await
    })
    .await
}

/// The secret with which the gateway's script offers the caller's cards on the checkout page. None for guests.
pub async fn offer(engine: &Engine, caller: &Caller) -> Result<Option<String>> {
    let (Some(user), Some(vault)) = (caller.user_id(), vault(engine)) else { return Ok(None) };
    let offered = for_customer(engine, user, vault, "offer_cards", |customer| async move {
        soon(vault.cards.offer_cards(&customer)).await
    });
    offered.await.map(Some)
}

/// The customer for whom a payment of the caller is requested, if cards can be saved with the method.
pub(crate) async fn customer_for(
    engine: &Engine,
    caller: &Caller,
    method: PaymentMethod,
) -> Result<Option<String>> {
    let (Some(user), Some(vault)) = (caller.user_id(), vault(engine)) else { return Ok(None) };
    if method.declared().gateway != vault.gateway {
        return Ok(None);
    }
    match known(engine, user, vault).await? {
        Some(customer) => Ok(Some(customer)),
        // If that fails, the payment goes on all the same. Its card just can't be saved.
        None => Ok(create(engine, user, vault).await.ok()),
    }
}

async fn known(engine: &Engine, user: UserId, vault: Vault<'_>) -> Result<Option<String>> {
    let found: Option<Scalar<String>> = engine.db.opt(&FIND, params![user, vault.gateway]).await?;
    Ok(found.map(|found| found.0))
}

/// Creates the customer of a user. Of two at once, one is kept; nothing is saved for the other.
async fn create(engine: &Engine, user: UserId, vault: Vault<'_>) -> Result<String> {
    let created = soon(vault.cards.create_customer(user));
    let created = created.instrument(payments::call(vault.gateway, "create_customer", user)).await;
    let created = created.map_err(|error| failed("create_customer", &error))?;
    let input = (user, vault.gateway, created, engine.clock.now_ms());
    let kept = engine.db.write(("cards::create", user), input, |tx, (user, gateway, created, now)| {
        Box::pin(async move {
            tx.exec(&KEEP, params![*user, *gateway, created.as_str(), *now]).await?;
            let kept: Option<Scalar<String>> = tx.opt(&FIND, params![*user, *gateway]).await?;
            Ok(kept.ok_or(Error::NotFound)?.0)
        })
    });
    Ok(kept.await?)
}

/// Calls the gateway for the customer of a user, who is created if there is none, or if the gateway has forgotten them.
async fn for_customer<T, F>(
    engine: &Engine,
    user: UserId,
    vault: Vault<'_>,
    name: &'static str,
    call: impl Fn(String) -> F,
) -> Result<T>
where
    F: Future<Output = GatewayResult<T>>,
{
    for _ in 0..2 {
        let customer = match known(engine, user, vault).await? {
            Some(customer) => customer,
            None => create(engine, user, vault).await?,
        };
        if let Some(answer) = asked(engine, user, vault, &customer, name, call(customer.clone())).await? {
            return Ok(answer);
        }
    }
    Err(Error::Busy { retry_after_s: 2 })
}

/// The gateway's answer about a customer. None if it doesn't know them, and then neither do we any longer.
async fn asked<T>(
    engine: &Engine,
    user: UserId,
    vault: Vault<'_>,
    customer: &str,
    name: &'static str,
    call: impl Future<Output = GatewayResult<T>>,
) -> Result<Option<T>> {
    match call.instrument(payments::call(vault.gateway, name, user)).await {
        Ok(answer) => Ok(Some(answer)),
        Err(GatewayError::Gone(_)) => {
            forget(engine, vault.gateway, customer).await?;
            Ok(None)
        }
        Err(error) => Err(failed(name, &error)),
    }
}

/// A gateway doesn't know a customer any more, as one who was deleted in its dashboard. The next call creates another one.
pub(crate) async fn forget(engine: &Engine, gateway: &str, customer: &str) -> TxResult<()> {
    tracing::warn!(gateway, "a gateway doesn't know a customer any more");
    let input = (customer.to_owned(), gateway.to_owned());
    engine
        .db
        .write("cards::forget", input, |tx, (customer, gateway)| {
            Box::pin(async move {
                tx.exec(&FORGET, params![customer.as_str(), gateway.as_str()]).await?;
                Ok(())
            })
        })
        .await
}

/// The answer of a gateway for which a page waits.
async fn soon<T>(call: impl Future<Output = GatewayResult<T>>) -> GatewayResult<T> {
    let late = |_| Err(GatewayError::Unreachable("no response in time".into()));
    tokio::time::timeout(PAGE_LIMIT, call).await.unwrap_or_else(late)
}

fn failed(call: &'static str, error: &GatewayError) -> Error {
    tracing::warn!(call, %error, "a call to a gateway failed");
    Error::Busy { retry_after_s: 2 }
}
