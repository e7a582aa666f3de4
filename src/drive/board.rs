//! What people were told last, and whether there is something new for them.

use std::mem::{Discriminant, discriminant};

use jiff::{SignedDuration, Timestamp};

use crate::engine::{Course, Decision, Outcome, Reason, StepId};

/// Between two publications at least.
const SPACING: SignedDuration = SignedDuration::from_secs(1);
/// After a publication that failed.
const AFTER_TROUBLE: SignedDuration = SignedDuration::from_secs(5);

/// What a person should know of a decision. Counters and texts inside a reason are no news, the ordinary course is none.
#[derive(Debug, Clone, PartialEq)]
struct News {
    outcome: Option<Outcome>,
    notable: Vec<(StepId, Discriminant<Reason>)>,
}

impl News {
    fn of(decision: &Decision) -> Self {
        let notable = decision.waits.iter().filter(|wait| wait.reason.course() == Course::Notable);
        Self { outcome: decision.outcome, notable: notable.map(|wait| (wait.step.clone(), discriminant(&wait.reason))).collect() }
    }
}

/// What people were told last. After a start that is not known, so it is published once: when the first answers had time
/// to come, for before that everything is unknown.
#[derive(Debug)]
pub struct Board {
    told: Option<News>,
    not_before: Timestamp,
}

impl Board {
    /// After a start at this moment.
    pub fn new(start: Timestamp) -> Self {
        Self { told: None, not_before: start.saturating_add(SPACING).unwrap_or(Timestamp::MAX) }
    }
    /// Whether people were told something else last.
    pub fn is_new(&self, decision: &Decision) -> bool {
        self.told.as_ref() != Some(&News::of(decision))
    }
    /// Whether this decision is to be published now.
    pub fn is_due(&self, decision: &Decision, now: Timestamp) -> bool {
        now >= self.not_before && self.is_new(decision)
    }
    /// When it is to be published, if it has to wait for that.
    pub fn due(&self, decision: &Decision, now: Timestamp) -> Option<Timestamp> {
        (now < self.not_before && self.is_new(decision)).then_some(self.not_before)
    }
    /// It is being published, or was committed with its record.
    pub fn told(&mut self, decision: &Decision, now: Timestamp) {
        self.told = Some(News::of(decision));
        self.not_before = now.saturating_add(SPACING).unwrap_or(Timestamp::MAX);
    }
    /// It could not be published.
    pub fn failed(&mut self, now: Timestamp) {
        self.told = None;
        self.not_before = now.saturating_add(AFTER_TROUBLE).unwrap_or(Timestamp::MAX);
    }
}
