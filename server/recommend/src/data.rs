//! Interactions as a matrix of users and items.

use std::collections::HashMap;

use crate::{Interaction, Settings, decay};

/// A sparse matrix, by users and by items. Items are numbered by how much they are bought, so that those most bought come first.
pub(crate) struct Matrix {
    /// The items, by number.
    pub(crate) items: Vec<u128>,
    /// What each user bought: the item's number and the entry.
    users: Vec<Vec<(u32, f32)>>,
    /// Who bought each item: the user's number and the entry.
    buyers: Vec<Vec<(u32, f32)>>,
}

impl Matrix {
    /// An entry is the root of what is left of an interaction's weight, so that the products of two entries, summed over the
    /// users, count how often two items were bought by the same ones. Those who bought much say less about each pair of it: all
    /// of them together count with the root of their number.
    pub(crate) fn new(interactions: &[Interaction], now_ms: i64, settings: &Settings) -> Self {
        // The latest of each user and item.
        let mut latest: HashMap<(u128, u128), (i64, f32)> = HashMap::with_capacity(interactions.len());
        for i in interactions {
            let entry = latest.entry((i.user, i.item)).or_insert((i.at_ms, i.weight));
            *entry = (entry.0.max(i.at_ms), entry.1.max(i.weight));
        }
        let mut by_user: HashMap<u128, Vec<(u128, i64, f32)>> = HashMap::new();
        for ((user, item), (at, weight)) in latest {
            by_user.entry(user).or_default().push((item, at, weight));
        }
        let mut by_user: Vec<_> = by_user.into_iter().collect();
        by_user.sort_unstable_by_key(|(user, _)| *user);
        let mut totals: HashMap<u128, f32> = HashMap::new();
        let mut kept = Vec::with_capacity(by_user.len());
        for (_, mut bought) in by_user {
            bought.sort_unstable_by_key(|(item, at, _)| (std::cmp::Reverse(*at), *item));
            bought.truncate(settings.history);
            let share = (bought.len() as f32).sqrt().recip();
            let of_user =
                bought.into_iter().filter(|(_, _, weight)| *weight > 0.0).map(|(item, at, weight)| {
                    let left = weight * share * decay(now_ms, at, settings.half_life_days);
                    *totals.entry(item).or_default() += left;
                    (item, left.sqrt())
                });
            kept.push(of_user.collect::<Vec<_>>());
        }
        let mut items: Vec<(u128, f32)> = totals.into_iter().collect();
        items.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let items: Vec<u128> = items.into_iter().map(|(item, _)| item).collect();
        let numbers: HashMap<u128, u32> = (0..).zip(&items).map(|(n, item)| (*item, n)).collect();
        let mut buyers = vec![Vec::new(); items.len()];
        let mut users = Vec::with_capacity(kept.len());
        for (user, bought) in (0..).zip(kept) {
            let row: Vec<(u32, f32)> =
                bought.into_iter().map(|(item, entry)| (numbers[&item], entry)).collect();
            for (item, entry) in &row {
                buyers[*item as usize].push((user, *entry));
            }
            users.push(row);
        }
        Self { items, users, buyers }
    }

    /// Adds up how often each item was bought by those who bought this one, itself included, in `counts`, which is all zero.
    /// Returns which items those are.
    pub(crate) fn count_with(&self, item: usize, counts: &mut [f32]) -> Vec<u32> {
        let mut seen = Vec::new();
        for (user, own) in &self.buyers[item] {
            for (other, entry) in &self.users[*user as usize] {
                let count = &mut counts[*other as usize];
                if *count == 0.0 {
                    seen.push(*other);
                }
                *count += own * entry;
            }
        }
        seen
    }

    /// How much an item is bought.
    pub(crate) fn total(&self, item: usize) -> f32 {
        self.buyers[item].iter().map(|(_, entry)| entry * entry).sum()
    }

    /// By how many an item was bought.
    pub(crate) fn buyers(&self, item: usize) -> usize {
        self.buyers[item].len()
    }
}
