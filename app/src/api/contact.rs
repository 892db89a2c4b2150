//! Messages from the contact page, for admins.

use haat_shared::{
    contact::ContactCard,
    page::{Counted, ListRequest},
};
use leptos::{prelude::*, server_fn::codec::Json};

use super::ApiError;

/// The messages, the latest first.
#[server(name = ListContactMessages, prefix = "/api", endpoint = "contact/list", input = Json)]
pub async fn list(of: ListRequest) -> Result<Counted<ContactCard>, ApiError> {
    super::call(async |engine, caller| haat_engine::contact::table(&engine, &caller, &of).await).await
}
