//! The way back: dependents first, never to a side that is not better, and undone even if it may never have begun.

use super::{
    agenda::{self, Back, Item},
    draft::{Draft, WaitsFor},
    event::Event,
    invariant::Invariant,
    observed::Backend,
    reason::{Reason, SideRank},
    record::{Direction, ServiceState, Stage},
    route::{self, RouteView, SETTLE},
    step::{Step, Subject},
    task::TaskStage,
    tasks::{self, Progress},
    writer,
};
use crate::plan::{Service, ServiceName, Side, UndoWhen, Weight};

/// It is on its way back, or came back.
pub fn concerns(state: &ServiceState) -> bool {
    state.direction == Direction::Backward
}

/// Takes a service as far back as it may go now.
pub fn retreat(draft: &mut Draft, name: &ServiceName, service: &Service) {
    let state = draft.state(name);
    if !concerns(&state) {
        return;
    }
    if beside_another(draft, name, service, &state) {
        return;
    }
    match state.stage {
        Stage::Waiting => {
            if before_traffic(draft, name, service) == Progress::Done {
                returned(draft, name);
            }
        }
        Stage::Shifting(_) | Stage::Soaking | Stage::Soaked | Stage::Ending => begin(draft, name, service, &state),
        Stage::Returning => finish(draft, name, service, &state),
        Stage::Returned => after_traffic(draft, name, service),
        Stage::Decommissioning | Stage::Decommissioned => {}
    }
}

/// Nothing is taken back beside a route that another run drives: people have to settle first whose it is.
fn beside_another(draft: &mut Draft, name: &ServiceName, service: &Service, state: &ServiceState) -> bool {
    let at_rest = matches!(state.stage, Stage::Waiting | Stage::Returned);
    if !at_rest || is_end(draft, name, service) {
        return false;
    }
    let RouteView::Foreign(owner) = draft.route(name, state) else { return false };
    draft.wait(Step::Return, name, Reason::OneOwner { owner }, WaitsFor::Person);
    true
}

/// **Point of no return**: a step that cannot be taken back may have begun.
pub fn no_return(service: &Service, state: &ServiceState) -> Option<Reason> {
    if state.tasks.is_empty() && !state.stage.is_final() {
        return None;
    }
    let begun = |item: &&Item| state.has_begun(&item.name);
    agenda::of_service(service).iter().filter(begun).find_map(|item| match &item.back {
        Back::Impossible(why) => {
            Some(Reason::PointOfNoReturn { step: Step::Task(item.name.clone()).to_string(), why: why.clone() })
        }
        _ => None,
    })
}

/// What is taken back before the traffic, in the reverse of the order in which it was done: tasks behind the switch of writers, the
/// right to write, tasks before it.
fn before_traffic(draft: &mut Draft, name: &ServiceName, service: &Service) -> Progress {
    let items = agenda::of_service(service);
    let switch = items.partition_point(|item| item.moment < agenda::Moment::Fence);
    let (before, behind) = items.split_at_checked(switch).unwrap_or((items, &[]));
    let undo = |draft: &mut Draft, items| tasks::undo(draft, &Subject::from(name), items, UndoWhen::BeforeTraffic);
    if undo(draft, behind) == Progress::Waits || writer::backward(draft, name, service) == Progress::Waits {
        return Progress::Waits;
    }
    undo(draft, before)
}

/// What is taken back once the traffic is back. It keeps nobody else waiting.
fn after_traffic(draft: &mut Draft, name: &ServiceName, service: &Service) {
    if !draft.state(name).tasks.is_empty() {
        let items = agenda::of_service(service);
        tasks::undo(draft, &Subject::from(name), items, UndoWhen::AfterTraffic);
    }
}

/// Whether nothing more has to be taken back of a service whose traffic is back.
pub fn is_end(draft: &Draft, name: &ServiceName, service: &Service) -> bool {
    let state = draft.state(name);
    let left = |item: &Item| {
        let stage = state.tasks.get(&item.name).map(|t| t.stage);
        matches!(item.back, Back::By { .. })
            && matches!(stage, Some(TaskStage::Ordered | TaskStage::Done | TaskStage::UndoOrdered))
    };
    state.tasks.is_empty() || !agenda::of_service(service).iter().any(left)
}

fn returned(draft: &mut Draft, name: &ServiceName) {
    draft.change(name, |s| {
        s.stage = Stage::Returned;
        s.troubles.clear();
        s.hold = None;
    });
    draft.event(Event::Returned { service: name.clone() });
}

/// `order`, backwards: whoever needs this service, or one of its group, is back first. A group goes back in lock step.
fn dependent_in_the_way(draft: &Draft, name: &ServiceName) -> Option<ServiceName> {
    if !draft.rules.keep(Invariant::Order) {
        return None;
    }
    let back = |other: &ServiceName| matches!(draft.stage(other), Stage::Waiting | Stage::Returned);
    let Some((_, group)) = draft.plan.group_of(name) else {
        return draft.plan.dependents(name).find(|other| !back(other)).cloned();
    };
    let dependents = group.services.iter().flat_map(|member| draft.plan.dependents(member));
    dependents.filter(|other| !group.services.contains(*other)).find(|other| !back(other)).cloned()
}

/// The next weight on the way back: the highest of the plan's that is below what target has, at last 0. Where only one side
/// may write there is nothing in between.
fn next_weight(service: &Service, from: Weight) -> Weight {
    if service.data.is_some() {
        return Weight::ZERO;
    }
    service.rollback_steps.iter().copied().filter(|weight| *weight < from).max().unwrap_or(Weight::ZERO)
}

/// Orders all traffic back. An order that may not have arrived is undone like one that did (`undo-on-start`): the new order
/// bears a new mark and a new version, so that the late one is refused.
fn begin(draft: &mut Draft, name: &ServiceName, service: &Service, state: &ServiceState) {
    if let Some(service) = dependent_in_the_way(draft, name) {
        return draft.wait(Step::Return, name, Reason::Dependent { service }, WaitsFor::Step);
    }
    let view = draft.route(name, state);
    if !draft.rules.keep(Invariant::UndoOnStart) && matches!(view, RouteView::Before { .. }) {
        return returned(draft, name);
    }
    let Some((version, shown)) = writable(draft, name, state, &view) else {
        let Some(order) = state.order else { return returned(draft, name) };
        let reason = route::wait(&view, &order, draft.now);
        let on = route::waits_for(&reason);
        return draft.wait(Step::Return, name, reason, on);
    };
    if refused_as_no_better(draft, name, service, state) {
        return leave_dead_legacy(draft, name, service, state, &view, (version, shown));
    }
    if before_traffic(draft, name, service) == Progress::Done {
        // What never arrived is no weight to come down from: a step below it could be more than target has.
        let from = shown.min(state.weight());
        draft.order(name, Step::Return, next_weight(service, from), Stage::Returning, version, shown);
    }
}

/// The route's version and weight, if it is ours to write.
fn writable(draft: &Draft, name: &ServiceName, state: &ServiceState, view: &RouteView) -> Option<(String, Weight)> {
    match view {
        RouteView::Before { version, weight } => Some((version.clone(), *weight)),
        RouteView::Pending(..) | RouteView::Effective(_) => {
            route::fresh(draft.seen, name, draft.now).ok().map(|r| (r.version.clone(), state.weight()))
        }
        RouteView::Unknown(_) | RouteView::Foreign(_) | RouteView::Drift(_) => None,
    }
}

/// `no-worse`: legacy is enough, or strictly better than the target as it is loaded now. Else the service holds and says so;
/// the hold ends by itself when legacy can take the traffic, for the way back stays ordered.
fn refused_as_no_better(draft: &mut Draft, name: &ServiceName, service: &Service, state: &ServiceState) -> bool {
    if !draft.rules.keep(Invariant::NoWorse) {
        return false;
    }
    let legacy = draft.side(name, service, Side::Legacy, Weight::ZERO);
    if legacy.backend == Backend::Missing {
        return true; // it is being made, and then there is a side to judge
    }
    let (legacy, target) = (legacy.rank, draft.rank(name, service, Side::Target, state.weight()));
    let refused_already = state.hold.as_ref().is_some_and(|h| matches!(h.reason, Reason::NoWorse { .. }));
    if legacy == SideRank::Enough || legacy > target {
        // What was withheld goes on once it is lawful; a step that failed waits for people.
        if refused_already || state.hold.as_ref().is_some_and(|h| matches!(h.reason, Reason::Invariant { .. })) {
            draft.change(name, |s| s.hold = None);
        }
        return false;
    }
    let reason = Reason::NoWorse { legacy, target };
    if !refused_already {
        draft.hold(name, reason.clone());
    }
    draft.wait(Step::Return, name, reason, WaitsFor::Person);
    true
}

/// What may not go back does not stay on a dead legacy either: if the target is enough for all of it, that is where it goes,
/// unless legacy is the writer again. The way back stays ordered, for when legacy lives.
fn leave_dead_legacy(
    draft: &mut Draft,
    name: &ServiceName,
    service: &Service,
    state: &ServiceState,
    view: &RouteView,
    (version, shown): (String, Weight),
) {
    let legacy = draft.side(name, service, Side::Legacy, Weight::ZERO);
    let dead = legacy.rank == SideRank::Dead && legacy.dead_rounds >= service.failures();
    let writes = service.data.is_some() && state.stage == Stage::Returning;
    let Some(order) = state.order.filter(|_| dead && !writes) else { return };
    if draft.rank(name, service, Side::Target, Weight::FULL) != SideRank::Enough {
        return;
    }
    let step = Step::Shift(Weight::FULL);
    if order.weight < Weight::FULL {
        let reason = Reason::LegacyDied { rounds: legacy.dead_rounds };
        draft.event(Event::Evacuated { service: name.clone(), reason });
        draft.order(name, step, Weight::FULL, state.stage, version, shown);
    } else if matches!(view, RouteView::Before { .. }) {
        if route::is_settled(&order, draft.now) {
            draft.set_weight(name, step, &order, version, shown);
        }
        draft.look_for_lost(order.at, SETTLE);
    }
}

/// What is to be ordered of a way back that has begun.
#[derive(Debug, Clone, Copy)]
enum Due {
    /// Its next weight: the newest one is effective.
    Next,
    /// The newest one again: it was lost.
    Again,
}

/// Traffic is on its way back: back when real answers show that all is. Before each further weight legacy is judged anew.
fn finish(draft: &mut Draft, name: &ServiceName, service: &Service, state: &ServiceState) {
    let Some(order) = state.order else { return returned(draft, name) };
    let view = draft.route(name, state);
    let due = match &view {
        RouteView::Effective(_) if order.weight == Weight::ZERO => return returned(draft, name),
        RouteView::Effective(_) => Some(Due::Next),
        RouteView::Before { .. } if route::is_settled(&order, draft.now) => Some(Due::Again),
        _ => None,
    };
    if let (Some(due), Some((version, shown))) = (due, writable(draft, name, state, &view)) {
        if refused_as_no_better(draft, name, service, state) {
            return leave_dead_legacy(draft, name, service, state, &view, (version, shown));
        }
        match due {
            Due::Next => {
                let next = next_weight(service, order.weight);
                return draft.order(name, Step::Return, next, Stage::Returning, version, shown);
            }
            Due::Again => draft.set_weight(name, Step::Return, &order, version, shown),
        }
    }
    draft.look_for(&order, &view);
    let reason = route::wait(&view, &order, draft.now);
    let on = route::waits_for(&reason);
    draft.wait(Step::Return, name, reason, on);
}
