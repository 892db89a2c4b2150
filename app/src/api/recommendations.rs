//! Recommendations.

use haat_shared::recommendations::Recommendations;
use leptos::{prelude::*, server_fn::codec::Json};

use super::ApiError;

/// What is recommended to the user.
#[server(name = FetchRecommendations, prefix = "/api", endpoint = "recommendations/for_you", input = Json)]
pub async fn for_you() -> Result<Recommendations, ApiError> {
    super::call(async |engine, caller| haat_engine::recommendations::for_you(&engine, &caller).await).await
}
