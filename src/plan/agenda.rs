//! Which tasks a service, a phase or a bridge has, in which order, and what takes each back: the plan's own and those that
//! are part of a step's mechanism.
//!
//! *Guarantees*: tasks come in the order in which they are done. A service's are listed once and [`Kept`]: every look at
//! it asks for them.

use super::{
    Act, BridgeName, Deed, DnsRoute, Kept, ManagedBridge, Mirror, Phase, PhaseMoment, PhaseTask, Plan, Reverse, Router, Service,
    ServiceMoment, Side, Span, Switch, TaskName, Undo, UndoWhen, reserved,
};

/// When in the life of a service a task is done, in the order of that life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Moment {
    /// Before anything else.
    BeforePrepare,
    /// Around the target's preparation, outside windows as well: warming, a lower time to live, shadow traffic.
    Prepare,
    /// Before the first weight, or before the fence.
    BeforeShift,
    /// Legacy is made read-only.
    Fence,
    /// Target is made writable.
    Promote,
    /// All traffic is on target, the soak has not begun.
    AfterShift,
    /// After the soak.
    AfterSoak,
    /// The old address is denied.
    ScreamTest,
    /// Before legacy is switched off.
    BeforeDecommission,
    /// Legacy is switched off.
    Decommission,
}

/// A task of the agenda.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Its name, unique in its service, phase or bridge.
    pub name: TaskName,
    /// When it is done.
    pub moment: Moment,
    /// What is done.
    pub deed: Deed,
    /// How it is taken back.
    pub back: Back,
    /// How long doing it takes, as a 95th percentile.
    pub expect: Span,
}

/// How a task is taken back.
#[derive(Debug, Clone, PartialEq)]
pub enum Back {
    /// Nothing has to be.
    Nothing,
    /// It cannot be: once it has started there is no way back. The text says why.
    Impossible(String),
    /// By this.
    By {
        /// What is done.
        deed: Deed,
        /// Before or after the traffic goes back.
        when: UndoWhen,
        /// After so long the traffic goes back all the same, or a task behind it is left to people.
        deadline: Option<Span>,
        /// How long it takes, as a 95th percentile.
        expect: Span,
    },
}

/// How long a step of our own mechanism takes that nobody declared a duration for.
const SHORT: Span = Span::from_secs(5);

fn by(deed: Deed, when: UndoWhen) -> Back {
    Back::By { deed, when, deadline: None, expect: SHORT }
}

fn back(undo: &Undo) -> Back {
    match undo {
        Undo::None(_) => Back::Nothing,
        Undo::Impossible(why) => Back::Impossible(why.clone()),
        Undo::Do { act, when, deadline, expect } => {
            Back::By { deed: Deed::Act(act.clone()), when: *when, deadline: *deadline, expect: *expect }
        }
    }
}

/// The names of tasks that are part of a step's own mechanism; no task of a plan may be called so.
pub mod named {
    use std::sync::LazyLock;

    use crate::plan::TaskName;

    /// Names that are asked for at every look, and so made once.
    macro_rules! named {
        ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {$(
            $(#[$doc])*
            pub fn $name() -> TaskName {
                static NAME: LazyLock<TaskName> = LazyLock::new(|| TaskName::built_in($text));
                NAME.clone()
            }
        )*};
    }

    named! {
        /// Warms the target.
        warm = "warm";
        /// Lowers the time to live of a DNS record set.
        lower_ttl = "lower-ttl";
        /// Gives it its old time to live back.
        restore_ttl = "restore-ttl";
        /// Copies requests to the target.
        mirror = "mirror";
        /// Ends that.
        mirror_end = "mirror-end";
        /// Makes legacy read-only.
        fence = "fence";
        /// Makes target writable.
        promote = "promote";
        /// Makes target read-only, on the way back.
        reverse_fence = "reverse-fence";
        /// Makes legacy writable, on the way back.
        reverse_promote = "reverse-promote";
        /// Denies the old address.
        scream_test = "scream-test";
        /// Switches legacy off.
        switch_off = "switch-off";
        /// Puts a bridge up.
        up = "up";
        /// Takes it down.
        down = "down";
    }
}

/// The tasks of a service or of a phase, listed once.
pub type Agenda = Kept<Vec<Item>>;

/// All tasks of a service in the order in which they are done; those of one moment by name, its mechanism's first.
pub fn of_service(service: &Service) -> &[Item] {
    service.agenda.get_or_find(|| listed(service))
}

fn listed(service: &Service) -> Vec<Item> {
    let mut items = mechanism(service);
    items.extend(service.tasks.iter().map(|(name, task)| Item {
        name: name.clone(),
        moment: match task.at {
            ServiceMoment::BeforePrepare => Moment::BeforePrepare,
            ServiceMoment::BeforeShift => Moment::BeforeShift,
            ServiceMoment::AfterShift => Moment::AfterShift,
            ServiceMoment::AfterSoak => Moment::AfterSoak,
            ServiceMoment::BeforeDecommission => Moment::BeforeDecommission,
        },
        deed: Deed::Act(task.act.clone()),
        back: back(&task.undo),
        expect: task.expect,
    }));
    items.sort_by_key(|item| item.moment); // stable: the order within a moment stays
    items
}

/// Whether a task of a service is done right before its first weight: the same as its moment in [`of_service`] says, found
/// without going through the list, for this is asked at every look.
pub fn is_of_shift(service: &Service, name: &TaskName) -> bool {
    if let Some(task) = service.tasks.get(name) {
        return task.at == ServiceMoment::BeforeShift;
    }
    match name.as_str() {
        "mirror-end" => service.mirror.is_some(),
        "fence" | "promote" => service.data.is_some(),
        other => other.starts_with("quiesce-") && service.cron.iter().any(|cron| reserved::quiesce(cron) == *name),
    }
}

/// The tasks that are part of a service's steps.
fn mechanism(service: &Service) -> Vec<Item> {
    let item = |name, moment, deed, back| Item { name, moment, deed, back, expect: SHORT };
    let mut items = Vec::new();
    if let Some(act) = &service.warm {
        items.push(item(named::warm(), Moment::Prepare, Deed::Act(act.clone()), Back::Nothing));
    }
    if let Router::Dns(DnsRoute { ttl_during, .. }) = &service.router {
        let restore = by(Deed::RestoreTtl, UndoWhen::AfterTraffic);
        items.push(item(named::lower_ttl(), Moment::Prepare, Deed::LowerTtl(*ttl_during), restore));
        items.push(item(named::restore_ttl(), Moment::AfterSoak, Deed::RestoreTtl, Back::Nothing));
    }
    if let Some(Mirror { percent, .. }) = &service.mirror {
        let stop = by(Deed::StopMirror, UndoWhen::AfterTraffic);
        items.push(item(named::mirror(), Moment::Prepare, Deed::StartMirror(*percent), stop));
        items.push(item(named::mirror_end(), Moment::BeforeShift, Deed::StopMirror, Back::Nothing));
    }
    for cron in &service.cron {
        let resume = by(Deed::ResumeCron(cron.clone(), Side::Legacy), UndoWhen::AfterTraffic);
        let quiesce = Deed::Act(Act::QuiesceCron(cron.clone()));
        items.push(item(reserved::quiesce(cron), Moment::BeforeShift, quiesce.clone(), resume));
        let resume = Deed::ResumeCron(cron.clone(), Side::Target);
        let again = by(quiesce, UndoWhen::BeforeTraffic);
        items.push(item(reserved::resume(cron), Moment::AfterShift, resume, again));
    }
    items.extend(writer(service));
    items.extend(end(service));
    items
}

/// The fence and the promotion of a single writer. Their way back is the writer's own ([`super::writer`]).
fn writer(service: &Service) -> Vec<Item> {
    let Some(data) = &service.data else { return Vec::new() };
    let promoted = match &data.reverse {
        Reverse::None(why) => Back::Impossible(why.clone()),
        Reverse::By { promote, .. } => Back::By {
            deed: Deed::Act(promote.act.clone()),
            when: UndoWhen::BeforeTraffic,
            deadline: None,
            expect: promote.expect,
        },
    };
    let fenced = match data.unfencing() {
        None => Back::Impossible("nothing makes legacy writable again".to_owned()),
        Some(switch) => {
            Back::By { deed: Deed::Act(switch.act.clone()), when: UndoWhen::BeforeTraffic, deadline: None, expect: switch.expect }
        }
    };
    let item = |name, moment, switch: &Switch, back| Item {
        name,
        moment,
        deed: Deed::Act(switch.act.clone()),
        back,
        expect: switch.expect,
    };
    vec![
        item(named::fence(), Moment::Fence, &data.fence, fenced),
        item(named::promote(), Moment::Promote, &data.promote, promoted),
    ]
}

/// What ends the legacy side.
fn end(service: &Service) -> Vec<Item> {
    let Some(end) = &service.decommission else { return Vec::new() };
    let item = |name, moment, deed, back| Item { name, moment, deed, back, expect: SHORT };
    let mut items = Vec::new();
    if end.scream_test.is_some() {
        let allow = by(Deed::Allow, UndoWhen::BeforeTraffic);
        items.push(item(named::scream_test(), Moment::ScreamTest, Deed::Deny, allow));
    }
    let off = Back::Impossible("what is switched off is gone".to_owned());
    items.push(item(named::switch_off(), Moment::Decommission, Deed::SwitchOff, off));
    items
}

/// All tasks of a phase in the order in which they are done; those of one moment by name.
pub fn of_whole_phase(phase: &Phase) -> &[Item] {
    phase.agenda.get_or_find(|| {
        let mut items: Vec<Item> = phase.tasks.iter().map(|(name, task)| of_phase_task(name, task)).collect();
        items.sort_by_key(|item| item.moment);
        items
    })
}

/// Those of one of its moments.
pub fn of_phase(phase: &Phase, at: PhaseMoment) -> &[Item] {
    let items = of_whole_phase(phase);
    let (before, after) = items.split_at(items.partition_point(|item| item.moment == Moment::BeforePrepare));
    match at {
        PhaseMoment::BeforePhase => before,
        PhaseMoment::AfterPhase => after,
    }
}

fn of_phase_task(name: &TaskName, task: &PhaseTask) -> Item {
    let moment = match task.at {
        PhaseMoment::BeforePhase => Moment::BeforePrepare,
        PhaseMoment::AfterPhase => Moment::AfterShift,
    };
    Item { name: name.clone(), moment, deed: Deed::Act(task.act.clone()), back: back(&task.undo), expect: task.expect }
}

/// What puts a bridge up, and what takes it down.
pub fn of_bridge(managed: &ManagedBridge) -> (Item, Item) {
    let item = |name, act: &Act, expect| Item {
        name,
        moment: Moment::Prepare,
        deed: Deed::Act(act.clone()),
        back: Back::Nothing,
        expect,
    };
    (item(named::up(), &managed.up, managed.up_expect), item(named::down(), &managed.down, managed.down_expect))
}

/// The bridges that a service counts on: by its phase and by its needs.
pub fn bridges_of<'a>(plan: &'a Plan, service: &'a Service) -> impl Iterator<Item = &'a BridgeName> {
    let by_need = service.bridges();
    let joined = plan.bridges.iter().filter(|(_, bridge)| bridge.phases.contains(&service.phase)).map(|(name, _)| name);
    by_need.chain(joined)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_right_before_the_first_weight_is_what_the_list_says() {
        let mut seen = 0;
        for text in [include_str!("../../plans/spine-weekend.yaml"), include_str!("../../plans/database-dns.yaml")] {
            let revision = crate::plan::read(text).unwrap().revision;
            for service in revision.plan().services.values() {
                for item in of_service(service) {
                    let cron = |cron: &String| [reserved::quiesce(cron), reserved::resume(cron)].contains(&item.name);
                    let own = reserved::TASKS.contains(&item.name.as_str()) || service.cron.iter().any(cron);
                    assert_eq!(own, !service.tasks.contains_key(&item.name), "{} is reserved, or of the plan", item.name);
                    let of_shift = matches!(item.moment, Moment::BeforeShift | Moment::Fence | Moment::Promote);
                    assert_eq!(is_of_shift(service, &item.name), of_shift, "{}", item.name);
                    seen += usize::from(of_shift);
                }
            }
        }
        assert!(seen >= 6, "{seen} tasks before a shift");
    }
}
