//! Chance, the same in every run: SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number
//! generators", 2014).

/// Its state.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from `from` up to, but not including, `to`.
    pub(super) fn between(&mut self, from: i64, to: i64) -> i64 {
        let size = u64::try_from(to - from).unwrap_or(1).max(1);
        from + i64::try_from(self.next() % size).unwrap_or(0)
    }

    pub(super) fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        let size = i64::try_from(from.len()).unwrap_or(i64::MAX);
        from.get(usize::try_from(self.between(0, size)).unwrap_or(0))
    }

    /// Prefers the first ones.
    pub(super) fn prefer<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        let size = i64::try_from(from.len()).unwrap_or(i64::MAX);
        let at = self.between(0, size).min(self.between(0, size));
        from.get(usize::try_from(at).unwrap_or(0))
    }
}
