//! Gift cards: the balance of one, for whoever has the link to it; all of them, for admins.

use haat_shared::{
    Currency,
    gift_cards::{GiftCardTerms, GiftCardView},
    id::kinds::GiftCardId,
};
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

/// At what amounts gift cards are sold, and the first and the last day on which one can be sent.
#[server(name = FetchGiftCardOffer, prefix = "/api", endpoint = "gift_cards/offer", input = Json)]
pub async fn offer() -> Result<Option<(GiftCardTerms, [String; 2])>, ApiError> {
    super::call(async |engine, _caller| haat_engine::gift_cards::offer(&engine).await).await
}
