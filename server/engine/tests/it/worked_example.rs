//! `docs/worked-example.md`, step by step: what is given is read from its first tables, and every figure of the others is
//! compared with the ledger. With `HAAT_WORKED_EXAMPLE=write`, the tables are written instead.

use std::{collections::BTreeMap, fmt::Write, path::PathBuf};

use haat_engine::{
    Caller, accounts, catalog, checkout, orders, params, payments, payouts, rows, sandbox, shops, statements,
};
use haat_gateways::sandbox::Behaviour;
use haat_shared::{
    Currency, Money, amounts,
    id::kinds::{PostingId, VariantId},
    ledger::{Account, PostingKind},
    orders::{LineQuantity, NewRefund},
    payments::NextAction,
    payouts::PayoutForm,
};

use crate::{both, disputes, orders::shipment, payouts::bank, support::*};

/// The rows of a table, without its heads.
type Table = Vec<Vec<String>>;

statements! {
    ENTRIES = "SELECT p.id, p.kind, e.account, COALESCE(s.handle, '') AS shop, e.amount_minor
        FROM ledger_postings p JOIN ledger_entries e ON e.posting_id = p.id LEFT JOIN shops s ON s.id = e.shop_id
        WHERE e.currency = $1 ORDER BY p.id, e.line";
}

rows! {
    struct EntryRow {
        id: PostingId,
        kind: PostingKind,
        account: Account,
        shop: String,
        amount_minor: i64,
    }
}

struct Shop {
    handle: String,
    commission_bp: i64,
    tax_bp: i64,
    items: i64,
    price: i64,
    shipping: i64,
}

fn file() -> PathBuf {
    PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../../docs/worked-example.md")
}

/// The section of a currency.
fn section<'a>(document: &'a str, code: &str) -> &'a str {
    let rest = document.split_once(&format!("\n## {code}\n")).expect("a section of each currency").1;
    rest.split_once("\n## ").map_or(rest, |(section, _)| section)
}

fn tables(section: &str) -> Vec<Table> {
    let mut tables: Vec<Table> = Vec::new();
    let mut before = "";
    for line in section.lines() {
        if line.starts_with("|---") {
            tables.push(Vec::new());
        } else if line.starts_with('|') && before.starts_with('|') {
            let cells = line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
            tables.last_mut().unwrap().push(cells);
        }
        before = line;
    }
    tables
}

/// `12.5 %` in basis points.
fn bp(text: &str) -> i64 {
    let percent = text.trim_end_matches('%').trim();
    let (whole, tenths) = percent.split_once('.').unwrap_or((percent, "0"));
    whole.parse::<i64>().unwrap() * 100 + tenths.parse::<i64>().unwrap() * 10
}

fn minor(text: &str, currency: Currency) -> i64 {
    amounts::read("amount", text, currency).unwrap().amount()
}

/// A shop with a product.
async fn open_shop(market: &Market, shop: &Shop, currency: Currency) -> VariantId {
    let (engine, system) = (&market.engine, Caller::system());
    let handle = format!("{}-{}", shop.handle, currency.code().to_lowercase());
    let owner = accounts::create(engine, &system, sign_up(&handle)).await.unwrap();
    let new = shops::NewShop {
        handle: handle.clone(),
        name: shop.handle.clone(),
        description: String::new(),
        shipping_price: Money::new(shop.shipping, currency),
        commission_bp: Some(shop.commission_bp),
        terms: shops::Terms { returns_days: 0, ..shops::Terms::default() },
        owner,
    };
    shops::open(engine, &system, new).await.unwrap();
    let slug = format!("taxed-{}", shop.tax_bp);
    let category = catalog::NewCategory {
        slug: slug.clone(),
        name: slug.clone(),
        parent: None,
        tax_category: slug.clone(),
        ..Default::default()
    };
    catalog::put_categories(engine, &system, vec![category]).await.unwrap();
    market.taxed(&slug, &format!("{}.{:02}", shop.tax_bp / 100, shop.tax_bp % 100)).await;
    let category = catalog::category_ids(engine).await.unwrap().get(&slug).copied();
    let variant =
        catalog::NewVariant { sku: handle.clone(), price_minor: shop.price, stock: 99, ..Default::default() };
    let product = catalog::NewProduct {
        title: handle.clone(),
        category,
        variants: vec![variant],
        ..Default::default()
    };
    catalog::upsert_products(engine, &system, &handle, vec![product]).await.unwrap();
    let of = haat_shared::catalog::ListProducts { shop: handle, ..Default::default() };
    let slug = catalog::list(engine, &Caller::guest(), of).await.unwrap().items[0].slug.clone();
    catalog::product(engine, &Caller::guest(), &slug).await.unwrap().variants[0].id
}

/// The postings since the last step, and the balances, as they are in the document.
struct Books {
    currency: Currency,
    known: Vec<PostingId>,
    balances: BTreeMap<(Account, String), i64>,
}

impl Books {
    fn plain(&self, minor: i64) -> String {
        Money::new(minor, self.currency).plain()
    }

    async fn step(&mut self, market: &Market) -> [Table; 2] {
        market.settle().await;
        let rows: Vec<EntryRow> = market.engine.db.all(&ENTRIES, params![self.currency]).await.unwrap();
        let suffix = format!("-{}", self.currency.code().to_lowercase());
        let mut postings: BTreeMap<PostingId, (PostingKind, Vec<EntryRow>)> = BTreeMap::new();
        for row in rows.into_iter().filter(|row| !self.known.contains(&row.id)) {
            let row = EntryRow { shop: row.shop.trim_end_matches(&suffix).to_owned(), ..row };
            *self.balances.entry((row.account, row.shop.clone())).or_default() += row.amount_minor;
            postings.entry(row.id).or_insert((row.kind, Vec::new())).1.push(row);
        }
        self.known.extend(postings.keys());
        let mut moved: Vec<_> = postings.into_values().collect();
        // Within a millisecond, IDs have no order.
        moved.sort_by_key(|(kind, entries)| {
            let shop = entries.iter().map(|entry| entry.shop.clone()).max();
            (PostingKind::ALL.iter().position(|other| other == kind), shop)
        });
        let moved = moved.iter().map(|(kind, entries)| {
            let shop = entries.iter().map(|entry| entry.shop.clone()).max().unwrap_or_default();
            let [debit, credit] = [1, -1].map(|sign| {
                entries
                    .iter()
                    .find(|entry| entry.amount_minor.signum() == sign)
                    .unwrap()
                    .account
                    .as_str()
                    .to_owned()
            });
            let amount: i64 = entries.iter().map(|entry| entry.amount_minor.max(0)).sum();
            vec![kind.as_str().to_owned(), shop, debit, credit, self.plain(amount)]
        });
        let balances = self.balances.iter().filter(|(_, sum)| **sum != 0);
        let balances = balances
            .map(|((account, shop), sum)| vec![account.as_str().to_owned(), shop.clone(), self.plain(*sum)]);
        [moved.collect(), balances.collect()]
    }
}

/// What is given, and what becomes of it: the tables of a currency.
async fn work_out(market: &Market, code: &str, given: &[Table]) -> Vec<(&'static str, [Table; 2])> {
    let currency: Currency = code.parse().unwrap();
    let shops: Vec<Shop> = given[0]
        .iter()
        .map(|row| Shop {
            handle: row[0].clone(),
            commission_bp: bp(&row[1]),
            tax_bp: bp(&row[2]),
            items: row[3].parse().unwrap(),
            price: minor(&row[4], currency),
            shipping: minor(&row[5], currency),
        })
        .collect();
    let value = |row: usize| given[1][row][1].as_str();
    let market = &market.on(&market.selling_in(&["USD", "JPY", "KWD"]));
    let market = &market.behaving(Behaviour { fee_bp: bp(value(0)), ..Behaviour::default() });
    let engine = &market.engine;
    let mut books = Books { currency, known: Vec::new(), balances: BTreeMap::new() };
    let mut steps = Vec::new();

    let mut cart = Vec::new();
    for shop in &shops {
        cart.push((open_shop(market, shop, currency).await, shop.items));
    }
    let guest = market.guest_with(&cart).await;
    let id = checkout::begin_in(engine, &guest, Some(currency)).await.unwrap();
    let quote = checkout::view(engine, &guest, id).await.unwrap().quote;
    let tax = |shop: &Shop| {
        let included = Money::new(shop.price * shop.items, currency);
        included
            .fraction(shop.tax_bp, 10_000 + shop.tax_bp, haat_shared::money::Rounding::HalfUp)
            .unwrap()
            .amount()
    };
    assert!(
        quote.totals.tax.amount() >= shops.iter().map(tax).sum::<i64>(),
        "the tax on shipping comes on top"
    );
    let next = checkout::pay(engine, &guest, id, form("sandbox"), 1, code).await.unwrap();
    let NextAction::Redirect { url } = next else { panic!("{next:?}") };
    let gateway_ref = url.rsplit('/').next().unwrap().to_owned();
    market.enter(&gateway_ref, sandbox::Card::WebhookNever).await;
    let payment = sandbox::find(&engine.db, &gateway_ref).await.unwrap().attempt_id;
    let purchase = number_in(&market.come_back(payment).await.unwrap());
    steps.push(("The purchase is paid", books.step(market).await));

    let view = orders::purchase(engine, &guest, &purchase, &market.key(&purchase)).await.unwrap();
    let of = |shop: &Shop| {
        let handle = format!("{}-{}", shop.handle, code.to_lowercase());
        let order = view.orders.iter().find(|order| order.shop_handle == handle).unwrap();
        (handle, order.number.clone(), order.lines[0].position)
    };
    let (first, number, position) = of(&shops[0]);
    let owner = market.owner(&first).await;
    orders::confirm(engine, &owner, &first, &number).await.unwrap();
    let lines = vec![LineQuantity { position, quantity: value(1).parse().unwrap() }];
    let refund = NewRefund { lines, reason: "Chipped".into(), ..NewRefund::default() };
    orders::refund(engine, &owner, &first, &number, refund).await.unwrap();
    steps.push(("Items are refunded", books.step(market).await));

    for shop in &shops {
        let (handle, number, _) = of(shop);
        let owner = market.owner(&handle).await;
        if handle != first {
            orders::confirm(engine, &owner, &handle, &number).await.unwrap();
        }
        orders::ship(engine, &owner, &handle, &number, shipment()).await.unwrap();
        orders::deliver(engine, &owner, &handle, &number).await.unwrap();
    }
    orders::release_due(engine).await.unwrap();
    steps.push(("The orders are delivered, and their earnings released", books.step(market).await));

    let available = haat_engine::ledger::balance(engine, &owner, &first, "").await.unwrap().available;
    let method = payouts::add_method(engine, &owner, &first, &bank()).await.unwrap();
    let asked = PayoutForm { amount: available.plain(), currency: code.into(), method: method.to_string() };
    let id = payouts::request(engine, &owner, &first, &asked, "k").await.unwrap();
    let system = Caller::system();
    payouts::approve(engine, &system, id).await.unwrap();
    payouts::mark_sent(engine, &system, id, "HDFC 1").await.unwrap();
    payouts::mark_paid(engine, &system, id).await.unwrap();
    steps.push(("The first shop withdraws everything", books.step(market).await));

    let amount = minor(value(2), currency);
    let dispute = disputes::disputed(market, &gateway_ref, Some(amount), minor(value(3), currency)).await;
    steps.push(("A part of the payment is disputed", books.step(market).await));
    disputes::decide(market, &dispute, "lost").await;
    steps.push(("The dispute is lost", books.step(market).await));
    let details = payments::details(engine, &system, payment).await.unwrap();
    assert_eq!(details.disputes[0].unallocated.amount(), 0);
    steps
}

fn written(steps: &[(&str, [Table; 2])]) -> String {
    let mut text = String::new();
    for (n, (title, [postings, balances])) in (1..).zip(steps) {
        write!(text, "### {n}. {title}\n\n").unwrap();
        for (head, table) in [
            ("| posting | shop | debit | credit | amount |\n|---|---|---|---|---|\n", postings),
            ("| account | shop | balance |\n|---|---|---|\n", balances),
        ] {
            text += head;
            for row in table {
                let cells =
                    row.iter().map(|cell| if cell.is_empty() { " ".to_owned() } else { format!(" {cell} ") });
                writeln!(text, "|{}|", cells.collect::<Vec<_>>().join("|")).unwrap();
            }
            text.push('\n');
        }
    }
    text
}

both! {
    async fn every_figure_of_the_document_is_the_ledgers(market) {
        let mut document = std::fs::read_to_string(file()).unwrap();
        for code in ["INR", "USD", "JPY", "KWD"] {
            let section = section(&document, code).to_owned();
            let found = tables(&section);
            let steps = work_out(market, code, &found[..2]).await;
            if std::env::var_os("HAAT_WORKED_EXAMPLE").is_some() {
                let given = section.split_once("\n### ").map_or(section.as_str(), |(given, _)| given).trim_end();
                let head = format!("\n## {code}\n");
                let new = format!("{head}{given}\n\n{}", written(&steps).trim_end());
                let old = format!("{head}{}", section.trim_end());
                document = document.replace(&old, &new);
                continue;
            }
            let expected: Vec<Table> = steps.into_iter().flat_map(|(_, tables)| tables).collect();
            assert_eq!(found.len(), expected.len() + 2, "{code}");
            for (i, (found, expected)) in found[2..].iter().zip(&expected).enumerate() {
                assert_eq!(found, expected, "{code}, table {}", i + 3);
            }
        }
        if std::env::var_os("HAAT_WORKED_EXAMPLE").is_some() {
            std::fs::write(file(), document).unwrap();
        }
    }
}
