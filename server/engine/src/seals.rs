//! Seals over the ledger (`docs/decisions/0033-sealed-ledger.md`): postings are sealed in batches soon after they were
//! written, apart from the transactions that wrote them. [`verify`] computes every seal again and names what differs.
//!
//! # What is hashed
//!
//! Everything is hashed with SHA-256. Numbers are 64-bit big-endian, IDs are their 16 bytes, texts and seals are
//! preceded by their length, and what may be missing is preceded by 0 or 1.
//!
//! - A posting: `posting/1`, its ID, type, reference, order if any, time; then of each entry its line, account, shop if
//!   any, currency and amount.
//! - A batch: `batch/1`, the seal of the batch before it, its number, its time, the number of its postings; then the hash
//!   of each posting, by ID.
//! - A shop's part of a posting: `part/1`, the posting's ID, type, order if any, time; then of each entry of the shop its
//!   line, account, currency and amount.
//! - A shop's batch: `shop/1`, the shop's seal before it, the shop, the batch's number; then the hash of each of its
//!   parts, by posting.
//!
//! Before the first batch, the seal is empty.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    Engine, TxResult,
    db::{Scalar, Value, is_unique},
    insert, params, rows, statements,
};
use haat_shared::id::kinds::{OrderId, PostingId, ShopId};

/// The maximum number of postings in a batch.
const BATCH: i64 = 1000;

/// The columns of an [`EntryRow`].
macro_rules! entries {
    ($rest:literal) => {
        concat!(
            "SELECT p.id, p.kind, p.reference, p.order_id, p.created_at, p.seal, e.line, e.account, e.shop_id, e.currency,
                e.amount_minor
            FROM ledger_postings p JOIN ledger_entries e ON e.posting_id = p.id ",
            $rest,
            " ORDER BY p.id, e.line"
        )
    };
}

statements! {
    LAST = "SELECT number, postings, seal, sealed_at FROM ledger_batches ORDER BY number DESC LIMIT 1";
    AFTER = "SELECT number, postings, seal, sealed_at FROM ledger_batches WHERE number > $1 ORDER BY number LIMIT 100";
    UNSEALED = entries!("WHERE p.id IN (SELECT u.id FROM ledger_postings u WHERE u.batch IS NULL ORDER BY u.id LIMIT $1)");
    SEALED = entries!("WHERE p.batch = $1");
    SEAL = "UPDATE ledger_postings SET batch = given.column2, seal = given.column3 FROM (VALUES [($1, $2, $3)]) AS given
        WHERE ledger_postings.id = given.column1 AND ledger_postings.batch IS NULL";
    SHOP_SEALS = "SELECT s.shop_id, s.seal FROM ledger_shop_seals s
        WHERE s.batch = (SELECT MAX(x.batch) FROM ledger_shop_seals x WHERE x.shop_id = s.shop_id)";
    SHOP_SEALS_OF = "SELECT shop_id, seal FROM ledger_shop_seals WHERE batch = $1";
    TAIL = "SELECT COUNT(*) AS value FROM ledger_postings WHERE batch IS NULL";
}

insert! {
    struct AddBatch<'a> into ledger_batches {
        number: i64,
        postings: i64,
        seal: &'a [u8],
        sealed_at: i64,
    }

    struct AddShopSeal<'a> into ledger_shop_seals {
        shop_id: ShopId,
        batch: i64,
        seal: &'a [u8],
    }
}

rows! {
    #[derive(Debug, Clone)]
    struct BatchRow {
        number: i64,
        postings: i64,
        seal: Vec<u8>,
        sealed_at: i64,
    }

    // Texts are not parsed, so that one that was changed is found like any other change.
    #[derive(Debug, Clone)]
    struct EntryRow {
        id: PostingId,
        kind: String,
        reference: Uuid,
        order_id: Option<OrderId>,
        created_at: i64,
        seal: Option<Vec<u8>>,
        line: i64,
        account: String,
        shop_id: Option<ShopId>,
        currency: String,
        amount_minor: i64,
    }

    #[derive(Debug, Clone)]
    struct ShopSealRow {
        shop_id: ShopId,
        seal: Vec<u8>,
    }
}

/// What is hashed, in an unambiguous form.
struct Hasher(Sha256);

impl Hasher {
    fn of(what: &str) -> Self {
        Self(Sha256::new()).bytes(what.as_bytes())
    }

    fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.update((bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
        self
    }

    fn number(mut self, number: i64) -> Self {
        self.0.update(number.to_be_bytes());
        self
    }

    fn id(mut self, id: Uuid) -> Self {
        self.0.update(id.as_bytes());
        self
    }

    fn maybe(mut self, id: Option<Uuid>) -> Self {
        self.0.update([u8::from(id.is_some())]);
        match id {
            Some(id) => self.id(id),
            None => self,
        }
    }

    fn done(self) -> Vec<u8> {
        self.0.finalize().to_vec()
    }
}

/// The hash of a posting, from the rows of its entries.
fn of_posting(rows: &[&EntryRow]) -> Vec<u8> {
    let Some(first) = rows.first() else { return Vec::new() };
    let head = Hasher::of("posting/1")
        .id(first.id.uuid())
        .bytes(first.kind.as_bytes())
        .id(first.reference)
        .maybe(first.order_id.map(|id| id.uuid()))
        .number(first.created_at);
    let entry = |hasher: Hasher, row: &&EntryRow| {
        hasher
            .number(row.line)
            .bytes(row.account.as_bytes())
            .maybe(row.shop_id.map(|id| id.uuid()))
            .bytes(row.currency.as_bytes())
            .number(row.amount_minor)
    };
    rows.iter().fold(head, entry).done()
}

/// The hash of a shop's part of a posting.
fn of_part(rows: &[&EntryRow], shop: ShopId) -> Vec<u8> {
    let Some(first) = rows.first() else { return Vec::new() };
    let head = Hasher::of("part/1")
        .id(first.id.uuid())
        .bytes(first.kind.as_bytes())
        .maybe(first.order_id.map(|id| id.uuid()))
        .number(first.created_at);
    let own = rows.iter().filter(|row| row.shop_id == Some(shop));
    let entry = |hasher: Hasher, row: &&EntryRow| {
        hasher
            .number(row.line)
            .bytes(row.account.as_bytes())
            .bytes(row.currency.as_bytes())
            .number(row.amount_minor)
    };
    own.fold(head, entry).done()
}

fn of_batch(before: &[u8], number: i64, at: i64, postings: &[Vec<u8>]) -> Vec<u8> {
    let head = Hasher::of("batch/1").bytes(before).number(number).number(at).number(postings.len() as i64);
    postings.iter().fold(head, |hasher, posting| hasher.bytes(posting)).done()
}

fn of_shop(before: &[u8], shop: ShopId, number: i64, parts: &[Vec<u8>]) -> Vec<u8> {
    let head = Hasher::of("shop/1").bytes(before).id(shop.uuid()).number(number);
    parts.iter().fold(head, |hasher, part| hasher.bytes(part)).done()
}

/// The rows of each posting.
fn postings(rows: &[EntryRow]) -> Vec<Vec<&EntryRow>> {
    let mut postings: Vec<Vec<&EntryRow>> = Vec::new();
    for row in rows {
        match postings.last_mut().filter(|posting| posting.first().is_some_and(|first| first.id == row.id)) {
            Some(posting) => posting.push(row),
            None => postings.push(vec![row]),
        }
    }
    postings
}

/// The hashes of the parts of each shop.
fn parts(postings: &[Vec<&EntryRow>]) -> BTreeMap<ShopId, Vec<Vec<u8>>> {
    let mut parts: BTreeMap<ShopId, Vec<Vec<u8>>> = BTreeMap::new();
    for posting in postings {
        let mut shops: Vec<ShopId> = posting.iter().filter_map(|row| row.shop_id).collect();
        shops.sort();
        shops.dedup();
        for shop in shops {
            parts.entry(shop).or_default().push(of_part(posting, shop));
        }
    }
    parts
}

/// Seals the postings that are not sealed yet. Returns their number.
pub async fn seal(engine: &Engine) -> TxResult<i64> {
    let mut sealed = 0;
    loop {
        let now = engine.clock.now_ms();
        let count = engine
            .db
            .write("seals::seal", now, |tx, now| {
                Box::pin(async move {
                    let last: Option<BatchRow> = tx.opt(&LAST, params![]).await?;
                    let rows: Vec<EntryRow> = tx.all(&UNSEALED, params![BATCH]).await?;
                    let postings = postings(&rows);
                    if postings.is_empty() {
                        return Ok(0);
                    }
                    let (number, before) = last.map_or((1, Vec::new()), |last| (last.number + 1, last.seal));
                    let hashes: Vec<_> = postings.iter().map(|posting| of_posting(posting)).collect();
                    let batch = of_batch(&before, number, *now, &hashes);
                    let count = postings.len() as i64;
                    tx.insert(AddBatch { number, postings: count, seal: &batch, sealed_at: *now }).await?;
                    let sealed: Vec<[Value; 3]> = postings
                        .iter()
                        .zip(&hashes)
                        .map(|(posting, hash)| [posting[0].id.into(), number.into(), hash.as_slice().into()])
                        .collect();
                    if tx.exec_many(&SEAL, &sealed).await? as i64 != count {
                        return Err(crate::bug("a posting was sealed twice"));
                    }
                    let heads: Vec<ShopSealRow> = tx.all(&SHOP_SEALS, params![]).await?;
                    let heads: BTreeMap<_, _> =
                        heads.into_iter().map(|row| (row.shop_id, row.seal)).collect();
                    let none = Vec::new();
                    let seals: Vec<_> = parts(&postings)
                        .into_iter()
                        .map(|(shop, parts)| {
                            (shop, of_shop(heads.get(&shop).unwrap_or(&none), shop, number, &parts))
                        })
                        .collect();
                    tx.insert_all(seals.iter().map(|(shop, seal)| AddShopSeal {
                        shop_id: *shop,
                        batch: number,
                        seal,
                    }))
                    .await?;
                    Ok(count)
                })
            })
            .await;
        let count = match count {
            // Another node seals at the same time.
            Err(fault) if is_unique(&fault) => return Ok(sealed),
            count => count?,
        };
        sealed += count;
        if count < BATCH {
            return Ok(sealed);
        }
    }
}

/// What the verification of the seals found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verified {
    /// The number of postings that are sealed.
    pub sealed: i64,
    /// The number of those that aren't yet.
    pub unsealed: i64,
    /// The number and the seal of the last batch. Keep it elsewhere: whoever can rewrite the whole database can't make
    /// the ledger fit to it.
    pub last: Option<(i64, String)>,
    /// What doesn't match, described for operators. There should be nothing.
    pub broken: Vec<String>,
}

/// Computes all seals again, from the first posting to the last.
pub async fn verify(engine: &Engine) -> TxResult<Verified> {
    let mut found = Verified::default();
    let (mut before, mut number, mut heads) = (Vec::new(), 0, BTreeMap::<ShopId, Vec<u8>>::new());
    loop {
        let batches: Vec<BatchRow> = engine.db.all(&AFTER, params![number]).await?;
        if batches.is_empty() {
            break;
        }
        for batch in batches {
            for missing in number + 1..batch.number {
                found.broken.push(format!("batch {missing} of the ledger is missing"));
            }
            number = batch.number;
            let rows: Vec<EntryRow> = engine.db.all(&SEALED, params![number]).await?;
            let postings = postings(&rows);
            let mut stored = Vec::new();
            for posting in &postings {
                let seal = posting[0].seal.clone().unwrap_or_default();
                if seal != of_posting(posting) {
                    let (kind, id) = (posting[0].kind.as_str(), posting[0].id);
                    found
                        .broken
                        .push(format!("the {kind} {id} was changed after it was sealed in batch {number}"));
                }
                stored.push(seal);
            }
            if postings.len() as i64 != batch.postings {
                let (has, had) = (postings.len(), batch.postings);
                found
                    .broken
                    .push(format!("batch {number} of the ledger has {has} postings instead of {had}"));
            } else if of_batch(&before, number, batch.sealed_at, &stored) != batch.seal {
                found.broken.push(format!("batch {number} of the ledger does not match its seal"));
            }
            let seals: Vec<ShopSealRow> = engine.db.all(&SHOP_SEALS_OF, params![number]).await?;
            let mut seals: BTreeMap<_, _> = seals.into_iter().map(|row| (row.shop_id, row.seal)).collect();
            for (shop, parts) in parts(&postings) {
                let expected = of_shop(heads.get(&shop).unwrap_or(&Vec::new()), shop, number, &parts);
                let seal = seals.remove(&shop);
                if seal.as_ref() != Some(&expected) {
                    found
                        .broken
                        .push(format!("the seal of {shop} in batch {number} does not match its entries"));
                }
                heads.insert(shop, seal.unwrap_or(expected));
            }
            for shop in seals.into_keys() {
                found.broken.push(format!("{shop} has a seal and no entries in batch {number}"));
            }
            found.sealed += postings.len() as i64;
            before = batch.seal;
        }
    }
    found.last = (number > 0).then(|| (number, hex(&before)));
    found.unsealed = engine.db.one::<Scalar<i64>>(&TAIL, params![]).await?.0;
    Ok(found)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
