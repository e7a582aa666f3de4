//! Tasks in a world: who may be asked to do what, how far it is, and what it changes.

use std::hash::{Hash, Hasher};

use super::{
    clock::Moment,
    model::{Ix, Model, ms},
};
use crate::{
    engine::{
        Subject, TaskKey, TaskSeen, TaskWay,
        agenda::{self, Item, named},
        task::Deed,
    },
    plan::{Plan, Service, ServiceName, Side, TaskName},
};

/// How long a lowered time to live takes to hold, in milliseconds: the old one, which no plan says.
pub(super) const OLD_TTL: i64 = 300_000;

/// A task of the plan, or of a step's own mechanism.
#[derive(Debug, Clone)]
pub struct TaskModel {
    /// Whose it is.
    pub of: Subject,
    /// Its name.
    pub name: TaskName,
    /// Its service, if it is a service's.
    pub service: Option<Ix>,
    /// How long doing it takes, in milliseconds.
    pub takes: i64,
    /// What doing it changes.
    pub does: Change,
    /// What taking it back changes.
    pub undoes: Change,
}

/// What a task changes in a world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Change {
    /// Nothing that is modelled.
    Nothing,
    /// A side may write from now on, or may not.
    Writes(Side, Access),
    /// The legacy addresses are denied to everybody, or open again.
    Denies(Access),
    /// The legacy side is gone for good.
    Ends,
    /// It holds only after the old time to live.
    Settles,
    /// A bridge stands from now on, or does not.
    Bridges(u16, Access),
    /// What was ordered before is begun no more.
    Withdraws,
}

/// Whether something is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Access {
    /// It is.
    #[default]
    Open,
    /// It is not.
    Closed,
}

/// How far a task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TaskFacts {
    /// The number of the newest doing that was begun; 0: none was.
    pub number: u32,
    /// Whether that one takes the task back.
    pub way: Way,
    /// How it stands.
    pub stands: Stands,
    /// What becomes of doings that begin from now on.
    pub luck: Luck,
}

/// As [`super::facts::Route`] is hashed.
impl Hash for TaskFacts {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let Self { number, way, stands, luck } = *self;
        let (stage, moments) = match stands {
            Stands::Absent => (0, [None, None]),
            Stands::Running(over) => (1, [Some(over), None]),
            Stands::Done(at, holds) => (2, [Some(at), Some(holds)]),
            Stands::Failed => (3, [None, None]),
        };
        hasher.write_u64(u64::from(number) | stage << 32 | (way as u64) << 40 | (luck as u64) << 48);
        moments.into_iter().flatten().for_each(|moment| moment.hash(hasher));
    }
}

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Way {
    /// It is done.
    #[default]
    Do,
    /// It is taken back.
    Undo,
}

impl From<TaskWay> for Way {
    fn from(way: TaskWay) -> Self {
        match way {
            TaskWay::Do => Self::Do,
            TaskWay::Undo => Self::Undo,
        }
    }
}

/// How a doing stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Stands {
    /// Nobody has begun it.
    #[default]
    Absent,
    /// It is over at this moment; [`Moment::NEVER`]: it hangs.
    Running(Moment),
    /// It was done then, and holds from the second moment on.
    Done(Moment, Moment),
    /// It failed.
    Failed,
}

/// What becomes of a doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Luck {
    /// It ends well.
    #[default]
    Works,
    /// It fails.
    Fails,
    /// It never ends.
    Hangs,
}

/// All tasks that a plan has, each with what it changes.
pub(super) fn all(plan: &Plan) -> Vec<TaskModel> {
    let mut tasks = Vec::new();
    for (ix, (name, service)) in (0..).zip(&plan.services) {
        tasks.extend(of_service(ix, name, service));
    }
    for (name, phase) in &plan.phases {
        tasks.extend(phase.tasks.iter().map(|(task, rule)| TaskModel {
            of: Subject::Phase(name.clone()),
            name: task.clone(),
            service: None,
            takes: ms(rule.expect),
            does: Change::Nothing,
            undoes: Change::Nothing,
        }));
    }
    for (ix, (name, bridge)) in (0..).zip(&plan.bridges) {
        let Some(managed) = &bridge.managed else { continue };
        let (up, down) = agenda::of_bridge(managed);
        for (item, access) in [(up, Access::Open), (down, Access::Closed)] {
            let does = Change::Bridges(ix, access);
            let of = Subject::Bridge(name.clone());
            tasks.push(TaskModel { of, name: item.name, service: None, takes: ms(item.expect), does, undoes: Change::Nothing });
        }
    }
    tasks.sort_by(|one, other| (&one.of, &one.name).cmp(&(&other.of, &other.name)));
    tasks
}

fn of_service(ix: Ix, name: &ServiceName, service: &Service) -> Vec<TaskModel> {
    let task = |item: &Item, does, undoes| TaskModel {
        of: Subject::from(name),
        name: item.name.clone(),
        service: Some(ix),
        takes: ms(item.expect),
        does,
        undoes,
    };
    let items = agenda::of_service(service);
    let mut tasks: Vec<TaskModel> = items
        .iter()
        .map(|item| {
            let (does, undoes) = changes(item);
            task(item, does, undoes)
        })
        .collect();
    let like = |name: TaskName| items.iter().find(|item| item.name == name);
    let back = [
        (like(named::fence()), named::reverse_fence(), Change::Writes(Side::Target, Access::Closed)),
        (like(named::promote()), named::reverse_promote(), Change::Writes(Side::Legacy, Access::Open)),
    ];
    for (item, name, does) in back {
        let item = item.map(|item| Item { name, ..item.clone() });
        tasks.extend(item.map(|item| task(&item, does, Change::Nothing)));
    }
    tasks
}

/// What doing a task and taking it back change.
fn changes(item: &Item) -> (Change, Change) {
    match &item.deed {
        _ if item.name == named::fence() => {
            (Change::Writes(Side::Legacy, Access::Closed), Change::Writes(Side::Legacy, Access::Open))
        }
        _ if item.name == named::promote() => (Change::Writes(Side::Target, Access::Open), Change::Withdraws),
        Deed::Deny => (Change::Denies(Access::Closed), Change::Denies(Access::Open)),
        Deed::SwitchOff => (Change::Ends, Change::Nothing),
        Deed::LowerTtl(_) | Deed::RestoreTtl => (Change::Settles, Change::Settles),
        _ => (Change::Nothing, Change::Nothing),
    }
}

impl TaskModel {
    /// What one doing changes.
    pub fn change(&self, way: Way) -> Change {
        match way {
            Way::Do => self.does,
            Way::Undo => self.undoes,
        }
    }

    /// How long one doing takes, in milliseconds, if all else takes `drawn`; `None`: as the plan expects. To withdraw is only to be told.
    pub(super) fn length(&self, way: Way, drawn: Option<i64>) -> i64 {
        if self.change(way) == Change::Withdraws { 0 } else { drawn.unwrap_or(self.takes) }
    }
}

impl TaskFacts {
    /// Begins one doing, unless a newer one was seen already, or this one; and none that is to withdraw what has begun. Says whether it
    /// began.
    pub(super) fn begin(&mut self, number: u32, way: Way, change: Change, over: Moment) -> Began {
        let begun = change == Change::Withdraws && self.way == Way::Do && self.number == number.saturating_sub(1);
        if number <= self.number || begun {
            return Began::Not;
        }
        (self.number, self.way) = (number, way);
        self.stands = match self.luck {
            Luck::Works => Stands::Running(over),
            Luck::Fails => Stands::Failed,
            Luck::Hangs => Stands::Running(Moment::NEVER),
        };
        Began::Now
    }

    /// The doing that runs is over.
    pub(super) fn end(&mut self, change: Change, now: Moment) {
        let settles = if change == Change::Settles { now.plus(OLD_TTL) } else { now };
        self.stands = Stands::Done(now, settles);
    }

    /// When the doing that runs is over.
    pub fn over(&self) -> Option<Moment> {
        match self.stands {
            Stands::Running(over) => Some(over),
            _ => None,
        }
    }

    /// What whoever does tasks says of one doing; `None`: a newer one came before it, of this one it knows nothing.
    pub(super) fn answer(&self, model: &Model, doing: &TaskKey) -> Option<TaskSeen> {
        if doing.number > self.number {
            return Some(TaskSeen::Absent);
        }
        if (doing.number, Way::from(doing.way)) != (self.number, self.way) {
            return None;
        }
        Some(match self.stands {
            Stands::Absent => return None,
            Stands::Running(_) => TaskSeen::Running,
            Stands::Failed => TaskSeen::Failed("it ended with an error".to_owned()),
            Stands::Done(at, settles) => {
                let settles_at = (settles > at).then(|| model.timestamp(settles));
                TaskSeen::Done { at: model.timestamp(at), settles_at }
            }
        })
    }

    /// What is over is only asked for whether it holds yet, not since when.
    pub(super) fn rebase(&mut self, by: i64) {
        match &mut self.stands {
            Stands::Running(over) => over.rebase(by, 0),
            Stands::Done(at, settles) => {
                at.rebase(by, 0);
                settles.rebase(by, 0);
            }
            Stands::Absent | Stands::Failed => {}
        }
    }
}

/// Whether a doing began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Began {
    Now,
    Not,
}
