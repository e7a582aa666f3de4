//! The tables that fingerprints are kept in: open ones without deletion, at most three quarters full.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::state::LEFT_BITS;

/// A set of fingerprints, of eight bytes each.
#[derive(Debug, Clone)]
pub struct Prints {
    slots: Vec<u64>,
    count: usize,
}

impl Prints {
    /// An empty set.
    pub fn new() -> Self {
        Self { slots: vec![0; 1 << 6], count: 0 }
    }
    /// Whether it has this fingerprint.
    pub fn has(&self, print: u64) -> bool {
        let (key, mask) = (print.max(1), self.slots.len() - 1);
        let mut at = home(key) & mask;
        loop {
            match self.slots.get(at) {
                Some(slot) if *slot == key => return true,
                Some(0) | None => return false,
                _ => at = (at + 1) & mask,
            }
        }
    }
    /// Adds a fingerprint.
    pub fn insert(&mut self, print: u64) {
        if (self.count + 1) * 4 > self.slots.len() * 3 {
            self.grow();
        }
        self.count += usize::from(Self::put(&mut self.slots, print.max(1)));
    }
    fn grow(&mut self) {
        let mut slots = vec![0; self.slots.len() * 2];
        self.slots.iter().filter(|slot| **slot != 0).for_each(|slot| {
            Self::put(&mut slots, *slot);
        });
        self.slots = slots;
    }
    fn put(slots: &mut [u64], key: u64) -> bool {
        let mask = slots.len() - 1;
        let mut at = home(key) & mask;
        loop {
            match slots.get_mut(at) {
                Some(slot) if *slot == 0 => {
                    *slot = key;
                    return true;
                }
                Some(slot) if *slot == key => return false,
                _ => at = (at + 1) & mask,
            }
        }
    }
}

/// Where a fingerprint is looked for. Those of one state with more or fewer faults left lie side by side: they are looked up together,
/// and each place that lies apart costs a walk to the memory.
fn home(key: u64) -> usize {
    (key >> LEFT_BITS) as usize
}

/// So many shards, so that workers seldom wait for each other; a power of two.
const SHARDS: usize = 64;

/// The shard of a fingerprint: by its upper bits, for the lower ones say where it stands there.
fn shard(print: u64) -> usize {
    (print >> 58) as usize % SHARDS
}

/// One thing for each shard of fingerprints: several workers write at once.
#[derive(Debug)]
pub struct Sharded<T>(Vec<Mutex<T>>);

impl<T> Sharded<T> {
    /// What this makes, for each shard.
    pub fn new(make: impl Fn() -> T) -> Self {
        Self((0..SHARDS).map(|_| Mutex::new(make())).collect())
    }
    /// That of this fingerprint, for whoever takes it alone.
    pub fn of(&self, print: u64) -> Option<MutexGuard<'_, T>> {
        self.0.get(shard(print)).map(alone)
    }
    /// All of them, one after the other.
    pub fn all(&self) -> impl Iterator<Item = MutexGuard<'_, T>> {
        self.0.iter().map(alone)
    }
}

/// What is shared, for whoever takes it alone. A worker that panicked left nothing half done: what it wrote is whole, or not there.
pub fn alone<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A set of fingerprints in shards, which is read by all at once, and added to in between.
#[derive(Debug)]
pub struct Shards(Vec<Prints>);

/// A set that is being added to.
pub type Adding<'a> = Sharded<&'a mut Prints>;

impl Shards {
    /// An empty set.
    pub fn new() -> Self {
        Self(vec![Prints::new(); SHARDS])
    }
    /// Whether it has this fingerprint.
    pub fn has(&self, print: u64) -> bool {
        self.0.get(shard(print)).is_some_and(|own| own.has(print))
    }
    /// For those who add to it; nobody reads meanwhile.
    pub fn adding(&mut self) -> Adding<'_> {
        Sharded(self.0.iter_mut().map(Mutex::new).collect())
    }
}

impl Adding<'_> {
    /// Adds a fingerprint.
    pub fn insert(&self, print: u64) {
        self.of(print).into_iter().for_each(|mut own| own.insert(print));
    }
}

/// A map from fingerprints to small values; that of print 0 is kept as that of print 1.
#[derive(Debug, Clone)]
pub struct Places<K, V> {
    slots: Vec<(K, V)>,
    count: usize,
}

/// A fingerprint of one size or the other.
pub trait Key: Copy + PartialEq + Default {
    /// The smallest that is none.
    const FIRST: Self;
    /// Where a search for it begins.
    fn home(self) -> usize;
}
impl Key for u64 {
    const FIRST: Self = 1;
    fn home(self) -> usize {
        self as usize
    }
}
impl Key for u128 {
    const FIRST: Self = 1;
    fn home(self) -> usize {
        self as usize
    }
}

impl<K: Key, V: Copy + Default> Places<K, V> {
    /// An empty map.
    pub fn new() -> Self {
        Self { slots: vec![Default::default(); 1 << 6], count: 0 }
    }
    fn key(print: K) -> K {
        if print == K::default() { K::FIRST } else { print }
    }
    /// Where a fingerprint is, or would be.
    fn find(slots: &[(K, V)], key: K) -> usize {
        let mask = slots.len() - 1;
        let mut at = key.home() & mask;
        while slots.get(at).is_some_and(|(found, _)| *found != key && *found != K::default()) {
            at = (at + 1) & mask;
        }
        at
    }
    /// The value of a fingerprint.
    pub fn get(&self, print: K) -> Option<V> {
        let key = Self::key(print);
        self.slots.get(Self::find(&self.slots, key)).filter(|(found, _)| *found == key).map(|(_, value)| *value)
    }
    /// Gives a fingerprint this value, whatever it had.
    pub fn set(&mut self, print: K, value: V) {
        if (self.count + 1) * 4 > self.slots.len() * 3 {
            self.grow();
        }
        let key = Self::key(print);
        let at = Self::find(&self.slots, key);
        if let Some(slot) = self.slots.get_mut(at) {
            self.count += usize::from(slot.0 != key);
            *slot = (key, value);
        }
    }
    fn grow(&mut self) {
        let mut slots = vec![Default::default(); self.slots.len() * 2];
        for entry in self.slots.iter().filter(|(key, _)| *key != K::default()) {
            let at = Self::find(&slots, entry.0);
            slots.get_mut(at).into_iter().for_each(|slot| *slot = *entry);
        }
        self.slots = slots;
    }
    /// Forgets everything and keeps its memory, unless that has become much too large.
    pub fn clear(&mut self) {
        let wanted = (self.count * 2).next_power_of_two().max(1 << 6);
        self.slots.truncate(wanted.min(self.slots.len()));
        self.slots.fill(Default::default());
        self.count = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_what_was_put_in_and_nothing_else() {
        let mut prints = Prints::new();
        let of = |n: u64| n.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (0..20_000).for_each(|n| prints.insert(of(n)));
        (0..20_000).for_each(|n| prints.insert(of(n)));
        assert_eq!(prints.count, 20_000);
        assert!((1..20_000).all(|n| prints.has(of(n))) && !(20_000..40_000).any(|n| prints.has(of(n))));
    }

    #[test]
    fn shards_have_together_what_was_put_in() {
        let mut seen = Shards::new();
        let of = |n: u64| n.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let adding = seen.adding();
        (0..20_000).for_each(|n| adding.insert(of(n)));
        assert!((0..20_000).all(|n| seen.has(of(n))) && !(20_000..40_000).any(|n| seen.has(of(n))));
        assert!(seen.0.iter().all(|own| own.count > 200), "each has its share");
    }

    #[test]
    fn a_map_keeps_the_newest_value_and_forgets_when_told() {
        let mut places: Places<u64, u32> = Places::new();
        (0..1_000).for_each(|n| places.set(n << 32, 0));
        (0..1_000u32).for_each(|n| places.set(u64::from(n) << 32, n));
        assert!((1..1_000u32).all(|n| places.get(u64::from(n) << 32) == Some(n)));
        assert_eq!((places.get(7), places.count), (None, 1_000));
        places.clear();
        assert_eq!((places.get(1 << 32), places.count), (None, 0));
        places.set(3, 4);
        assert_eq!(places.get(3), Some(4));
    }
}
