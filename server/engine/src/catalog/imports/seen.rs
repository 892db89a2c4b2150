//! A set that detects duplicates.

use std::{
    collections::HashSet,
    hash::{BuildHasher, RandomState},
};

/// What was there already. Of each it keeps 64 bits that nobody can foresee: a million long names take as little as short ones.
#[derive(Default)]
pub(super) struct Seen {
    hashes: HashSet<u64>,
    keyed: RandomState,
}

impl Seen {
    /// Whether it was there already.
    pub(super) fn has(&self, name: &str) -> bool {
        self.hashes.contains(&self.keyed.hash_one(name))
    }

    /// Adds it; false if it was there already.
    pub(super) fn add(&mut self, name: &str) -> bool {
        self.hashes.insert(self.keyed.hash_one(name))
    }
}
