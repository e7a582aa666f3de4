//! When everything is expected to happen: each service's move, soak and end, and the path that decides the last of them.
//!
//! *Flow*: an event simulation over the network of `network.rs` in virtual time over units, which are groups and services alone: a unit is prepared when its
//! phase and its needs let it, takes a place within the limits, and begins where [`Calendar`] has room for all of its move:
//! what is half-way when a window ends is held or taken back, so nobody plans for it. `n log n` in the services.
//! *Assumptions*: all gates pass, nobody has to be waited for, every piece of work takes its 95th percentile, who is ready
//! first goes first.
//! *Caveats*: the way back that a move must leave room for is that of its own unit; the engine counts all in motion.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque},
    fmt,
};

use jiff::Timestamp;

use super::{
    Calendar, Expected, Purpose, after,
    network::{Kind, Node, Places, Unit, nodes},
};
use crate::plan::{
    names::{GroupName, PhaseName, ServiceName, Span, SystemName},
    spec::{PhaseMoment, Tier},
};

/// What moves as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mover<'a> {
    /// A group, in lock step.
    Group(&'a GroupName),
    /// A service alone.
    Service(&'a ServiceName),
}
impl fmt::Display for Mover<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Group(name) => write!(f, "group {name}"),
            Self::Service(name) => write!(f, "{name}"),
        }
    }
}

/// What a move had to wait for last, beside windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause<'a> {
    /// Nothing: it could begin with the run.
    Start,
    /// Another move: one that it needs.
    Need(Mover<'a>),
    /// The phase it is in, which began after the last move of an earlier one.
    Phase(&'a PhaseName, Option<Mover<'a>>),
    /// A place within the limits, which this move had.
    Limit(Mover<'a>),
}

/// Whether a move fits into a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// Nobody asked: it never gets a place within the limits.
    Unasked,
    /// It does.
    Found,
    /// No window is left in which it can end.
    None,
}

/// When a mover moves.
#[derive(Debug, Clone, PartialEq)]
pub struct Move<'a> {
    /// Its phase.
    pub phase: &'a PhaseName,
    /// What it waited for last.
    pub cause: Cause<'a>,
    /// Prepared: it could move if a window were open and the limits left a place.
    pub prepared: Timestamp,
    /// Its tasks before the first weight begin.
    pub begins: Timestamp,
    /// All traffic is confirmed on target; `None`: it never gets there.
    pub moved: Option<Timestamp>,
    /// Whether a window has room for it.
    pub room: Room,
    /// What the move takes from its first task to the end of its last bake.
    pub takes: Span,
    /// What its way back takes.
    pub undo: Span,
}

/// When a service's soak and its end come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ends {
    /// All traffic on target.
    pub moved: Timestamp,
    /// The soak is over.
    pub soaked: Timestamp,
    /// Legacy is gone, or the soak is over and legacy stays; `None`: no window is left in which it can end.
    pub ended: Option<Timestamp>,
}

/// When everything is expected to happen.
#[derive(Debug, Clone, Default)]
pub struct Forecast<'a> {
    /// Each mover that gets as far as being prepared.
    pub moves: BTreeMap<Mover<'a>, Move<'a>>,
    /// Each service that is moved.
    pub services: BTreeMap<&'a ServiceName, Ends>,
    /// Movers that are never even prepared: what they wait for never comes.
    pub behind: BTreeSet<Mover<'a>>,
}

impl<'a> Forecast<'a> {
    /// When the last service is moved; `None`: not all are.
    pub fn moved(&self) -> Option<Timestamp> {
        if !self.behind.is_empty() {
            return None;
        }
        self.moves.values().map(|one| one.moved).try_fold(Timestamp::MIN, |last, moved| Some(last.max(moved?)))
    }

    /// When the last service has come to its end; `None`: not all do.
    pub fn completed(&self) -> Option<Timestamp> {
        self.moved()?;
        self.services.values().map(|one| one.ended).try_fold(Timestamp::MIN, |last, ended| Some(last.max(ended?)))
    }

    /// Movers that find no window for one of their weights, and those alone: not those that wait for them.
    pub fn stuck(&self) -> impl Iterator<Item = (Mover<'a>, &Move<'a>)> {
        self.moves.iter().filter(|(_, one)| one.room == Room::None).map(|(mover, one)| (*mover, one))
    }

    /// The moves that decide when `last` is moved: the first one first. Each began when the one before it let it.
    pub fn critical_path(&self, last: Mover<'a>) -> Vec<Mover<'a>> {
        let mut path = VecDeque::from([last]);
        let mut at = last;
        while let Some(one) = self.moves.get(&at) {
            at = match one.cause {
                Cause::Need(before) | Cause::Limit(before) | Cause::Phase(_, Some(before)) => before,
                Cause::Start | Cause::Phase(_, None) => break,
            };
            path.push_front(at);
        }
        path.into()
    }

    /// The mover that is moved last, of those that are.
    pub fn last(&self) -> Option<Mover<'a>> {
        self.moves.iter().filter_map(|(mover, one)| Some((one.moved?, Reverse(*mover)))).max().map(|(_, Reverse(mover))| mover)
    }
}

/// When everything is expected to happen if the run starts at `start`.
pub fn forecast<'a>(expected: &Expected<'a>, start: Timestamp) -> Forecast<'a> {
    let mut run = Run::new(expected, start);
    while run.turn() {}
    run.finish()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// A node is over: a unit moved, a phase begun or moved.
    Over(usize),
    /// A unit may move.
    Ready(usize),
}

struct Run<'a, 'e> {
    expected: &'e Expected<'a>,
    calendar: Calendar<'a>,
    nodes: Vec<Node<'a>>,
    events: BinaryHeap<Reverse<(Timestamp, Event)>>,
    /// Units that wait for a place, by the places they take: in each queue who came first goes first.
    queues: BTreeMap<Places, VecDeque<(Timestamp, usize)>>,
    in_motion: Places,
    /// The unit whose place became free last.
    freed: Option<Mover<'a>>,
    out: Forecast<'a>,
}

impl<'a, 'e> Run<'a, 'e> {
    fn new(expected: &'e Expected<'a>, start: Timestamp) -> Self {
        let nodes = nodes(expected, start);
        let mut run = Self {
            expected,
            calendar: Calendar::of(expected.plan()),
            nodes,
            events: BinaryHeap::new(),
            queues: BTreeMap::new(),
            in_motion: BTreeMap::new(),
            freed: None,
            out: Forecast::default(),
        };
        let first: Vec<usize> = run.nodes.iter().enumerate().filter(|(_, node)| node.pending == 0).map(|(i, _)| i).collect();
        first.into_iter().for_each(|node| run.release(node));
        run
    }

    /// The next moment; false when there is none.
    fn turn(&mut self) -> bool {
        let Some(Reverse((now, event))) = self.events.pop() else { return false };
        match event {
            Event::Over(node) => self.over(node, now),
            Event::Ready(node) => self.queue(node, now),
        }
        // All that happens at one moment happens before anybody takes a place.
        if self.events.peek().is_none_or(|Reverse((next, _))| *next > now) {
            self.fill_places(now);
        }
        true
    }

    /// What `node` waited for is there.
    fn release(&mut self, node: usize) {
        let Some(Node { kind, ready, cause, .. }) = self.nodes.get(node) else { return };
        let event = match kind {
            Kind::Moved(_) => (*ready, Event::Over(node)),
            Kind::Begin(phase) => (after(*ready, self.expected.phase_tasks(phase, PhaseMoment::BeforePhase)), Event::Over(node)),
            Kind::Unit(unit) => {
                let prepared = after(*ready, unit.preparation);
                let one = Move {
                    phase: unit.phase,
                    cause: *cause,
                    prepared,
                    begins: prepared,
                    moved: None,
                    room: Room::Unasked,
                    takes: unit.takes,
                    undo: unit.undo,
                };
                self.out.moves.insert(unit.mover, one);
                (prepared, Event::Ready(node))
            }
        };
        self.events.push(Reverse(event));
    }

    fn over(&mut self, node: usize, now: Timestamp) {
        let Some(Node { kind, then, cause, .. }) = self.nodes.get_mut(node) else { return };
        let then = std::mem::take(then);
        let why = match kind {
            Kind::Unit(unit) => {
                for (tier, count) in &unit.tiers {
                    let used = self.in_motion.entry(*tier).or_default();
                    *used = used.saturating_sub(*count);
                }
                self.freed = Some(unit.mover);
                Cause::Need(unit.mover)
            }
            Kind::Begin(phase) => Cause::Phase(phase, cause.mover()),
            Kind::Moved(phase) => Cause::Phase(phase, cause.mover()),
        };
        for (next, delay) in then {
            let Some(waiting) = self.nodes.get_mut(next) else { continue };
            let ready = after(now, delay);
            if ready >= waiting.ready {
                waiting.ready = ready;
                waiting.cause = why;
            }
            waiting.pending = waiting.pending.saturating_sub(1);
            if waiting.pending == 0 {
                self.release(next);
            }
        }
    }

    fn queue(&mut self, node: usize, now: Timestamp) {
        let Some(Node { kind: Kind::Unit(unit), .. }) = self.nodes.get(node) else { return };
        self.queues.entry(unit.tiers.clone()).or_default().push_back((now, node));
    }

    /// Gives places to those who came first, as long as there are any.
    fn fill_places(&mut self, now: Timestamp) {
        loop {
            let fits = self.queues.iter().filter(|(tiers, _)| self.fits(tiers));
            let first = fits.filter_map(|(tiers, queue)| queue.front().map(|front| (*front, tiers.clone()))).min();
            let Some(((since, node), tiers)) = first else { return };
            if let Some(queue) = self.queues.get_mut(&tiers) {
                queue.pop_front();
                if queue.is_empty() {
                    self.queues.remove(&tiers);
                }
            }
            self.start(node, since, now);
        }
    }

    fn fits(&self, tiers: &Places) -> bool {
        let limits = &self.expected.plan().limits;
        let all = self.in_motion.values().chain(tiers.values()).sum::<u32>();
        let of_tier = |tier: &Tier| {
            let key = Some(*tier);
            let count = |map: &Places| map.get(&key).copied().unwrap_or(0);
            (count(tiers), count(&self.in_motion))
        };
        limits.in_motion.is_none_or(|limit| all <= limit)
            && limits.per_tier.iter().all(|(tier, limit)| match of_tier(tier) {
                (0, _) => true,
                (own, others) => own + others <= *limit,
            })
    }

    /// A unit that has a place: it begins now, or comes again when its window opens.
    fn start(&mut self, node: usize, since: Timestamp, now: Timestamp) {
        let Some(Node { kind: Kind::Unit(unit), .. }) = self.nodes.get(node) else { return };
        let purpose = Purpose::Shift(unit.phase);
        let Some(one) = self.out.moves.get_mut(&unit.mover) else { return };
        if since < now
            && let Some(freed) = self.freed
        {
            one.cause = Cause::Limit(freed);
        }
        let Some(start) = self.calendar.next_start(purpose, unit.takes, unit.undo, now) else {
            one.room = Room::None;
            return;
        };
        one.room = Room::Found;
        if start > now {
            return self.events.push(Reverse((start, Event::Ready(node))));
        }
        let moved = after(now, unit.takes);
        one.begins = now;
        one.moved = Some(moved);
        for (tier, count) in &unit.tiers {
            *self.in_motion.entry(*tier).or_default() += count;
        }
        self.events.push(Reverse((moved, Event::Over(node))));
    }

    /// The soaks and ends of all that is moved, in the order in which they are moved.
    fn finish(mut self) -> Forecast<'a> {
        let mut units: Vec<(Timestamp, &Unit<'a>)> = Vec::new();
        for node in &self.nodes {
            let Kind::Unit(unit) = &node.kind else { continue };
            match self.out.moves.get(&unit.mover) {
                None => {
                    self.out.behind.insert(unit.mover);
                }
                Some(Move { moved: Some(moved), .. }) => units.push((*moved, unit)),
                Some(_) => {}
            }
        }
        units.sort_by_key(|(moved, unit)| (*moved, unit.mover));
        let soaked = soaks(self.expected, &units);
        self.out.services = ends(self.expected, &self.calendar, &soaked);
        self.out
    }
}

impl<'a> Cause<'a> {
    fn mover(self) -> Option<Mover<'a>> {
        match self {
            Self::Need(mover) | Self::Limit(mover) => Some(mover),
            Self::Phase(_, mover) => mover,
            Self::Start => None,
        }
    }
}

/// When each service is moved and soaked. What needs another that still soaks, soaks on with it.
fn soaks<'a>(expected: &Expected<'a>, units: &[(Timestamp, &Unit<'a>)]) -> BTreeMap<&'a ServiceName, (Timestamp, Timestamp)> {
    let mut soaked: BTreeMap<&'a ServiceName, (Timestamp, Timestamp)> = BTreeMap::new();
    for (moved, unit) in units {
        for name in &unit.members {
            let Some(service) = expected.plan().services.get(*name) else { continue };
            let own = after(*moved, expected.after_shift(name, service).plus(service.soak.length));
            let needs = service.before().filter_map(|need| soaked.get(need)).map(|(_, soaked)| *soaked);
            let until = needs.fold(own, Timestamp::max);
            soaked.insert(name, (*moved, until));
        }
    }
    soaked
}

/// When each service comes to its end: after its soak, that of its group, of what it needs, and of all on its legacy system.
fn ends<'a>(
    expected: &Expected<'a>,
    calendar: &Calendar<'a>,
    soaked: &BTreeMap<&'a ServiceName, (Timestamp, Timestamp)>,
) -> BTreeMap<&'a ServiceName, Ends> {
    let plan = expected.plan();
    let mut systems: BTreeMap<&SystemName, Timestamp> = BTreeMap::new();
    for (name, (_, until)) in soaked {
        if let Some(system) = plan.services.get(*name).and_then(|service| service.legacy.system.as_ref()) {
            let last = systems.entry(system).or_insert(*until);
            *last = (*last).max(*until);
        }
    }
    let end = |(name, (moved, until)): (&&'a ServiceName, &(Timestamp, Timestamp))| {
        let service = plan.services.get(*name)?;
        let group = plan.group_of(name).into_iter().flat_map(|(_, group)| &group.services);
        let others = service.before().chain(group).filter_map(|other| soaked.get(other)).map(|(_, soaked)| *soaked);
        let system = service.legacy.system.as_ref().and_then(|system| systems.get(system)).copied();
        let mut at = Some(others.chain(system).fold(*until, Timestamp::max));
        for piece in service.decommission.iter().flat_map(|_| expected.end_pieces(name, service)) {
            let start = at.and_then(|at| calendar.next_start(Purpose::Decommission, piece, Span::ZERO, at));
            at = start.map(|start| after(start, piece));
        }
        Some((*name, Ends { moved: *moved, soaked: *until, ended: at }))
    };
    soaked.iter().filter_map(end).collect()
}
