//! Reviews: of a product for everyone; writing, voting and reporting for accounts; replies for shops; decisions for admins.

use haat_engine::reviews;
use haat_shared::{
    Error, Result,
    id::kinds::ReviewId,
    page::{ListRequest, Page},
    reports::ReportReason,
    reviews::{
        ModeratedReview, NewReview, OwnReview, Rating, ReviewAction, ReviewReport, ReviewSort, ReviewView,
        ShopReview,
    },
    routes::*,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Api, RequestContext,
    extract::{At, Body, Limit, Query, page},
    reply::{Found, Listed},
};

pub(super) fn routes(api: Api) -> Api {
    api.on(API_REVIEWS, "Lists the published reviews of a product, and how all of them rate it.", of_product)
        .on(API_OWN_REVIEW, "Retrieves your review of an item of an order.", own)
        .on(API_SAVE_REVIEW, "Reviews an item of an order that was delivered, or changes the review. A review that a rule holds back is published once an admin has read it.", save)
        .on(API_DELETE_REVIEW, "Deletes your review of an item, with its votes and the reply to it.", delete)
        .on(API_VOTE, "Finds a review helpful. Doing so again changes nothing.", |c, At(id)| vote(c, id, true))
        .on(API_UNVOTE, "Takes that back.", |c, At(id)| vote(c, id, false))
        .on(API_REPORT_REVIEW, "Reports a review to the marketplace, once. Doing so again changes nothing.", report)
        .on(API_SHOP_REVIEWS, "Lists the published reviews of a shop's products, newest first.", of_shop)
        .on(API_REPLY, "Replies to a review in public, or changes the reply.", reply)
        .on(API_UNREPLY, "Removes the reply to a review.", unreply)
        .on(API_ALL_REVIEWS, "Lists the reviews of all products, newest first.", queue)
        .on(API_MODERATE, "Publishes or hides a review. Its author reads why it was hidden.", moderate)
}

/// The sort orders of reviews.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Sort {
    /// Newest first.
    Newest,
    /// Those that most people found helpful first.
    Helpful,
}

/// Which reviews of a product.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WhichReviews {
    /// The sort order.
    #[schema(inline)]
    sort: Option<Sort>,
    /// The `next` cursor of the previous page.
    after: Option<String>,
    /// The maximum number of items to return.
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 100)]
    limit: Option<Limit>,
}

/// The reviews of a product.
#[derive(Serialize, ToSchema)]
#[schema(as = ProductReviews)]
struct ReviewsOfProduct {
    /// How all reviews rate the product.
    rating: Rating,
    /// How many gave 5, 4, 3, 2 stars and 1 star.
    stars: [i64; 5],
    /// The reviews on this page.
    items: Vec<ReviewView>,
    /// The cursor of the next page, to be sent as `after`. Null on the last page.
    next: Option<String>,
}

/// A review to write or to change.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewReview)]
struct ReviewToSave {
    /// From 1 to 5 stars.
    #[schema(minimum = 1, maximum = 5)]
    rating: i64,
    /// A headline.
    #[serde(default)]
    #[schema(format = "optional-line", max_length = 100)]
    title: String,
    /// What you say.
    #[serde(default)]
    #[schema(max_length = 4000)]
    text: String,
    /// Whether your name isn't shown.
    #[serde(default)]
    anonymous: bool,
    /// The version that you change. 0 for a new review.
    #[serde(default)]
    #[schema(minimum = 0)]
    version: i64,
}

/// A report.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewReviewReport)]
struct ReportToSend {
    /// Why.
    #[schema(inline)]
    reason: ReportReason,
    /// What else there is to say.
    #[serde(default)]
    #[schema(max_length = 500)]
    details: String,
}

/// Which reviews of a shop.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WhichOfShop {
    /// Only those with this many stars.
    #[schema(minimum = 1, maximum = 5)]
    rating: Option<i64>,
    /// Only those without a reply.
    unanswered: Option<bool>,
    /// The `next` cursor of the previous page.
    after: Option<String>,
    /// The maximum number of items to return.
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 100)]
    limit: Option<Limit>,
}

/// A reply.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReplyToReview {
    /// What it says.
    #[schema(min_length = 1, max_length = 2000)]
    reply: String,
}

/// What reviews an admin lists.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Listing {
    /// Those that wait for a decision.
    Held,
    /// Published ones that were reported.
    Reported,
    /// Those that are published otherwise.
    Published,
    /// Those that were hidden.
    Hidden,
}

/// Which reviews.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WhichOfAll {
    /// Only these.
    #[schema(inline)]
    state: Option<Listing>,
    /// The `next` cursor of the previous page.
    after: Option<String>,
    /// The maximum number of items to return.
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 100)]
    limit: Option<Limit>,
}

/// A decision.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReviewDecision {
    /// The version that you have read.
    version: i64,
    /// Why. Required to hide a review: its author reads it.
    #[serde(default)]
    #[schema(max_length = 500)]
    note: String,
}

/// An item of an order of a purchase.
type AtItem = At<(String, String, i64)>;

/// The order, if it is one of the purchase.
fn order(purchase: &str, order: String) -> Result<String> {
    match order.rsplit_once('-') {
        Some((of, _)) if of == purchase => Ok(order),
        _ => Err(Error::NotFound),
    }
}

async fn of_product(
    context: RequestContext,
    (At(slug), Query(of)): (At<String>, Query<WhichReviews>),
) -> Result<Found<ReviewsOfProduct>> {
    let sort = match of.sort {
        None | Some(Sort::Newest) => ReviewSort::Newest,
        Some(Sort::Helpful) => ReviewSort::Helpful,
    };
    let page = page(&of.after, of.limit);
    let found = reviews::of_product(context.engine(), &context.caller, &slug, sort.as_str(), page).await?;
    let (rating, stars, items, next) = (found.rating, found.stars, found.items, found.next);
    Ok(Found(ReviewsOfProduct { rating, stars, items, next }))
}

async fn own(context: RequestContext, At((purchase, number, position)): AtItem) -> Result<Found<OwnReview>> {
    context.caller.signed_in()?;
    let number = order(&purchase, number)?;
    reviews::own(context.engine(), &context.caller, &number, position).await.map(Found)
}

async fn save(
    context: RequestContext,
    (At((purchase, number, position)), Body(new)): (AtItem, Body<ReviewToSave>),
) -> Result<Found<OwnReview>> {
    context.caller.signed_in()?;
    let number = order(&purchase, number)?;
    let ReviewToSave { rating, title, text, anonymous, version } = new;
    let new = NewReview { rating, title, text, anonymous, version };
    reviews::save(context.engine(), &context.caller, &number, position, new).await.map(Found)
}

async fn delete(context: RequestContext, At((purchase, number, position)): AtItem) -> Result<()> {
    context.caller.signed_in()?;
    let number = order(&purchase, number)?;
    reviews::delete(context.engine(), &context.caller, &number, position).await
}

async fn vote(context: RequestContext, id: ReviewId, helpful: bool) -> Result<()> {
    reviews::vote(context.engine(), &context.caller, id, helpful).await
}

async fn report(
    context: RequestContext,
    (At(id), Body(new)): (At<ReviewId>, Body<ReportToSend>),
) -> Result<()> {
    context.caller.signed_in()?;
    let details = haat_shared::text::paragraphs("details", &new.details, haat_shared::reviews::NOTE_MAX)
        .map_err(|fault| Error::Invalid(vec![fault]))?;
    let new = ReviewReport { reason: new.reason, details };
    reviews::report(context.engine(), &context.caller, id, new).await
}

async fn of_shop(
    context: RequestContext,
    (At(handle), Query(of)): (At<String>, Query<WhichOfShop>),
) -> Result<Listed<ShopReview>> {
    let state = match (of.rating, of.unanswered) {
        (Some(rating), _) => rating.to_string(),
        (None, Some(true)) => "unanswered".to_owned(),
        (None, _) => String::new(),
    };
    let of = ListRequest {
        state,
        after: of.after.unwrap_or_default(),
        limit: of.limit.map(|limit| limit.0),
        ..ListRequest::default()
    };
    reviews::of_shop(context.engine(), &context.caller, &handle, &of).await.map(|found| Listed(found.page))
}

async fn reply(
    context: RequestContext,
    (At((handle, id)), Body(new)): (At<(String, ReviewId)>, Body<ReplyToReview>),
) -> Result<()> {
    if new.reply.trim().is_empty() {
        // Members only are told.
        reviews::of_shop(context.engine(), &context.caller, &handle, &ListRequest::default()).await?;
        return Err(Error::field("reply", haat_shared::FieldCode::Missing));
    }
    reviews::reply(context.engine(), &context.caller, &handle, id, &new.reply).await
}

async fn unreply(context: RequestContext, At((handle, id)): At<(String, ReviewId)>) -> Result<()> {
    reviews::reply(context.engine(), &context.caller, &handle, id, "").await
}

async fn queue(context: RequestContext, Query(of): Query<WhichOfAll>) -> Result<Listed<ModeratedReview>> {
    let state = match of.state {
        None => "",
        Some(Listing::Held) => "held",
        Some(Listing::Reported) => "reported",
        Some(Listing::Published) => "published",
        Some(Listing::Hidden) => "hidden",
    };
    let of = ListRequest {
        state: state.to_owned(),
        after: of.after.unwrap_or_default(),
        limit: of.limit.map(|limit| limit.0),
        ..ListRequest::default()
    };
    let Page { items, next } = reviews::queue(context.engine(), &context.caller, &of).await?.page;
    Ok(Listed(Page { items, next }))
}

async fn moderate(
    context: RequestContext,
    (At((id, action)), Body(of)): (At<(ReviewId, ReviewAction)>, Body<ReviewDecision>),
) -> Result<()> {
    reviews::moderate(context.engine(), &context.caller, id, of.version, action, &of.note).await
}
