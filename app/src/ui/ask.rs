//! Buttons that open a conversation.

use haat_shared::routes;
use leptos::prelude::*;

use super::Button;
use crate::{i18n::t, state::address, words::I18n};

/// A button that opens the shop's conversation with the customer of an order.
pub(crate) fn message_customer(i18n: I18n, handle: &str, number: &str) -> AnyView {
    view! {
        <form method="post" action=routes::shop_messages(handle)>
            <input type="hidden" name="order" value=number.to_owned() />
            <Button look="quiet">{t!(i18n, chat.message_customer)}</Button>
        </form>
    }
    .into_any()
}

/// A button that opens the shopper's conversation with a shop, about one of its products or an order there.
pub(crate) fn message_shop(i18n: I18n, handle: &str, about: &str) -> AnyView {
    view! {
        <form method="post" action=routes::MESSAGES>
            <input type="hidden" name="shop" value=handle.to_owned() />
            <input type="hidden" name="about" value=about.to_owned() />
            <input type="hidden" name="back" value=address() />
            <Button look="quiet">{t!(i18n, chat.message_shop)}</Button>
        </form>
    }
    .into_any()
}
