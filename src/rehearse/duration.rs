//! How long something takes in one run.
//!
//! A plan says of each piece of work what it takes at most in 95 of 100 cases. What it takes in one run is drawn from the
//! lognormal distribution with that 95th percentile and with σ = 0.5: half of the cases take less than 44 % of it, the mean is
//! half of it. Durations of activities in projects are lognormal as far as they were measured (Trietsch, Mazmanyan, Gevorgyan,
//! Baker, "Modeling activity times by the Parkinson distribution with a lognormal core: Theory and validation", European
//! Journal of Operational Research 216(2), 2012); σ is an assumption of ours. The quantile at p is
//! `expect × exp(σ × (z(p) − z(0.95)))`, z being the quantile of the standard normal distribution.
//!
//! It is kept as a table and interpolated, so that no bit depends on a machine's `exp`. The table ends at p = 0.001 and
//! p = 0.999: nothing takes more than 2.06 times its `expect`; what hangs is a fault and no duration.

use super::chance::Chance;

/// Quantiles at 0, 1/128, ... 1, in thousandths of the 95th percentile.
const QUANTILES: [u64; 129] = [
    94, 131, 150, 163, 173, 182, 190, 197, 204, 210, 216, 222, 227, 233, 238, 242, 247, 252, 256, 261, 265, 269, 274, 278, 282,
    286, 290, 294, 298, 302, 306, 310, 314, 317, 321, 325, 329, 333, 337, 340, 344, 348, 352, 356, 359, 363, 367, 371, 375, 379,
    382, 386, 390, 394, 398, 402, 406, 410, 414, 418, 422, 427, 431, 435, 439, 444, 448, 452, 457, 461, 466, 471, 475, 480, 485,
    490, 495, 500, 505, 510, 515, 521, 526, 532, 537, 543, 549, 555, 561, 567, 574, 580, 587, 594, 601, 608, 616, 623, 631, 639,
    648, 656, 666, 675, 685, 695, 705, 716, 728, 740, 753, 767, 781, 796, 813, 830, 849, 870, 893, 918, 946, 978, 1016, 1060,
    1115, 1187, 1290, 1472, 2060,
];

/// What is known of how long something takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Takes {
    /// At most so many milliseconds in 95 of 100 cases.
    Expected(i64),
    /// So many milliseconds each time it was measured; never empty.
    Measured(Vec<i64>),
}

impl Takes {
    /// How long it takes this time, in milliseconds; at least 1.
    pub fn draw(&self, chance: &mut Chance) -> i64 {
        let ms = match self {
            Self::Expected(expect) => {
                let drawn = u128::from(quantile(chance.bits())) * u128::from(expect.unsigned_abs()) / UNIT;
                i64::try_from(drawn).unwrap_or(i64::MAX)
            }
            Self::Measured(times) => chance.pick(times).copied().unwrap_or_default(),
        };
        ms.max(1)
    }

    /// What it takes at most in 95 of 100 cases, in milliseconds.
    pub fn expect(&self) -> i64 {
        match self {
            Self::Expected(expect) => *expect,
            Self::Measured(times) => times.iter().copied().max().unwrap_or_default(),
        }
    }
}

/// What [`quantile`] counts in: 2^20 parts of a thousandth.
const UNIT: u128 = 1000 << 20;

/// The quantile at `p` / 2^64.
fn quantile(p: u64) -> u64 {
    let (cell, within) = ((p >> 57) as usize, (p >> 37) & 0xF_FFFF);
    let at = |place: usize| QUANTILES.get(place).copied().unwrap_or_default();
    let (low, high) = (at(cell), at(cell + 1));
    (low << 20) + (high - low) * within
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(p: f64) -> f64 {
        quantile((p * 2f64.powi(64)) as u64) as f64 / UNIT as f64
    }

    /// Quantiles of the standard normal distribution, from any table.
    #[test]
    fn the_table_is_the_formulas() {
        for (p, z) in [(0.05, -1.644_854), (0.25, -0.674_490), (0.5, 0.0), (0.75, 0.674_490), (0.9, 1.281_552), (0.95, 1.644_854)]
        {
            let wanted = (0.5f64 * (z - 1.644_854)).exp();
            assert!((share(p) / wanted - 1.0).abs() < 0.005, "{p}: {} instead of {wanted}", share(p));
        }
        assert!(QUANTILES.is_sorted());
    }

    #[test]
    fn five_in_a_hundred_take_longer_than_expected_and_none_more_than_twice_as_long() {
        let (mut chance, takes) = (Chance::of(1), Takes::Expected(600_000));
        let drawn: Vec<i64> = (0..20_000).map(|_| takes.draw(&mut chance)).collect();
        let longer = drawn.iter().filter(|ms| **ms > 600_000).count();
        assert!((900..1100).contains(&longer), "{longer} of 20,000");
        assert!(drawn.iter().all(|ms| (56_000..1_236_001).contains(ms)));
        assert_eq!(Takes::Expected(i64::MAX).draw(&mut chance).signum(), 1);
    }

    #[test]
    fn what_was_measured_is_drawn_as_it_was_measured() {
        let (mut chance, takes) = (Chance::of(1), Takes::Measured(vec![20, 30]));
        let drawn: std::collections::BTreeSet<i64> = (0..50).map(|_| takes.draw(&mut chance)).collect();
        assert_eq!((drawn, takes.expect()), ([20, 30].into(), 30));
    }
}
