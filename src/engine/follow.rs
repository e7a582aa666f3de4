//! A run that is looked at again and again in a world in which all goes well: each look visits the services at which something
//! can have changed, and no others.
//!
//! *Flow*: whoever shows the world says at whose samples something is new; [`Follow::whom`] adds those for whom something is due
//! and those who move in lock step with them; [`Follow::look`] decides for these by the very passes of [`super::decide`], and
//! goes on to whoever a change concerns: those that need the service, those that wait for their turn, those whose phase opens.
//! *Guarantees*: the decision is the one that [`super::judge`] would give, but for waits of services that were not visited
//! (tests compare whole runs of both). Anything out of the ordinary (an order of a person, a hold, a way back, a violated
//! invariant, the end) gives `None`: then the caller has to look at the whole, from there on.
//! *Why*: a look at all of 5,000 services takes milliseconds, and a run of them has tens of thousands of moments.
//! *Caveats*: not for live runs. There the world changes unasked, and a look costs nothing beside an answer from the network.

mod phases;
mod round;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use self::{
    phases::Phases,
    round::{Changed, Round, Visit},
};
use super::{
    Decision, PASSES, Wait, bridge,
    draft::{Draft, WaitsFor},
    event::Event,
    observed::{Intent, Observed},
    outcome, phase,
    reason::Reason,
    record::{Record, Stage},
    rules::Rules,
    safety, timing,
    way_back::WayBack,
};
use crate::plan::{Plan, Revision, ServiceName};

/// Services by name.
pub type Names<'p> = BTreeSet<&'p ServiceName>;

/// What is kept of a run from one look to the next.
#[derive(Debug)]
pub struct Follow<'p> {
    revision: &'p Revision,
    phases: Phases<'p>,
    moving: Names<'p>,
    /// How long those take to go back.
    way_back: WayBack<'p>,
    /// How many those were when last somebody asked what binds them.
    measured: usize,
    /// Kept back by a limit, a window or a freeze: what else is in motion decides when they go on.
    bound: Names<'p>,
    /// They wait for something that nothing here tells the end of, so they are visited at each look.
    restless: Names<'p>,
    /// Not at their end, or their route is not given up yet.
    open: Names<'p>,
    dues: Dues<'p>,
}

/// When something is due though nothing is new.
#[derive(Debug, Default)]
struct Dues<'p> {
    of: BTreeMap<&'p ServiceName, Timestamp>,
    by_moment: BTreeSet<(Timestamp, &'p ServiceName)>,
    /// Of phases, bridges and windows.
    others: Option<Timestamp>,
    /// Of the windows that what is in motion has to leave in time.
    overrun: Option<Timestamp>,
}

impl<'p> Dues<'p> {
    fn set(&mut self, name: &'p ServiceName, at: Option<Timestamp>) {
        if self.of.get(name).copied() == at {
            return;
        }
        if let Some(before) = self.of.remove(name) {
            self.by_moment.remove(&(before, name));
        }
        if let Some(at) = at {
            self.of.insert(name, at);
            self.by_moment.insert((at, name));
        }
    }
    fn next(&self) -> Option<Timestamp> {
        let first = self.by_moment.first().map(|(at, _)| *at);
        [first, self.others, self.overrun].into_iter().flatten().min()
    }
}

/// Why each service that was visited waits, as of its last visit.
type Waits<'p> = BTreeMap<&'p ServiceName, Vec<(Wait, WaitsFor)>>;

impl<'p> Follow<'p> {
    /// A run that nobody has looked at yet.
    pub fn new(revision: &'p Revision) -> Self {
        let plan = revision.plan();
        let all: Names<'p> = plan.services.keys().collect();
        let mut dues = Dues::default();
        for name in &all {
            dues.set(name, Some(Timestamp::MIN));
        }
        Self {
            revision,
            phases: Phases::new(plan),
            moving: Names::new(),
            way_back: WayBack::default(),
            measured: 0,
            bound: Names::new(),
            restless: Names::new(),
            open: all,
            dues,
        }
    }

    fn plan(&self) -> &'p Plan {
        self.revision.plan()
    }

    /// Whom a look at `now` has to visit, if something is new of these.
    pub fn whom<'n>(&self, now: Timestamp, news: impl IntoIterator<Item = &'n ServiceName>) -> Names<'p> {
        let plan = self.plan();
        let due = self.dues.by_moment.iter().take_while(|(at, _)| *at <= now).map(|(_, name)| *name);
        let mut whom: Names<'p> = due.chain(self.restless.iter().copied()).collect();
        whom.extend(news.into_iter().filter_map(|name| plan.services.get_key_value(name)).map(|(own, _)| own));
        for name in whom.clone() {
            with_group(plan, name, &mut whom);
        }
        whom
    }

    /// Decides for these, and for whomever that concerns. `None`: this has to be looked at as a whole.
    pub fn look(&mut self, record: &Record, seen: &Observed, now: Timestamp, whom: Names<'p>) -> Option<Looked<'p>> {
        let orders = &seen.orders;
        let ordered = orders.intent != Intent::Run || orders.resumes.is_some() || !orders.retries.is_empty();
        if ordered || record.latch.is_some() || record.ended.is_some() {
            return None;
        }
        let plan = self.plan();
        let mut draft = Draft::new(plan, record, seen, now, Rules::ALL);
        draft.moving = std::mem::take(&mut self.moving);
        draft.way_back = std::mem::take(&mut self.way_back);
        self.phases.lend(&mut draft);
        let mut waits = Waits::new();
        let mut visited = whom.clone();
        let (mut names, mut changed) = (whom, Vec::new());
        for _ in 0..=plan.services.len().saturating_mul(4) {
            let before = draft.next.clone();
            let round = self.round(&mut draft, names, &changed, &mut waits);
            visited.extend(round.visits.iter().map(|visit| visit.name));
            if draft.next == before {
                break;
            }
            names = round.added;
            names.extend(round.changed.iter().map(|(name, _)| *name).chain(self.restless.iter().copied()));
            changed = round.changed;
        }
        for name in &visited {
            self.end(&mut draft, name);
        }
        self.moving = std::mem::take(&mut draft.moving);
        self.way_back = std::mem::take(&mut draft.way_back);
        self.phases.take_back(&mut draft);
        if self.open.is_empty() || draft.events.iter().any(is_extraordinary) {
            return None;
        }
        draft.waits.extend(waits.into_values().flatten());
        let mut decision = draft.finish(None);
        decision.due_at = self.dues.next().filter(|at| *at > now);
        let good = safety::check(self.revision, record, seen, now, &decision).is_empty();
        good.then_some(Looked { decision, visited })
    }

    /// Visits these, and whoever comes to be concerned, as [`super::passes`] visits all, pass by pass and by name. `changed` is
    /// whose state changed in the round before.
    fn round(
        &mut self,
        draft: &mut Draft<'p, '_>,
        mut names: Names<'p>,
        changed: &[Changed<'p>],
        waits: &mut Waits<'p>,
    ) -> Round<'p> {
        draft.waits.clear();
        draft.due_at = None;
        if self.note_motion(draft, changed) {
            names.extend(&self.bound);
            self.overrun(draft);
        } else if self.dues.overrun.is_some_and(|at| at <= draft.now) {
            self.overrun(draft);
        }
        names.extend(self.phases.survey(draft, changed));
        draft.effects.retain(|effect| effect.key.number > 0 || keeps(effect.key.step.service(), &names));
        self.dues.others = draft.due_at;
        let mut round = Round::of(self.plan(), names);
        for (concerns, pass) in PASSES {
            round.pass(draft, (concerns, pass), &self.bound);
        }
        draft.due_at = None;
        phase::show_all(draft);
        bridge::lower(draft);
        self.dues.others = [self.dues.others, draft.due_at].into_iter().flatten().min();
        for visit in round.visits.iter_mut().filter(|visit| visit.passes > 0) {
            self.settle(visit);
            waits.insert(visit.name, std::mem::take(&mut visit.waits));
        }
        round
    }

    /// Keeps what a visit came to.
    fn settle(&mut self, Visit { name, waits, due, .. }: &Visit<'p>) {
        let any = |such: fn(&Reason) -> bool| waits.iter().any(|(wait, _)| such(&wait.reason));
        put(&mut self.bound, name, any(is_bound));
        put(&mut self.restless, name, any(|reason| !is_told(reason)));
        self.dues.set(name, *due);
    }

    /// Takes in who began to move and who arrived. Says whether anybody did.
    fn note_motion(&mut self, draft: &mut Draft<'p, '_>, changed: &[Changed<'p>]) -> bool {
        let mut news = draft.moving.len() != self.measured; // those that began in the last round are among them already
        for (name, _) in changed {
            let Some(service) = draft.plan.services.get(*name) else { continue };
            let moves = timing::is_moving(service, &draft.state(name));
            news |= moves != draft.moving.contains(name);
            put(&mut draft.moving, name, moves);
        }
        self.measured = draft.moving.len();
        news
    }

    /// The windows that bind what is in motion.
    fn overrun(&mut self, draft: &mut Draft<'p, '_>) {
        let before = draft.due_at.take();
        timing::overrun(draft);
        self.dues.overrun = draft.due_at;
        draft.due_at = before;
    }

    /// Gives up the route of a service that is at its end.
    fn end(&mut self, draft: &mut Draft<'p, '_>, name: &'p ServiceName) {
        let at_end = draft.stage(name) != Stage::Waiting && draft.at_end(name);
        let open = !at_end || outcome::release(draft, name);
        put(&mut self.open, name, open);
    }
}

/// What a look came to.
pub struct Looked<'p> {
    /// What was decided. Its waits are those of the services that were visited, and of all phases and bridges.
    pub decision: Decision,
    /// Who was visited.
    pub visited: Names<'p>,
}

fn put<'p>(set: &mut Names<'p>, name: &'p ServiceName, is_in: bool) {
    if is_in {
        set.insert(name);
    } else {
        set.remove(name);
    }
}

/// An effect that is no order is asked for anew by whoever is visited.
fn keeps(of: Option<&ServiceName>, visited: &Names<'_>) -> bool {
    of.is_some_and(|name| !visited.contains(name))
}

fn with_group<'p>(plan: &'p Plan, name: &ServiceName, names: &mut Names<'p>) {
    if let Some((_, group)) = plan.group_of(name) {
        names.extend(&group.services);
    }
}

/// Whether what else is in motion decides when such a wait ends.
fn is_bound(reason: &Reason) -> bool {
    matches!(
        reason,
        Reason::InMotion { .. }
            | Reason::TierInMotion { .. }
            | Reason::WindowClosed { .. }
            | Reason::WindowTooShort { .. }
            | Reason::Frozen { .. }
    )
}

/// Whether the end of such a wait is told: by a moment that is due, by news of the service's own samples, by a change of a
/// service that concerns it, or by its phase.
fn is_told(reason: &Reason) -> bool {
    is_bound(reason)
        || matches!(
            reason,
            Reason::Phase { .. }
                | Reason::Stable { .. }
                | Reason::Approval { .. }
                | Reason::Need { .. }
                | Reason::Group { .. }
                | Reason::NeedEnds { .. }
                | Reason::SharedSystem { .. }
                | Reason::Waiting { .. }
                | Reason::TaskRunning { .. }
                | Reason::TaskOfPerson { .. }
                | Reason::TaskSettling { .. }
                | Reason::TakingEffect { .. }
                | Reason::Baking { .. }
                | Reason::GateSamples { .. }
                | Reason::Soak { .. }
                | Reason::ScreamTest { .. }
        )
}

/// What does not happen in a run in which all goes well.
fn is_extraordinary(event: &Event) -> bool {
    !matches!(
        event,
        Event::Prepared { .. }
            | Event::Ordered { .. }
            | Event::Confirmed { .. }
            | Event::Moved { .. }
            | Event::Soaked { .. }
            | Event::TaskOrdered { .. }
            | Event::TaskDone { .. }
            | Event::PhaseApproved { .. }
            | Event::EndApproved { .. }
            | Event::BridgeUp { .. }
            | Event::BridgeDown { .. }
            | Event::Promoted { .. }
            | Event::Decommissioned { .. }
    )
}
