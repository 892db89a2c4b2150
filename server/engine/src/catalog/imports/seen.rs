//! A set that detects duplicates.

use std::{
    collections::HashSet,
    hash::{BuildHasher, RandomState},
};

/// A set of names. It stores a keyed 64-bit hash of each, so that a million long names take as little
/// memory as short ones.
#[derive(Default)]
pub(super) struct Seen {
    hashes: HashSet<u64>,
    keyed: RandomState,
}

impl Seen {
    /// Whether the name is in the set.
    pub(super) fn has(&self, name: &str) -> bool {
        self.hashes.contains(&self.keyed.hash_one(name))
    }

    /// Adds a name; returns false if it was there already.
    pub(super) fn add(&mut self, name: &str) -> bool {
        self.hashes.insert(self.keyed.hash_one(name))
    }
}
