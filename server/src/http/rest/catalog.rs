//! What is on sale, and what sellers do with it.

use haat_engine::{catalog, inventory, media, media::PictureChange, random};
use haat_shared::{
    Error, FieldCode, Money, Result,
    catalog::{
        Attribute, CategoryCard, CategoryView, ListProducts, ProductCard, ProductView, SORTS,
        edit::{ListOwnProducts, ProductForm, ProductState, SellerProduct, SellerProductCard, VariantForm},
    },
    id::kinds::{MediaId, ProductId, VariantId},
    media::{NewPicture, Picture},
    permissions::Permission,
    routes::*,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Api, Ask,
    parts::{At, Body, Found, IfMatch, Limit, Listed, Made, Once, PictureFile, Query, Version},
    shops::{Price, amount, typed},
};

pub(super) fn routes(api: Api) -> Api {
    api.on(API_PRODUCTS, "Products on sale.", list)
        .on(API_PRODUCT, "A product.", product)
        .on(API_CATEGORIES, "The categories that lie in no other.", roots)
        .on(API_CATEGORY, "A category, the way to it, and what lies below it.", category)
        .on(API_OWN_PRODUCTS, "A shop's products, those that are not on sale too.", own)
        .on(API_CREATE_PRODUCT, "Makes a product, as a draft that nobody sees yet.", create)
        .on(API_OWN_PRODUCT, "A product as its seller edits it.", own_product)
        .on(API_UPDATE_PRODUCT, "Saves a product, if it is the version that was read.", update)
        .on(API_DELETE_PRODUCT, "Deletes a product that nobody ever began to buy.", delete)
        .on(API_PUBLISH_PRODUCT, "Puts a product on sale.", publish)
        .on(API_ARCHIVE_PRODUCT, "Takes a product off sale.", archive)
        .on(API_DUPLICATE_PRODUCT, "Makes a draft like a product, without stock.", duplicate)
        .on(API_PICTURES, "A product's pictures.", pictures)
        .on(API_SET_PICTURES, "Shows a product with these pictures of the shop, and no others.", set_pictures)
        .on(
            API_ADD_PICTURE,
            "Shows a product with one more picture; the same one again is no other.",
            add_picture,
        )
        .on(API_DESCRIBE_PICTURE, "Says what a picture of a product shows.", describe_picture)
        .on(API_REMOVE_PICTURE, "Shows a product without a picture.", remove_picture)
        .on(API_ADJUST_STOCK, "Stock came in, or was counted: so many more or fewer.", adjust)
}

/// The orders that lists of products can be shown in.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Sort {
    /// The newest first.
    Newest,
    /// The cheapest first.
    PriceLow,
    /// The dearest first.
    PriceHigh,
}

/// Which products to list.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Which {
    /// Only what these words are in.
    #[schema(format = "optional-line", max_length = 100)]
    q: Option<String>,
    /// Only of the shop with this handle.
    shop: Option<String>,
    /// Only in or below the category with this slug.
    category: Option<String>,
    /// In which order.
    #[schema(inline)]
    sort: Option<Sort>,
    /// The `next` of the page before.
    after: Option<String>,
    /// How many rows at most.
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 100)]
    limit: Option<Limit>,
}

async fn list(ask: Ask, Query(of): Query<Which>) -> Result<Listed<ProductCard>> {
    let of = ListProducts {
        q: of.q.unwrap_or_default(),
        shop: of.shop.unwrap_or_default(),
        category: of.category.unwrap_or_default(),
        sort: of.sort.map(|sort| SORTS[sort as usize].to_owned()).unwrap_or_default(),
        after: of.after.unwrap_or_default(),
        limit: of.limit.map(|l| l.0),
    };
    catalog::list(ask.engine(), &ask.caller, of).await.map(Listed)
}

async fn product(ask: Ask, At(slug): At<String>) -> Result<Found<ProductView>> {
    catalog::product(ask.engine(), &ask.caller, &slug).await.map(Found)
}

/// Categories.
#[derive(Serialize, ToSchema)]
struct Categories {
    /// All of them, in the market's order.
    items: Vec<CategoryCard>,
}

async fn roots(ask: Ask, (): ()) -> Result<Found<Categories>> {
    catalog::roots(ask.engine(), &ask.caller).await.map(|items| Found(Categories { items }))
}

async fn category(ask: Ask, At(slug): At<String>) -> Result<Found<CategoryView>> {
    catalog::category(ask.engine(), &ask.caller, &slug).await.map(Found)
}

/// The orders that a shop's list of its products can be shown in.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum OwnSort {
    /// The newest first.
    Newest,
    /// By title.
    Title,
    /// The cheapest first.
    Price,
    /// The scarcest first.
    Stock,
}

/// Which of a shop's products to list.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WhichOwn {
    /// Only what these words are in.
    #[schema(format = "optional-line", max_length = 100)]
    q: Option<String>,
    /// Only those in this state.
    #[schema(inline)]
    state: Option<ProductState>,
    /// Only those of which little is left.
    low: Option<bool>,
    /// In which order.
    #[schema(inline)]
    sort: Option<OwnSort>,
    /// The `next` of the page before.
    after: Option<String>,
    /// How many rows at most.
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 100)]
    limit: Option<Limit>,
}

async fn own(
    ask: Ask,
    (At(handle), Query(of)): (At<String>, Query<WhichOwn>),
) -> Result<Listed<SellerProductCard>> {
    let sort = match of.sort {
        None => "",
        Some(OwnSort::Newest) => "newest",
        Some(OwnSort::Title) => "title",
        Some(OwnSort::Price) => "price",
        Some(OwnSort::Stock) => "stock",
    };
    let of = ListOwnProducts {
        q: of.q.unwrap_or_default(),
        state: of.state.map(|s| s.as_str().to_owned()).unwrap_or_default(),
        low: of.low.unwrap_or_default(),
        sort: sort.into(),
        after: of.after.unwrap_or_default(),
        limit: of.limit.map(|l| l.0),
    };
    catalog::seller_list(ask.engine(), &ask.caller, &handle, of).await.map(Listed)
}

/// A product as its seller writes it.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ProductText {
    /// Its title.
    #[schema(format = "line", max_length = 500)]
    title: String,
    /// Who made it.
    #[serde(default)]
    #[schema(format = "optional-line", max_length = 100)]
    brand: String,
    /// The slug of its category.
    #[serde(default)]
    #[schema(format = "optional-line", max_length = 100)]
    category: String,
    /// What it is, in paragraphs.
    #[serde(default)]
    #[schema(format = "lines", max_length = 10000)]
    description: String,
    /// Its details, in the order they are shown in. All texts of a product together may have 1 MiB as UTF-8.
    #[serde(default)]
    #[schema(max_items = 250)]
    details: Vec<Detail>,
    /// What its variants differ in: "Colour", "Size".
    #[serde(default)]
    #[schema(max_items = 3)]
    options: Vec<String>,
    /// What can be bought, in the order it is shown in.
    #[schema(min_items = 1, max_items = 100)]
    variants: Vec<VariantText>,
}

/// A detail of a product: "Weight", "3.4 kg".
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Detail {
    /// What it tells.
    #[schema(format = "line", max_length = 100)]
    name: String,
    /// How much or which.
    #[schema(format = "line", max_length = 10000)]
    value: String,
}

/// A variant as its seller writes it.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct VariantText {
    /// Which one it is; none for a new one.
    id: Option<VariantId>,
    /// What the shop calls it; one is made up where it is empty.
    #[serde(default)]
    #[schema(format = "optional-line", max_length = 64)]
    sku: String,
    /// Its values of the product's options, in their order.
    #[serde(default)]
    options: Vec<String>,
    /// What tells it from its siblings where the product names no options.
    #[serde(default)]
    #[schema(format = "optional-line", max_length = 100)]
    title: String,
    /// What one costs.
    #[schema(value_type = Price)]
    price: Money,
    /// What one cost before.
    #[schema(value_type = Option<Price>)]
    compare_at: Option<Money>,
    /// How many there are. Of a new variant it is what there is at first; that of others is changed at
    /// `/shops/{handle}/variants/{id}/stock`, so that what is sold meanwhile stays sold.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1000000000)]
    stock: i64,
    /// With so many left or fewer the shop is told.
    #[schema(minimum = 0, maximum = 1000000000)]
    low_stock: Option<i64>,
}

impl From<ProductText> for ProductForm {
    fn from(text: ProductText) -> Self {
        let variant = |v: VariantText| VariantForm {
            stock: if v.id.is_some() { "0".into() } else { v.stock.to_string() },
            id: v.id,
            sku: v.sku,
            options: v.options,
            title: v.title,
            price: typed(v.price),
            compare_at: v.compare_at.map(typed).unwrap_or_default(),
            stock_was: 0,
            low_stock: v.low_stock.map(|n| n.to_string()).unwrap_or_default(),
        };
        Self {
            title: text.title,
            brand: text.brand,
            category: text.category,
            description: text.description,
            details: text.details.into_iter().map(|d| Attribute { name: d.name, value: d.value }).collect(),
            options: text.options,
            variants: text.variants.into_iter().map(variant).collect(),
        }
    }
}

/// A product as its seller edits it.
#[derive(Serialize, ToSchema)]
struct OwnProduct {
    /// Its id.
    id: ProductId,
    /// Its name in addresses.
    slug: String,
    /// Where it stands.
    state: ProductState,
    /// Whether it can be deleted: nobody ever began to buy it.
    deletable: bool,
    /// What can be changed.
    product: ProductText,
}

fn own_of(kept: SellerProduct) -> Result<Version<OwnProduct>> {
    let ProductForm { title, brand, category, description, details, options, variants } = kept.form;
    let variants = variants.into_iter().map(|v| {
        Ok(VariantText {
            id: v.id,
            sku: v.sku,
            options: v.options,
            title: v.title,
            price: amount(&v.price, kept.currency)?,
            compare_at: match v.compare_at.as_str() {
                "" => None,
                before => Some(amount(before, kept.currency)?),
            },
            stock: v.stock_was,
            low_stock: v.low_stock.parse().ok(),
        })
    });
    let variants = variants.collect::<Result<_>>()?;
    let details = details.into_iter().map(|d| Detail { name: d.name, value: d.value }).collect();
    let product = ProductText { title, brand, category, description, details, options, variants };
    let (id, slug, state, deletable) = (kept.id, kept.slug, kept.state, kept.deletable);
    Ok(Version(kept.version, OwnProduct { id, slug, state, deletable, product }))
}

type Own = At<(String, ProductId)>;

async fn own_product(ask: Ask, At((handle, id)): Own) -> Result<Version<OwnProduct>> {
    own_of(catalog::seller_product(ask.engine(), &ask.caller, &handle, id).await?)
}

async fn create(
    ask: Ask,
    (At(handle), Body(product), Once(key)): (At<String>, Body<ProductText>, Once),
) -> Result<Made<OwnProduct>> {
    let id = catalog::create(ask.engine(), &ask.caller, &handle, &product.into(), &key).await?;
    let Version(_, made) = own_product(ask, At((handle, id))).await?;
    Ok(Made(made))
}

async fn update(
    ask: Ask,
    (At((handle, id)), Body(product), IfMatch(version)): (Own, Body<ProductText>, IfMatch),
) -> Result<Version<OwnProduct>> {
    // The version is the key: who repeats it changes nothing more.
    let key = random::token();
    catalog::update(ask.engine(), &ask.caller, &handle, id, version, &product.into(), &key).await?;
    own_product(ask, At((handle, id))).await
}

async fn delete(ask: Ask, At((handle, id)): Own) -> Result<()> {
    catalog::delete(ask.engine(), &ask.caller, &handle, id).await
}

async fn publish(ask: Ask, At((handle, id)): Own) -> Result<()> {
    catalog::publish(ask.engine(), &ask.caller, &handle, id).await
}

async fn archive(ask: Ask, At((handle, id)): Own) -> Result<()> {
    catalog::archive(ask.engine(), &ask.caller, &handle, id).await
}

async fn duplicate(ask: Ask, (At((handle, id)), Once(key)): (Own, Once)) -> Result<Made<OwnProduct>> {
    let id = catalog::duplicate(ask.engine(), &ask.caller, &handle, id, &key).await?;
    let Version(_, made) = own_product(ask, At((handle, id))).await?;
    Ok(Made(made))
}

/// A product's pictures.
#[derive(Serialize, ToSchema)]
struct Pictures {
    /// All of them, in the order they are shown in.
    items: Vec<Picture>,
}

async fn pictures(ask: Ask, At((handle, id)): Own) -> Result<Found<Pictures>> {
    // A product that is not there has no pictures, but it is not there.
    catalog::seller_product(ask.engine(), &ask.caller, &handle, id).await?;
    media::of_own(ask.engine(), &ask.caller, &handle, id).await.map(|items| Found(Pictures { items }))
}

/// A gallery to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Gallery {
    /// Pictures of the shop, in the order they are shown in.
    #[schema(max_items = 8)]
    items: Vec<GalleryPicture>,
}

/// A picture of a gallery to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct GalleryPicture {
    /// A picture of the shop.
    media: MediaId,
    /// What it shows.
    #[serde(default)]
    #[schema(format = "optional-line", max_length = 300)]
    alt: String,
}

async fn set_pictures(
    ask: Ask,
    (At((handle, id)), Body(gallery)): (Own, Body<Gallery>),
) -> Result<Found<Pictures>> {
    let pictures_of = gallery.items.into_iter().map(|p| NewPicture { media: p.media, alt: p.alt }).collect();
    media::set_pictures(ask.engine(), &ask.caller, &handle, id, pictures_of).await?;
    pictures(ask, At((handle, id))).await
}

/// What is said of a picture.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Alt {
    /// What it shows.
    #[serde(default)]
    #[schema(format = "optional-line", max_length = 300)]
    alt: String,
}

async fn add_picture(
    ask: Ask,
    (At((handle, id)), Query(Alt { alt }), PictureFile(bytes)): (Own, Query<Alt>, PictureFile),
) -> Result<Made<Picture>> {
    let engine = ask.engine();
    // Before it is made anew in all widths, not after.
    catalog::seller_product(engine, &ask.caller, &handle, id).await?;
    let added = media::add(engine, &ask.caller, &handle, bytes.into()).await?;
    let new = NewPicture { media: added.id, alt };
    media::change_picture(engine, &ask.caller, &handle, id, PictureChange::Add(new)).await?;
    let shown = media::of_own(engine, &ask.caller, &handle, id).await?;
    // Someone may have taken it off again.
    Ok(Made(shown.into_iter().find(|picture| picture.id == added.id).unwrap_or(added)))
}

type OwnPicture = At<(String, (ProductId, MediaId))>;

async fn describe_picture(
    ask: Ask,
    (At((handle, (id, media))), Body(Alt { alt })): (OwnPicture, Body<Alt>),
) -> Result<()> {
    let change = PictureChange::Describe(NewPicture { media, alt });
    media::change_picture(ask.engine(), &ask.caller, &handle, id, change).await
}

async fn remove_picture(ask: Ask, At((handle, (id, media))): OwnPicture) -> Result<()> {
    media::change_picture(ask.engine(), &ask.caller, &handle, id, PictureChange::Remove(media)).await
}

/// How the stock of a variant changes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct StockChange {
    /// So many more; fewer, below zero. Never fewer than are held for those who are paying.
    #[schema(minimum = -1000000000, maximum = 1000000000)]
    change: i64,
}

async fn adjust(
    ask: Ask,
    (At((handle, id)), Body(stock), Once(key)): (At<(String, VariantId)>, Body<StockChange>, Once),
) -> Result<()> {
    ask.caller.shop(&handle, Permission::ManageCatalog)?;
    match inventory::adjust(ask.engine(), &ask.caller, id, stock.change, &key).await {
        Err(Error::Invalid(_)) => Err(Error::field("change", FieldCode::TooSmall)),
        done => done,
    }
}
