//! How long to wait after trouble with the store.

use jiff::SignedDuration;

const FIRST: SignedDuration = SignedDuration::from_millis(100);
const LONGEST: SignedDuration = SignedDuration::from_secs(2);

/// Doubles from a tenth of a second to two seconds; a store that is back is noticed within that.
#[derive(Debug, Clone, Copy, Default)]
pub struct Backoff {
    troubles: u32,
}

impl Backoff {
    /// Whether there was no trouble since the last success.
    pub fn is_fresh(self) -> bool {
        self.troubles == 0
    }
    /// The next pause.
    pub fn next(&mut self) -> SignedDuration {
        let pause = FIRST * (1 << self.troubles.min(10));
        self.troubles = self.troubles.saturating_add(1);
        pause.min(LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_two_seconds() {
        let mut backoff = Backoff::default();
        assert!(backoff.is_fresh());
        let pauses: Vec<i128> = (0..70).map(|_| backoff.next().as_millis()).collect();
        assert_eq!(pauses[..6], [100, 200, 400, 800, 1600, 2000]);
        assert_eq!(pauses[69], 2000);
        assert!(!backoff.is_fresh());
    }
}
