//! Which products go with others, learned from what was bought.
//!
//! Plain data in, plain data out: [`Interaction`]s are learned from, [`Neighbours`] come out, and [`recommend()`] turns those of
//! what a shopper has bought into recommendations with a reason. The crate knows no database, no clock and no threads but its
//! own while it learns. What it does and how good it is: docs/recommendations.md.
#![expect(clippy::float_arithmetic, reason = "scores are fractions; no money is counted here")]

mod data;
mod evaluate;
mod inverse;
mod learn;
mod recommend;
#[cfg(test)]
mod tests;

pub use evaluate::{Quality, evaluate, evaluate_popular};
pub use learn::{alike, together};
pub use recommend::{Bought, Recommendation, recommend};

use std::collections::HashMap;

/// Milliseconds of a day.
const DAY_MS: f32 = 86_400_000.0;

/// Somebody bought something. Who that is, is up to the caller: a shopper, or a purchase.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interaction {
    /// Who.
    pub user: u128,
    /// What.
    pub item: u128,
    /// When, in milliseconds.
    pub at_ms: i64,
    /// How much it counts; 1 for a purchase.
    pub weight: f32,
}

/// An item that goes with another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Neighbour {
    /// The other item.
    pub item: u128,
    /// How well it goes with it, in millionths; more than 0. Those of one model are comparable.
    pub score: i64,
}

/// The neighbours of each item, best first.
pub type Neighbours = HashMap<u128, Vec<Neighbour>>;

/// How to learn.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// After how many days a purchase counts half.
    pub half_life_days: f32,
    /// How many neighbours of an item are kept.
    pub neighbours: usize,
    /// How many of the most-bought items [`alike`] learns of together. The time grows with its cube, the memory with its square.
    pub core: usize,
    /// How strongly [`alike`] distrusts what was seen seldom, relative to how often items are bought on average.
    pub ridge: f32,
    /// How many of what somebody bought count: the latest.
    pub history: usize,
    /// On how many threads.
    pub threads: usize,
}

impl Default for Settings {
    /// Chosen on days before those of the evaluation in docs/recommendations.md.
    fn default() -> Self {
        Self { half_life_days: 120.0, neighbours: 30, core: 4_000, ridge: 6.0, history: 500, threads: 1 }
    }
}

/// What is left of the weight of something after a time.
fn decay(now_ms: i64, at_ms: i64, half_life_days: f32) -> f32 {
    let days = now_ms.saturating_sub(at_ms).max(0) as f32 / DAY_MS;
    (-days / half_life_days).exp2()
}
