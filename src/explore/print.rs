//! Fingerprints: states are told apart by 64 bits, decisions by 128.
//!
//! Two different states with one fingerprint would hide one of them. With n states that happens somewhere with a probability
//! of about n² / 2^65: for ten million 3 in a million, for a hundred million 3 in ten thousand. Reports say so.
//!
//! Small values are packed into words of eight bytes, and two words are mixed at a time by the two halves of their product,
//! one over the other, as wyhash does. What is written tells where it ends (derived `Hash` writes lengths and variants before
//! what they govern), so different values give different words. Nothing else is done as often as writing one: all of that is inlined.

use std::hash::{Hash, Hasher};

const K: [u64; 4] = [0x9E37_79B9_7F4A_7C15, 0xD6E8_FEB8_6659_FD93, 0xA076_1D64_78BD_642F, 0xE703_7ED1_A0B4_28DB];

/// The same value has the same fingerprint in every run, on every machine of the same word size.
#[derive(Debug, Clone, Copy)]
pub struct Print {
    a: u64,
    b: u64,
    /// Bytes that do not fill a word yet, and how many bits they are.
    part: u64,
    bits: u32,
    /// The first word of a pair.
    first: Option<u64>,
}

impl Print {
    /// The fingerprint of a value.
    pub fn of<T: Hash + ?Sized>(value: &T) -> u128 {
        let mut print = Self::new();
        value.hash(&mut print);
        print.end()
    }
    /// Of nothing yet.
    pub fn new() -> Self {
        Self { a: K[0], b: K[1], part: 0, bits: 0, first: None }
    }
    /// The fingerprint of all that was written.
    pub fn end(mut self) -> u128 {
        // A one behind the last bytes: what is shorter is different.
        self.pack(1, 8);
        let (part, first) = (self.part, self.first.take());
        self.mix(first.unwrap_or(K[2]), part);
        let (a, b) = (fold(self.a, K[0]), fold(self.b, K[1]));
        u128::from(a ^ b.rotate_left(32)) << 64 | u128::from(b)
    }
    #[inline]
    fn pack(&mut self, value: u64, bits: u32) {
        if self.bits + bits > 64 {
            self.full();
        }
        self.part |= value << self.bits;
        self.bits += bits;
    }
    fn full(&mut self) {
        let full = std::mem::take(&mut self.part);
        self.bits = 0;
        self.take(full);
    }
    #[inline]
    fn take(&mut self, word: u64) {
        match self.first.take() {
            None => self.first = Some(word),
            Some(first) => self.mix(first, word),
        }
    }
    fn mix(&mut self, first: u64, second: u64) {
        self.a = fold(self.a ^ first, K[2] ^ second);
        self.b = fold(self.b ^ second, K[3] ^ first);
    }
}

/// The two halves of a product, one over the other.
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ ((product >> 64) as u64)
}

impl Hasher for Print {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        words.iter().for_each(|word| self.take(u64::from_le_bytes(*word)));
        if !rest.is_empty() {
            let bits = rest.iter().fold(0, |bits, _| bits + 8);
            self.pack(rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)), bits);
        }
    }
    #[inline]
    fn write_u8(&mut self, n: u8) {
        self.pack(u64::from(n), 8);
    }
    #[inline]
    fn write_u16(&mut self, n: u16) {
        self.pack(u64::from(n), 16);
    }
    #[inline]
    fn write_u32(&mut self, n: u32) {
        self.pack(u64::from(n), 32);
    }
    #[inline]
    fn write_u64(&mut self, n: u64) {
        self.take(n);
    }
    #[inline]
    fn write_i64(&mut self, n: i64) {
        self.take(n as u64);
    }
    #[inline]
    fn write_usize(&mut self, n: usize) {
        self.write_isize(n as isize);
    }
    /// Variants and lengths: few are larger than a byte.
    #[inline]
    fn write_isize(&mut self, n: isize) {
        let n = n as u64;
        if n < u64::from(u8::MAX) {
            return self.pack(n, 8);
        }
        self.pack(u64::from(u8::MAX), 8);
        self.take(n);
    }
    fn finish(&self) -> u64 {
        self.end() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_a_little_has_another_fingerprint() {
        let mut prints: Vec<u128> = Vec::new();
        for tail in 0u8..3 {
            for number in [0i64, 1, -1, i64::MAX] {
                for list in [vec![], vec![0u8], vec![0, 0], vec![tail; 300]] {
                    for choice in [None, Some(0u32), Some(1)] {
                        prints.push(Print::of(&(tail, number, &list, choice, "text")));
                        prints.push(Print::of(&(&list, tail, choice, number)));
                    }
                }
            }
        }
        let all = prints.len();
        prints.sort_unstable();
        prints.dedup();
        assert_eq!(all - prints.len(), 0, "of {all}");
        let mut low: Vec<u64> = prints.iter().map(|print| *print as u64).collect();
        low.sort_unstable();
        low.dedup();
        assert_eq!(low.len(), prints.len(), "the lower half alone tells them apart");
    }

    #[test]
    fn a_shorter_text_with_nothing_behind_it_is_another() {
        let mut prints = ["", "\0", "\0\0", "\0\0\0\0\0\0\0\0", "\u{1}", "a\u{1}"].map(|text| {
            let mut print = Print::new();
            print.write(text.as_bytes());
            print.end()
        });
        prints.sort_unstable();
        assert!(prints.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
