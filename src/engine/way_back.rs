//! How long it takes to take back what is in motion, worked out once for each set of services.
//!
//! *Why*: each start of a weight asks, and each service that would like to begin. Of what is in motion little changes from one
//! question to the next, and the answer takes a walk through all of it.

use std::collections::BTreeSet;

use crate::plan::{
    Plan, ServiceName, Span,
    schedule::{Durations, Expected, undo_time},
};

/// So many answers are kept: those for what is in motion, and for what would be with whoever asks.
const KEPT: usize = 4;

/// Answers about one plan, the newest last.
#[derive(Debug, Default)]
pub struct WayBack<'a> {
    durations: Durations,
    known: Vec<Known<'a>>,
}

#[derive(Debug)]
struct Known<'a> {
    moving: BTreeSet<&'a ServiceName>,
    takes: Option<Span>,
}

impl<'a> WayBack<'a> {
    /// How long it takes to take back all that is in motion, and what goes back with it, as a 95th percentile; `also` is one
    /// that would be in motion as well. `None`: nothing is in motion.
    pub fn takes(
        &mut self,
        plan: &'a Plan,
        durations: &Durations,
        moving: &BTreeSet<&'a ServiceName>,
        also: Option<&'a ServiceName>,
    ) -> Option<Span> {
        if self.durations != *durations {
            *self = Self { durations: durations.clone(), known: Vec::new() };
        }
        let also = also.filter(|name| !moving.contains(name));
        let len = moving.len() + usize::from(also.is_some());
        let is_it = |known: &&Known<'a>| {
            let with = also.is_none_or(|name| known.moving.contains(name));
            with && known.moving.len() == len && moving.is_subset(&known.moving)
        };
        if let Some(known) = self.known.iter().rev().find(is_it) {
            return known.takes;
        }
        let moving: BTreeSet<&ServiceName> = moving.iter().copied().chain(also).collect();
        let takes = undo_time(&Expected::measured(plan, durations), undone_with(plan, &moving));
        if self.known.len() >= KEPT {
            self.known.remove(0);
        }
        self.known.push(Known { moving, takes });
        takes
    }
}

/// All that goes back if these do.
fn undone_with<'a>(plan: &'a Plan, moving: &BTreeSet<&'a ServiceName>) -> BTreeSet<&'a ServiceName> {
    let mut all: BTreeSet<&ServiceName> = BTreeSet::new();
    for name in moving {
        if !all.contains(name) {
            let closure = plan.rollback_closure(name);
            all.extend(closure.iter().filter_map(|member| plan.services.get_key_value(member).map(|(own, _)| own)));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan;

    #[test]
    fn an_answer_that_was_kept_is_the_one_that_would_be_found_anew() {
        let revision = plan::read(include_str!("../../plans/spine-weekend.yaml")).unwrap().revision;
        let plan = revision.plan();
        let names: Vec<&ServiceName> = plan.services.keys().collect();
        let anew = |durations: &Durations, moving: &BTreeSet<&ServiceName>, also: Option<&ServiceName>| {
            let all: BTreeSet<&ServiceName> = moving.iter().copied().chain(also).collect();
            undo_time(&Expected::measured(plan, durations), undone_with(plan, &all))
        };
        let slow: Durations = names
            .iter()
            .map(|name| (format!("{name}/effective"), Span::from_secs(7_200)))
            .collect::<std::collections::BTreeMap<_, _>>()
            .into();
        let mut kept = WayBack::default();
        let mut answers = BTreeSet::new();
        let mut seed = 7u64;
        for round in 0..2_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let bits = seed >> 40;
            // Sets that differ in one service, of equal and of other sizes, and the same ones again.
            let moving: BTreeSet<&ServiceName> =
                names.iter().enumerate().filter(|(at, _)| (bits >> (at % 3)) & 1 == 1).map(|(_, name)| *name).collect();
            let also = names.get(usize::try_from(bits >> 8).unwrap() % (names.len() * 2)).copied();
            let durations = if round % 50 < 25 { Durations::default() } else { slow.clone() };
            let takes = kept.takes(plan, &durations, &moving, also);
            assert_eq!(takes, anew(&durations, &moving, also), "{moving:?} and {also:?}");
            answers.insert(takes);
        }
        assert!(answers.len() > 4, "{answers:?}");
        assert_eq!(WayBack::default().takes(plan, &Durations::default(), &BTreeSet::new(), None), None, "nothing is in motion");
    }
}
