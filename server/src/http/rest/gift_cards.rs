//! Gift cards: what is left on one, and issuing them, for admins.

use haat_engine::gift_cards;
use haat_shared::{
    Money, Result,
    gift_cards::{GiftCardView, IssuedGiftCard},
    id::kinds::GiftCardId,
    routes::*,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Api, RequestContext,
    extract::{At, Body},
    reply::{Found, Made},
};

pub(super) fn routes(api: Api) -> Api {
    api.on(API_GIFT_CARD_BALANCE, "Retrieves what is left on a gift card, by its code.", balance)
        .on(API_GIFT_CARDS, "Lists the latest 200 gift cards, without their codes.", list)
        .on(API_ISSUE_GIFT_CARD, "Issues a gift card. Only the response contains its code. It isn't stored, so repeating the request issues another card.", issue)
        .on(API_DISABLE_GIFT_CARD, "Disables a gift card. Its balance stays.", disable)
        .on(API_REFUND_GIFT_CARD, "Refunds a gift card that was bought, as long as nothing of it is spent. It can't be used from then on.", refund)
        .on(API_ENABLE_GIFT_CARD, "Enables a gift card again.", enable)
}

/// A gift card's code.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct GiftCardCode {
    /// The code: `ABCD-EFGH-JKMN-PQRS`. Case, spaces and dashes don't matter.
    #[schema(format = "line", max_length = 60)]
    code: String,
}

/// A gift card to issue.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewGiftCard {
    /// The amount, in a currency of the marketplace, which bears it.
    amount: Money,
    /// Why it is issued. Only admins see it.
    #[schema(format = "line", max_length = 300)]
    reason: String,
    /// The last day: `2027-12-31`. Null if it doesn't expire.
    #[serde(default)]
    expires_on: Option<String>,
}

/// Gift cards.
#[derive(Serialize, ToSchema)]
struct GiftCards {
    /// The cards, the newest first.
    items: Vec<GiftCardView>,
}

async fn balance(context: RequestContext, Body(of): Body<GiftCardCode>) -> Result<Found<GiftCardView>> {
    Ok(Found(gift_cards::balance(context.engine(), &context.caller, &of.code).await?))
}

async fn list(context: RequestContext, (): ()) -> Result<Found<GiftCards>> {
    Ok(Found(GiftCards { items: gift_cards::list(context.engine(), &context.caller).await? }))
}

async fn issue(context: RequestContext, Body(new): Body<NewGiftCard>) -> Result<Made<IssuedGiftCard>> {
    let engine = context.engine();
    let expires = gift_cards::expiry(engine, new.expires_on.as_deref().unwrap_or_default())?;
    Ok(Made(gift_cards::issue(engine, &context.caller, new.amount, &new.reason, expires).await?))
}

async fn disable(context: RequestContext, At(id): At<GiftCardId>) -> Result<()> {
    gift_cards::disable(context.engine(), &context.caller, id, true).await
}

async fn enable(context: RequestContext, At(id): At<GiftCardId>) -> Result<()> {
    gift_cards::disable(context.engine(), &context.caller, id, false).await
}

async fn refund(context: RequestContext, At(id): At<GiftCardId>) -> Result<()> {
    gift_cards::refund(context.engine(), &context.caller, id).await
}
