//! What to recommend to somebody, from what they bought.

use std::collections::HashMap;

use crate::{Neighbour, decay};

/// After how many days what somebody bought says half as much about what they will like.
const HALF_LIFE_DAYS: f32 = 60.0;

/// Something that somebody bought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bought {
    /// What.
    pub item: u128,
    /// When, in milliseconds.
    pub at_ms: i64,
}

/// Something that somebody may like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recommendation {
    /// What.
    pub item: u128,
    /// How much, in millionths.
    pub score: i64,
    /// What they bought that speaks for it most.
    pub because: u128,
}

/// What somebody may like, best first: the neighbours of what they bought. Nothing that they bought, and at most `most`.
pub fn recommend<'n>(
    history: &[Bought],
    now_ms: i64,
    most: usize,
    neighbours: impl Fn(u128) -> &'n [Neighbour],
) -> Vec<Recommendation> {
    // The latest of each.
    let mut latest: HashMap<u128, i64> = HashMap::with_capacity(history.len());
    for bought in history {
        let at = latest.entry(bought.item).or_insert(bought.at_ms);
        *at = (*at).max(bought.at_ms);
    }
    // By item: the sum, and the part of it that is largest and what it is from.
    let mut found: HashMap<u128, (f32, f32, u128)> = HashMap::new();
    // In one order, so that sums are rounded alike.
    let mut bought: Vec<(u128, i64)> = latest.iter().map(|(item, at)| (*item, *at)).collect();
    bought.sort_unstable();
    for (item, at) in bought {
        let weight = decay(now_ms, at, HALF_LIFE_DAYS);
        for neighbour in neighbours(item).iter().filter(|n| !latest.contains_key(&n.item)) {
            let part = weight * neighbour.score as f32;
            let (sum, largest, because) = found.entry(neighbour.item).or_insert((0.0, part, item));
            *sum += part;
            if part > *largest {
                (*largest, *because) = (part, item);
            }
        }
    }
    let found = found.into_iter().map(|(item, (sum, _, because))| Recommendation {
        item,
        score: sum as i64,
        because,
    });
    let mut found: Vec<Recommendation> = found.collect();
    let order = |r: &Recommendation| (std::cmp::Reverse(r.score), r.item);
    if found.len() > most && most > 0 {
        found.select_nth_unstable_by_key(most - 1, order);
    }
    found.truncate(most);
    found.sort_unstable_by_key(order);
    found
}
