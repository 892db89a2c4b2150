//! Pictures: uploads, and the pictures of products.

use std::{collections::BTreeSet, fmt, sync::Arc};

use async_trait::async_trait;
use haat_shared::{
    Error, FieldCode, Result,
    id::kinds::{ConversationId, MediaId, MessageId, OrderId, ProductId, ReturnId, ShopId, UserId},
    media::{self, KEEP_UNUSED_MS, NewPicture, Picture, Purpose, Upload, Uploader},
    permissions::Permission,
};
use sha2::{Digest, Sha256};

use crate::{
    Caller, Engine, TxError, TxResult, bug,
    db::{DbError, FromRow, Row, Scalar, Tx, Value},
    insert, params, rows, shops, statements,
};

/// The port to the picture store.
#[async_trait]
pub trait PictureStore: Send + Sync {
    /// Processes an upload and stores it in all widths and formats, unless it is larger than allowed. A
    /// picture with this ID that already exists is the same one. The upload itself is not stored.
    async fn keep(
        &self,
        id: MediaId,
        bytes: Vec<u8>,
        allowed: Upload,
    ) -> std::result::Result<Kept, PictureError>;

    /// Deletes all files of a picture. Those that are gone already are no error; others are, with a message
    /// for the log.
    async fn remove(&self, id: MediaId) -> std::result::Result<(), String>;
}

/// A store of pictures, shared.
pub type SharedPictureStore = Arc<dyn PictureStore>;

/// A stored picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The width of the original, after rotation.
    pub width: u32,
    /// The height of the original, after rotation.
    pub height: u32,
    /// The dominant colour: `#rrggbb`.
    pub color: String,
}

/// The error of a picture that has to be uploaded again, because there are too many at once.
pub const BUSY: Error = Error::PicturesBusy { retry_after_s: 10 };

/// The error of a picture that has to come again, because it is being deleted or the store failed.
const AGAIN: Error = Error::Busy { retry_after_s: 5 };

/// Why a picture was not stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PictureError {
    /// The upload is invalid.
    Refused(FieldCode),
    /// Other pictures kept the store busy for too long.
    Busy,
    /// The store failed, with a message for the log.
    Away(String),
}

/// Whether nothing uses a row of `media`.
macro_rules! unused {
    () => {
        "NOT EXISTS (SELECT 1 FROM product_pictures p WHERE p.media_id = media.id)
            AND NOT EXISTS (SELECT 1 FROM shops s WHERE s.logo_id = media.id)
            AND NOT EXISTS (SELECT 1 FROM categories c WHERE c.picture_id = media.id)
            AND NOT EXISTS (SELECT 1 FROM return_pictures r WHERE r.media_id = media.id)
            AND NOT EXISTS (SELECT 1 FROM message_pictures h WHERE h.media_id = media.id)
            AND NOT EXISTS (SELECT 1 FROM reported_pictures k WHERE k.media_id = media.id)"
    };
}

pub(crate) use unused;

statements! {
    FIND = "SELECT id AS media_id, width, height, color, '' AS alt, expires_at, deleting FROM media WHERE id = $1";
    EXTEND = "UPDATE media SET expires_at = $2 WHERE id = $1 AND expires_at IS NOT NULL AND NOT deleting";
    USE = "UPDATE media SET expires_at = NULL WHERE NOT deleting AND id IN (VALUES [($1)])";
    RELEASE = "UPDATE media SET expires_at = $2
        WHERE id IN (SELECT p.media_id FROM product_pictures p WHERE p.product_id = $1)";
    RELEASE_OWN = "UPDATE media SET expires_at = $1
        WHERE shop_id IS NULL AND user_id IS NULL AND order_id IS NULL AND conversation_id IS NULL AND expires_at IS NULL";
    RELEASE_RETURN = "UPDATE media SET expires_at = $2 WHERE id IN (SELECT r.media_id FROM return_pictures r WHERE r.return_id = $1)";
    CLEAR_RETURN = "DELETE FROM return_pictures WHERE return_id = $1";
    RELEASE_MESSAGE = "UPDATE media SET expires_at = $3
        WHERE id IN (SELECT h.media_id FROM message_pictures h WHERE h.conversation_id = $1 AND h.message_id = $2)";
    CLEAR_MESSAGE = "DELETE FROM message_pictures WHERE conversation_id = $1 AND message_id = $2";
    COUNT_UNSENT = "SELECT COUNT(*) AS value FROM media WHERE conversation_id = $1 AND expires_at IS NOT NULL";
    IN_MESSAGE = "SELECT media_id AS value FROM message_pictures WHERE media_id = $1 AND conversation_id = $2 LIMIT 1";
    OF_MESSAGES = "SELECT h.message_id, m.id AS media_id, m.width, m.height, m.color, h.alt
        FROM (VALUES [($1, $2)]) AS g JOIN message_pictures h ON h.conversation_id = g.column1 AND h.message_id = g.column2
        JOIN media m ON m.id = h.media_id ORDER BY h.position";
    COUNT_OF_ORDER = "SELECT COUNT(*) AS value FROM media WHERE order_id = $1";
    IN_RETURN = "SELECT r.id AS value FROM return_pictures x JOIN returns r ON r.id = x.return_id JOIN orders o ON o.id = r.order_id
        JOIN purchases p ON p.id = o.purchase_id WHERE x.media_id = $1 AND (p.number = $2 OR o.number = $3) LIMIT 1";
    // Using a picture changes its row, too, so one of the two waits for the other and sees what it did.
    EXPIRE = concat!("UPDATE media SET deleting = (", unused!(), "),
        expires_at = CASE WHEN ", unused!(), " THEN expires_at END
        WHERE expires_at <= $1 AND NOT deleting AND id IN (SELECT m.id FROM media m
            WHERE m.expires_at <= $1 AND NOT m.deleting ORDER BY m.expires_at LIMIT 100)");
    NEXT_DELETED = "SELECT id AS value FROM media WHERE deleting ORDER BY id LIMIT 1";
    DELETE = "DELETE FROM media WHERE id = $1 AND deleting";
    OF_PRODUCT = "SELECT m.id AS media_id, m.width, m.height, m.color, pp.alt
        FROM product_pictures pp JOIN media m ON m.id = pp.media_id WHERE pp.product_id = $1 ORDER BY pp.position";
    OF_OWN = "SELECT m.id AS media_id, m.width, m.height, m.color, pp.alt
        FROM products p JOIN product_pictures pp ON pp.product_id = p.id JOIN media m ON m.id = pp.media_id
        WHERE p.id = $1 AND p.shop_id = $2 ORDER BY pp.position";
    LOCK_PRODUCT = "UPDATE products SET updated_at = $3 WHERE id = $1 AND shop_id = $2";
    CLEAR = "DELETE FROM product_pictures WHERE product_id = $1";
}

insert! {
    /// A picture of a product, if it is one of the shop's.
    #[derive(Clone)]
    pub(crate) struct AttachPicture into product_pictures {
        product_id: ProductId,
        position: i64,
        media_id: MediaId,
        alt: String,
    } => [shop: ShopId] "given JOIN media m ON m.id = given.media_id AND m.shop_id = given.shop"

    /// A picture of a return, if it was uploaded for its order.
    struct AddReturnPicture into return_pictures {
        return_id: ReturnId,
        position: i64,
        media_id: MediaId,
    } => [of_order: OrderId] "given JOIN media m ON m.id = given.media_id AND m.order_id = given.of_order"

    /// A picture of a message, if it was uploaded to its conversation.
    struct AddMessagePicture into message_pictures {
        conversation_id: ConversationId,
        message_id: MessageId,
        position: i64,
        media_id: MediaId,
        alt: String,
    } => [of: ConversationId] "given JOIN media m ON m.id = given.media_id AND m.conversation_id = given.of"

    struct AddPicture<'a> into media {
        id: MediaId,
        shop_id: Option<ShopId>,
        user_id: Option<UserId>,
        order_id: Option<OrderId>,
        conversation_id: Option<ConversationId>,
        width: i64,
        height: i64,
        color: &'a str,
        created_at: i64,
        expires_at: i64,
    } "ON CONFLICT (id) DO NOTHING"
}

rows! {
    struct KnownRow {
        expires_at: Option<i64>,
        deleting: bool;
        picture: Option<Picture>
    }

    /// A picture of a message.
    struct OfMessageRow {
        message_id: MessageId;
        picture: Option<Picture>
    }

    struct PictureRow {
        media_id: Option<MediaId>,
        width: Option<i64>,
        height: Option<i64>,
        color: Option<String>,
        alt: Option<String>,
    }
}

/// A picture among the columns of a row, or none: `m.id AS media_id, m.width, m.height, m.color, pp.alt`.
impl FromRow for Option<Picture> {
    fn from_row(row: &Row<'_>) -> std::result::Result<Self, DbError> {
        let PictureRow { media_id, width, height, color, alt } = PictureRow::from_row(row)?;
        let (Some(id), Some(width), Some(height), Some(color)) = (media_id, width, height, color) else {
            return Ok(None);
        };
        let pixels =
            |n: i64| u32::try_from(n).map_err(|_| DbError::Other(format!("a picture of {n} pixels")));
        let (width, height) = (pixels(width)?, pixels(height)?);
        Ok(Some(Picture { id, width, height, color, alt: alt.unwrap_or_default(), animated: false }))
    }
}

/// Whose a picture is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// A shop's.
    Shop(ShopId),
    /// A user's.
    User(UserId),
    /// An order's. It is private.
    Order(OrderId),
    /// A conversation's. It is private.
    Conversation(ConversationId),
    /// The market's.
    Market,
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shop(shop) => write!(f, "{shop}"),
            Self::User(user) => write!(f, "{user}"),
            Self::Order(order) => write!(f, "{order}"),
            Self::Conversation(of) => write!(f, "{of}"),
            Self::Market => f.write_str("market"),
        }
    }
}

/// The ID of a picture, derived from its owner and its bytes, so that uploading it again changes nothing,
/// and nobody else's picture has the same files.
fn id_of(owner: Owner, bytes: &[u8]) -> MediaId {
    let whose = match owner {
        Owner::Shop(shop) => shop.uuid(),
        Owner::User(user) => user.uuid(),
        Owner::Order(order) => order.uuid(),
        Owner::Conversation(of) => of.uuid(),
        Owner::Market => Default::default(),
    };
    let hash = Sha256::new().chain_update(whose).chain_update(bytes).finalize();
    let mut id = [0; 16];
    id.copy_from_slice(&hash[..16]);
    let id = match owner {
        // Nobody else may look at it (`haat_shared::media::is_private`).
        Owner::Order(_) | Owner::Conversation(_) => uuid::Builder::from_sha1_bytes(id),
        _ => uuid::Builder::from_custom_bytes(id),
    };
    MediaId::from_uuid(id.into_uuid())
}

/// Whose a picture for this purpose is, if the caller may upload it. `shop` is the handle of the shop, for
/// what is a shop's.
pub async fn owner(engine: &Engine, caller: &Caller, purpose: Purpose, shop: Option<&str>) -> Result<Owner> {
    match purpose.upload().may {
        Uploader::Member(permission) => {
            let handle = shop.ok_or(Error::NotFound)?;
            shops::of(engine, caller, handle, permission).await.map(Owner::Shop)
        }
        Uploader::Admin(permission) => caller.admin(permission).map(|()| Owner::Market),
        Uploader::User => caller.signed_in().map(|user| Owner::User(user.id)),
        // `orders::add_picture` and `chat::add_picture`
        Uploader::Customer | Uploader::Party => Err(Error::NotFound),
    }
}

/// Adds a picture for this purpose, if the caller may upload it. It is deleted after a while unless something
/// uses it.
pub async fn add(
    engine: &Engine,
    caller: &Caller,
    purpose: Purpose,
    shop: Option<&str>,
    bytes: Vec<u8>,
) -> Result<Picture> {
    let owner = owner(engine, caller, purpose, shop).await?;
    add_of(engine, owner, purpose, bytes).await
}

/// How many pictures are stored for an order, used or not, so that nobody fills the disk.
const OF_ORDER_MAX: i64 = 100;

/// Adds a picture of what is wrong with a part of an order. The caller checks who uploads it.
pub(crate) async fn add_to_order(engine: &Engine, order: OrderId, bytes: Vec<u8>) -> Result<Picture> {
    if engine.db.one::<Scalar<i64>>(&COUNT_OF_ORDER, params![order]).await?.0 >= OF_ORDER_MAX {
        return Err(Error::field("picture", FieldCode::TooMany));
    }
    add_of(engine, Owner::Order(order), Purpose::ReturnPicture, bytes).await
}

/// How many pictures of a conversation may wait to be sent.
const UNSENT_MAX: i64 = 60;

/// Adds a picture to a conversation, for a message that will be sent. The caller checks who uploads it.
pub(crate) async fn add_to_conversation(
    engine: &Engine,
    of: ConversationId,
    bytes: Vec<u8>,
) -> Result<Picture> {
    if engine.db.one::<Scalar<i64>>(&COUNT_UNSENT, params![of]).await?.0 >= UNSENT_MAX {
        return Err(Error::field("picture", FieldCode::TooMany));
    }
    add_of(engine, Owner::Conversation(of), Purpose::ChatPicture, bytes).await
}

/// Shows pictures with a message, in the transaction that sends it. Those of other conversations are not found.
pub(crate) async fn show_message_in_tx(
    tx: &mut Tx,
    of: ConversationId,
    message_id: MessageId,
    pictures: &[NewPicture],
) -> TxResult<()> {
    use_in_tx(tx, pictures.iter().map(|picture| picture.media)).await?;
    let rows = (0i64..).zip(pictures).map(|(position, picture)| AddMessagePicture {
        conversation_id: of,
        message_id,
        position,
        media_id: picture.media,
        alt: picture.alt.clone(),
        of,
    });
    match tx.insert_all(rows.collect::<Vec<_>>()).await? == pictures.len() as u64 {
        true => Ok(()),
        false => Err(Error::NotFound.into()),
    }
}

/// Takes the pictures off a message that is deleted.
pub(crate) async fn clear_message_in_tx(
    tx: &mut Tx,
    of: ConversationId,
    message: MessageId,
    now: i64,
) -> TxResult<()> {
    tx.exec(&RELEASE_MESSAGE, params![of, message, now]).await?;
    tx.exec(&CLEAR_MESSAGE, params![of, message]).await?;
    Ok(())
}

/// The pictures of messages of a conversation, each with its message.
pub(crate) async fn of_messages(
    engine: &Engine,
    of: ConversationId,
    messages: impl Iterator<Item = MessageId>,
) -> Result<Vec<(MessageId, Picture)>> {
    let messages: Vec<[Value; 2]> = messages.map(|message| [of.into(), message.into()]).collect();
    let rows: Vec<OfMessageRow> = engine.db.all_many(&OF_MESSAGES, &messages).await?;
    Ok(rows.into_iter().filter_map(|row| Some((row.message_id, row.picture?))).collect())
}

/// Whether a picture is shown in this conversation. The caller checks who asks.
pub(crate) async fn is_in_conversation(engine: &Engine, picture: MediaId, of: ConversationId) -> Result<()> {
    let found: Option<Scalar<MediaId>> = engine.db.opt(&IN_MESSAGE, params![picture, of]).await?;
    found.map(drop).ok_or(Error::NotFound)
}

async fn add_of(engine: &Engine, owner: Owner, purpose: Purpose, bytes: Vec<u8>) -> Result<Picture> {
    let (allowed, now) = (purpose.upload(), engine.clock.now_ms());
    let refused = |code| Error::field("picture", code);
    allowed.check_bytes(bytes.len()).map_err(refused)?;
    let id = id_of(owner, &bytes);
    let animated = media::is_animated(&bytes);
    if let Some(known) = known(engine, id, now).await? {
        allowed.check_side(known.width, known.height).map_err(refused)?;
        return Ok(Picture { animated, ..known });
    }
    let Kept { width, height, color } =
        engine.pictures.keep(id, bytes, allowed).await.map_err(|error| match error {
            PictureError::Refused(code) => refused(code),
            PictureError::Busy => BUSY,
            PictureError::Away(why) => {
                tracing::error!(media.id = %id, error = why, "an image could not be stored");
                AGAIN
            }
        })?;
    let picture = Picture { id, width, height, color, alt: String::new(), animated };
    engine
        .db
        .write(("media::add", id), (owner, picture.clone(), now), |tx, (owner, p, now)| {
            Box::pin(async move {
                let (mut shop_id, mut user_id, mut order_id, mut conversation_id) = (None, None, None, None);
                match *owner {
                    Owner::Shop(shop) => shop_id = Some(shop),
                    Owner::User(user) => user_id = Some(user),
                    Owner::Order(order) => order_id = Some(order),
                    Owner::Conversation(of) => conversation_id = Some(of),
                    Owner::Market => {}
                }
                tx.insert(AddPicture {
                    id: p.id,
                    shop_id,
                    user_id,
                    order_id,
                    conversation_id,
                    width: p.width.into(),
                    height: p.height.into(),
                    color: &p.color,
                    created_at: *now,
                    expires_at: *now + KEEP_UNUSED_MS,
                })
                .await?;
                Ok::<_, TxError>(())
            })
        })
        .await?;
    Ok(picture)
}

/// A picture that was uploaded before, which is then kept as long as a new one.
async fn known(engine: &Engine, id: MediaId, now: i64) -> Result<Option<Picture>> {
    let known: Option<KnownRow> = engine.db.opt(&FIND, params![id]).await?;
    let Some(KnownRow { expires_at, deleting, picture }) = known else { return Ok(None) };
    if deleting {
        return Err(AGAIN);
    }
    if expires_at.is_some() {
        let input = (id, now + KEEP_UNUSED_MS);
        let write = engine.db.write(("media::extend", id), input, |tx, (id, until)| {
            Box::pin(async move { Ok(tx.exec(&EXTEND, params![*id, *until]).await?) })
        });
        write.await?;
    }
    Ok(picture)
}

/// Deletes pictures that nothing has used for a while, with their files. Their rows go last: as long as there
/// is a row, the picture is not uploaded again, so no new files are deleted.
pub(crate) async fn sweep(engine: &Engine) -> TxResult<()> {
    let expire = || {
        engine.db.write("media::expire", engine.clock.now_ms(), |tx, now| {
            Box::pin(async move { Ok(tx.exec(&EXPIRE, params![*now]).await?) })
        })
    };
    while expire().await? > 0 {}
    while let Some(Scalar(id)) = engine.db.opt::<Scalar<MediaId>>(&NEXT_DELETED, params![]).await? {
        engine.pictures.remove(id).await.map_err(|why| bug(format!("{id} could not be deleted: {why}")))?;
        engine
            .db
            .write(("media::delete", id), id, |tx, id| {
                Box::pin(async move { Ok(tx.exec(&DELETE, params![*id]).await?) })
            })
            .await?;
    }
    Ok(())
}

/// Keeps pictures that something uses from now on, in the transaction that says so. One that does not exist,
/// or is being deleted, is not found.
pub(crate) async fn use_in_tx(tx: &mut Tx, pictures: impl IntoIterator<Item = MediaId>) -> TxResult<()> {
    let pictures: BTreeSet<MediaId> = pictures.into_iter().collect();
    let given: Vec<[Value; 1]> = pictures.into_iter().map(|id| [id.into()]).collect();
    let used = tx.exec_many(&USE, &given).await?;
    if used == given.len() as u64 { Ok(()) } else { Err(Error::NotFound.into()) }
}

/// Lets go of all pictures of the market, before those in use are named by [`use_in_tx`]. Others that are
/// still in use are found out later.
pub(crate) async fn release_own_in_tx(tx: &mut Tx, now: i64) -> TxResult<()> {
    tx.exec(&RELEASE_OWN, params![now + KEEP_UNUSED_MS]).await?;
    Ok(())
}

/// Takes all pictures off a product. Those that nothing else uses are deleted after a while.
pub(crate) async fn clear_in_tx(tx: &mut Tx, product: ProductId, now: i64) -> TxResult<()> {
    tx.exec(&RELEASE, params![product, now + KEEP_UNUSED_MS]).await?;
    tx.exec(&CLEAR, params![product]).await?;
    Ok(())
}

/// Shows pictures with a return, in the transaction that adds it. Those of other orders are not found.
pub(crate) async fn show_return_in_tx(
    tx: &mut Tx,
    id: ReturnId,
    order: OrderId,
    pictures: &[MediaId],
) -> TxResult<()> {
    use_in_tx(tx, pictures.iter().copied()).await?;
    let rows = (0i64..).zip(pictures).map(|(position, media_id)| AddReturnPicture {
        return_id: id,
        position,
        media_id: *media_id,
        of_order: order,
    });
    match tx.insert_all(rows.collect::<Vec<_>>()).await? == pictures.len() as u64 {
        true => Ok(()),
        false => Err(Error::NotFound.into()),
    }
}

/// Takes the pictures off a return that was withdrawn.
pub(crate) async fn clear_return_in_tx(tx: &mut Tx, id: ReturnId, now: i64) -> TxResult<()> {
    tx.exec(&RELEASE_RETURN, params![id, now + KEEP_UNUSED_MS]).await?;
    tx.exec(&CLEAR_RETURN, params![id]).await?;
    Ok(())
}

/// Whether a picture is shown with a return of this purchase or order. The caller checks who asks.
pub(crate) async fn is_in_return(
    engine: &Engine,
    picture: MediaId,
    purchase: &str,
    order: &str,
) -> Result<()> {
    let found: Option<Scalar<ReturnId>> =
        engine.db.opt(&IN_RETURN, params![picture, purchase, order]).await?;
    found.map(drop).ok_or(Error::NotFound)
}

/// Sets the pictures of a product, in this order.
pub async fn set_pictures(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    product: ProductId,
    pictures: Vec<NewPicture>,
) -> Result<()> {
    let shop = shops::of(engine, caller, handle, Permission::ManageCatalog).await?;
    let rows = rows(product, shop, &checked(pictures)?);
    engine
        .db
        .write(
            ("media::set_pictures", product),
            (shop, product, rows, engine.clock.now_ms()),
            |tx, (shop, product, rows, now)| {
                Box::pin(async move {
                    lock_in_tx(tx, *shop, *product, *now).await?;
                    show_in_tx(tx, *product, rows.clone(), *now).await
                })
            },
        )
        .await?;
    Ok(())
}

/// A change to one picture of a product.
#[derive(Debug, Clone)]
pub enum PictureChange {
    /// Adds it behind the others. A picture that is there already keeps its position.
    Add(NewPicture),
    /// Changes its alt text.
    Describe(NewPicture),
    /// Removes it.
    Remove(MediaId),
}

/// Changes one picture of a product, whatever happens to the others in the meantime.
pub async fn change_picture(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    product: ProductId,
    change: PictureChange,
) -> Result<()> {
    let shop = shops::of(engine, caller, handle, Permission::ManageCatalog).await?;
    let input = (shop, product, change, engine.clock.now_ms());
    engine
        .db
        .write(("media::change_picture", product), input, |tx, (shop, product, change, now)| {
            Box::pin(async move {
                lock_in_tx(tx, *shop, *product, *now).await?;
                let shown: Vec<Option<Picture>> = tx.all(&OF_OWN, params![*product, *shop]).await?;
                let shown = shown.into_iter().flatten().map(|p| NewPicture { media: p.id, alt: p.alt });
                let pictures = checked(changed(shown.collect(), change)?)?;
                show_in_tx(tx, *product, rows(*product, *shop, &pictures), *now).await
            })
        })
        .await?;
    Ok(())
}

fn changed(mut pictures: Vec<NewPicture>, change: &PictureChange) -> Result<Vec<NewPicture>> {
    let place = |id: MediaId| pictures.iter().position(|p| p.media == id);
    match change {
        PictureChange::Add(new) => match place(new.media) {
            Some(at) => pictures[at] = new.clone(),
            None => pictures.push(new.clone()),
        },
        PictureChange::Describe(new) => {
            let at = place(new.media).ok_or(Error::NotFound)?;
            pictures[at] = new.clone();
        }
        PictureChange::Remove(id) => {
            let at = place(*id).ok_or(Error::NotFound)?;
            pictures.remove(at);
        }
    }
    Ok(pictures)
}

/// Locks the product against other changes of its pictures and attributes.
pub(crate) async fn lock_in_tx(tx: &mut Tx, shop: ShopId, product: ProductId, now: i64) -> TxResult<()> {
    match tx.exec(&LOCK_PRODUCT, params![product, shop, now]).await? {
        0 => Err(Error::NotFound.into()),
        _ => Ok(()),
    }
}

async fn show_in_tx(tx: &mut Tx, product: ProductId, rows: Vec<AttachPicture>, now: i64) -> TxResult<()> {
    clear_in_tx(tx, product, now).await?;
    attach_in_tx(tx, rows).await
}

/// The pictures of a shop's product, in order, for its members.
pub async fn seller_pictures(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    product: ProductId,
) -> Result<Vec<Picture>> {
    let shop = caller.shop(handle, Permission::ManageCatalog)?;
    let found: Vec<Option<Picture>> = engine.db.all(&OF_OWN, params![product, shop]).await?;
    Ok(found.into_iter().flatten().collect())
}

/// Checks a gallery: not too many pictures, and none twice.
pub(crate) fn checked(pictures: Vec<NewPicture>) -> Result<Vec<NewPicture>> {
    let allowed = Purpose::ProductPicture.upload();
    allowed.check_count(pictures.len()).map_err(|code| Error::field("pictures", code))?;
    let mut checked: Vec<NewPicture> = Vec::with_capacity(pictures.len());
    for picture in pictures {
        if checked.iter().any(|p| p.media == picture.media) {
            return Err(Error::field("pictures", FieldCode::NotUnique));
        }
        let alt = media::alt("alt", &picture.alt).map_err(|fault| Error::Invalid(vec![fault]))?;
        checked.push(NewPicture { alt, ..picture });
    }
    Ok(checked)
}

/// A gallery as rows for [`attach_in_tx`].
pub(crate) fn rows(product: ProductId, shop: ShopId, pictures: &[NewPicture]) -> Vec<AttachPicture> {
    let each = (0i64..).zip(pictures);
    each.map(|(position, p)| AttachPicture {
        product_id: product,
        position,
        media_id: p.media,
        alt: p.alt.clone(),
        shop,
    })
    .collect()
}

/// Attaches pictures to products; pictures of other shops are not found.
pub(crate) async fn attach_in_tx(tx: &mut Tx, rows: Vec<AttachPicture>) -> TxResult<()> {
    let count = rows.len() as u64;
    use_in_tx(tx, rows.iter().map(|row| row.media_id)).await?;
    if tx.insert_all(rows).await? == count { Ok(()) } else { Err(Error::NotFound.into()) }
}

/// A product's pictures, in order.
pub(crate) async fn of_product(engine: &Engine, product: ProductId) -> Result<Vec<Picture>> {
    let found: Vec<Option<Picture>> = engine.db.all(&OF_PRODUCT, params![product]).await?;
    Ok(found.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    /// A table that refers to pictures keeps them, so `unused!` has to know it.
    #[test]
    fn everything_that_refers_to_a_picture_uses_it() {
        let files = std::fs::read_dir(std::env::var("CARGO_MANIFEST_DIR").unwrap() + "/migrations").unwrap();
        let scripts = files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
        let references: usize = scripts.map(|sql| sql.matches("REFERENCES media (id)").count()).sum();
        assert_eq!(unused!().matches("NOT EXISTS").count(), references);
    }
}
