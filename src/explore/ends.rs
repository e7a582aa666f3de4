//! How the runs of a search ended: where no run completes, nothing was proven of what comes at the end of one.

use crate::engine::Outcome;

/// Some of the outcomes that a run can have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ends(u8);

const ALL: [Outcome; 4] = [Outcome::Completed, Outcome::RolledBack, Outcome::Held, Outcome::Failed];

impl Ends {
    /// A run ended so.
    pub fn add(&mut self, outcome: Outcome) {
        self.0 |= 1 << outcome as u8;
    }
    /// Those of another part of the search as well.
    pub fn join(&mut self, other: Self) {
        self.0 |= other.0;
    }
    /// All of them, in a fixed order.
    pub fn outcomes(self) -> impl Iterator<Item = Outcome> {
        ALL.into_iter().filter(move |outcome| self.0 & 1 << *outcome as u8 != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_or_joined_is_there_and_nothing_else() {
        let (mut one, mut other) = (Ends::default(), Ends::default());
        assert_eq!(one.outcomes().count(), 0);
        one.add(Outcome::Held);
        other.add(Outcome::Completed);
        one.join(other);
        assert_eq!(one.outcomes().collect::<Vec<_>>(), [Outcome::Completed, Outcome::Held]);
        ALL.into_iter().for_each(|outcome| one.add(outcome));
        assert_eq!(one.outcomes().collect::<Vec<_>>(), ALL);
    }
}
