//! Renders emails as HTML and text, from `templates/mail` and the texts in `app/locales`. Each email, or
//! each group of emails with the same templates, has a file; what they share is in `parts`.

mod announcement;
mod appointment;
mod contact;
mod disputes;
mod gift_card;
mod messages;
mod order_cancelled;
mod order_confirmed;
mod order_news;
mod order_received;
mod order_refunded;
mod order_shipped;
pub(crate) mod parts;
mod payouts;
mod returns;
mod reviews;
mod sign_up;
mod staff;
mod stock;
#[cfg(test)]
mod tests;

use haat_engine::{
    TxResult,
    notifications::{EmailContent, RenderedEmail},
};
use haat_shared::{chat::Side, disputes::DisputeState, payments::PurchaseLink, routes};

/// The link to the purchase that an email to its shopper has, who may not be signed in.
fn link(content: &EmailContent) -> Option<&PurchaseLink> {
    match content {
        EmailContent::OrderConfirmed { link, .. }
        | EmailContent::OrderShipped { link, .. }
        | EmailContent::ShipmentUpdated { link, .. }
        | EmailContent::OrderCancelled { link, .. }
        | EmailContent::ReviewInvited { link, .. }
        | EmailContent::ReturnApproved { link, .. }
        | EmailContent::ReturnRejected { link, .. }
        | EmailContent::ReturnExchanged { link, .. }
        | EmailContent::OrderRefunded { link, .. } => Some(link),
        EmailContent::Appointment { link, .. } => link.as_ref(),
        _ => None,
    }
}

/// The path of the page about what happened, for those who are signed in.
fn page(content: &EmailContent) -> String {
    if let Some(link) = link(content) {
        return routes::purchase(&link.number);
    }
    match content {
        EmailContent::OrderReceived { order }
        | EmailContent::OrderWithdrawn { order, .. }
        | EmailContent::Appointment { order, .. }
        | EmailContent::OrderRefundedByMarket { order, .. }
        | EmailContent::ReturnRequested { order, .. }
        | EmailContent::OrderDisputed { order, .. }
        | EmailContent::DisputeWon { order, .. }
        | EmailContent::DisputeLost { order, .. } => {
            routes::shop_order(&order.order.shop_handle, &order.order.number)
        }
        EmailContent::UnreadMessages(of) => match of.to {
            Side::Shopper => routes::conversation(of.conversation),
            Side::Shop => routes::shop_conversation(&of.shop_handle, of.conversation),
        },
        EmailContent::StockLow(of) => routes::seller_product(&of.shop_handle, of.product),
        EmailContent::ReviewPublished(of) => routes::shop_reviews(&of.shop_handle),
        EmailContent::PayoutSent(of)
        | EmailContent::PayoutRejected(of)
        | EmailContent::PayoutReturned(of)
        | EmailContent::PayoutMethodAdded(of)
        | EmailContent::PayoutMethodRemoved(of)
        | EmailContent::PayoutMethodRestricted(of) => routes::balance(&of.shop_handle),
        EmailContent::ConfirmSignUp { id, token, .. } => {
            routes::with(&routes::confirm_sign_up(*id), &[("token", token)])
        }
        EmailContent::PasswordReset { id, token, .. } => {
            routes::with(&routes::reset_password(*id), &[("token", token)])
        }
        EmailContent::ShopInvitation(of) => routes::with(&routes::invitation(of.id), &[("token", &of.token)]),
        EmailContent::SignInCode { .. } => routes::with(routes::SIGN_IN_CODE, &[("step", "enter")]),
        EmailContent::PasswordChanged { .. } => routes::FORGOT_PASSWORD.to_owned(),
        EmailContent::ContactReceived(_) => routes::CONTACT_MESSAGES.to_owned(),
        EmailContent::ContactAnswered(_) => routes::CONTACT.to_owned(),
        EmailContent::GiftCard(_) => routes::PRODUCTS.to_owned(),
        EmailContent::Announcement(of) if of.link.is_empty() => routes::NOTIFICATIONS.to_owned(),
        EmailContent::Announcement(of) => of.link.clone(),
        _ => routes::SIGN_IN.to_owned(),
    }
}

/// Renders an email in a language, or in the default language if there is no translation. `market` is the URL
/// that its links begin with.
pub fn render(content: &EmailContent, locale: &str, market: &str) -> TxResult<RenderedEmail> {
    let locale = locale.parse().unwrap_or_default();
    let page = page(content);
    let url = &format!("{market}{}", link(content).map_or_else(|| page.clone(), routes::purchase_by_link));
    let mut rendered = match content {
        EmailContent::OrderConfirmed { purchase, .. } => order_confirmed::render(locale, purchase, url),
        EmailContent::GiftCard(card) => gift_card::render(locale, card, url),
        EmailContent::OrderReceived { order } => order_received::render(locale, order, url),
        EmailContent::OrderShipped { order, parcel, .. } => {
            order_shipped::shipped(locale, order, parcel, url)
        }
        EmailContent::ShipmentUpdated { order, parcel, .. } => {
            order_shipped::tracking_updated(locale, order, parcel, url)
        }
        EmailContent::OrderCancelled { order, by, reason, .. } => {
            order_cancelled::cancelled(locale, order, *by, reason, url)
        }
        EmailContent::OrderWithdrawn { order, reason } => {
            order_cancelled::withdrawn(locale, order, reason, url)
        }
        EmailContent::Appointment { news, when, order, link } => {
            appointment::render(locale, *news, link.is_some(), when, order, url)
        }
        EmailContent::ReturnRequested { order, back } => returns::requested(locale, order, back, url),
        EmailContent::ReturnApproved { order, back, .. } => returns::approved(locale, order, back, url),
        EmailContent::ReturnRejected { order, back, .. } => returns::rejected(locale, order, back, url),
        EmailContent::ReturnExchanged { order, back, .. } => returns::exchanged(locale, order, back, url),
        EmailContent::OrderRefunded { order, refund, reason, .. } => {
            order_refunded::render(locale, order, refund, reason, url)
        }
        EmailContent::OrderRefundedByMarket { order, refund, reason } => {
            order_refunded::by_market(locale, order, refund, reason, url)
        }
        EmailContent::OrderDisputed { order, dispute } => {
            disputes::render(locale, order, dispute, DisputeState::Open, url)
        }
        EmailContent::DisputeWon { order, dispute } => {
            disputes::render(locale, order, dispute, DisputeState::Won, url)
        }
        EmailContent::DisputeLost { order, dispute } => {
            disputes::render(locale, order, dispute, DisputeState::Lost, url)
        }
        EmailContent::Announcement(of) => announcement::render(locale, of, url, market),
        EmailContent::StockLow(of) => stock::low(locale, of, url),
        EmailContent::ReviewPublished(of) => reviews::published(locale, of, url),
        EmailContent::ReviewInvited { order, .. } => reviews::invited(locale, order, url),
        EmailContent::UnreadMessages(of) => messages::unread(locale, of, url),
        EmailContent::PayoutSent(of) => payouts::sent(locale, of, url),
        EmailContent::PayoutRejected(of) => payouts::rejected(locale, of, url),
        EmailContent::PayoutReturned(of) => payouts::returned(locale, of, url),
        EmailContent::PayoutMethodAdded(of) => payouts::method_added(locale, of, url),
        EmailContent::PayoutMethodRemoved(of) => payouts::method_removed(locale, of, url),
        EmailContent::PayoutMethodRestricted(of) => payouts::method_restricted(locale, of, url),
        EmailContent::ConfirmSignUp { name, .. } => sign_up::confirm(locale, name, url),
        EmailContent::PasswordReset { name, .. } => sign_up::password_reset(locale, name, url),
        EmailContent::ShopInvitation(of) => staff::invited(locale, of, url),
        EmailContent::ContactReceived(of) => contact::received(locale, of, url),
        EmailContent::ContactAnswered(of) => contact::answered(locale, of, url),
        EmailContent::SignInCode { name, code } => sign_up::sign_in_code(locale, name, code, url),
        EmailContent::PasswordChanged { name } => sign_up::password_changed(locale, name, url),
        EmailContent::AccountExists { name } => sign_up::account_exists(locale, name, url),
    }?;
    rendered.path = page;
    Ok(rendered)
}
