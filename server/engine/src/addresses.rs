//! The addresses that users have saved. Checkouts begin with the default one.

use crate::{
    Caller, Engine, TxResult,
    db::{Scalar, Tx},
    insert, params, random, rows, statements,
};
use haat_shared::{
    Error, FieldCode, Result,
    address_book::{ADDRESSES_MAX, AddressBook, AddressForm, AddressLabel, SavedAddress},
    addresses::Address,
    id::kinds::{SavedAddressId, UserId},
};

statements! {
    // Changes of one user's addresses wait for each other.
    LOCK = "UPDATE users SET locale = locale WHERE id = $1";
    OF_USER = "SELECT id, label, address, is_default FROM user_addresses WHERE user_id = $1 ORDER BY is_default DESC, id DESC";
    DEFAULT = "SELECT address AS value FROM user_addresses WHERE user_id = $1 AND is_default";
    HAS = "SELECT id AS value FROM user_addresses WHERE user_id = $1 AND address = $2";
    SAVE = "UPDATE user_addresses SET label = $3, address = $4 WHERE id = $1 AND user_id = $2";
    REMOVE = "DELETE FROM user_addresses WHERE id = $1 AND user_id = $2";
    UNSET = "UPDATE user_addresses SET is_default = FALSE WHERE user_id = $1 AND is_default AND id <> $2";
    SET = "UPDATE user_addresses SET is_default = TRUE WHERE id = $1 AND user_id = $2";
    // One of them is the default.
    FIRST = "UPDATE user_addresses SET is_default = TRUE
        WHERE id = (SELECT id FROM user_addresses WHERE user_id = $1 ORDER BY id DESC LIMIT 1)
            AND NOT EXISTS (SELECT 1 FROM user_addresses WHERE user_id = $1 AND is_default)";
}

insert! {
    struct Add<'a> into user_addresses {
        id: SavedAddressId,
        user_id: UserId,
        label: AddressLabel,
        address: &'a str,
        created_at: i64;
        is_default = "FALSE",
    } => [most: i64] "given WHERE (SELECT COUNT(*) FROM user_addresses a WHERE a.user_id = given.user_id) < given.most"
}

rows! {
    struct AddressRow {
        id: SavedAddressId,
        label: AddressLabel,
        address: String,
        is_default: bool,
    }
}

fn read(json: &str) -> Address {
    serde_json::from_str::<Address>(json).unwrap_or_default().with_region_code()
}

fn stored(address: &Address) -> Result<String> {
    serde_json::to_string(address).map_err(|_| Error::Internal)
}

/// The caller's addresses: the default first, then the latest. Guests have none.
pub async fn list(engine: &Engine, caller: &Caller) -> Result<Vec<SavedAddress>> {
    let Some(user) = caller.user_id() else { return Ok(Vec::new()) };
    let rows: Vec<AddressRow> = engine.db.all(&OF_USER, params![user]).await?;
    let saved = |AddressRow { id, label, address, is_default }: AddressRow| SavedAddress {
        id,
        label,
        is_default,
        address: read(&address).into(),
    };
    Ok(rows.into_iter().map(saved).collect())
}

/// One of the caller's addresses.
pub async fn find(engine: &Engine, caller: &Caller, id: SavedAddressId) -> Result<SavedAddress> {
    caller.signed_in()?;
    let all = list(engine, caller).await?;
    all.into_iter().find(|saved| saved.id == id).ok_or(Error::NotFound)
}

/// What the page of the caller's addresses shows.
pub async fn page(engine: &Engine, caller: &Caller) -> Result<AddressBook> {
    let name = caller.signed_in()?.name.clone();
    let addresses = list(engine, caller).await?;
    Ok(AddressBook { addresses, country: engine.country.clone(), name })
}

/// The address that the caller's checkouts begin with.
pub(crate) async fn default_of(engine: &Engine, user: UserId) -> Result<Option<Address>> {
    let found: Option<Scalar<String>> = engine.db.opt(&DEFAULT, params![user]).await?;
    Ok(found.map(|json| read(&json.0)))
}

/// Saves an address.
pub async fn add(engine: &Engine, caller: &Caller, form: &AddressForm) -> Result<SavedAddressId> {
    let user = caller.signed_in()?.id;
    let (label, address) = form.check().map_err(Error::Invalid)?;
    let now = engine.clock.now_ms();
    let id: SavedAddressId = random::id(now);
    let input = (id, user, label, stored(&address)?, form.make_default, now);
    engine
        .db
        .write("addresses::add", input, |tx, (id, user, label, address, default, now)| {
            Box::pin(async move {
                tx.exec(&LOCK, params![*user]).await?;
                if !add_in_tx(tx, *id, *user, *label, address, *now).await? {
                    return Err(Error::field("label", FieldCode::TooMany).into());
                }
                default_in_tx(tx, *user, default.then_some(*id)).await
            })
        })
        .await?;
    Ok(id)
}

/// Adds an address, if the user hasn't too many.
async fn add_in_tx(
    tx: &mut Tx,
    id: SavedAddressId,
    user_id: UserId,
    label: AddressLabel,
    address: &str,
    created_at: i64,
) -> TxResult<bool> {
    Ok(tx.insert(Add { id, user_id, label, address, created_at, most: ADDRESSES_MAX }).await?)
}

/// Makes an address the default; without one, the latest if there is none.
async fn default_in_tx(tx: &mut Tx, user: UserId, id: Option<SavedAddressId>) -> TxResult<()> {
    if let Some(id) = id {
        tx.exec(&UNSET, params![user, id]).await?;
        if tx.exec(&SET, params![id, user]).await? == 0 {
            return Err(Error::NotFound.into());
        }
        return Ok(());
    }
    tx.exec(&FIRST, params![user]).await?;
    Ok(())
}

/// Changes one of the caller's addresses.
pub async fn save(engine: &Engine, caller: &Caller, id: SavedAddressId, form: &AddressForm) -> Result<()> {
    let user = caller.signed_in()?.id;
    let (label, address) = form.check().map_err(Error::Invalid)?;
    let input = (id, user, label, stored(&address)?, form.make_default);
    engine
        .db
        .write("addresses::save", input, |tx, (id, user, label, address, default)| {
            Box::pin(async move {
                tx.exec(&LOCK, params![*user]).await?;
                if tx.exec(&SAVE, params![*id, *user, *label, address.as_str()]).await? == 0 {
                    return Err(Error::NotFound.into());
                }
                default_in_tx(tx, *user, default.then_some(*id)).await
            })
        })
        .await?;
    Ok(())
}

/// Makes one of the caller's addresses the one that checkouts begin with.
pub async fn make_default(engine: &Engine, caller: &Caller, id: SavedAddressId) -> Result<()> {
    let user = caller.signed_in()?.id;
    engine
        .db
        .write("addresses::make_default", (id, user), |tx, (id, user)| {
            Box::pin(async move {
                tx.exec(&LOCK, params![*user]).await?;
                default_in_tx(tx, *user, Some(*id)).await
            })
        })
        .await?;
    Ok(())
}

/// Removes one of the caller's addresses. If it was the default, the latest of the others is from now on.
pub async fn remove(engine: &Engine, caller: &Caller, id: SavedAddressId) -> Result<()> {
    let user = caller.signed_in()?.id;
    engine
        .db
        .write("addresses::remove", (id, user), |tx, (id, user)| {
            Box::pin(async move {
                tx.exec(&LOCK, params![*user]).await?;
                if tx.exec(&REMOVE, params![*id, *user]).await? == 0 {
                    return Err(Error::NotFound.into());
                }
                default_in_tx(tx, *user, None).await
            })
        })
        .await?;
    Ok(())
}

/// Saves a validated address that the caller has ordered to, unless they have it, have too many, or are a guest.
pub(crate) async fn keep(engine: &Engine, caller: &Caller, address: &Address) -> Result<()> {
    let Some(user) = caller.user_id() else { return Ok(()) };
    let now = engine.clock.now_ms();
    let id: SavedAddressId = random::id(now);
    engine
        .db
        .write("addresses::keep", (id, user, stored(address)?, now), |tx, (id, user, address, now)| {
            Box::pin(async move {
                tx.exec(&LOCK, params![*user]).await?;
                let has: Option<Scalar<SavedAddressId>> =
                    tx.opt(&HAS, params![*user, address.as_str()]).await?;
                if has.is_none() {
                    add_in_tx(tx, *id, *user, AddressLabel::Home, address, *now).await?;
                }
                default_in_tx(tx, *user, None).await
            })
        })
        .await?;
    Ok(())
}
