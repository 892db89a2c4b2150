//! What the members of a shop write on a conversation for each other: notes and labels. Shoppers never see them.

use std::collections::HashMap;

use super::seat::of_shop;
use crate::{Caller, Engine, db::Scalar, insert, params, random, rows, statements};
use haat_shared::{
    Error, FieldCode, Result,
    chat::{self, NOTES_MAX, Note},
    id::kinds::{ConversationId, NoteId, ShopId, UserId},
};

/// How many labels a shop's list offers as filters.
const LABELS_SHOWN: i64 = 30;

statements! {
    NOTES = "SELECT n.id, u.name AS author, n.text, n.created_at FROM conversation_notes n JOIN users u ON u.id = n.user_id
        WHERE n.conversation_id = $1 ORDER BY n.created_at, n.id";
    COUNT_NOTES = "SELECT COUNT(*) AS value FROM conversation_notes WHERE conversation_id = $1";
    DELETE_NOTE = "DELETE FROM conversation_notes WHERE id = $1 AND conversation_id = $2";
    CLEAR_LABELS = "DELETE FROM conversation_labels WHERE conversation_id = $1";
    LABELS_OF = "SELECT l.conversation_id, l.label FROM (VALUES [($1)]) AS given
        JOIN conversation_labels l ON l.conversation_id = given.column1 ORDER BY l.label";
    LABELS = "SELECT DISTINCT label AS value FROM conversation_labels WHERE shop_id = $1 ORDER BY label LIMIT $2";
}

insert! {
    struct AddNote<'a> into conversation_notes {
        id: NoteId,
        conversation_id: ConversationId,
        user_id: UserId,
        text: &'a str,
        created_at: i64,
    }

    struct AddLabel<'a> into conversation_labels {
        conversation_id: ConversationId,
        shop_id: ShopId,
        label: &'a str,
    } "ON CONFLICT (conversation_id, label) DO NOTHING"
}

rows! {
    struct NoteRow {
        id: NoteId,
        author: String,
        text: String,
        created_at: i64,
    }

    struct LabelRow {
        conversation_id: ConversationId,
        label: String,
    }
}

/// Adds a note to a conversation. Members of the shop only.
pub async fn add_note(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    id: ConversationId,
    text: &str,
) -> Result<()> {
    let (user, _) = of_shop(engine, caller, handle, id).await?;
    let text = chat::note_text(text).map_err(|fault| Error::Invalid(vec![fault]))?;
    if engine.db.one::<Scalar<i64>>(&COUNT_NOTES, params![id]).await?.0 >= NOTES_MAX as i64 {
        return Err(Error::field("note", FieldCode::TooMany));
    }
    let now = engine.clock.now_ms();
    let input = (random::id(now), id, user, text, now);
    engine
        .db
        .write(("chat::add_note", id), input, |tx, (id, of, user, text, now)| {
            Box::pin(async move {
                let (id, conversation_id, user_id, created_at) = (*id, *of, *user, *now);
                tx.insert(AddNote { id, conversation_id, user_id, text, created_at }).await?;
                Ok(())
            })
        })
        .await
        .map_err(Into::into)
}

/// Deletes a note. Members of the shop only.
pub async fn delete_note(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    id: ConversationId,
    note: NoteId,
) -> Result<()> {
    of_shop(engine, caller, handle, id).await?;
    let deleted = engine.db.write(("chat::delete_note", id), (id, note), |tx, (id, note)| {
        Box::pin(async move { Ok(tx.exec(&DELETE_NOTE, params![*note, *id]).await?) })
    });
    if deleted.await? == 0 { Err(Error::NotFound) } else { Ok(()) }
}

/// Sets the labels of a conversation, which are separated by commas. Members of the shop only.
pub async fn set_labels(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    id: ConversationId,
    typed: &str,
) -> Result<()> {
    let (_, shop) = of_shop(engine, caller, handle, id).await?;
    let labels = chat::labels(typed).map_err(|fault| Error::Invalid(vec![fault]))?;
    engine
        .db
        .write(("chat::set_labels", id), (id, shop, labels), |tx, (id, shop, labels)| {
            Box::pin(async move {
                tx.exec(&CLEAR_LABELS, params![*id]).await?;
                let rows: Vec<_> = labels
                    .iter()
                    .map(|label| AddLabel { conversation_id: *id, shop_id: *shop, label })
                    .collect();
                tx.insert_all(rows).await?;
                Ok(())
            })
        })
        .await
        .map_err(Into::into)
}

/// The notes of a conversation, oldest first.
pub(super) async fn notes(engine: &Engine, caller: &Caller, id: ConversationId) -> Result<Vec<Note>> {
    let rows: Vec<NoteRow> = engine.db.all(&NOTES, params![id]).await?;
    let note = |NoteRow { id, author, text, created_at }| Note {
        id,
        author,
        text,
        created_at: caller.time(engine, created_at),
    };
    Ok(rows.into_iter().map(note).collect())
}

/// The labels of conversations.
pub(super) async fn labels_of(
    engine: &Engine,
    ids: impl Iterator<Item = ConversationId>,
) -> Result<HashMap<ConversationId, Vec<String>>> {
    let ids: Vec<_> = ids.map(|id| [id.into()]).collect();
    let mut labels: HashMap<ConversationId, Vec<String>> = HashMap::new();
    for row in engine.db.all_many::<LabelRow, 1>(&LABELS_OF, &ids).await? {
        labels.entry(row.conversation_id).or_default().push(row.label);
    }
    Ok(labels)
}

/// The labels that a shop uses.
pub(super) async fn labels(engine: &Engine, shop: ShopId) -> Result<Vec<String>> {
    let labels: Vec<Scalar<String>> = engine.db.all(&LABELS, params![shop, LABELS_SHOWN]).await?;
    Ok(labels.into_iter().map(|label| label.0).collect())
}
