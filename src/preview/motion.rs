//! What is in motion, and how long it takes to go back.

use std::collections::BTreeSet;

use crate::{
    engine::{Record, timing, way_back::WayBack},
    plan::{Plan, ServiceName, Span, schedule::Durations},
};

/// The services in motion, from look to look.
#[derive(Debug)]
pub struct Motion<'p> {
    plan: &'p Plan,
    moving: BTreeSet<&'p ServiceName>,
    way_back: WayBack<'p>,
    /// The most that were in motion at once.
    pub most: usize,
}

impl<'p> Motion<'p> {
    /// Nothing is.
    pub fn new(plan: &'p Plan) -> Self {
        Self { plan, moving: BTreeSet::new(), way_back: WayBack::default(), most: 0 }
    }

    /// Takes in what a look changed.
    pub fn note(&mut self, before: &Record, after: &Record) {
        for (name, _, state) in before.services.differences(&after.services) {
            let Some((name, service)) = self.plan.services.get_key_value(name) else { continue };
            if timing::is_moving(service, state) {
                self.moving.insert(name);
            } else {
                self.moving.remove(name);
            }
        }
        self.most = self.most.max(self.moving.len());
    }

    /// How long it takes to take all of it back, and what goes back with it; `None`: nothing is in motion.
    pub fn undo(&mut self) -> Option<Span> {
        self.way_back.takes(self.plan, &Durations::default(), &self.moving, None)
    }
}
