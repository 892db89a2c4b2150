//! A message, with what its author can still do about it.

use haat_shared::{
    chat::{MessageView, pieces},
    id::kinds::MessageId,
};
use leptos::{ev::SubmitEvent, html, prelude::*, wasm_bindgen::JsCast, web_sys};

use super::{card, live::Live, report};
use crate::{
    i18n::{t, use_i18n},
    ui::{Icon, LinkButton},
    words::{self, I18n},
};

/// The text of a message, with its links.
pub(super) fn text(text: &str) -> AnyView {
    let pieces = pieces(text).into_iter().map(|(text, link)| {
        let text = text.to_owned();
        match link {
            true => {
                let href = text.clone();
                view! { <a href=href target="_blank" rel="noopener nofollow ugc external">{text}</a> }
                    .into_any()
            }
            false => text.into_any(),
        }
    });
    view! { <p class="message-text" dir="auto">{pieces.collect_view()}</p> }.into_any()
}

/// A message; the first one of a day, with its date.
pub(super) fn shown(
    i18n: I18n,
    message: MessageView,
    begins: bool,
    shop: String,
    action: String,
    live: Live,
) -> AnyView {
    let MessageView {
        id,
        seq,
        side,
        author,
        about,
        pictures,
        created_at,
        edited,
        deleted,
        automatic,
        changeable,
        ..
    } = message;
    let own = side == live.side;
    let day = begins.then(|| view! { <p class="message-day note">{words::day(i18n, &created_at)}</p> });
    let about = about.map(|about| card(i18n, &about, &shop));
    let body = match deleted {
        true => view! { <p class="message-text note"><em>{t!(i18n, chat.deleted)}</em></p> }.into_any(),
        false => text(&message.text),
    };
    let body = match deleted || !message.text.is_empty() {
        true => body,
        false => ().into_any(),
    };
    let pictures = pictures.into_iter().map(|picture| {
        let at = |file: &str| format!("{action}/images/{file}");
        let (width, height) = (picture.width, picture.height);
        let (whole, thumbnail) = (at(&picture.file(false)), at(&picture.file(true)));
        view! {
            <a href=whole target="_blank">
                <img src=thumbnail width=width height=height alt=picture.alt loading="lazy" />
            </a>
        }
    });
    let pictures = pictures.collect_view();
    let mark = own.then_some(move || match live.read_seq.get() >= seq {
        true => t!(i18n, chat.read),
        false => t!(i18n, chat.sent),
    });
    let report = (!own && !deleted).then(|| {
        let href = report::address(&action, &id.to_string());
        view! {
            <details class="message-change">
                <summary><span class="hidden">{t!(i18n, reports.more)}</span><Icon name="more" /></summary>
                <LinkButton look="quiet" href>{t!(i18n, reports.report)}</LinkButton>
            </details>
        }
    });
    let change = changeable.then(|| view! { <Change id text=message.text action live /> });
    let time = created_at.get(11..16).unwrap_or_default().to_owned();
    view! {
        <li class="message" class:own=own id=id.to_string()>
            {day}
            <div class="bubble">
                <span class="hidden">{t!(i18n, chat.says, name = author)}</span>
                {about}
                {body}
                <div class="message-pictures">{pictures}</div>
            </div>
            <p class="message-note note dots">
                <time datetime=created_at>{time}</time>
                {automatic.then(|| view! { " " <span>{t!(i18n, chat.automatic)}</span> })}
                {edited.then(|| view! { " " <span>{t!(i18n, chat.edited)}</span> })}
                {mark.map(|mark| view! { " " <span class="message-mark">{mark}</span> })}
            </p>
            {change}
            {report}
        </li>
    }
    .into_any()
}

/// Edits or deletes a message.
#[component]
fn Change(id: MessageId, text: String, action: String, live: Live) -> impl IntoView {
    let i18n = use_i18n();
    let area = NodeRef::<html::Textarea>::new();
    let inside = text.replace('&', "&amp;").replace('<', "&lt;");
    let field = format!("edit-{id}");
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let button = event.submitter().and_then(|it| it.dyn_into::<web_sys::HtmlButtonElement>().ok());
        let delete = button.is_some_and(|button| button.value() == "delete");
        let typed = area.get_untracked().map(|area| area.value()).unwrap_or_default();
        live.change(id, (!delete).then_some(typed));
    };
    view! {
        <details class="message-change">
            <summary><span class="hidden">{t!(i18n, chat.change)}</span><Icon name="more" /></summary>
            <form method="post" action=action class="form" novalidate on:submit=submit>
                <input type="hidden" name="message" value=id.to_string() />
                <label for=field.clone()>{t!(i18n, chat.text)}</label>
                <textarea id=field name="text" rows="3" node_ref=area inner_html=inside></textarea>
                <div class="actions">
                    <button type="submit" class="button secondary" name="action" value="edit">{t!(i18n, chat.save)}</button>
                    <button type="submit" class="button danger" name="action" value="delete">{t!(i18n, chat.delete)}</button>
                </div>
            </form>
        </details>
    }
}
