//! Pictures: uploads, and the pictures of products.

use std::sync::Arc;

use async_trait::async_trait;
use haat_shared::{
    Error, FieldCode, Result,
    id::kinds::{MediaId, ProductId, ShopId},
    media::{self, NewPicture, PER_PRODUCT_MAX, Picture},
    permissions::{AdminPermission, Permission},
};
use sha2::{Digest, Sha256};

use crate::{
    Caller, Engine, TxError,
    db::{DbError, FromRow, Row, Tx},
    insert, params, rows, shops, statements,
};

/// The port to the picture store.
#[async_trait]
pub trait PictureStore: Send + Sync {
    /// Processes an upload and stores it in all widths and formats. A picture with this ID that already
    /// exists is the same one. The upload itself is not stored.
    async fn keep(&self, id: MediaId, bytes: Vec<u8>) -> std::result::Result<Kept, PictureError>;
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

statements! {
    FIND = "SELECT id AS media_id, width, height, color, '' AS alt FROM media WHERE id = $1";
    OF_PRODUCT = "SELECT m.id AS media_id, m.width, m.height, m.color, pp.alt
        FROM product_pictures pp JOIN media m ON m.id = pp.media_id WHERE pp.product_id = $1 ORDER BY pp.position";
    OF_OWN = "SELECT m.id AS media_id, m.width, m.height, m.color, pp.alt
        FROM products p JOIN product_pictures pp ON pp.product_id = p.id JOIN media m ON m.id = pp.media_id
        WHERE p.id = $1 AND p.shop_id = $2 ORDER BY pp.position";
    LOCK_PRODUCT = "UPDATE products SET updated_at = $3 WHERE id = $1 AND shop_id = $2";
    pub(crate) CLEAR = "DELETE FROM product_pictures WHERE product_id = $1";
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

    struct AddPicture<'a> into media {
        id: MediaId,
        shop_id: Option<ShopId>,
        width: i64,
        height: i64,
        color: &'a str,
        created_at: i64,
    } "ON CONFLICT (id) DO NOTHING"
}

rows! {
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

/// The ID of a shop's picture, derived from its bytes, so that uploading it again changes nothing.
fn id_of(shop: Option<ShopId>, bytes: &[u8]) -> MediaId {
    let owner = shop.map(|shop| shop.uuid()).unwrap_or_default();
    let hash = Sha256::new().chain_update(owner).chain_update(bytes).finalize();
    let mut id = [0; 16];
    id.copy_from_slice(&hash[..16]);
    MediaId::from_uuid(uuid::Builder::from_custom_bytes(id).into_uuid())
}

/// Adds a picture to a shop, for members who manage its catalogue.
pub async fn add(engine: &Engine, caller: &Caller, handle: &str, bytes: Vec<u8>) -> Result<Picture> {
    let shop = shops::of(engine, caller, handle, Permission::ManageCatalog).await?;
    keep(engine, Some(shop), bytes).await
}

/// Adds a picture of the market's own. Operators only.
pub async fn add_own(engine: &Engine, caller: &Caller, bytes: Vec<u8>) -> Result<Picture> {
    caller.admin(AdminPermission::ManageCatalog)?;
    keep(engine, None, bytes).await
}

async fn keep(engine: &Engine, shop: Option<ShopId>, bytes: Vec<u8>) -> Result<Picture> {
    media::check_bytes(bytes.len()).map_err(|code| Error::field("picture", code))?;
    let id = id_of(shop, &bytes);
    let animated = media::is_animated(&bytes);
    if let Some(known) = engine.db.opt::<Option<Picture>>(&FIND, params![id]).await?.flatten() {
        return Ok(Picture { animated, ..known });
    }
    let Kept { width, height, color } =
        engine.pictures.keep(id, bytes).await.map_err(|error| match error {
            PictureError::Refused(code) => Error::field("picture", code),
            PictureError::Busy => BUSY,
            PictureError::Away(why) => {
                tracing::error!(media.id = %id, error = why, "an image could not be stored");
                Error::Busy { retry_after_s: 5 }
            }
        })?;
    let picture = Picture { id, width, height, color, alt: String::new(), animated };
    let input = (shop, picture.clone(), engine.clock.now_ms());
    engine
        .db
        .write(("media::add", id), input, |tx, (shop, p, now)| {
            Box::pin(async move {
                tx.insert(AddPicture {
                    id: p.id,
                    shop_id: *shop,
                    width: p.width.into(),
                    height: p.height.into(),
                    color: &p.color,
                    created_at: *now,
                })
                .await?;
                Ok::<_, TxError>(())
            })
        })
        .await?;
    Ok(picture)
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
                    show_in_tx(tx, *product, rows.clone()).await
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
                show_in_tx(tx, *product, rows(*product, *shop, &pictures)).await
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

/// Locks the product against other changes of its pictures.
async fn lock_in_tx(tx: &mut Tx, shop: ShopId, product: ProductId, now: i64) -> crate::TxResult<()> {
    match tx.exec(&LOCK_PRODUCT, params![product, shop, now]).await? {
        0 => Err(Error::NotFound.into()),
        _ => Ok(()),
    }
}

async fn show_in_tx(tx: &mut Tx, product: ProductId, rows: Vec<AttachPicture>) -> crate::TxResult<()> {
    tx.exec(&CLEAR, params![product]).await?;
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
    if pictures.len() > PER_PRODUCT_MAX {
        return Err(Error::field("pictures", FieldCode::TooMany));
    }
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
pub(crate) async fn attach_in_tx(tx: &mut Tx, rows: Vec<AttachPicture>) -> crate::TxResult<()> {
    let count = rows.len() as u64;
    if tx.insert_all(rows).await? == count { Ok(()) } else { Err(Error::NotFound.into()) }
}

/// A product's pictures, in order.
pub(crate) async fn of_product(engine: &Engine, product: ProductId) -> Result<Vec<Picture>> {
    let found: Vec<Option<Picture>> = engine.db.all(&OF_PRODUCT, params![product]).await?;
    Ok(found.into_iter().flatten().collect())
}
