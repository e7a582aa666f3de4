//! Tells whoever watches a run: sentences on standard error, or one JSON event a line on standard output.

use std::collections::BTreeSet;

use gapless::{
    engine::{Course, Decision, Effect, Record},
    ports::{Performed, Reporter},
    report::event,
};
use jiff::Timestamp;

use crate::output;

/// What was told last of what waits, so that it is not told again.
pub struct Teller {
    events: bool,
    waits: BTreeSet<String>,
}

impl Teller {
    pub fn new(events: bool) -> Self {
        Self { events, waits: BTreeSet::new() }
    }

    /// A run begins, or goes on.
    pub fn opens(&mut self, record: &Record, goes_on: bool) {
        let how = if goes_on { "goes on" } else { "begins" };
        self.say(Timestamp::now(), &format!("run {} of plan {} {how}", record.run, record.plan));
    }

    fn say(&self, at: Timestamp, text: &str) {
        if !self.events {
            output::complain(&format!("{at:.3}  {text}"));
        }
    }

    fn emit(&self, line: impl FnOnce() -> String) {
        if self.events {
            // Who reads this may have gone; the run goes on, and its exit code tells.
            let _ = output::print(&(line() + "\n"));
        }
    }

    /// What a person should know of what waits, once, and with its numbers only when they first come up.
    fn tell_waits(&mut self, now: Timestamp, decision: &Decision) {
        let notable = decision.waits.iter().filter(|wait| wait.reason.course() == Course::Notable);
        let mut waits = BTreeSet::new();
        for wait in notable {
            let key = format!("{} {}", wait.step, wait.reason.word());
            if !self.waits.contains(&key) {
                self.say(now, &format!("{} waits: {}", wait.step, wait.reason));
            }
            waits.insert(key);
        }
        self.waits = waits;
    }
}

impl Reporter for Teller {
    fn decided(&mut self, now: Timestamp, decision: &Decision) {
        for event in &decision.events {
            self.emit(|| event::event_line(now, event));
            self.say(now, &event.to_string());
        }
        if !self.events {
            self.tell_waits(now, decision);
        }
    }

    fn performed(&mut self, now: Timestamp, effect: &Effect, how: &Performed) {
        self.emit(|| event::performed_line(now, effect, how));
        if *how != Performed::Done {
            self.say(now, &event::performed_text(effect, how));
        }
    }

    fn trouble(&mut self, now: Timestamp, what: &str) {
        self.emit(|| event::trouble_line(now, what));
        self.say(now, what);
    }

    fn back(&mut self, now: Timestamp, since: Timestamp) {
        self.emit(|| event::back_line(now, since));
        self.say(now, &event::back_text(now, since));
    }
}
