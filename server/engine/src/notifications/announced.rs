//! What notifications of announcements say, and the link that ends emails of offers.

use std::collections::HashMap;

use uuid::Uuid;

use super::inbox;
use crate::{Engine, TxResult, bug, params, rows, statements};
use haat_shared::{
    Error, Id, Result,
    announcements::{AnnouncementDraft, AnnouncementForm, AnnouncementKind},
    id::kinds::{AnnouncementId, Job, UserId},
    notifications::{NotificationPreference, NotificationTopic},
};

/// The kind of these notifications.
pub(super) const NOTICE: &str = "announcement";
/// What the signature of a link to unsubscribe is for.
const PURPOSE: &str = "unsubscribe";

statements! {
    NOTIFIED = "SELECT a.id, a.form FROM announcements a
        WHERE a.state <> 'withdrawn' AND a.id IN (SELECT subject FROM notifications WHERE claim = $1 AND kind = 'announcement')";
}

rows! {
    struct NotifiedRow {
        id: AnnouncementId,
        form: String,
    }
}

/// An announcement in the language of its reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnnouncementNotice {
    /// What it is about.
    pub kind: AnnouncementKind,
    /// The title.
    pub title: String,
    /// The text, of paragraphs.
    pub text: String,
    /// The path that it leads to; empty if there is none.
    pub link: String,
    /// The user and the token of the link that ends such emails; none if the recipient can't choose.
    pub unsubscribe: Option<(UserId, String)>,
}

/// What somebody reads of an announcement. They can end emails of offers.
pub(super) fn notice(
    engine: &Engine,
    of: &AnnouncementDraft,
    user: Option<UserId>,
    locale: &str,
) -> Option<AnnouncementNotice> {
    let text = of.in_language(locale)?;
    let ends = user.filter(|_| of.kind == AnnouncementKind::Offer);
    Some(AnnouncementNotice {
        kind: of.kind,
        title: text.title.clone(),
        text: text.text.clone(),
        link: of.link.clone(),
        unsubscribe: ends.map(|user| (user, engine.secret.sign(PURPOSE, &user.to_string()))),
    })
}

/// The announcements that a batch of notifications is about, unless they were withdrawn.
pub(super) async fn notification_data(
    engine: &Engine,
    claim: Id<Job>,
) -> TxResult<HashMap<Uuid, AnnouncementDraft>> {
    let rows: Vec<NotifiedRow> = engine.db.all(&NOTIFIED, params![claim]).await?;
    rows.into_iter().map(|row| Ok((row.id.uuid(), draft(&row.form)?))).collect()
}

/// An announcement as it is stored, which was checked before.
pub(super) fn draft(form: &str) -> TxResult<AnnouncementDraft> {
    let form: AnnouncementForm = serde_json::from_str(form).map_err(|error| bug(error.to_string()))?;
    form.check().map_err(|faults| bug(format!("a stored announcement is invalid: {faults:?}")))
}

/// Ends emails of offers to whoever got this link. Doing so again changes nothing.
pub async fn unsubscribe(engine: &Engine, user: UserId, token: &str) -> Result<()> {
    if !engine.secret.verify(PURPOSE, &user.to_string(), token) {
        return Err(Error::NotFound);
    }
    inbox::change(engine, user, NotificationTopic::Offers, |of| NotificationPreference { email: false, ..of })
        .await
}
