//! Which fields each version changed, and who changed them, for everything that several people may edit.
//! Whoever saves an old version learns what has changed since.

use uuid::Uuid;

use crate::{
    TxError, TxResult, bug,
    db::{Scalar, Tx},
    insert, params, statements,
};
use haat_shared::{Conflict, Id, id::kinds::UserId};

statements! {
    SINCE = "SELECT fields AS value FROM revisions WHERE subject = $1 AND version > $2 ORDER BY version";
}

insert! {
    pub(crate) struct AddEdit into revisions {
        subject: Uuid,
        version: i64,
        fields: String,
        edited_by: Option<UserId>,
        created_at: i64,
    }
}

/// Records which fields the edit that made this version changed.
pub(crate) async fn write<K>(
    tx: &mut Tx,
    subject: Id<K>,
    version: i64,
    fields: &[String],
    user: Option<UserId>,
    now: i64,
) -> TxResult<()> {
    tx.insert(row(subject, version, fields, user, now)?).await?;
    Ok(())
}

/// An edit to record.
pub(crate) fn row<K>(
    subject: Id<K>,
    version: i64,
    fields: &[String],
    user: Option<UserId>,
    now: i64,
) -> TxResult<AddEdit> {
    let fields = serde_json::to_string(fields).map_err(|e| bug(e.to_string()))?;
    Ok(AddEdit { subject: subject.uuid(), version, fields, edited_by: user, created_at: now })
}

/// The error for an edit of an old version, with each field that has changed since.
pub(crate) async fn since<K>(tx: &mut Tx, subject: Id<K>, version: i64) -> TxResult<TxError> {
    let revisions: Vec<Scalar<String>> = tx.all(&SINCE, params![subject, version]).await?;
    let mut fields: Vec<String> = Vec::new();
    for field in
        revisions.iter().flat_map(|edit| serde_json::from_str::<Vec<String>>(&edit.0).unwrap_or_default())
    {
        if !fields.contains(&field) {
            fields.push(field);
        }
    }
    Ok(Conflict::Edited(fields).into())
}
