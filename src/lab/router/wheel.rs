//! Who is next: smooth weighted round robin, exact over every hundred requests.

use crate::plan::{Side, Weight};

/// Spreads requests over the two sides so that of every hundred in a row from the start exactly the weight goes to target,
/// as evenly as can be. The way of nginx's `ngx_http_upstream_round_robin` (its commit 52327e0627f4, 2012): each side gains
/// its weight, the richest is chosen and pays the whole.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wheel {
    weight: Weight,
    legacy: i32,
    target: i32,
}

impl Wheel {
    /// A wheel for this share of target.
    pub(super) fn new(weight: Weight) -> Self {
        Self { weight, legacy: 0, target: 0 }
    }

    /// The share of target.
    pub(super) fn weight(&self) -> Weight {
        self.weight
    }

    /// The side of the next request. A side with no share is never chosen.
    pub(super) fn next(&mut self) -> Side {
        self.legacy += i32::from(self.weight.of(Side::Legacy));
        self.target += i32::from(self.weight.of(Side::Target));
        if self.target > self.legacy {
            self.target -= 100;
            Side::Target
        } else {
            self.legacy -= 100;
            Side::Legacy
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_weight_is_exact_over_every_hundred() {
        for percent in 0..=100u8 {
            let mut wheel = Wheel::new(Weight::new(u64::from(percent)).unwrap());
            for _ in 0..3 {
                let target = (0..100).filter(|_| wheel.next() == Side::Target).count();
                assert_eq!(target, usize::from(percent));
            }
        }
    }

    #[test]
    fn it_is_smooth() {
        let mut wheel = Wheel::new(Weight::new(25).unwrap());
        let turns: Vec<Side> = (0..100).map(|_| wheel.next()).collect();
        assert!(turns.chunks(4).all(|four| four.iter().filter(|s| **s == Side::Target).count() == 1), "{turns:?}");
    }
}
