//! The team that runs the market.

use haat_shared::accounts::TeamMember;
use leptos::{prelude::*, server_fn::codec::Json};

use super::ApiError;

/// All admins with their roles.
#[server(name = FetchTeam, prefix = "/api", endpoint = "admin/team", input = Json)]
pub async fn team() -> Result<Vec<TeamMember>, ApiError> {
    super::call(async |engine, caller| haat_engine::admin::team(&engine, &caller).await).await
}
