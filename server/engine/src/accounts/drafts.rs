//! The input of rejected forms, kept for an hour so that nobody has to enter it again, and what forms that can be
//! undone need for that. Never contains secrets.

use std::collections::BTreeMap;

use crate::{Caller, Engine, db::Tx, insert, params, random, rows, statements};
use haat_shared::{Error, Result, forms::Draft, id::kinds::DraftId};

const KEEP_MS: i64 = 3_600_000;
/// The maximum length of a stored value; no valid field is longer.
const FIELD_MAX: usize = 10_000;

statements! {
    FIND = "SELECT fields, error FROM form_drafts WHERE id = $1 AND form = $2 AND expires_at > $3";
    PURGE = "DELETE FROM form_drafts WHERE expires_at < $1";
}

insert! {
    struct AddDraft<'a> into form_drafts {
        id: DraftId,
        form: &'a str,
        fields: &'a str,
        error: &'a str,
        expires_at: i64,
    }
}

rows! {
    struct DraftRow {
        fields: String,
        error: String,
    }
}

/// Whether the field with this name is a password.
pub fn is_secret(name: &str) -> bool {
    name.contains("password")
}

/// Stores the input of a form without its secrets, and the error, if it was rejected.
pub async fn keep_draft(
    engine: &Engine,
    form: &'static str,
    mut fields: BTreeMap<String, String>,
    error: Option<&Error>,
) -> Result<DraftId> {
    fields.retain(|name, _| !is_secret(name));
    fields.values_mut().for_each(|typed| *typed = typed.chars().take(FIELD_MAX).collect());
    let now = engine.clock.now_ms();
    let id: DraftId = random::id(now);
    let json = |r: serde_json::Result<String>| r.map_err(|_| Error::Internal);
    let input = (
        id,
        form,
        json(serde_json::to_string(&fields))?,
        json(serde_json::to_string(&error))?,
        now + KEEP_MS,
    );
    engine
        .db
        .write("accounts::keep_draft", input, |tx, (id, form, fields, error, until)| {
            Box::pin(async move {
                tx.insert(AddDraft { id: *id, form, fields, error, expires_at: *until }).await?;
                Ok(())
            })
        })
        .await?;
    Ok(id)
}

/// The stored form, for whoever has the draft's ID, which cannot be guessed.
pub async fn find_draft(engine: &Engine, _: &Caller, form: &str, id: DraftId) -> Result<Option<Draft>> {
    let row: Option<DraftRow> = engine.db.opt(&FIND, params![id, form, engine.clock.now_ms()]).await?;
    Ok(row.map(|row| Draft {
        fields: serde_json::from_str(&row.fields).unwrap_or_default(),
        error: serde_json::from_str(&row.error).unwrap_or_default(),
    }))
}

pub(super) async fn purge_in_tx(tx: &mut Tx, now: i64) -> crate::TxResult<()> {
    tx.exec(&PURGE, params![now]).await?;
    Ok(())
}
