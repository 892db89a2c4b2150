//! The ledger: writes down the postings that `haat_shared::ledger` decides.

use crate::{
    Fault,
    db::{Tx, Value},
    random, statements,
};
use haat_shared::{Id, id::kinds::PostingId, ledger::Posting};

statements! {
    POST = "INSERT INTO ledger_postings (id, kind, reference, created_at) VALUES [($1, $2, $3, $4)]";
    ENTER = "INSERT INTO ledger_entries (posting_id, line, account, shop_id, currency, amount_minor)
        VALUES [($1, $2, $3, $4, $5, $6)]";
}

/// Writes postings, each about the thing with the id beside it. The same action about the same thing a second time is
/// refused by its key, and with it the whole transaction.
pub(crate) async fn post<K>(tx: &mut Tx, postings: &[(Posting, Id<K>)], now: i64) -> Result<(), Fault> {
    let mut rows: Vec<[Value; 4]> = Vec::new();
    let mut entries: Vec<[Value; 6]> = Vec::new();
    for (posting, reference) in postings {
        let id: PostingId = random::id(now);
        rows.push([id.into(), posting.kind.as_str().into(), (*reference).into(), now.into()]);
        for (line, entry) in (1i64..).zip(&posting.entries) {
            entries.push([
                id.into(),
                line.into(),
                entry.account.as_str().into(),
                entry.shop.into(),
                entry.amount.currency().into(),
                entry.amount.amount().into(),
            ]);
        }
    }
    tx.exec_many(&POST, &rows).await?;
    tx.exec_many(&ENTER, &entries).await?;
    Ok(())
}
