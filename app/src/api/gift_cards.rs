//! Gift cards: the balance of one, for whoever has the link to it; all of them, for admins.

use haat_shared::{Currency, gift_cards::GiftCardView, id::kinds::GiftCardId};
use leptos::{prelude::*, server_fn::codec::Json};

use super::ApiError;

/// The card of a link.
#[server(name = FetchGiftCard, prefix = "/api", endpoint = "gift_cards/by_link", input = Json)]
pub async fn by_link(id: GiftCardId, key: String) -> Result<GiftCardView, ApiError> {
    super::call(async |engine, caller| haat_engine::gift_cards::by_link(&engine, &caller, id, &key).await)
        .await
}

/// The latest cards, the currencies in which they can be issued, and the code of the one that was just issued.
#[server(name = FetchGiftCards, prefix = "/api", endpoint = "gift_cards/page", input = Json)]
pub async fn page(
    issued: Option<GiftCardId>,
) -> Result<(Vec<GiftCardView>, Vec<Currency>, Option<String>), ApiError> {
    super::call(async |engine, caller| haat_engine::gift_cards::page(&engine, &caller, issued).await).await
}
