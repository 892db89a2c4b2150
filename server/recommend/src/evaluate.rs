//! How good recommendations would have been in the last days.

use std::collections::{HashMap, HashSet};

use crate::{Bought, Interaction, Neighbours, Settings, alike, recommend};

/// How many recommendations are looked at.
pub(crate) const TOP: usize = 20;
/// For how long a sale counts towards popularity, in milliseconds.
const POPULAR_FOR_MS: i64 = 30 * 86_400_000;

/// How good the first twenty recommendations are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quality {
    /// Of how many users.
    pub shoppers: i64,
    /// Recall@20: which part of what they bought for the first time was recommended, in millionths.
    pub recall: i64,
    /// MRR@20: the mean of one divided by the rank of the first recommendation that they bought, in millionths.
    pub mrr: i64,
    /// Which part of all items was recommended to anybody, in millionths.
    pub coverage: i64,
}

/// How good the neighbours that [`alike`] learns from what was bought before `cut_ms` are: what is recommended to those who had
/// bought something by then is compared with what they bought for the first time since.
pub fn evaluate(interactions: &[Interaction], cut_ms: i64, settings: &Settings) -> Quality {
    let before: Vec<Interaction> = interactions.iter().filter(|i| i.at_ms < cut_ms).copied().collect();
    let neighbours = alike(&before, cut_ms, settings);
    let of = |neighbours: &Neighbours, history: &[Bought]| {
        let of = |item| neighbours.get(&item).map(Vec::as_slice).unwrap_or_default();
        recommend(history, cut_ms, TOP, of).into_iter().map(|r| r.item).collect()
    };
    measure(interactions, cut_ms, |history| of(&neighbours, history))
}

/// How good it would be to recommend to everyone the best sellers of the last thirty days.
pub fn evaluate_popular(interactions: &[Interaction], cut_ms: i64) -> Quality {
    let mut sold: HashMap<u128, i64> = HashMap::new();
    let since = cut_ms.saturating_sub(POPULAR_FOR_MS);
    for i in interactions.iter().filter(|i| (since..cut_ms).contains(&i.at_ms)) {
        *sold.entry(i.item).or_default() += 1;
    }
    let mut sold: Vec<(u128, i64)> = sold.into_iter().collect();
    sold.sort_unstable_by_key(|(item, times)| (std::cmp::Reverse(*times), *item));
    measure(interactions, cut_ms, |history| {
        let bought: HashSet<u128> = history.iter().map(|b| b.item).collect();
        sold.iter().map(|(item, _)| *item).filter(|item| !bought.contains(item)).take(TOP).collect()
    })
}

/// Compares what is recommended from histories before the cut with what was bought since.
pub(crate) fn measure(
    interactions: &[Interaction],
    cut_ms: i64,
    recommended: impl Fn(&[Bought]) -> Vec<u128>,
) -> Quality {
    let mut users: HashMap<u128, (Vec<Bought>, HashSet<u128>)> = HashMap::new();
    let mut items: HashSet<u128> = HashSet::new();
    for i in interactions {
        let (before, since) = users.entry(i.user).or_default();
        if i.at_ms < cut_ms {
            items.insert(i.item);
            before.push(Bought { item: i.item, at_ms: i.at_ms });
        } else {
            since.insert(i.item);
        }
    }
    let mut covered: HashSet<u128> = HashSet::new();
    let (mut tested, mut recall, mut mrr) = (0_i64, 0.0, 0.0);
    for (before, since) in users.values().filter(|(before, since)| !before.is_empty() && !since.is_empty()) {
        let new = since.iter().filter(|item| !before.iter().any(|b| b.item == **item)).count();
        if new == 0 {
            continue;
        }
        let found = recommended(before);
        let hits = found.iter().filter(|item| since.contains(item)).count();
        tested += 1;
        recall += hits as f64 / new as f64;
        mrr +=
            found.iter().position(|item| since.contains(item)).map_or(0.0, |place| 1.0 / (place + 1) as f64);
        covered.extend(found);
    }
    let mean = |sum: f64, of: usize| if of == 0 { 0 } else { (1_000_000.0 * sum / of as f64) as i64 };
    Quality {
        shoppers: tested,
        recall: mean(recall, tested as usize),
        mrr: mean(mrr, tested as usize),
        coverage: mean(covered.len() as f64, items.len()),
    }
}
