//! How a run is told: the time by the plan's own clock, what befell it, what was decided and why, what was done.
//!
//! A line is one decision about one or several services. `!` befell the run, `→` is an order that was sent, `|` is what another run
//! in the same world did, `?` says what is waited for where a person should know or nothing happened for long. Quiet times are one line.

use std::collections::{BTreeMap, BTreeSet};

use gapless::{
    engine::{Action, Course, Decision, Deed, Effect, Event, Reason, TaskWay, Wait},
    plan::Revision,
    world::{Breach, Happening, Look, Moment, Sim, fault::Told},
};
use jiff::tz::TimeZone;

use super::{clock, script::Line};

/// Without a word for so long, a quiet time is shown.
const QUIET: i64 = 60_000;
/// And after so long what is waited for, too.
const LONG: i64 = 35 * 60_000;
/// So many waits are shown of one time.
const SHOWN: usize = 5;

pub struct Story {
    zone: TimeZone,
    lines: Vec<String>,
    /// What was told and when, for lines of a script that wait for it.
    told: Vec<(Moment, String)>,
    day: String,
    last: Moment,
    waits: Vec<Wait>,
    last_waits: Vec<Wait>,
    notable: BTreeSet<String>,
    /// Effects that were told: what is sent again while the first is under way is told once.
    sent: BTreeSet<String>,
    clock: String,
}

impl Story {
    pub fn new(title: &[String], sim: &Sim, zone: TimeZone) -> Self {
        let mut lines: Vec<String> = title.iter().map(|line| format!("# {line}").trim_end().to_owned()).collect();
        lines.push(String::new());
        let plan = sim.model.revision().plan();
        let mut story = Self {
            zone,
            lines,
            told: Vec::new(),
            day: String::new(),
            last: Moment(0),
            waits: Vec::new(),
            last_waits: Vec::new(),
            notable: BTreeSet::new(),
            sent: BTreeSet::new(),
            clock: String::new(),
        };
        let (services, phases) = (plan.services.len(), plan.phases.len());
        story.line(sim, ' ', &format!("a run of {} starts; services: {services}, phases: {phases}", plan.name));
        story
    }

    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }
    pub fn position(&self) -> usize {
        self.told.len()
    }
    /// When this was told first, from that position on.
    pub fn told(&self, from: usize, text: &str) -> Option<Moment> {
        self.told.iter().skip(from).find(|(_, told)| told.contains(text)).map(|(at, _)| *at)
    }
    pub fn text(&self) -> String {
        self.lines.join("\n")
    }

    fn line(&mut self, sim: &Sim, sign: char, text: &str) {
        let (at, now) = (sim.now(), sim.world.now());
        self.quiet(sim, now);
        let day = clock::day(at, &self.zone);
        if day != self.day {
            self.lines.push(format!("--- {day}"));
            self.day = day;
            self.clock.clear();
        }
        let time = clock::time(at, &self.zone);
        let shown = if time == self.clock { "        " } else { &time };
        let text = clock::sentence(text, &self.zone, at);
        self.lines.push(format!("{shown} {sign} {text}"));
        self.clock = time;
        self.last = now;
    }

    /// Nothing was told for long: says for how long, and what was waited for.
    fn quiet(&mut self, sim: &Sim, now: Moment) {
        let length = now.since(self.last);
        if length < QUIET {
            return;
        }
        self.lines.push(format!("         ... {}", clock::pause(length)));
        let waits = std::mem::take(&mut self.waits);
        if length >= LONG {
            let at = sim.model.timestamp(self.last);
            self.waiting(at, waits.iter());
        }
        self.clock.clear();
    }

    /// What is waited for, the same sentence of several steps once.
    fn waiting<'w>(&mut self, at: jiff::Timestamp, waits: impl Iterator<Item = &'w Wait>) {
        let mut by_sentence: Vec<(String, Vec<String>)> = Vec::new();
        for wait in waits {
            let sentence = clock::sentence(&wait.reason.to_string(), &self.zone, at);
            let step = wait.step.to_string();
            match by_sentence.iter_mut().find(|(known, _)| *known == sentence) {
                Some((_, steps)) if !steps.contains(&step) => steps.push(step),
                Some(_) => {}
                None => by_sentence.push((sentence, vec![step])),
            }
        }
        let more = by_sentence.len().saturating_sub(SHOWN);
        for (sentence, steps) in by_sentence.into_iter().take(SHOWN) {
            self.lines.push(format!("         ? {}: {sentence}", shortened(&steps)));
        }
        if more > 0 {
            self.lines.push(format!("         ? and {more} more"));
        }
    }

    /// Something befalls the run.
    pub fn happens(&mut self, sim: &Sim, happening: Happening) {
        let text = Told(&sim.model, happening).to_string();
        self.fate(sim, &text);
    }
    pub fn fate(&mut self, sim: &Sim, text: &str) {
        self.line(sim, '!', text);
        self.told.push((sim.world.now(), text.to_owned()));
    }

    /// Somebody edits the plan: what would be decided if the run were given the edited one, and that nothing is done.
    pub fn edited(&mut self, sim: &Sim, other: &Revision) {
        let own = sim.model.revision();
        let text = format!("the plan is edited: revision {} becomes {}", own.digest().short(), other.digest().short());
        self.fate(sim, &text);
        let decision = sim.offer(other);
        assert_eq!(decision.record, sim.record, "the record of a run is of its own revision");
        assert!(decision.effects.is_empty(), "nothing is done by another revision");
        let reasons: BTreeSet<String> = decision.waits.iter().map(|wait| wait.reason.to_string()).collect();
        for reason in reasons {
            self.line(sim, '?', &format!("asked what it would do with the edited plan: nothing, for {reason}"));
        }
    }

    pub fn breaches(&mut self, sim: &Sim, breaches: &[Breach]) {
        if let Some(breach) = breaches.first() {
            let name = sim.model.service(breach.service).map(|s| s.name.to_string()).unwrap_or_default();
            panic!("{}\nthe judge of the world: {name}: {breach}", self.text());
        }
    }

    pub fn look(&mut self, sim: &Sim, look: &Look) {
        self.breaches(sim, &look.breaches);
        let decision = &look.decision;
        let new: Vec<&Effect> =
            decision.effects.iter().filter(|e| self.sent.insert(format!("{} {:?}", e.key, e.action))).collect();
        for (subject, text) in decided(decision, new) {
            self.line(sim, ' ', &format!("{subject}: {text}"));
        }
        for event in &decision.events {
            self.told.push((look.moment, event.to_string()));
        }
        self.waits.clone_from(&decision.waits);
        self.last_waits.clone_from(&decision.waits);
        self.tell_notable(sim, decision);
    }

    /// A look of the other run in the same world: what it decided, in its own words.
    pub fn other(&mut self, sim: &Sim, name: &str, look: &Look) {
        self.breaches(sim, &look.breaches);
        let decision = &look.decision;
        let new: Vec<&Effect> =
            decision.effects.iter().filter(|e| self.sent.insert(format!("{name} {} {:?}", e.key, e.action))).collect();
        for (subject, text) in decided(decision, new) {
            self.line(sim, '|', &format!("{name}: {subject}: {text}"));
        }
        for event in &decision.events {
            self.told.push((look.moment, format!("{name}: {event}")));
        }
    }

    /// What a person should know of what waits, when it first comes up.
    fn tell_notable(&mut self, sim: &Sim, decision: &Decision) {
        let told = |reason: &Reason| decision.events.iter().any(|event| event.to_string().ends_with(&reason.to_string()));
        let held = |wait: &Wait| {
            let state = wait.step.service().and_then(|name| decision.record.services.get(name));
            let own = state.and_then(|s| s.hold.as_ref()).is_some_and(|hold| hold.reason == wait.reason);
            own || decision.record.latch.as_ref().is_some_and(|latch| latch.reason == wait.reason)
        };
        let notable: Vec<&Wait> = decision.waits.iter().filter(|w| w.reason.course() == Course::Notable && !held(w)).collect();
        let key = |wait: &&Wait| format!("{} {}", wait.step, wait.reason.word());
        let new: Vec<Wait> =
            notable.iter().filter(|w| !self.notable.contains(&key(w)) && !told(&w.reason)).map(|w| (*w).clone()).collect();
        let mut by_sentence: Vec<(String, Vec<String>)> = Vec::new();
        for wait in &new {
            let (sentence, step) = (wait.reason.to_string(), wait.step.to_string());
            match by_sentence.iter_mut().find(|(known, _)| *known == sentence) {
                Some((_, steps)) => steps.push(step),
                None => by_sentence.push((sentence, vec![step])),
            }
        }
        let more = by_sentence.len().saturating_sub(SHOWN);
        for (place, (sentence, steps)) in by_sentence.into_iter().enumerate() {
            let text = format!("{}: {sentence}", shortened(&steps));
            if place < SHOWN {
                self.line(sim, '?', &text);
            }
            self.told.push((sim.world.now(), text));
        }
        if more > 0 {
            self.line(sim, '?', &format!("and {more} more"));
        }
        self.notable = notable.iter().map(key).collect();
    }

    /// The last lines: how it ended, or what is still waited for; and whether a request was lost.
    pub fn end<'l>(mut self, sim: &Sim, left: impl Iterator<Item = &'l Line>) -> String {
        let left: Vec<String> = left.map(|line| format!("line {}: {}", line.number, line.what)).collect();
        assert!(left.is_empty(), "{}\nthese lines of the script never came to pass: {left:#?}", self.text());
        let now = sim.world.now();
        self.quiet(sim, now);
        self.lines.push("---".to_owned());
        match &sim.record.ended {
            Some(ended) => self.lines.push(format!("the run ended: {}", ended.outcome)),
            None => {
                self.lines.push("the run goes on; it waits:".to_owned());
                self.waiting(sim.now(), self.last_waits.clone().iter());
            }
        }
        let lost =
            (0..).zip(sim.model.services()).map(|(ix, service)| (&service.name, sim.history.requests_lost(&sim.model, ix)));
        let lost: Vec<String> = lost.filter(|(_, lost)| *lost > 0).map(|(name, lost)| format!("{name} {lost}")).collect();
        self.lines.push(if lost.is_empty() {
            "no request was lost".to_owned()
        } else {
            format!("requests that met a side which could not carry them: {}", lost.join(", "))
        });
        for single in sim.model.replications() {
            let (name, pause) =
                (&sim.model.services()[usize::from(single.service)].name, sim.history.pause(&sim.model, single.service));
            let seconds = |ms: i64| (ms + 500) / 1000;
            let (pause, budget) = (seconds(pause), seconds(single.budget));
            self.lines.push(format!("nobody could write to {name} for {pause} s at most, of {budget} s that its plan bears"));
        }
        self.lines.join("\n") + "\n"
    }
}

/// `pds, sds and 3 more`, of steps or names. What waits for its phase is told as the phase alone.
fn shortened(all: &[String]) -> String {
    let phase: Vec<String> = all.iter().filter(|step| step.starts_with("phase ")).cloned().collect();
    match if phase.is_empty() { all } else { &phase } {
        [] => String::new(),
        [one] => one.clone(),
        [one, two] => format!("{one}, {two}"),
        [one, two, three] => format!("{one}, {two}, {three}"),
        [one, two, rest @ ..] => format!("{one}, {two} and {} more", rest.len()),
    }
}

/// What was decided about each service, phase and bridge, with what is done; the same about several is said once.
fn decided(decision: &Decision, mut left: Vec<&Effect>) -> Vec<(String, String)> {
    let mut about: Vec<(String, Vec<String>)> = Vec::new();
    let mut say = |subject: String, text: String| match about.iter_mut().find(|(known, _)| *known == subject) {
        Some((_, texts)) => texts.push(text),
        None => about.push((subject, vec![text])),
    };
    for event in &decision.events {
        let effect = left.iter().position(|effect| carries_out(effect, event));
        let arrow = if effect.map(|place| left.remove(place)).is_some() { "→ " } else { "" };
        let (subject, text) = parted(event);
        say(subject, format!("{arrow}{text}"));
    }
    let mut others: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for effect in left {
        others.entry(effect.key.step.of.to_string()).or_default().push(format!("→ {}", done(effect)));
    }
    for (subject, texts) in others {
        texts.into_iter().for_each(|text| say(subject.clone(), text));
    }
    let mut by_text: Vec<(Vec<String>, String)> = Vec::new();
    for (subject, texts) in about {
        let text = texts.join("; ");
        match by_text.iter_mut().find(|(_, known)| *known == text) {
            Some((subjects, _)) => subjects.push(subject),
            None => by_text.push((vec![subject], text)),
        }
    }
    by_text
        .into_iter()
        .map(|(subjects, text)| (if subjects.len() > 5 { shortened(&subjects) } else { subjects.join(", ") }, text))
        .collect()
}

/// Whether this effect is what the event says was ordered.
fn carries_out(effect: &Effect, event: &Event) -> bool {
    match (event, &effect.action) {
        (Event::Ordered { step, weight, .. }, Action::SetWeight { weight: set, .. }) => {
            step.of == effect.key.step.of && weight == set
        }
        (Event::TaskOrdered { task }, Action::Task { task: ordered, .. }) => task == ordered,
        _ => false,
    }
}

/// Whom an event is about, and the rest of its sentence.
fn parted(event: &Event) -> (String, String) {
    let text = event.to_string();
    if let Event::TaskOrdered { task } | Event::TaskDone { task } | Event::TaskFailed { task, .. } = event {
        let what = if task.way == TaskWay::Undo { "undo of task" } else { "task" };
        let rest = text.split_once(": ").map_or(text.as_str(), |(_, rest)| rest);
        return (task.of.to_string(), format!("{what} {} {rest}", task.task));
    }
    let own = event.service().map(ToString::to_string);
    match own.and_then(|name| text.strip_prefix(&format!("{name}: ")).map(|rest| (name.clone(), rest.to_owned()))) {
        Some(parts) => parts,
        None => ("run".to_owned(), text),
    }
}

/// An effect that no event of the same decision tells of.
fn done(effect: &Effect) -> String {
    match &effect.action {
        Action::SetWeight { weight, .. } => format!("{weight} to target, once more"),
        Action::Release { .. } => "its route is given up".to_owned(),
        Action::Task { task, deed } => {
            let what = if task.way == TaskWay::Undo { "undo of task" } else { "task" };
            let again = if matches!(deed, Deed::Act(_)) { "once more" } else { "again" };
            format!("{what} {}, {again}", task.task)
        }
        Action::Claim { .. } => "claimed".to_owned(),
        Action::Unclaim { .. } => "no longer claimed".to_owned(),
        Action::EnsureBackend { side, .. } => format!("its {side} side is made known to the router"),
    }
}
