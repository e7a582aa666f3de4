//! The way to the target, up to the first weight: its phase begins, it is prepared, those it needs are there, nothing speaks
//! against it now. What follows is [`super::shift`], [`super::soak`] and [`super::ending`].

use std::collections::BTreeSet;

use super::{
    agenda::{self, Item, Moment},
    bridge,
    draft::{Draft, WaitsFor},
    effect::Action,
    ending,
    event::Event,
    group,
    invariant::Invariant,
    observed::Backend,
    readiness::{self, Obstacle},
    reason::Reason,
    record::{Direction, ServiceState, Stage},
    route::RouteView,
    shift, soak,
    step::{Step, Subject},
    task::TaskStage,
    tasks::{self, Progress},
    timing, writer,
};
use crate::plan::{Service, ServiceName, Side, Weight};

/// It is not on its way back.
pub fn concerns(state: &ServiceState) -> bool {
    state.direction == Direction::Forward
}

/// Takes a service as far towards its target as it may go now.
pub fn advance(draft: &mut Draft, name: &ServiceName, service: &Service) {
    let state = draft.state(name);
    if !concerns(&state) {
        return;
    }
    match state.stage {
        Stage::Waiting => start(draft, name, service, &state),
        Stage::Shifting(index) => shift::advance(draft, name, service, &state, index),
        Stage::Soaking => soak::advance(draft, name, service, &state),
        Stage::Soaked | Stage::Ending | Stage::Decommissioning => match taken_over(draft, name, &state) {
            Some((reason, on)) => draft.wait(Step::at(&state), name, reason, on),
            None => ending::advance(draft, name, service, &state),
        },
        Stage::Returning | Stage::Returned | Stage::Decommissioned => {}
    }
}

/// `one-owner`: another run drives its route, or nobody can tell whose it is. Then nothing is done beside that route either: no task
/// begins. On the way back a silent router keeps nothing waiting, for there everything is taken back that can be.
fn taken_over(draft: &Draft, name: &ServiceName, state: &ServiceState) -> Option<Obstacle> {
    match draft.route(name, state) {
        RouteView::Foreign(owner) => Some((Reason::OneOwner { owner }, WaitsFor::Person)),
        RouteView::Unknown(why) => Some((Reason::RouteUnknown { why }, WaitsFor::World)),
        _ => None,
    }
}

/// `order`: the services it needs are on target; those of its own group move with it.
fn waits_for_needs(draft: &Draft, name: &ServiceName, service: &Service) -> Option<Obstacle> {
    if !draft.rules.keep(Invariant::Order) {
        return None;
    }
    let need = group::needs_outside(draft.plan, name, service).find(|need| !draft.is_moved(need))?;
    Some((Reason::Need { service: need.clone() }, WaitsFor::Step))
}

/// `order`: its phase may begin. One whose shift has begun waits as well, up to its first weight, for a service of an earlier phase
/// may have turned round meanwhile. With legacy fenced it does not wait, for nobody can write: it goes back at once, or, where
/// only the way forward ends the pause, it goes on.
fn waits_for_phase(draft: &mut Draft, name: &ServiceName, service: &Service, state: &ServiceState) -> Option<Obstacle> {
    let (reason, on) = draft.closed.get(&service.phase).cloned()?;
    if writer::must_go_on(draft, name) {
        return None;
    }
    if writer::has_fenced(state) {
        draft.send_back(name, &reason);
    }
    Some((reason, on))
}

/// What holds a service that has not shifted yet. **A switch of writers is done whole or not at all**: once legacy is fenced nobody
/// can write until it is done, so a person's hold of the run lets it finish. A fault holds at once, and the pause budget ends that.
fn held(draft: &Draft, name: &ServiceName) -> Option<Reason> {
    let state = draft.state(name);
    let finishes =
        |reason: &Reason| matches!(reason, Reason::Ordered { .. }) && state.hold.is_none() && writer::has_fenced(&state);
    draft.held(&state).filter(|reason| !finishes(reason))
}

/// From nothing to the first weight.
fn start(draft: &mut Draft, name: &ServiceName, service: &Service, state: &ServiceState) {
    if writer::pause_is_over(draft, name, service) {
        return;
    }
    let begun = timing::shift_has_begun(service, state);
    if let Some((reason, on)) = waits_for_phase(draft, name, service, state) {
        return draft.wait(Step::Prepare, name, reason, on);
    }
    if let Some((reason, on)) = taken_over(draft, name, state) {
        return draft.wait(Step::Prepare, name, reason, on);
    }
    let items = agenda::of_service(service);
    let missing = bridge::missing(draft, service); // a bridge is put up while the service is prepared
    if prepare(draft, name, service, items) == Progress::Waits {
        return;
    }
    if let Some((reason, on)) = missing.or_else(|| waits_for_needs(draft, name, service)) {
        return draft.wait(Step::Prepare, name, reason, on);
    }
    let (version, shown) = match in_place(draft, name, service, state) {
        Ok(place) => place,
        Err((reason, on)) => return draft.wait(Step::Prepare, name, reason, on),
    };
    if backends_missing(draft, name, service, &Step::Prepare) {
        return;
    }
    let Some(first) = agenda::weights(draft.plan, name, service).first().copied() else { return };
    if let Some((reason, on)) = readiness::sides(draft, name, service, first) {
        return draft.wait(Step::Prepare, name, reason, on);
    }
    let loud = readiness::gates_quiet(draft, name, service);
    if !loud.is_empty() {
        return draft.waits_all(&Step::Prepare, name, loud);
    }
    if let Some((reason, on)) = not_now(draft, name, service, begun) {
        return draft.wait(Step::Prepare, name, reason, on);
    }
    switch_over(draft, name, service, items, (first, version, shown));
}

/// What comes right before the first weight, and then that weight.
fn switch_over(
    draft: &mut Draft,
    name: &ServiceName,
    service: &Service,
    items: &[Item],
    (first, version, shown): (Weight, String, Weight),
) {
    let held = held(draft, name);
    let before = run(draft, name, service, items, Moment::BeforeShift, held.as_ref());
    counts_as_moving(draft, name, service);
    if before == Progress::Waits {
        return;
    }
    let done = |draft: &mut Draft, member: &ServiceName, s: &Service, state: &ServiceState| {
        can_start(draft, member, s, state).is_none() && tasks_done(s, state, Moment::BeforeShift)
    };
    if let Some(reason) = group::waits_for(draft, name, None, done) {
        return draft.wait(Step::Shift(first), name, reason, WaitsFor::Step);
    }
    if let Some(reason) = &held {
        return draft.wait(Step::Prepare, name, reason.clone(), WaitsFor::Person);
    }
    let switched = writer::forward(draft, name, service, held.as_ref());
    counts_as_moving(draft, name, service);
    if switched == Progress::Waits || draft.state(name).stage != Stage::Waiting {
        return;
    }
    if draft.state(name).direction == Direction::Backward {
        return;
    }
    draft.event(Event::Prepared { step: Step::Prepare.of(name) });
    draft.moving.extend(draft.plan.services.get_key_value(name).map(|(own, _)| own));
    draft.order(name, Step::Shift(first), first, Stage::Shifting(0), version, shown);
}

/// A service whose shift began in this pass counts for those that come after it in the same pass: else one more than the plan
/// allows would start beside its first task.
fn counts_as_moving(draft: &mut Draft, name: &ServiceName, service: &Service) {
    if timing::shift_has_begun(service, &draft.state(name)) {
        draft.moving.extend(draft.plan.services.get_key_value(name).map(|(own, _)| own));
    }
}

/// Tasks before and for the preparation, which no window governs, and the time that shadow traffic is to run.
fn prepare(draft: &mut Draft, name: &ServiceName, service: &Service, items: &[Item]) -> Progress {
    let held = draft.held(&draft.state(name));
    for moment in [Moment::BeforePrepare, Moment::Prepare] {
        if run(draft, name, service, items, moment, held.as_ref()) == Progress::Waits {
            return Progress::Waits;
        }
    }
    let mirror = draft.state(name).tasks.get(&agenda::named::mirror()).copied().filter(|_| service.mirror.is_some());
    if let (Some(state), Some(mirror)) = (mirror, service.mirror) {
        let until = draft.wake_in(state.at, mirror.length);
        if until > draft.now {
            let reason = Reason::Waiting { task: agenda::named::mirror(), until };
            draft.wait(Step::Prepare, name, reason, WaitsFor::World);
            return Progress::Waits;
        }
    }
    Progress::Done
}

/// Runs the tasks of one moment. One that fails before the soak acts like a gate that fails.
pub fn run(
    draft: &mut Draft,
    name: &ServiceName,
    service: &Service,
    items: &[Item],
    moment: Moment,
    held: Option<&Reason>,
) -> Progress {
    let on_failure = service.on_failure;
    let of_moment = items.iter().filter(|item| item.moment == moment);
    tasks::run(draft, &Subject::from(name), of_moment, held, |draft, reason| draft.act(name, on_failure, reason))
}

/// Whether all tasks up to this moment, it included, were seen to be done.
fn tasks_done(service: &Service, state: &ServiceState, upto: Moment) -> bool {
    let done = |item: &Item| state.tasks.get(&item.name).is_some_and(|t| t.stage == TaskStage::Done);
    agenda::of_service(service).iter().filter(|item| item.moment <= upto).all(done)
}

/// The route is as it was before anything was ordered, and nobody else's: its version and weight.
fn in_place(draft: &Draft, name: &ServiceName, _service: &Service, state: &ServiceState) -> Result<(String, Weight), Obstacle> {
    match draft.route(name, state) {
        RouteView::Before { version, weight } => Ok((version, weight)),
        RouteView::Unknown(why) => Err((Reason::RouteUnknown { why }, WaitsFor::World)),
        RouteView::Foreign(owner) => Err((Reason::OneOwner { owner }, WaitsFor::Person)),
        RouteView::Drift(found) => Err((Reason::Drift { found, expected: Weight::ZERO }, WaitsFor::Person)),
        RouteView::Pending(..) | RouteView::Effective(_) => {
            Err((Reason::RouteUnknown { why: "it shows an order that was never given".to_owned() }, WaitsFor::World))
        }
    }
}

/// Both sides stand where the route can name them; what is missing is made.
fn backends_missing(draft: &mut Draft, name: &ServiceName, service: &Service, step: &Step) -> bool {
    let missing = missing_backends(draft, name, service);
    make_backends(draft, name, &missing, step);
    !missing.is_empty()
}

fn missing_backends(draft: &Draft, name: &ServiceName, service: &Service) -> Vec<Side> {
    let backend = |side: &Side| draft.side(name, service, *side, Weight::ZERO).backend;
    Side::BOTH.into_iter().filter(|side| backend(side) == Backend::Missing).collect()
}

fn make_backends(draft: &mut Draft, name: &ServiceName, missing: &[Side], step: &Step) {
    for side in missing {
        draft.effect(name, Step::Prepare, 0, Action::EnsureBackend { service: name.clone(), side: *side }, None);
        draft.wait(step.clone(), name, Reason::Backend { side: *side }, WaitsFor::World);
    }
}

/// Its route is ours and names both sides.
pub fn has_backends(state: &ServiceState) -> bool {
    state.order.is_some() && !state.stage.is_past_soak() && state.stage != Stage::Returned
}

/// What stands for plain hosts is made anew when somebody removed it while the route is ours: their share is not answered
/// until then, whichever way the service goes. Nothing is made for a route that another run drives (found by the explorer).
pub fn keep_backends(draft: &mut Draft, name: &ServiceName, service: &Service) {
    let state = draft.state(name);
    let missing = if has_backends(&state) { missing_backends(draft, name, service) } else { Vec::new() };
    if missing.is_empty() {
        return; // whose the route is need not be asked
    }
    if !matches!(draft.route(name, &state), RouteView::Foreign(_)) {
        make_backends(draft, name, &missing, &Step::at(&state));
    }
}

/// Why a member of a group could not start now, from what concerns it alone.
fn can_start(draft: &mut Draft, name: &ServiceName, service: &Service, state: &ServiceState) -> Option<Obstacle> {
    if state.direction == Direction::Backward {
        return Some((Reason::Group { service: name.clone() }, WaitsFor::Step));
    }
    let closed = draft.closed.get(&service.phase).cloned();
    let held = draft.held(state).map(|reason| (reason, WaitsFor::Person));
    let prepared = tasks_done(service, state, Moment::Prepare);
    let preparing = (!prepared).then(|| (Reason::Group { service: name.clone() }, WaitsFor::Step));
    let first = agenda::weights(draft.plan, name, service).first().copied().unwrap_or(Weight::FULL);
    closed
        .or(held)
        .or(preparing)
        .or_else(|| waits_for_needs(draft, name, service))
        .or_else(|| in_place(draft, name, service, state).err())
        .or_else(|| readiness::sides(draft, name, service, first))
        .or_else(|| readiness::gates_quiet(draft, name, service).into_iter().next())
}

/// What speaks against starting now, though all is ready: a hold, the others of its group, limits, windows.
fn not_now(draft: &mut Draft, name: &ServiceName, service: &Service, begun: bool) -> Option<Obstacle> {
    if let Some(reason) = held(draft, name) {
        return Some((reason, WaitsFor::Person));
    }
    if !begun {
        let ready = |draft: &mut Draft, member: &ServiceName, s: &Service, state: &ServiceState| {
            can_start(draft, member, s, state).is_none()
        };
        if let Some(reason) = group::waits_for(draft, name, None, ready) {
            return Some((reason, WaitsFor::Step));
        }
        let newcomers: BTreeSet<&ServiceName> =
            group::others(draft, name).into_iter().map(|(member, _)| member).chain([name]).collect();
        if let Some(reason) = timing::limits(draft, &newcomers) {
            return Some((reason, WaitsFor::Step));
        }
    }
    let takes = if begun { timing::of_weight(draft, name, service) } else { timing::of_start(draft, name, service) };
    timing::window(draft, name, service, takes).map(|reason| {
        let on = timing::waits_for(&reason);
        (reason, on)
    })
}
