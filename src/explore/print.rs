//! Fingerprints and the tables they are kept in: states are told apart by 64 bits, decisions by 128.
//!
//! Two different states with one fingerprint would hide one of them. With n states that happens somewhere with a probability
//! of about n² / 2^65: for ten million 3 in a million, for a hundred million 3 in ten thousand. Reports say so.

use std::hash::{Hash, Hasher};

const K: [u64; 4] = [0x9E37_79B9_7F4A_7C15, 0xD6E8_FEB8_6659_FD93, 0xA076_1D64_78BD_642F, 0xE703_7ED1_A0B4_28DB];

/// The same value has the same fingerprint in every run, on every machine of the same word size.
#[derive(Debug, Clone, Copy)]
pub struct Print {
    a: u64,
    b: u64,
}

impl Print {
    /// The fingerprint of a value.
    pub fn of<T: Hash + ?Sized>(value: &T) -> u128 {
        let mut print = Self { a: K[0], b: K[1] };
        value.hash(&mut print);
        print.end()
    }
    fn take(&mut self, word: u64) {
        self.a = fold(self.a ^ word, K[2]);
        self.b = fold(self.b.rotate_left(23) ^ word, K[3]);
    }
    fn end(self) -> u128 {
        let (a, b) = (fold(self.a, K[0]), fold(self.b, K[1]));
        u128::from(a ^ b.rotate_left(32)) << 64 | u128::from(b)
    }
}

/// The two halves of a product, one over the other (the mixing step of wyhash).
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ ((product >> 64) as u64)
}

impl Hasher for Print {
    fn write(&mut self, bytes: &[u8]) {
        let mut chunks = bytes.chunks_exact(8);
        for chunk in &mut chunks {
            let word = chunk.iter().rev().fold(0u64, |word, byte| word << 8 | u64::from(*byte));
            self.take(word);
        }
        let rest = chunks.remainder().iter().rev().fold(1u64, |word, byte| word << 8 | u64::from(*byte));
        self.take(rest);
    }
    fn write_u8(&mut self, n: u8) {
        self.take(u64::from(n));
    }
    fn write_u16(&mut self, n: u16) {
        self.take(u64::from(n));
    }
    fn write_u32(&mut self, n: u32) {
        self.take(u64::from(n));
    }
    fn write_u64(&mut self, n: u64) {
        self.take(n);
    }
    fn write_i64(&mut self, n: i64) {
        self.take(n as u64);
    }
    fn write_usize(&mut self, n: usize) {
        self.take(n as u64);
    }
    fn write_isize(&mut self, n: isize) {
        self.take(n as u64);
    }
    fn finish(&self) -> u64 {
        self.end() as u64
    }
}

/// A set of fingerprints: eight bytes each at a load of at most three quarters.
#[derive(Debug, Clone)]
pub struct Prints {
    slots: Vec<u64>,
    count: usize,
}

impl Prints {
    /// An empty set.
    pub fn new() -> Self {
        Self { slots: vec![0; 1 << 12], count: 0 }
    }
    /// Adds a fingerprint; whether it was new.
    pub fn insert(&mut self, print: u128) -> bool {
        if (self.count + 1) * 4 > self.slots.len() * 3 {
            self.grow();
        }
        let new = Self::put(&mut self.slots, (print as u64).max(1));
        self.count += usize::from(new);
        new
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
        let mut at = key as usize & mask;
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

/// A map from fingerprints to places in a list.
#[derive(Debug, Clone)]
pub struct Places {
    slots: Vec<(u128, u32)>,
    count: usize,
}

impl Places {
    /// An empty map.
    pub fn new() -> Self {
        Self { slots: vec![(0, 0); 1 << 12], count: 0 }
    }
    /// The place of a fingerprint.
    pub fn get(&self, print: u128) -> Option<u32> {
        let (key, mask) = (print.max(1), self.slots.len() - 1);
        let mut at = key as usize & mask;
        loop {
            match self.slots.get(at) {
                Some((found, place)) if *found == key => return Some(*place),
                Some((0, _)) | None => return None,
                _ => at = (at + 1) & mask,
            }
        }
    }
    /// Sets the place of a fingerprint that has none yet.
    pub fn insert(&mut self, print: u128, place: u32) {
        if (self.count + 1) * 4 > self.slots.len() * 3 {
            let mut slots = vec![(0, 0); self.slots.len() * 2];
            self.slots.iter().filter(|slot| slot.0 != 0).for_each(|slot| Self::put(&mut slots, *slot));
            self.slots = slots;
        }
        Self::put(&mut self.slots, (print.max(1), place));
        self.count += 1;
    }
    fn put(slots: &mut [(u128, u32)], entry: (u128, u32)) {
        let mask = slots.len() - 1;
        let mut at = entry.0 as usize & mask;
        loop {
            match slots.get_mut(at) {
                Some(slot) if slot.0 == 0 => {
                    *slot = entry;
                    return;
                }
                _ => at = (at + 1) & mask,
            }
        }
    }
}
