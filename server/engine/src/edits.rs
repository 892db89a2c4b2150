//! Who changed which fields of what several people may edit, version by version. Whoever saves an old version is told
//! what was changed since.

use crate::{
    Fault, Tried,
    db::{One, Tx, Value},
    fault, params, statements,
};
use haat_shared::{Conflict, Id, id::kinds::UserId};

statements! {
    WRITE = "INSERT INTO edits (subject, version, fields, edited_by, created_at) VALUES [($1, $2, $3, $4, $5)]";
    SINCE = "SELECT fields AS value FROM edits WHERE subject = $1 AND version > $2 ORDER BY version";
}

/// Writes down which fields the edit that made this version changed.
pub(crate) async fn write<K>(
    tx: &mut Tx,
    subject: Id<K>,
    version: i64,
    fields: &[String],
    user: Option<UserId>,
    now: i64,
) -> Tried<()> {
    write_many(tx, &[row(subject, version, fields, user, now)?]).await
}

/// An edit, for [`write_many`].
pub(crate) fn row<K>(
    subject: Id<K>,
    version: i64,
    fields: &[String],
    user: Option<UserId>,
    now: i64,
) -> Tried<[Value; 5]> {
    let fields = serde_json::to_string(fields).map_err(|e| fault(e.to_string()))?;
    Ok([subject.into(), version.into(), fields.into(), user.into(), now.into()])
}

/// Writes down many edits at once.
pub(crate) async fn write_many(tx: &mut Tx, rows: &[[Value; 5]]) -> Tried<()> {
    tx.exec_many(&WRITE, rows).await?;
    Ok(())
}

/// The refusal of an edit of an old version: it carries each field that was changed since, once.
pub(crate) async fn since<K>(tx: &mut Tx, subject: Id<K>, version: i64) -> Tried<Fault> {
    let edits: Vec<One<String>> = tx.all(&SINCE, params![subject, version]).await?;
    let mut fields: Vec<String> = Vec::new();
    for field in
        edits.iter().flat_map(|edit| serde_json::from_str::<Vec<String>>(&edit.0).unwrap_or_default())
    {
        if !fields.contains(&field) {
            fields.push(field);
        }
    }
    Ok(Conflict::Edited(fields).into())
}
