//! How long it takes to price a basket of 5 shops with 40 lines each and 200 promotions, and to choose among them. Fails if the
//! median of pricing exceeds 1 ms. Run it on an otherwise idle machine.
//!
//! `cargo bench -p haat-shared --bench quote`

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark")]

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use haat_shared::{
    Currency, Money,
    id::kinds::{ProductId, PromotionId, ShopId},
    pricing::{self, Benefit, LineItem, LineKind, Shipping, ShopItems, TaxRule},
    promotions::{LineFacts, Offer, Terms, choose},
};
use uuid::Uuid;

const SHOPS: u128 = 5;
const LINES: u128 = 40;
const PROMOTIONS: u128 = 200;
const TRIES: usize = 400;
const MOST: Duration = Duration::from_millis(1);

fn inr(minor: i64) -> Money {
    Money::new(minor, Currency::INR)
}

fn shop(at: u128) -> ShopId {
    ShopId::from_uuid(Uuid::from_u128(at))
}

fn line(shop: u128, at: u128) -> Uuid {
    Uuid::from_u128(1_000 * (shop + 1) + at)
}

/// All lines of a shop, all of the market, and those of some products in turn; three of them are coupons.
fn offer(at: u128) -> Offer {
    let of_shop = (!at.is_multiple_of(10)).then(|| shop(at % SHOPS));
    let products = match at % 3 {
        0 => (0..4).map(|n| ProductId::from_uuid(line(at % SHOPS, (at + n) % LINES))).collect(),
        _ => Vec::new(),
    };
    let benefit = match at % 4 {
        0 => Benefit::Percent(500),
        1 => Benefit::Amount(inr(10_000)),
        2 => Benefit::BuyGet { buy: 2, get: 1, off_bp: 10_000 },
        _ => Benefit::FreeShipping,
    };
    Offer {
        id: PromotionId::from_uuid(Uuid::from_u128(at)),
        shop: of_shop,
        code: (at < 3).then(|| format!("CODE{at}")),
        starts_at: 0,
        ends_at: Some(10),
        left: None,
        left_for_person: None,
        terms: Terms {
            label: "Sale".into(),
            benefit,
            products,
            categories: Vec::new(),
            shops: Vec::new(),
            minimum: Some(inr(1_000)),
            maximum: None,
            cap: None,
            combines: true,
            market_bp: 0,
        },
    }
}

fn main() {
    let shops: Vec<ShopItems> = (0..SHOPS)
        .map(|of| ShopItems {
            shop: shop(of),
            lines: (0..LINES)
                .map(|at| LineItem {
                    id: line(of, at),
                    kind: LineKind::Goods,
                    quantity: 1 + (at % 3) as i64,
                    unit_price: inr(4_950 + 1_337 * at as i64),
                    tax: TaxRule { rates_ppm: [90_000, 90_000, 0], included: true, exempt: false },
                    commission_bp: 1_000,
                })
                .collect(),
            shipping: Some(Shipping::untaxed(inr(4_900))),
        })
        .collect();
    let facts: Vec<LineFacts> = shops
        .iter()
        .flat_map(|items| {
            items.lines.iter().map(|line| LineFacts {
                id: line.id,
                shop: items.shop,
                product: ProductId::from_uuid(line.id),
                category: "home/tableware/".into(),
                list: line.list_price().unwrap(),
            })
        })
        .collect();
    let offers: Vec<Offer> = (0..PROMOTIONS).map(offer).collect();
    let (shops, facts) = (black_box(&shops), black_box(&facts));
    let chosen = || choose(Currency::INR, shops, facts, &[], black_box(offers.clone()), 5).unwrap();
    let choice = chosen();
    let [choosing, _] = times(|| drop(black_box(chosen())));
    let [pricing, late] =
        times(|| drop(black_box(pricing::quote(Currency::INR, shops, &choice.promotions).unwrap())));
    println!(
        "{SHOPS} shops × {LINES} lines, {PROMOTIONS} promotions: quote median {pricing:?}, p95 {late:?}; \
         choosing among them, with three coupons, median {choosing:?}"
    );
    assert!(pricing <= MOST, "more than {MOST:?}");
}

/// The median and the 95th percentile.
fn times(run: impl Fn()) -> [Duration; 2] {
    let timed = |_| {
        let begun = Instant::now();
        run();
        begun.elapsed()
    };
    let mut times: Vec<Duration> = (0..TRIES).map(timed).collect();
    times.sort();
    [times[TRIES / 2], times[TRIES * 95 / 100]]
}
