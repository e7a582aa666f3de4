//! One rehearsal: a run in virtual time, and an agenda of what faults and people do to it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    Rehearsal,
    chance::Chance,
    duration::Takes,
    end::{End, Struck, WindowEnd},
    fault::{self, Mend, Strike, Waiting},
    held::held_by,
    trace::{By, Line},
};
use crate::{
    engine::{Action, Decision, Event, Outcome, Reason, Stage, Wait},
    plan::{ServiceName, Window, WindowName, WindowPurpose},
    world::{
        Edge, Happening, Keep, Look, Moment, Sim,
        budget::Kind,
        fault::Told,
        judge::Breach,
        people::{self, Yes},
    },
};

/// More looks than any run needs that comes to an end: then it is taken to be held.
const LOOKS: u32 = 50_000;
/// A fault that finds nobody to strike tries again after so many milliseconds, a few times.
const AGAIN: i64 = 30_000;
const TRIES: u8 = 40;

/// Something that is going to be done to the run.
#[derive(Debug, Clone, Copy)]
enum Deed {
    Strikes(Kind, u8),
    Mends(Mend),
    Answers(u16, u16, Yes),
    Resumes(u64),
}

/// One run.
pub struct Run<'a> {
    rehearsal: &'a Rehearsal,
    seed: u64,
    chance: Chance,
    sim: Sim,
    people: Takes,
    waiting: Vec<Waiting>,
    agenda: BTreeMap<(Moment, u32), Deed>,
    noted: u32,
    asked: BTreeSet<(u16, u16)>,
    refuses: u32,
    next_effect: Option<Fate>,
    /// Faults that struck and last.
    lasting: u32,
    resumed: u64,
    edges: usize,
    looks: u32,
    // what came of it
    moved: BTreeMap<ServiceName, Moment>,
    back: Option<(Moment, Moment)>,
    cause: Option<String>,
    /// Of the newest look.
    waits: Vec<Wait>,
    faults: Vec<Struck>,
    violations: Vec<String>,
}

/// What becomes of the next effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Lost,
    Late(i64),
}

/// Where it is told, if it is.
type Ears<'a> = Option<&'a mut Vec<Line>>;

impl<'a> Run<'a> {
    pub fn new(rehearsal: &'a Rehearsal, seed: u64) -> Self {
        let mut chance = Chance::of(seed);
        let waiting = fault::draw(rehearsal.options.budget, &rehearsal.gaps, &mut chance);
        let mut sim = Sim::new(Arc::clone(&rehearsal.model)).keeping(Keep::Nothing).with_rules(rehearsal.rules);
        sim.yes_after = None;
        let people = Takes::Expected(i64::try_from(rehearsal.options.people.get().as_millis()).unwrap_or(i64::MAX));
        Self {
            rehearsal,
            seed,
            chance,
            sim,
            people,
            waiting,
            agenda: BTreeMap::new(),
            noted: 0,
            asked: BTreeSet::new(),
            refuses: 0,
            next_effect: None,
            lasting: 0,
            resumed: 0,
            edges: 0,
            looks: 0,
            moved: BTreeMap::new(),
            back: None,
            cause: None,
            waits: Vec::new(),
            faults: Vec::new(),
            violations: Vec::new(),
        }
    }

    /// When the record changed, in milliseconds from the beginning.
    pub fn edges(mut self) -> Vec<i64> {
        let mut edges = Vec::new();
        while let Some(moment) = self.turn(&mut None) {
            if edges.len() < self.edges {
                edges.push(moment.0);
            }
        }
        edges
    }

    /// Goes through it to its end.
    pub fn end(mut self, mut told: Ears<'_>) -> End {
        while self.turn(&mut told).is_some() {}
        self.finish()
    }

    /// One look, or one thing that faults or people do. `None`: it is over.
    fn turn(&mut self, told: &mut Ears<'_>) -> Option<Moment> {
        let next = self.sim.next_look();
        let over = self.sim.record.ended.is_some() && next.is_none();
        if over || self.looks >= LOOKS {
            return None;
        }
        let deed = self.agenda.first_key_value().map(|((at, _), _)| *at).filter(|at| next.is_none_or(|next| *at <= next));
        match (deed, next) {
            (Some(at), _) => {
                let breaches = self.sim.wait_until(at);
                self.judge(&breaches, told);
                self.act(told);
            }
            (None, Some(_)) => self.look(told)?,
            (None, None) => return None,
        }
        Some(self.sim.world.now())
    }

    fn look(&mut self, told: &mut Ears<'_>) -> Option<()> {
        let Self { rehearsal, chance, sim, next_effect, .. } = self;
        let look = sim.step_with(|effect| {
            let mut delays = rehearsal.works.draw(&rehearsal.model, effect, chance);
            if matches!(effect.action, Action::SetWeight { .. } | Action::Task { .. } | Action::Release { .. }) {
                match next_effect.take() {
                    Some(Fate::Lost) => delays.wire = i64::MAX,
                    Some(Fate::Late(by)) => delays.wire = delays.wire.saturating_add(by),
                    None => {}
                }
            }
            delays
        })?;
        self.looks += 1;
        self.judge(&look.breaches, told);
        self.tell_look(&look, told);
        self.note(&look);
        self.people_hear(&look.decision);
        self.waits = look.decision.waits;
        Some(())
    }

    /// Puts something on the agenda.
    fn plan(&mut self, after: i64, deed: Deed) {
        self.noted += 1;
        self.agenda.insert((self.sim.world.now().plus(after.max(0)), self.noted), deed);
    }

    /// Does what is first on the agenda.
    fn act(&mut self, told: &mut Ears<'_>) {
        let Some(((_, _), deed)) = self.agenda.pop_first() else { return };
        match deed {
            Deed::Strikes(kind, tries) => self.strikes(kind, tries, told),
            Deed::Mends(mend) => {
                self.lasting = self.lasting.saturating_sub(1);
                let what = match mend {
                    Mend::By(what) => Some(what),
                    Mend::WritesBack(ix) => {
                        let memory = &self.sim.world.memory;
                        memory.is_by_hand(ix).then(|| Happening::ByHand(ix, memory.ours(ix)))
                    }
                };
                what.into_iter().for_each(|what| self.befall(By::World, what, told));
                self.resume_later();
            }
            Deed::Answers(question, attempt, answer) => {
                self.befall(By::People, Happening::Answer(question, attempt, answer), told);
            }
            Deed::Resumes(upto) if self.lasting == 0 && self.sim.record.ended.is_none() => {
                self.befall(By::People, Happening::Resume(u32::try_from(upto).unwrap_or(u32::MAX)), told);
            }
            Deed::Resumes(_) => self.resumed = 0,
        }
    }

    fn befall(&mut self, by: By, what: Happening, told: &mut Ears<'_>) {
        if let Some(lines) = told {
            lines.push(self.line(by, Told(&self.rehearsal.model, what).to_string()));
        }
        self.sim.befall(what);
    }

    fn strikes(&mut self, kind: Kind, tries: u8, told: &mut Ears<'_>) {
        if self.sim.record.ended.is_some() {
            return;
        }
        let rehearsal = self.rehearsal;
        let strike = fault::strike(kind, &rehearsal.model, &self.sim.world, &self.sim.record, &mut self.chance);
        let at = self.sim.world.now();
        let what = match strike {
            Strike::Later => {
                if tries < TRIES {
                    self.plan(AGAIN, Deed::Strikes(kind, tries + 1));
                }
                return;
            }
            Strike::LosesNext => {
                self.next_effect = Some(Fate::Lost);
                "the next effect is lost".to_owned()
            }
            Strike::DelaysNext(by) => {
                self.next_effect = Some(Fate::Late(by));
                format!("the next effect is {} late", Moment(by))
            }
            Strike::RefusesNext => {
                self.refuses += 1;
                "people will say no to what they are asked next".to_owned()
            }
            Strike::Befalls(what, mend) => {
                let words = Told(&rehearsal.model, what).to_string();
                if what.lasts_for_good() {
                    self.lasting += 1;
                }
                if let Some(mend) = mend {
                    self.lasting += 1;
                    if let Some(lasts) = fault::lasts(&mut self.chance) {
                        self.plan(lasts, Deed::Mends(mend));
                    }
                }
                self.sim.befall(what);
                words
            }
        };
        if let Some(lines) = told {
            lines.push(self.line(By::World, format!("{what} ({kind})")));
        }
        self.faults.push(Struck { kind, at, what });
    }

    /// People answer what they are asked and resume what holds once its fault has passed, each in their time.
    fn people_hear(&mut self, decision: &Decision) {
        let model = &self.rehearsal.model;
        let asked = decision.waits.iter().filter_map(|wait| people::asked(model, &decision.record, wait));
        let asked: BTreeSet<(u16, u16)> = asked.collect();
        for (question, attempt) in asked.difference(&self.asked).copied().collect::<Vec<_>>() {
            let after = self.people.draw(&mut self.chance);
            if self.refuses > 0 {
                self.refuses -= 1;
                self.plan(after, Deed::Answers(question, attempt, Yes::No));
                if let Some(lasts) = fault::lasts(&mut self.chance) {
                    self.plan(after.saturating_add(lasts), Deed::Answers(question, attempt, Yes::Yes));
                }
            } else {
                self.plan(after, Deed::Answers(question, attempt, Yes::Yes));
            }
        }
        self.asked = asked;
        self.resume_later();
    }

    fn resume_later(&mut self) {
        let newest = self.sim.record.newest_hold();
        let Some(newest) = newest.filter(|newest| *newest > self.resumed && self.lasting == 0) else { return };
        self.resumed = newest;
        let after = self.people.draw(&mut self.chance);
        self.plan(after, Deed::Resumes(newest));
    }

    /// Remembers what the report asks for, and lets faults begin to wait that waited for this change.
    fn note(&mut self, look: &Look) {
        for event in &look.decision.events {
            match event {
                Event::Moved { service } => {
                    self.moved.insert(service.clone(), look.moment);
                }
                Event::GoesBack { service, reason } => {
                    self.moved.remove(service);
                    self.back.get_or_insert((look.moment, look.moment));
                    if !matches!(reason, Reason::WithService { .. } | Reason::WithGroup { .. }) {
                        self.cause.get_or_insert_with(|| format!("{service} goes back: {reason}"));
                    }
                }
                Event::Returned { .. } => self.back.iter_mut().for_each(|(_, until)| *until = look.moment),
                Event::Withheld { reason } => self.violations.push(format!("withheld: {reason}")),
                _ => {}
            }
        }
        if look.edge == Edge::Changed {
            let edge = self.edges;
            self.edges += 1;
            for waiting in self.waiting.iter().filter(|waiting| waiting.edge == edge).copied().collect::<Vec<_>>() {
                self.plan(waiting.after, Deed::Strikes(waiting.kind, 0));
            }
        }
    }

    fn judge(&mut self, breaches: &[Breach], told: &mut Ears<'_>) {
        for breach in breaches {
            let name = self.rehearsal.model.service(breach.service).map(|service| service.name.to_string()).unwrap_or_default();
            let what = format!("{}: {name}: {}", breach.invariant, breach.detail);
            if let Some(lines) = told {
                lines.push(self.line(By::Judge, what.clone()));
            }
            self.violations.push(what);
        }
    }

    fn tell_look(&self, look: &Look, told: &mut Ears<'_>) {
        if let Some(lines) = told {
            lines.extend(look.decision.events.iter().map(|event| self.line(By::Run, event.to_string())));
        }
    }

    fn line(&self, by: By, what: String) -> Line {
        let now = self.sim.world.now();
        Line { at: format!("{:.0}", self.rehearsal.model.timestamp(now)), after: now.to_string(), by, what }
    }

    fn finish(self) -> End {
        let ended = self.sim.record.ended.as_ref();
        let outcome = ended.map_or(Outcome::Held, |ended| ended.outcome);
        let all_moved = self.moved.len() == self.rehearsal.model.services().len();
        let moved = self.moved.values().max().copied().filter(|_| all_moved);
        let back = self.back.filter(|(from, until)| until > from);
        let still = self.sim.record.services.values().any(|s| s.stage == Stage::Returning);
        let why = match outcome {
            Outcome::Completed => String::new(),
            Outcome::RolledBack | Outcome::Failed => self.cause.clone().unwrap_or_default(),
            Outcome::Held if self.looks >= LOOKS => format!("it came to no end within {LOOKS} looks"),
            Outcome::Held => held_by(&self.sim.record, self.cause.as_deref(), &self.waits),
        };
        let windows = self.windows();
        End {
            seed: self.seed,
            outcome,
            moved,
            over: ended.map(|_| self.sim.world.now()),
            rollback: back.filter(|_| !still).map(|(from, until)| until.since(from)),
            windows,
            faults: self.faults,
            why,
            violations: self.violations,
            looks: self.looks,
        }
    }

    fn windows(&self) -> Vec<(WindowName, WindowEnd)> {
        let plan = self.rehearsal.revision().plan();
        let shifts = plan.windows.iter().filter(|(_, window)| window.purpose == WindowPurpose::Shift);
        let end = |(name, window): (&WindowName, &Window)| {
            let closes = self.rehearsal.model.moment(window.closes);
            let phases = plan.phases.iter().filter(|(_, phase)| phase.windows.contains(name)).map(|(phase, _)| phase);
            let phases: BTreeSet<_> = phases.collect();
            let mut services = plan.services.iter().filter(|(_, service)| phases.contains(&service.phase)).peekable();
            services.peek()?;
            let last = services.try_fold(Moment(0), |last, (service, _)| Some(last.max(*self.moved.get(service)?)));
            let end = match last {
                _ if self.sim.record.overrun.contains_key(name) => WindowEnd::Overran,
                Some(last) if last <= closes => WindowEnd::Fits(closes.since(last)),
                _ => WindowEnd::Undone,
            };
            Some((name.clone(), end))
        };
        shifts.filter_map(end).collect()
    }
}
