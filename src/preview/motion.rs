//! What is in motion, and how long it takes to go back.

use std::collections::BTreeSet;

use crate::{
    engine::{Record, timing},
    plan::{
        Plan, ServiceName, Span,
        schedule::{Expected, undo_time},
    },
};

/// The services in motion, from look to look.
#[derive(Debug)]
pub struct Motion<'p> {
    plan: &'p Plan,
    moving: BTreeSet<&'p ServiceName>,
    /// How long all of them take to go back, as it was worked out last.
    undo: Option<Option<Span>>,
    /// The most that were in motion at once.
    pub most: usize,
}

impl<'p> Motion<'p> {
    /// Nothing is.
    pub fn new(plan: &'p Plan) -> Self {
        Self { plan, moving: BTreeSet::new(), undo: None, most: 0 }
    }

    /// Takes in what a look changed.
    pub fn note(&mut self, before: &Record, after: &Record) {
        for (name, _, state) in before.services.differences(&after.services) {
            let Some((name, service)) = self.plan.services.get_key_value(name) else { continue };
            let news = if timing::is_moving(service, state) { self.moving.insert(name) } else { self.moving.remove(name) };
            if news {
                self.undo = None;
            }
        }
        self.most = self.most.max(self.moving.len());
    }

    /// How long it takes to take all of it back, and what goes back with it; `None`: nothing is in motion.
    pub fn undo(&mut self, expected: &Expected<'p>) -> Option<Span> {
        let (plan, moving) = (self.plan, &self.moving);
        *self.undo.get_or_insert_with(|| {
            let mut all: BTreeSet<&'p ServiceName> = BTreeSet::new();
            for name in moving {
                if !all.contains(name) {
                    let closure = plan.rollback_closure(name);
                    all.extend(closure.iter().filter_map(|member| plan.services.get_key_value(member)).map(|(own, _)| own));
                }
            }
            undo_time(expected, all.iter().copied())
        })
    }
}
