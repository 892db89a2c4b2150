//! Saved cards. They are saved on the pages of the payment gateway only, so the API has no operation for that.

use haat_engine::cards;
use haat_shared::{Result, cards::SavedCard, routes::*};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Api, RequestContext, extract::At, reply::Found};

pub(super) fn routes(api: Api) -> Api {
    api.on(API_CARDS, "Lists your saved cards, newest first.", list).on(
        API_REMOVE_CARD,
        "Removes one of your saved cards, for good.",
        remove,
    )
}

/// A list of saved cards.
#[derive(Serialize, ToSchema)]
struct Cards {
    /// The cards, newest first.
    items: Vec<SavedCard>,
}

async fn list(context: RequestContext, (): ()) -> Result<Found<Cards>> {
    cards::list(context.engine(), &context.caller).await.map(|items| Found(Cards { items }))
}

async fn remove(context: RequestContext, At(id): At<String>) -> Result<()> {
    cards::remove(context.engine(), &context.caller, &id).await
}
