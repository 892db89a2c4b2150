//! Products: published ones for everyone, and a shop's own.

use haat_engine::{catalog, finding, inventory, media, media::PictureChange, random, recommendations};
use haat_shared::{
    Error, FieldCode, Money, Result,
    catalog::{
        Attribute, CategoryCard, CategoryView, ListProducts, ProductCard, ProductView, SORTS,
        edit::{
            ListSellerProducts, ProductForm, ProductState, SellerProduct, SellerProductCard, VariantForm,
        },
        facets,
    },
    id::kinds::{MediaId, ProductId, VariantId},
    media::{NewPicture, Picture, Purpose},
    permissions::Permission,
    recommendations::{Recommendation, Recommendations},
    routes::*,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Api, RequestContext,
    extract::{At, Body, IfMatch, Limit, Once, PictureFile, Query},
    reply::{Found, Listed, Made, Version},
    shops::{Price, amount, typed},
};

pub(super) fn routes(api: Api) -> Api {
    api.on(API_PRODUCTS, "Lists published products.", list)
        .on(
            API_PRODUCT_FACETS,
            "Counts published products by category, brand, shop, rating and stock, and suggests another spelling.",
            facets,
        )
        .on(
            API_PRODUCT_SUGGESTIONS,
            "Suggests queries, products, categories and shops for what is being typed.",
            suggestions,
        )
        .on(API_PRODUCT, "Retrieves a product.", product)
        .on(
            API_RELATED_PRODUCTS,
            "Lists up to four products that go with a product: bought together with it, or popular in its category.",
            related,
        )
        .on(
            API_RECOMMENDATIONS,
            "Lists up to eight products that the current account may like because of what it bought, and best sellers. \
             Empty if the account has turned recommendations off.",
            for_you,
        )
        .on(API_CATEGORIES, "Lists the top-level categories.", roots)
        .on(API_CATEGORY, "Retrieves a category with its ancestors and subcategories.", category)
        .on(API_SELLER_PRODUCTS, "Lists a shop's products, including drafts and archived ones.", own)
        .on(API_CREATE_PRODUCT, "Creates a product as a draft.", create)
        .on(
            API_SELLER_PRODUCT,
            "Retrieves a product with all the details its seller can edit.",
            seller_product,
        )
        .on(
            API_UPDATE_PRODUCT,
            "Updates a product. Fails if it has changed since the version in If-Match.",
            update,
        )
        .on(API_DELETE_PRODUCT, "Deletes a product that was never ordered or part of a checkout.", delete)
        .on(API_PUBLISH_PRODUCT, "Publishes a product.", publish)
        .on(API_ARCHIVE_PRODUCT, "Archives a product.", archive)
        .on(API_DUPLICATE_PRODUCT, "Duplicates a product as a draft with no stock.", duplicate)
        .on(API_PICTURES, "Lists a product's images.", pictures)
        .on(API_SET_PICTURES, "Replaces a product's images with the given ones, in this order.", set_pictures)
        .on(
            API_ADD_PICTURE,
            "Adds an image to a product. Adding the same image again has no effect.",
            add_picture,
        )
        .on(API_DESCRIBE_PICTURE, "Updates the alt text of a product image.", describe_picture)
        .on(API_REMOVE_PICTURE, "Removes an image from a product.", remove_picture)
        .on(API_ADJUST_STOCK, "Adjusts the stock of a variant by a relative amount.", adjust)
}

/// The sort orders of a product list.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Sort {
    /// Newest first.
    Newest,
    /// Price, low to high.
    PriceLow,
    /// Price, high to low.
    PriceHigh,
    /// Best rated first.
    Rating,
    /// What matches the words best first.
    Relevance,
}

/// The filters of a product list.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WhichProducts {
    /// Only products that match these words.
    #[schema(format = "optional-line", max_length = 100)]
    q: Option<String>,
    /// Only products of the shop with this handle.
    shop: Option<String>,
    /// Only products in the category with this slug or one of its subcategories.
    category: Option<String>,
    /// Only products of this brand.
    brand: Option<String>,
    /// Only products with this value of an attribute: `Colour:Red`.
    #[schema(format = "optional-line", max_length = 100)]
    fact: Option<String>,
    /// Only products with this average rating or a better one.
    #[schema(minimum = 0, maximum = 5)]
    rating: Option<u8>,
    /// Whether to leave out products that are out of stock.
    in_stock: Option<bool>,
    /// The sort order: `relevance` by default if there are words, `newest` otherwise.
    #[schema(inline)]
    sort: Option<Sort>,
    /// The `next` cursor of the previous page.
    after: Option<String>,
    /// The maximum number of items to return.
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 100)]
    limit: Option<Limit>,
}

impl From<WhichProducts> for ListProducts {
    fn from(of: WhichProducts) -> Self {
        Self {
            q: of.q.unwrap_or_default(),
            shop: of.shop.unwrap_or_default(),
            category: of.category.unwrap_or_default(),
            brands: of.brand.into_iter().collect(),
            facts: of.fact.into_iter().collect(),
            rating: of.rating.unwrap_or_default(),
            in_stock: of.in_stock.unwrap_or_default(),
            sort: of.sort.map(|sort| SORTS[sort as usize].to_owned()).unwrap_or_default(),
            after: of.after.unwrap_or_default(),
            limit: of.limit.map(|l| l.0),
            ..Self::default()
        }
    }
}

/// Products that go with a product.
#[derive(Serialize, ToSchema)]
struct RelatedProducts {
    /// The products, best first.
    items: Vec<Recommendation>,
}

async fn related(context: RequestContext, At(slug): At<String>) -> Result<Found<RelatedProducts>> {
    let items = recommendations::related_by_slug(context.engine(), &context.caller, &slug).await?;
    Ok(Found(RelatedProducts { items }))
}

async fn for_you(context: RequestContext, (): ()) -> Result<Found<Recommendations>> {
    recommendations::for_you(context.engine(), &context.caller).await.map(Found)
}

async fn list(context: RequestContext, Query(of): Query<WhichProducts>) -> Result<Listed<ProductCard>> {
    finding::list(context.engine(), &context.caller, of.into()).await.map(Listed)
}

/// What is known about a list of products. Null while the search index is being built.
#[derive(Serialize, ToSchema)]
struct Facets {
    /// The counts.
    found: Option<facets::Found>,
}

/// The filters of products that are counted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CountedProducts {
    /// Only products that match these words.
    #[schema(format = "optional-line", max_length = 100)]
    q: Option<String>,
    /// Only products of the shop with this handle.
    shop: Option<String>,
    /// Only products in the category with this slug or one of its subcategories.
    category: Option<String>,
    /// Only products of this brand.
    brand: Option<String>,
    /// Only products with this value of an attribute: `Colour:Red`.
    #[schema(format = "optional-line", max_length = 100)]
    fact: Option<String>,
}

async fn facets(context: RequestContext, Query(of): Query<CountedProducts>) -> Result<Found<Facets>> {
    let of = ListProducts {
        q: of.q.unwrap_or_default(),
        shop: of.shop.unwrap_or_default(),
        category: of.category.unwrap_or_default(),
        brands: of.brand.into_iter().collect(),
        facts: of.fact.into_iter().collect(),
        ..ListProducts::default()
    };
    let results = finding::find(context.engine(), &context.caller, of).await?;
    Ok(Found(Facets { found: results.found }))
}

/// What is being typed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Typed {
    /// The text so far. Fewer than two characters have no suggestions.
    #[schema(format = "optional-line", max_length = 100)]
    q: Option<String>,
}

async fn suggestions(context: RequestContext, Query(of): Query<Typed>) -> Result<Found<facets::Suggestions>> {
    let q = of.q.unwrap_or_default();
    finding::suggest(context.engine(), &context.caller, &q).await.map(Found)
}

async fn product(context: RequestContext, At(slug): At<String>) -> Result<Found<ProductView>> {
    catalog::product(context.engine(), &context.caller, &slug).await.map(Found)
}

/// A list of categories.
#[derive(Serialize, ToSchema)]
struct Categories {
    /// The categories, in display order.
    items: Vec<CategoryCard>,
}

async fn roots(context: RequestContext, (): ()) -> Result<Found<Categories>> {
    catalog::roots(context.engine(), &context.caller).await.map(|items| Found(Categories { items }))
}

async fn category(context: RequestContext, At(slug): At<String>) -> Result<Found<CategoryView>> {
    catalog::category(context.engine(), &context.caller, &slug).await.map(Found)
}

/// The sort orders of a shop's own product list.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum SellerSort {
    /// Newest first.
    Newest,
    /// Title, A to Z.
    Title,
    /// Price, low to high.
    Price,
    /// Lowest stock first.
    Stock,
}

/// The filters of a shop's own product list.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WhichSellerProducts {
    /// Only products that match these words.
    #[schema(format = "optional-line", max_length = 100)]
    q: Option<String>,
    /// Only products with this status.
    #[schema(inline)]
    status: Option<ProductState>,
    /// Only products that are low on stock.
    low: Option<bool>,
    /// The sort order.
    #[schema(inline)]
    sort: Option<SellerSort>,
    /// The `next` cursor of the previous page.
    after: Option<String>,
    /// The maximum number of items to return.
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 100)]
    limit: Option<Limit>,
}

async fn own(
    context: RequestContext,
    (At(handle), Query(of)): (At<String>, Query<WhichSellerProducts>),
) -> Result<Listed<SellerProductCard>> {
    let sort = match of.sort {
        None => "",
        Some(SellerSort::Newest) => "newest",
        Some(SellerSort::Title) => "title",
        Some(SellerSort::Price) => "price",
        Some(SellerSort::Stock) => "stock",
    };
    let of = ListSellerProducts {
        q: of.q.unwrap_or_default(),
        state: of.status.map(|s| s.as_str().to_owned()).unwrap_or_default(),
        low: of.low.unwrap_or_default(),
        sort: sort.into(),
        after: of.after.unwrap_or_default(),
        limit: of.limit.map(|l| l.0),
    };
    catalog::seller_list(context.engine(), &context.caller, &handle, of).await.map(Listed)
}

/// The parameters of a product.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ProductInput {
    /// The product's title.
    #[schema(format = "line", max_length = 500)]
    title: String,
    /// The product's brand.
    #[serde(default)]
    #[schema(format = "optional-line", max_length = 100)]
    brand: String,
    /// The slug of the product's category.
    #[serde(default)]
    #[schema(format = "optional-line", max_length = 100)]
    category: String,
    /// The product's description. Line breaks separate paragraphs.
    #[serde(default)]
    #[schema(format = "lines", max_length = 10000)]
    description: String,
    /// The product's specifications, in display order. All text of a product is limited to 1 MiB in total, as UTF-8.
    #[serde(default)]
    #[schema(max_items = 250)]
    attributes: Vec<AttributeInput>,
    /// The names of the product's options, such as "Colour" and "Size".
    #[serde(default)]
    #[schema(max_items = 3)]
    options: Vec<String>,
    /// The product's variants, in display order.
    #[schema(min_items = 1, max_items = 100)]
    variants: Vec<VariantInput>,
}

/// A specification of a product, such as "Weight": "3.4 kg".
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AttributeInput {
    /// The name of the specification.
    #[schema(format = "line", max_length = 100)]
    name: String,
    /// The value of the specification.
    #[schema(format = "line", max_length = 10000)]
    value: String,
}

/// The parameters of a variant.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct VariantInput {
    /// The ID of an existing variant. Leave it out to create a new one.
    id: Option<VariantId>,
    /// The shop's SKU, in NFC and without invisible characters. Generated if empty.
    #[serde(default)]
    #[schema(format = "optional-line", max_length = 64)]
    sku: String,
    /// The variant's option values, in the order of the product's options.
    #[serde(default)]
    options: Vec<String>,
    /// The variant's title. Required if a product without options has more than one variant.
    #[serde(default)]
    #[schema(format = "optional-line", max_length = 100)]
    title: String,
    /// The price.
    #[schema(value_type = Price)]
    price: Money,
    /// The compare-at price.
    #[schema(value_type = Option<Price>)]
    compare_at: Option<Money>,
    /// The stock of a new variant. For existing variants, use
    /// `/shops/{handle}/variants/{id}/stock` instead, so that concurrent sales are not overwritten.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1000000000)]
    stock: i64,
    /// The low-stock threshold.
    #[schema(minimum = 0, maximum = 1000000000)]
    low_stock: Option<i64>,
    /// The weight for shipping, in grams.
    #[schema(minimum = 0, maximum = 10000000)]
    weight_g: Option<i64>,
    /// The length of the parcel, in millimetres.
    #[schema(minimum = 0, maximum = 10000000)]
    length_mm: Option<i64>,
    /// Its width.
    #[schema(minimum = 0, maximum = 10000000)]
    width_mm: Option<i64>,
    /// Its height.
    #[schema(minimum = 0, maximum = 10000000)]
    height_mm: Option<i64>,
}

impl From<ProductInput> for ProductForm {
    fn from(text: ProductInput) -> Self {
        let variant = |v: VariantInput| VariantForm {
            stock: if v.id.is_some() { "0".into() } else { v.stock.to_string() },
            id: v.id,
            sku: v.sku,
            options: v.options,
            title: v.title,
            price: typed(v.price),
            compare_at: v.compare_at.map(typed).unwrap_or_default(),
            stock_was: 0,
            unlimited: false,
            low_stock: v.low_stock.map(|n| n.to_string()).unwrap_or_default(),
            weight_g: v.weight_g.map(|n| n.to_string()).unwrap_or_default(),
            length_mm: v.length_mm.map(|n| n.to_string()).unwrap_or_default(),
            width_mm: v.width_mm.map(|n| n.to_string()).unwrap_or_default(),
            height_mm: v.height_mm.map(|n| n.to_string()).unwrap_or_default(),
        };
        let attribute = |a: AttributeInput| Attribute { name: a.name, value: a.value };
        Self {
            title: text.title,
            brand: text.brand,
            category: text.category,
            description: text.description,
            attributes: text.attributes.into_iter().map(attribute).collect(),
            options: text.options,
            variants: text.variants.into_iter().map(variant).collect(),
        }
    }
}

/// A product with all the details its seller can edit.
#[derive(Serialize, ToSchema)]
struct EditableProduct {
    /// The product's ID.
    id: ProductId,
    /// The slug used in the product's URL.
    slug: String,
    /// The product's status.
    status: ProductState,
    /// Whether the product can be deleted: it was never ordered or part of a checkout.
    deletable: bool,
    /// The details that can be updated.
    product: ProductInput,
}

fn editable(kept: SellerProduct) -> Result<Version<EditableProduct>> {
    let ProductForm { title, brand, category, description, attributes, options, variants } = kept.form;
    let variants = variants.into_iter().map(|v| {
        Ok(VariantInput {
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
            weight_g: v.weight_g.parse().ok(),
            length_mm: v.length_mm.parse().ok(),
            width_mm: v.width_mm.parse().ok(),
            height_mm: v.height_mm.parse().ok(),
        })
    });
    let variants = variants.collect::<Result<_>>()?;
    let attributes =
        attributes.into_iter().map(|a| AttributeInput { name: a.name, value: a.value }).collect();
    let product = ProductInput { title, brand, category, description, attributes, options, variants };
    let (id, slug, status, deletable) = (kept.id, kept.slug, kept.state, kept.deletable);
    Ok(Version(kept.version, EditableProduct { id, slug, status, deletable, product }))
}

type AtProduct = At<(String, ProductId)>;

async fn seller_product(
    context: RequestContext,
    At((handle, id)): AtProduct,
) -> Result<Version<EditableProduct>> {
    editable(catalog::seller_product(context.engine(), &context.caller, &handle, id).await?)
}

async fn create(
    context: RequestContext,
    (At(handle), Body(product), Once(key)): (At<String>, Body<ProductInput>, Once),
) -> Result<Made<EditableProduct>> {
    let id = catalog::create(context.engine(), &context.caller, &handle, &product.into(), &key).await?;
    let Version(_, made) = seller_product(context, At((handle, id))).await?;
    Ok(Made(made))
}

async fn update(
    context: RequestContext,
    (At((handle, id)), Body(product), IfMatch(version)): (AtProduct, Body<ProductInput>, IfMatch),
) -> Result<Version<EditableProduct>> {
    // The version is the key: repeating the request changes nothing.
    let key = random::token();
    catalog::update(context.engine(), &context.caller, &handle, id, version, &product.into(), &key).await?;
    seller_product(context, At((handle, id))).await
}

async fn delete(context: RequestContext, At((handle, id)): AtProduct) -> Result<()> {
    catalog::delete(context.engine(), &context.caller, &handle, id).await
}

async fn publish(context: RequestContext, At((handle, id)): AtProduct) -> Result<()> {
    catalog::publish(context.engine(), &context.caller, &handle, id).await
}

async fn archive(context: RequestContext, At((handle, id)): AtProduct) -> Result<()> {
    catalog::archive(context.engine(), &context.caller, &handle, id).await
}

async fn duplicate(
    context: RequestContext,
    (At((handle, id)), Once(key)): (AtProduct, Once),
) -> Result<Made<EditableProduct>> {
    let id = catalog::duplicate(context.engine(), &context.caller, &handle, id, &key).await?;
    let Version(_, made) = seller_product(context, At((handle, id))).await?;
    Ok(Made(made))
}

/// The images of a product.
#[derive(Serialize, ToSchema)]
struct Images {
    /// The images, in display order.
    items: Vec<Picture>,
}

async fn pictures(context: RequestContext, At((handle, id)): AtProduct) -> Result<Found<Images>> {
    // Distinguishes a product without pictures from one that does not exist.
    catalog::seller_product(context.engine(), &context.caller, &handle, id).await?;
    media::seller_pictures(context.engine(), &context.caller, &handle, id)
        .await
        .map(|items| Found(Images { items }))
}

/// The new images of a product.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Gallery {
    /// Images uploaded by the shop, in display order.
    #[schema(max_items = 8)]
    items: Vec<GalleryImage>,
}

/// An image to show with a product.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct GalleryImage {
    /// The ID of an uploaded image.
    id: MediaId,
    /// The alt text.
    #[serde(default)]
    #[schema(format = "optional-line", max_length = 300)]
    alt: String,
}

async fn set_pictures(
    context: RequestContext,
    (At((handle, id)), Body(gallery)): (AtProduct, Body<Gallery>),
) -> Result<Found<Images>> {
    let pictures_of = gallery.items.into_iter().map(|p| NewPicture { media: p.id, alt: p.alt }).collect();
    media::set_pictures(context.engine(), &context.caller, &handle, id, pictures_of).await?;
    pictures(context, At((handle, id))).await
}

/// The text that describes an image.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Alt {
    /// The alt text.
    #[serde(default)]
    #[schema(format = "optional-line", max_length = 300)]
    alt: String,
}

async fn add_picture(
    context: RequestContext,
    (At((handle, id)), Query(Alt { alt }), PictureFile(bytes)): (AtProduct, Query<Alt>, PictureFile),
) -> Result<Made<Picture>> {
    let engine = context.engine();
    // Checked before the image is encoded at all widths, not after.
    catalog::seller_product(engine, &context.caller, &handle, id).await?;
    let added =
        media::add(engine, &context.caller, Purpose::ProductPicture, Some(&handle), bytes.into()).await?;
    let new = NewPicture { media: added.id, alt };
    media::change_picture(engine, &context.caller, &handle, id, PictureChange::Add(new)).await?;
    let shown = media::seller_pictures(engine, &context.caller, &handle, id).await?;
    // Someone may have removed it again.
    let animated = added.animated;
    let shown = shown.into_iter().find(|picture| picture.id == added.id).unwrap_or(added);
    Ok(Made(Picture { animated, ..shown }))
}

type AtPicture = At<(String, (ProductId, MediaId))>;

async fn describe_picture(
    context: RequestContext,
    (At((handle, (id, media))), Body(Alt { alt })): (AtPicture, Body<Alt>),
) -> Result<()> {
    let change = PictureChange::Describe(NewPicture { media, alt });
    media::change_picture(context.engine(), &context.caller, &handle, id, change).await
}

async fn remove_picture(context: RequestContext, At((handle, (id, media))): AtPicture) -> Result<()> {
    media::change_picture(context.engine(), &context.caller, &handle, id, PictureChange::Remove(media)).await
}

/// A stock adjustment.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct StockChange {
    /// The amount to add, or to subtract if negative. Stock can't drop below what is reserved for checkouts in progress.
    #[schema(minimum = -1000000000, maximum = 1000000000)]
    change: i64,
}

async fn adjust(
    context: RequestContext,
    (At((handle, id)), Body(stock), Once(key)): (At<(String, VariantId)>, Body<StockChange>, Once),
) -> Result<()> {
    context.caller.shop(&handle, Permission::ManageCatalog)?;
    match inventory::adjust(context.engine(), &context.caller, id, stock.change, &key).await {
        Err(Error::Invalid(_)) => Err(Error::field("change", FieldCode::TooSmall)),
        done => done,
    }
}
