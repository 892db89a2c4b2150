//! What entries of the audit log, messages of the outbox and jobs are about: resolved for a page of them at once, into
//! names, numbers and amounts that people know.

use std::collections::{BTreeSet, HashMap};

use uuid::Uuid;

use crate::{Engine, rows, statements};
use haat_shared::{
    Money, Result,
    audit::Subject,
    id::kinds::{PaymentId, PayoutId, UserId},
};

statements! {
    ABOUT = "SELECT given.column1 AS id, COALESCE(o.number, p.number) AS number, s.handle AS shop_handle, s.name AS shop_name,
            t.id AS payout_id, t.number AS payout_number, y.id AS payment_id, u.id AS user_id,
            COALESCE(t.currency, y.currency) AS currency,
            COALESCE(r.amount_minor, t.amount_minor, y.amount_minor) AS amount_minor
        FROM (VALUES [($1)]) AS given
        LEFT JOIN payouts t ON t.id = given.column1
        LEFT JOIN payout_methods m ON m.id = given.column1
        LEFT JOIN shops s ON s.id = COALESCE(t.shop_id, m.shop_id, given.column1)
        LEFT JOIN shipments h ON h.id = given.column1
        LEFT JOIN refunds r ON r.id = given.column1
        LEFT JOIN returns b ON b.id = given.column1
        LEFT JOIN reviews w ON w.id = given.column1
        LEFT JOIN orders o ON o.id = COALESCE(h.order_id, r.order_id, b.order_id, w.order_id, given.column1)
        LEFT JOIN payments y ON y.id = COALESCE(r.payment_id, given.column1)
        LEFT JOIN purchases p ON p.id = COALESCE(y.purchase_id, given.column1)
        LEFT JOIN users u ON u.id = given.column1";
}

rows! {
    struct SubjectRow {
        id: Uuid,
        number: Option<String>,
        shop_handle: Option<String>,
        shop_name: Option<String>,
        payout_id: Option<PayoutId>,
        payout_number: Option<String>,
        payment_id: Option<PaymentId>,
        user_id: Option<UserId>,
        currency: Option<String>,
        amount_minor: Option<i64>,
    }
}

/// The objects with these IDs, of whatever kind. Those that are gone, or that have no name, are left out or empty.
pub(crate) async fn about(
    engine: &Engine,
    ids: impl Iterator<Item = Uuid>,
) -> Result<HashMap<Uuid, Subject>> {
    let ids: BTreeSet<Uuid> = ids.collect();
    let ids: Vec<_> = ids.into_iter().map(|id| [id.into()]).collect();
    let rows: Vec<SubjectRow> = engine.db.all_many(&ABOUT, &ids).await?;
    let subject = |row: SubjectRow| {
        let amount = row.amount_minor.zip(row.currency.and_then(|code| code.parse().ok()));
        let subject = Subject {
            number: row.number,
            shop_handle: row.shop_handle,
            shop_name: row.shop_name,
            payout_id: row.payout_id,
            payout_number: row.payout_number,
            payment_id: row.payment_id,
            user_id: row.user_id,
            amount: amount.map(|(minor, currency)| Money::new(minor, currency)),
        };
        (row.id, subject)
    };
    Ok(rows.into_iter().map(subject).collect())
}
