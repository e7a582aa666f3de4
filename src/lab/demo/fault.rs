//! The faults that the demo can inject, and how a run with them has to end.

use std::{collections::BTreeSet, fmt, str::FromStr};

use serde::{Serialize, Serializer};

use crate::{
    engine::Outcome,
    lab::estate::Fault,
    plan::{BadValue, Side},
};

/// A fault, named as on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DemoFault {
    /// The target side answers 500.
    TargetErrors,
    /// The target side is gone.
    TargetDies,
    /// The target side takes longer than anybody waits.
    TargetSlow,
    /// The legacy side is gone.
    LegacyDies,
    /// Whoever speaks for the service's health does not answer.
    GateUnknown,
    /// The runner is killed, and started again.
    Crash,
}

/// Several faults at once.
pub type DemoFaults = BTreeSet<DemoFault>;

impl DemoFault {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::TargetErrors, Self::TargetDies, Self::TargetSlow, Self::LegacyDies, Self::GateUnknown, Self::Crash];

    /// What it does to which side of the service, if it does something to one.
    pub fn on_side(self) -> Option<(Side, Fault)> {
        match self {
            Self::TargetErrors => Some((Side::Target, Fault::Errors)),
            Self::TargetDies => Some((Side::Target, Fault::Dead)),
            Self::TargetSlow => Some((Side::Target, Fault::Slow)),
            Self::LegacyDies => Some((Side::Legacy, Fault::Dead)),
            Self::GateUnknown | Self::Crash => None,
        }
    }
}

impl fmt::Display for DemoFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TargetErrors => "target-errors",
            Self::TargetDies => "target-dies",
            Self::TargetSlow => "target-slow",
            Self::LegacyDies => "legacy-dies",
            Self::GateUnknown => "gate-unknown",
            Self::Crash => "crash",
        })
    }
}
impl FromStr for DemoFault {
    type Err = BadValue;
    fn from_str(text: &str) -> Result<Self, BadValue> {
        Self::ALL.into_iter().find(|fault| fault.to_string() == text).ok_or_else(|| {
            let names = Self::ALL.map(|fault| fault.to_string()).join(", ");
            BadValue(format!("`{text}` is not a fault of the demo: choose from {names}"))
        })
    }
}
impl Serialize for DemoFault {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

/// How a careful engineer expects a run to end that meets these faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expectation {
    /// How it ends.
    pub outcome: Outcome,
    /// Why that is right.
    pub because: &'static str,
}

/// What these faults have to lead to.
pub fn expected(faults: &DemoFaults) -> Expectation {
    let target = faults.iter().any(|f| f.on_side().is_some_and(|(side, _)| side == Side::Target));
    let (legacy, unknown) = (faults.contains(&DemoFault::LegacyDies), faults.contains(&DemoFault::GateUnknown));
    let (outcome, because) = match (target, legacy, unknown) {
        (true, true, _) => (
            Outcome::Held,
            "the target fails, but legacy is dead: to go back would trade one outage for another, so the way back is refused, \
             everything stays where it is, and people are told",
        ),
        (true, false, _) => (
            Outcome::RolledBack,
            "the target fails and legacy is healthy, so the service goes back, and what the plan ties to it goes back with it, \
             in the reverse of the order in which it moved",
        ),
        (false, true, _) => (
            Outcome::Held,
            "legacy died under the traffic it still had and the target is healthy, so all of it goes to the target at once; \
             then everything holds, for there is no way back any more and only people can say whether to go on without one",
        ),
        (false, false, true) => (
            Outcome::Held,
            "a gate without an answer neither passes nor fails: the run waits as long as the plan says, and then holds for people",
        ),
        (false, false, false) => (Outcome::Completed, "nothing is wrong with either side, so every service moves and is kept"),
    };
    Expectation { outcome, because }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for fault in DemoFault::ALL {
            assert_eq!(fault.to_string().parse(), Ok(fault));
        }
        assert!("meteor".parse::<DemoFault>().unwrap_err().0.contains("gate-unknown"));
    }

    #[test]
    fn the_worst_decides() {
        let outcome = |faults: &[DemoFault]| expected(&faults.iter().copied().collect()).outcome;
        assert_eq!(outcome(&[]), Outcome::Completed);
        assert_eq!(outcome(&[DemoFault::Crash]), Outcome::Completed);
        assert_eq!(outcome(&[DemoFault::TargetSlow, DemoFault::Crash]), Outcome::RolledBack);
        assert_eq!(outcome(&[DemoFault::TargetErrors, DemoFault::LegacyDies]), Outcome::Held);
        assert_eq!(outcome(&[DemoFault::GateUnknown, DemoFault::TargetDies]), Outcome::RolledBack);
    }
}
