//! Chance by a seed: the same seed gives the same numbers on every machine, in whole numbers only.
//!
//! The generator is splitmix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014; the
//! constants are those of `java.util.SplittableRandom`). Neighbouring seeds give unrelated numbers.

/// A row of random numbers.
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    /// The row of this seed.
    pub fn of(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`, each as likely as the others to within one in 2^64 / `limit`; 0 if `limit` is 0.
    pub fn below(&mut self, limit: u64) -> u64 {
        // The high half of the product (Lemire, "Fast random integer generation in an interval", 2019), without the rejection.
        ((u128::from(self.bits()) * u128::from(limit)) >> 64) as u64
    }

    /// Whether something happens that happens `times` out of `of`.
    pub fn hits(&mut self, times: u64, of: u64) -> Luck {
        if self.below(of) < times { Luck::Hit } else { Luck::Miss }
    }

    /// One of these; `None` if there are none.
    pub fn pick<'a, T>(&mut self, among: &'a [T]) -> Option<&'a T> {
        let place = self.below(among.len() as u64);
        among.get(usize::try_from(place).unwrap_or(usize::MAX))
    }
}

/// Whether something happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Luck {
    /// It did.
    Hit,
    /// It did not.
    Miss,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first numbers of seed 1234567, as the reference implementation gives them (Vigna's `splitmix64.c`, public domain).
    #[test]
    fn it_is_the_published_generator() {
        let mut chance = Chance::of(1_234_567);
        let first: Vec<u64> = (0..3).map(|_| chance.bits()).collect();
        assert_eq!(first, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn numbers_lie_below_their_limit_and_meet_all_of_it() {
        let mut chance = Chance::of(7);
        let mut met = [0u32; 6];
        for _ in 0..6000 {
            met[usize::try_from(chance.below(6)).unwrap()] += 1;
        }
        assert!(met.iter().all(|times| (800..1200).contains(times)), "{met:?}");
        assert_eq!((chance.below(0), chance.pick::<u8>(&[])), (0, None));
    }
}
