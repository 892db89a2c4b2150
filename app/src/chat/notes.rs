//! What the members of a shop write on a conversation for each other.

use haat_shared::{
    chat::{Note, Thread},
    forms::Draft,
};
use leptos::prelude::*;

use super::message;
use crate::{
    i18n::{t, tn},
    ui::{Button, Field, TextArea},
    words::{self, I18n},
};

/// The forms for these, whose input comes back if it is invalid.
pub(super) const ACTIONS: [&str; 2] = ["note", "labels"];

/// The notes and labels of a conversation, with the forms to change them.
pub(super) fn shown(i18n: I18n, action: &str, thread: &Thread, draft: &Draft) -> AnyView {
    let typed = Some(draft).filter(|draft| ACTIONS.contains(&draft.typed("action").as_str()));
    let of = |action: &str| typed.filter(|draft| draft.typed("action") == action);
    let faults = Signal::stored(typed.and_then(|draft| draft.error.clone()));
    let labels =
        of("labels").map_or_else(|| thread.conversation.labels.join(", "), |draft| draft.typed("labels"));
    let note = of("note").map(|draft| draft.typed("note")).unwrap_or_default();
    let count = thread.notes.len() as i64;
    let notes = thread.notes.iter().cloned().map(|note| row(i18n, action, note)).collect_view();
    let count =
        (count > 0).then(|| view! { " " <span class="note">{tn!(i18n, chat.notes_count, count)}</span> });
    view! {
        <details class="panel" open=typed.is_some() || !thread.notes.is_empty()>
            <summary>{t!(i18n, chat.notes)} {count}</summary>
            <p class="note">{t!(i18n, chat.notes_note)}</p>
            <ul class="chat-replies">{notes}</ul>
            <form method="post" action=action.to_owned() class="form" novalidate>
                <input type="hidden" name="action" value="note" />
                <TextArea name="note" label=t!(i18n, chat.note) value=note rows=2 faults />
                <div class="actions"><Button look="secondary">{t!(i18n, chat.add_note)}</Button></div>
            </form>
            <form method="post" action=action.to_owned() class="form" novalidate>
                <input type="hidden" name="action" value="labels" />
                <Field name="labels" label=t!(i18n, chat.labels) value=labels hint=t!(i18n, chat.labels_hint) faults />
                <div class="actions"><Button look="secondary">{t!(i18n, chat.save_labels)}</Button></div>
            </form>
        </details>
    }
    .into_any()
}

fn row(i18n: I18n, action: &str, note: Note) -> AnyView {
    let at = words::moment(i18n, &note.created_at);
    view! {
        <li>
            {message::text(&note.text)}
            <p class="note dots"><span translate="no">{note.author}</span> " " <span>{at}</span></p>
            <form method="post" action=action.to_owned()>
                <input type="hidden" name="id" value=note.id.to_string() />
                <button type="submit" class="button quiet" name="action" value="delete_note">{t!(i18n, chat.delete_note)}</button>
            </form>
        </li>
    }
    .into_any()
}
