//! Carts. A guest's cart belongs to whoever holds its token.

use haat_engine::{cart_codes, carts, gift_cards, services};
use haat_shared::{
    Error, FieldCode, Money, Result,
    appointments::ChosenTime,
    carts::{self as cart, AddLine, CartLineView, CartView, QUANTITY_MAX, SetQuantity},
    gift_cards::{CartGift, GiftCardForm},
    id::kinds::{CartGiftId, CartId, CartLineId, ProviderId, ShopId, VariantId},
    pricing::Totals,
    promotions::{Discount, fold_code},
    routes::*,
    shipping::ShippingOption,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Api, RequestContext,
    extract::{At, Body, Moment, OnceIfAsked},
    reply::{Found, Made},
};

pub(super) fn routes(api: Api) -> Api {
    api.on(API_OPEN_CART, "Creates a cart, or returns the one that the caller already has.", open)
        .on(API_CART, "Retrieves a cart with its lines and totals.", view)
        .on(
            API_ADD_LINE,
            "Adds a variant to a cart. If the cart already has a line for it, the quantities are added up.",
            add_line,
        )
        .on(API_SET_LINE, "Updates the quantity of a cart line.", set_line)
        .on(API_REMOVE_LINE, "Removes a line from a cart.", remove_line)
        .on(
            API_ADD_APPOINTMENT,
            "Adds an appointment to a cart. A service is in a cart once: another time replaces the one before. The time is held from the beginning of the checkout.",
            add_appointment,
        )
        .on(
            API_ADD_GIFT,
            "Adds a gift card to a cart. Once it is bought, its code is sent to the recipient.",
            add_gift,
        )
        .on(API_REMOVE_GIFT, "Removes a gift card from a cart.", remove_gift)
        .on(
            API_CHECK_CODE,
            "Checks a discount code: returns what the cart would cost with it. Its `refusal` says why it doesn't apply.",
            check_code,
        )
        .on(API_ADD_CODE, "Enters a discount code. Fails with the reason if it doesn't apply.", add_code)
        .on(API_REMOVE_CODE, "Removes a discount code from a cart.", remove_code)
}

/// A newly created cart.
#[derive(Serialize, ToSchema)]
struct CreatedCart {
    /// The cart's ID.
    id: CartId,
    /// The token of a guest's new cart, to be sent in the `Haat-Cart` header. It is returned only once.
    token: Option<String>,
    /// The cart's contents.
    cart: Cart,
}

/// A cart, grouped by shop, with all totals.
#[derive(Serialize, ToSchema)]
struct Cart {
    /// The cart's ID. Null until the first item is added.
    id: Option<CartId>,
    /// The items, grouped by shop.
    groups: Vec<CartGroup>,
    /// The number of items that can still be bought, for the badge in the header.
    item_count: i64,
    /// The price of the items, before discounts. All amounts are null if the cart is empty, or if the currencies of
    /// its shops differ.
    subtotal: Option<Money>,
    /// The discount on items and shipping.
    discount: Option<Money>,
    /// The shipping price, before discounts.
    shipping: Option<Money>,
    /// The tax, both included in prices and added to them.
    tax: Option<Money>,
    /// The total to pay.
    total: Option<Money>,
    /// The discounts, and the codes that don't apply.
    discounts: Vec<Discount>,
    /// The gift cards that are bought.
    gifts: Vec<CartGift>,
}

/// The items of one shop in a cart.
#[derive(Serialize, ToSchema)]
struct CartGroup {
    /// The shop's ID.
    shop_id: ShopId,
    /// The shop's name.
    shop_name: String,
    /// The shop's handle.
    shop_handle: String,
    /// The totals of these items.
    #[serde(flatten)]
    totals: Totals,
    /// The line items.
    lines: Vec<CartLineView>,
    /// The shipping method that the totals contain, to the country of the marketplace or to where the shopper's last checkout
    /// goes. Null if the shop doesn't ship these items there, or nothing can be bought.
    shipping_option: Option<ShippingOption>,
}

impl From<CartView> for Cart {
    fn from(view: CartView) -> Self {
        let CartView { id, groups, item_count, totals, discounts, gifts } = view;
        let groups = groups.into_iter().map(|group| {
            let cart::CartGroup { shop_id, shop_name, shop_handle, totals, lines, shipping } = group;
            CartGroup { shop_id, shop_name, shop_handle, totals, lines, shipping_option: shipping }
        });
        Self {
            id,
            groups: groups.collect(),
            item_count,
            subtotal: totals.map(|totals| totals.subtotal),
            discount: totals.map(|totals| totals.discount),
            shipping: totals.map(|totals| totals.shipping),
            tax: totals.map(|totals| totals.tax),
            total: totals.map(|totals| totals.total),
            discounts,
            gifts,
        }
    }
}

async fn open(context: RequestContext, (): ()) -> Result<Made<CreatedCart>> {
    let opened = carts::open(context.engine(), &context.caller).await?;
    let id = opened.view.id.ok_or(Error::Internal)?;
    Ok(Made(CreatedCart { id, token: opened.token, cart: opened.view.into() }))
}

async fn view(context: RequestContext, At(id): At<CartId>) -> Result<Found<Cart>> {
    carts::by_id(context.engine(), &context.caller, id).await.map(|view| Found(view.into()))
}

/// An item to add to a cart.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewLine {
    /// The ID of the variant.
    variant_id: VariantId,
    /// The quantity.
    #[schema(minimum = 1, maximum = 999)]
    quantity: i64,
}
const _: () = assert!(QUANTITY_MAX == 999);

async fn add_line(
    context: RequestContext,
    (At(id), Body(line), _): (At<CartId>, Body<NewLine>, OnceIfAsked),
) -> Result<Made<Cart>> {
    carts::check_holder(context.engine(), &context.caller, id).await?;
    let add = AddLine { variant: line.variant_id, quantity: line.quantity.to_string() };
    match carts::add_line(context.engine(), &context.caller, add).await {
        Ok(changed) => Ok(Made(changed.view.into())),
        // The cart is there: it is what should go into it that is not.
        Err(Error::NotFound) => Err(Error::field("variant_id", FieldCode::NotAChoice)),
        Err(error) => Err(error),
    }
}

/// The new quantity of a cart line.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Quantity {
    /// The quantity.
    #[schema(minimum = 1, maximum = 999)]
    quantity: i64,
}

type AtLine = At<(CartId, CartLineId)>;

async fn set_line(
    context: RequestContext,
    (At((id, line)), Body(set)): (AtLine, Body<Quantity>),
) -> Result<Found<Cart>> {
    carts::check_holder(context.engine(), &context.caller, id).await?;
    let set = SetQuantity { line, quantity: set.quantity.to_string() };
    carts::set_quantity(context.engine(), &context.caller, set).await?;
    carts::by_id(context.engine(), &context.caller, id).await.map(|view| Found(view.into()))
}

async fn remove_line(context: RequestContext, At((id, line)): AtLine) -> Result<Found<Cart>> {
    carts::check_holder(context.engine(), &context.caller, id).await?;
    carts::remove_line(context.engine(), &context.caller, line).await?;
    carts::by_id(context.engine(), &context.caller, id).await.map(|view| Found(view.into()))
}

/// An appointment to book.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewAppointment {
    /// The slug of the service.
    #[schema(format = "line")]
    service_slug: String,
    /// The ID of the provider.
    provider_id: ProviderId,
    /// When it starts, which must be one of the free times: RFC 3339, with any offset.
    #[schema(value_type = String)]
    starts_at: Moment,
}

async fn add_appointment(
    context: RequestContext,
    (At(id), Body(new), _): (At<CartId>, Body<NewAppointment>, OnceIfAsked),
) -> Result<Made<Cart>> {
    carts::check_holder(context.engine(), &context.caller, id).await?;
    let NewAppointment { service_slug: slug, provider_id, starts_at: Moment(starts_at) } = new;
    let chosen = ChosenTime { slug, provider: provider_id.to_string(), starts_at: starts_at.to_string() };
    services::add_to_cart(context.engine(), &context.caller, &chosen)
        .await
        .map(|changed| Made(changed.view.into()))
}

/// A gift card to buy.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewGift {
    /// The amount, in the marketplace's currency, between the limits of the marketplace.
    amount: Money,
    /// The name of the recipient.
    #[serde(default)]
    #[schema(format = "optional-line", max_length = 100)]
    recipient_name: String,
    /// The email address that the code is sent to. Without one, it is sent to the buyer's.
    #[serde(default)]
    #[schema(max_length = 254)]
    recipient_email: String,
    /// The name of the giver.
    #[serde(default)]
    #[schema(format = "optional-line", max_length = 100)]
    sender_name: String,
    /// The message to the recipient.
    #[serde(default)]
    #[schema(max_length = 500)]
    message: String,
    /// The day on which the code is sent (`2026-12-24`), up to a year ahead. Without one, it is sent at once.
    #[serde(default)]
    send_on: String,
    /// The language of the email: `en`. By default, that of the request.
    #[serde(default)]
    #[schema(max_length = 16)]
    locale: String,
}

async fn add_gift(
    context: RequestContext,
    (At(id), Body(new), _): (At<CartId>, Body<NewGift>, OnceIfAsked),
) -> Result<Made<Cart>> {
    let engine = context.engine();
    carts::check_holder(engine, &context.caller, id).await?;
    if new.amount.currency() != engine.currency {
        return Err(Error::field("amount", FieldCode::OtherCurrency(engine.currency)));
    }
    let NewGift { amount, recipient_name, recipient_email, sender_name, message, send_on, locale } = new;
    let amount = amount.plain();
    let form = GiftCardForm {
        amount,
        recipient_name,
        recipient_email,
        sender_name,
        message,
        send_on,
        locale,
        ..GiftCardForm::default()
    };
    gift_cards::add_to_cart(engine, &context.caller, &form).await.map(|changed| Made(changed.view.into()))
}

async fn remove_gift(
    context: RequestContext,
    At((id, gift)): At<(CartId, CartGiftId)>,
) -> Result<Found<Cart>> {
    carts::check_holder(context.engine(), &context.caller, id).await?;
    gift_cards::remove_from_cart(context.engine(), &context.caller, gift).await?;
    carts::by_id(context.engine(), &context.caller, id).await.map(|view| Found(view.into()))
}

/// A code to enter.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct EnteredCode {
    /// The code. Upper and lower case are the same.
    #[schema(format = "line", max_length = 32)]
    code: String,
}

async fn add_code(
    context: RequestContext,
    (At(id), Body(entered), _): (At<CartId>, Body<EnteredCode>, OnceIfAsked),
) -> Result<Made<Cart>> {
    carts::check_holder(context.engine(), &context.caller, id).await?;
    cart_codes::add_code(context.engine(), &context.caller, &entered.code).await.map(|view| Made(view.into()))
}

async fn check_code(context: RequestContext, At((id, code)): At<(CartId, String)>) -> Result<Found<Cart>> {
    carts::check_holder(context.engine(), &context.caller, id).await?;
    cart_codes::check_code(context.engine(), &context.caller, &code).await.map(|view| Found(view.into()))
}

async fn remove_code(context: RequestContext, At((id, code)): At<(CartId, String)>) -> Result<Found<Cart>> {
    carts::check_holder(context.engine(), &context.caller, id).await?;
    let view = carts::by_id(context.engine(), &context.caller, id).await?;
    let same = |discount: &&Discount| fold_code(&discount.code) == fold_code(&code);
    let entered = view.discounts.iter().filter(|discount| !discount.code.is_empty()).filter(same);
    let ids: Vec<_> = entered.filter_map(|discount| discount.promotion_id).collect();
    if ids.is_empty() {
        return Err(Error::NotFound);
    }
    for promotion in ids {
        cart_codes::remove_code(context.engine(), &context.caller, promotion).await?;
    }
    carts::by_id(context.engine(), &context.caller, id).await.map(|view| Found(view.into()))
}
