//! `make bench-recommend`: how good and how fast recommendations are, on the orders of a real shop (docs/recommendations.md).
//!
//! With HAAT_RECOMMEND_SPLIT, the split is also written to that file, for `implicit_on_split.py` beside this file.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::float_arithmetic,
    missing_docs
)]

use std::{
    fmt::Write,
    fs::File,
    path::Path,
    time::{Duration, Instant},
};

use haat_recommend::{
    Bought, Interaction, Quality, Settings, alike, evaluate, evaluate_popular, recommend, together,
};

/// The folder of online-retail.csv.gz: columns InvoiceNo, StockCode, Quantity, InvoiceDate, CustomerID and others.
const DATA: &str = "HAAT_RECOMMEND_DATA";
const SPLIT: &str = "HAAT_RECOMMEND_SPLIT";
const DAY_MS: i64 = 86_400_000;
/// How many of the last days are held out.
const HELD_OUT: i64 = 28;
const THREADS: usize = 2;
/// From here on, numbers of guests.
const GUESTS: u128 = 1 << 100;

/// What was bought by whom, and in which order.
struct Line {
    user: u128,
    order: u128,
    item: u128,
    at_ms: i64,
}

fn main() {
    let Ok(folder) = std::env::var(DATA) else {
        println!("{DATA} is not set: skipped. It names the folder of online-retail.csv.gz.");
        return;
    };
    let lines = lines(&Path::new(&folder).join("online-retail.csv.gz"));
    let by_user: Vec<Interaction> = lines.iter().map(|l| interaction(l.user, l)).collect();
    let by_order: Vec<Interaction> = lines.iter().map(|l| interaction(l.order, l)).collect();
    let end = by_user.iter().map(|i| i.at_ms).max().unwrap();
    println!("{} order lines", lines.len());
    let settings = Settings { threads: THREADS, ..Settings::default() };
    for (name, cut) in [("days before", end - 2 * HELD_OUT * DAY_MS), ("last days", end - HELD_OUT * DAY_MS)]
    {
        let until: Vec<Interaction> =
            by_user.iter().filter(|i| i.at_ms <= cut + HELD_OUT * DAY_MS).copied().collect();
        let orders: Vec<Interaction> =
            by_order.iter().filter(|i| i.at_ms <= cut + HELD_OUT * DAY_MS).copied().collect();
        println!("{name}:");
        show("haat", evaluate(&until, cut, &settings));
        show("popularity", evaluate_popular(&until, cut));
        bought_together(&orders, cut, &settings);
    }
    if let Some(file) = std::env::var_os(SPLIT) {
        write_split(Path::new(&file), &by_user, end - HELD_OUT * DAY_MS);
    }
    speed(&by_user, end, settings);
}

fn interaction(user: u128, line: &Line) -> Interaction {
    Interaction { user, item: line.item, at_ms: line.at_ms, weight: 1.0 }
}

fn show(name: &str, q: Quality) {
    let part = |ppm: i64| ppm as f64 / 1e6;
    println!(
        "  {name:<12} Recall@20 {:.4}  MRR@20 {:.4}  coverage {:.3}  ({} shoppers)",
        part(q.recall),
        part(q.mrr),
        part(q.coverage),
        q.shoppers
    );
}

/// From each item of an order since the cut, the others of it, by what is bought together.
fn bought_together(by_order: &[Interaction], cut: i64, settings: &Settings) {
    let before: Vec<Interaction> = by_order.iter().filter(|i| i.at_ms < cut).copied().collect();
    let neighbours = together(&before, cut, settings);
    let mut orders: std::collections::BTreeMap<u128, std::collections::BTreeSet<u128>> = Default::default();
    for i in by_order.iter().filter(|i| i.at_ms >= cut) {
        orders.entry(i.user).or_default().insert(i.item);
    }
    let (mut asked, mut hit, mut mrr) = (0, 0, 0.0);
    for order in orders.values().filter(|order| (2..=60).contains(&order.len())) {
        for item in order {
            let found: &[_] =
                neighbours.get(item).map(|found| &found[..found.len().min(5)]).unwrap_or_default();
            let place = found.iter().position(|n| order.contains(&n.item));
            asked += 1;
            hit += usize::from(place.is_some());
            mrr += place.map_or(0.0, |place| 1.0 / (place + 1) as f64);
        }
    }
    println!(
        "  together     one of five is in the same order: {:.3}  MRR@5 {:.3}  ({asked} items)",
        hit as f64 / asked as f64,
        mrr / asked as f64
    );
}

/// How long it takes to learn from a million interactions, and to recommend.
fn speed(by_user: &[Interaction], now: i64, settings: Settings) {
    // The same shoppers several times over, as others: as many items, bought together as often.
    let copies = (0_u128..)
        .flat_map(|copy| by_user.iter().map(move |i| Interaction { user: i.user + (copy << 64), ..*i }));
    let million: Vec<Interaction> = copies.take(1_000_000).collect();
    let started = Instant::now();
    let neighbours = alike(&million, now, &settings);
    let took = started.elapsed();
    let started = Instant::now();
    let pairs = together(&million, now, &settings);
    println!(
        "learned from {} interactions on {THREADS} threads: {:.1} s for shoppers, {:.1} s for what is bought together",
        million.len(),
        took.as_secs_f64(),
        started.elapsed().as_secs_f64()
    );
    println!("  {} and {} items with neighbours", neighbours.len(), pairs.len());
    let mut histories: std::collections::BTreeMap<u128, Vec<Bought>> = Default::default();
    for i in by_user {
        histories.entry(i.user).or_default().push(Bought { item: i.item, at_ms: i.at_ms });
    }
    let histories: Vec<Vec<Bought>> = histories.into_values().collect();
    let started = Instant::now();
    let (histories, neighbours) = (&histories, &neighbours);
    let mut took: Vec<Duration> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|part| {
                scope.spawn(move || {
                    let own = histories.iter().skip(part).step_by(THREADS);
                    own.map(|history| {
                        let started = Instant::now();
                        let of = |item| neighbours.get(&item).map(Vec::as_slice).unwrap_or_default();
                        std::hint::black_box(recommend(history, now, 20, of));
                        started.elapsed()
                    })
                    .collect::<Vec<_>>()
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let all = started.elapsed();
    took.sort_unstable();
    let at = |percent: usize| took[took.len() * percent / 100].as_secs_f64() * 1e3;
    println!(
        "{:.0} recommendations/s on {THREADS} threads, p50 {:.3} ms, p95 {:.3} ms, p99 {:.3} ms",
        took.len() as f64 / all.as_secs_f64(),
        at(50),
        at(95),
        at(99)
    );
}

/// What was sold: without cancellations and without what isn't goods. Who bought without an account is somebody else each time.
fn lines(file: &Path) -> Vec<Line> {
    let file = flate2::read::MultiGzDecoder::new(File::open(file).expect("the file of orders"));
    let mut reader = csv::Reader::from_reader(file);
    let headers = reader.byte_headers().unwrap().clone();
    let column = |name: &str| headers.iter().position(|h| h == name.as_bytes()).unwrap();
    let (invoice, code, quantity) = (column("InvoiceNo"), column("StockCode"), column("Quantity"));
    let (date, customer) = (column("InvoiceDate"), column("CustomerID"));
    let lines = reader.byte_records().filter_map(|row| {
        let row = row.ok()?;
        let text = |column: usize| std::str::from_utf8(&row[column]).ok();
        let (invoice, code) = (text(invoice)?, text(code)?.to_uppercase());
        let is_goods = code.len() >= 5 && code.bytes().take(5).all(|c| c.is_ascii_digit());
        if invoice.starts_with('C') || text(quantity)?.parse::<i64>().ok()? <= 0 || !is_goods {
            return None;
        }
        let at: jiff::civil::DateTime = text(date)?.replace(' ', "T").parse().ok()?;
        let order = GUESTS + number(invoice);
        let user = match text(customer)?.split('.').next() {
            None | Some("") => order,
            Some(customer) => number(customer),
        };
        let at_ms = at.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_millisecond();
        Some(Line { user, order, item: number(&code), at_ms })
    });
    lines.collect()
}

/// The number of a short text.
fn number(text: &str) -> u128 {
    text.bytes().take(8).fold(0, |n, byte| (n << 8) | u128::from(byte))
}

/// Lines of `train` or `test`, user, item, days before the cut.
fn write_split(file: &Path, by_user: &[Interaction], cut: i64) {
    let mut out = String::new();
    for i in by_user {
        let part = if i.at_ms < cut { "train" } else { "test" };
        writeln!(out, "{part}\t{}\t{}\t{:.4}", i.user, i.item, (cut - i.at_ms) as f64 / DAY_MS as f64)
            .unwrap();
    }
    std::fs::write(file, out).unwrap();
}
