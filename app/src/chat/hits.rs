//! The messages that a search found.

use haat_shared::{
    chat::{MessageHit, Side},
    routes,
};
use leptos::prelude::*;

use super::{list_path, path};
use crate::{
    i18n::t,
    ui::LinkButton,
    words::{self, I18n},
};

/// The messages, each with a link to its place in its conversation.
pub(super) fn shown(i18n: I18n, shop: &str, hits: Vec<MessageHit>) -> AnyView {
    let none = hits.is_empty().then(|| view! { <p class="note">{t!(i18n, chat.no_matches)}</p> });
    let own = if shop.is_empty() { Side::Shopper } else { Side::Shop };
    let rows = hits.into_iter().map(|hit| {
        let page = routes::with(&path(shop, hit.conversation), &[("before", &(hit.seq + 1).to_string())]);
        let excerpt = match hit.side == own {
            true => t!(i18n, chat.you, text = hit.excerpt.as_str()),
            false => hit.excerpt,
        };
        view! {
            <li>
                <a class="chat-card" href=format!("{page}#{}", hit.message)>
                    <span class="chat-name">{hit.name}</span>
                    <span class="note">{words::day(i18n, &hit.created_at)}</span>
                    <span class="note one-line">{excerpt}</span>
                </a>
            </li>
        }
    });
    view! {
        {none}
        <ul class="chat-cards">{rows.collect_view()}</ul>
        <LinkButton look="quiet" href=list_path(shop)>{t!(i18n, chat.all)}</LinkButton>
    }
    .into_any()
}
