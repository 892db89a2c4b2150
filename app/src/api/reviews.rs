//! Reviews of products.

use haat_shared::{
    page::{Counted, ListRequest},
    reviews::{ModeratedReview, ProductReviews, ReviewForm, Reviewable, ShopReview},
};
use leptos::{prelude::*, server_fn::codec::Json};

use super::ApiError;

/// The published reviews of a product, page by page.
#[server(name = ListReviews, prefix = "/api", endpoint = "reviews/of_product", input = Json)]
pub async fn of_product(slug: String, sort: String, after: String) -> Result<ProductReviews, ApiError> {
    super::call(async |engine, caller| {
        haat_engine::reviews::of_product(&engine, &caller, &slug, &sort, &after).await
    })
    .await
}

/// What the page on which an item of an order is reviewed shows.
#[server(name = FetchReviewForm, prefix = "/api", endpoint = "reviews/form", input = Json)]
pub async fn form(order: String, position: i64) -> Result<ReviewForm, ApiError> {
    super::call(async |engine, caller| haat_engine::reviews::form(&engine, &caller, &order, position).await)
        .await
}

/// The items of a purchase that the caller can review, or has reviewed.
#[server(name = ListReviewable, prefix = "/api", endpoint = "reviews/of_purchase", input = Json)]
pub async fn of_purchase(number: String) -> Result<Vec<Reviewable>, ApiError> {
    super::call(async |engine, caller| haat_engine::reviews::of_purchase(&engine, &caller, &number).await)
        .await
}

/// The reviews of a shop's products, for its members.
#[server(name = ListShopReviews, prefix = "/api", endpoint = "reviews/of_shop", input = Json)]
pub async fn of_shop(shop: String, of: ListRequest) -> Result<Counted<ShopReview>, ApiError> {
    super::call(async |engine, caller| haat_engine::reviews::of_shop(&engine, &caller, &shop, &of).await)
        .await
}

/// The reviews that admins decide on, and all others.
#[server(name = ListAllReviews, prefix = "/api", endpoint = "reviews/queue", input = Json)]
pub async fn queue(of: ListRequest) -> Result<Counted<ModeratedReview>, ApiError> {
    super::call(async |engine, caller| haat_engine::reviews::queue(&engine, &caller, &of).await).await
}
