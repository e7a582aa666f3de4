//! Phases: when one begins, for how long it has been stable, and what is done around it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{
    agenda,
    approval::{About, Question, Standing, standing},
    draft::{Draft, WaitsFor},
    event::Event,
    gate,
    invariant::Invariant,
    outcome,
    readiness::Obstacle,
    reason::Reason,
    record::{PhaseState, Stage, TroubleKind},
    step::{Step, Subject},
    task::TaskStage,
    tasks::{self, Progress},
};
use crate::plan::{After, Phase, PhaseMoment, PhaseName, Plan, ServiceName, Span, TaskName, Undo, UndoWhen};

/// Looks at every phase: counts how long it has been stable, begins it where it may begin, takes its tasks back where its
/// services went back. Gives the reason why those that may not begin do not.
pub fn survey<'a>(draft: &mut Draft<'a, '_>) -> BTreeMap<&'a PhaseName, Obstacle> {
    let plan = draft.plan;
    let (mut closed, counted) = (BTreeMap::new(), counted(plan));
    for name in plan.phases.keys() {
        if let Some(reason) = look(draft, &counted, name) {
            closed.insert(name, reason);
        }
    }
    closed
}

/// The same for one phase. `counted` are those whose stability is.
pub fn look(draft: &mut Draft, counted: &BTreeSet<&PhaseName>, name: &PhaseName) -> Option<Obstacle> {
    let phase = draft.plan.phases.get(name)?;
    if counted.contains(name) {
        stability(draft, name);
    }
    let closed = begin(draft, name, phase);
    after_tasks(draft, name, phase);
    closed
}

/// The phases that have to be stable before another one begins.
pub fn counted(plan: &Plan) -> BTreeSet<&PhaseName> {
    let after = plan.phases.values().flat_map(|phase| &phase.after);
    after.filter(|(_, after)| after.stable_for.is_some()).map(|(before, _)| before).collect()
}

fn of(name: &PhaseName) -> Subject {
    Subject::Phase(name.clone())
}

/// Whether any service of the phase has begun its way: then the phase has begun.
fn has_begun(draft: &Draft, name: &PhaseName) -> bool {
    let plan = draft.plan;
    plan.members(name)
        .iter()
        .any(|service| draft.stage(service) != Stage::Waiting || draft.own(service).is_some_and(|s| !s.tasks.is_empty()))
}

/// What a phase waits for, in this order: the phases before it, their stability and gates, its approval, its own tasks.
fn begin(draft: &mut Draft, name: &PhaseName, phase: &Phase) -> Option<Obstacle> {
    if !draft.rules.keep(Invariant::Order) {
        return None;
    }
    if let Some((before, service)) = draft.late_phase(name) {
        return Some((Reason::Phase { phase: before.clone(), service: service.clone() }, WaitsFor::Step));
    }
    if has_begun(draft, name) {
        return begin_again(draft, name, phase);
    }
    for (before, after) in &phase.after {
        if let Some(closed) = not_stable(draft, before, after) {
            return Some(closed);
        }
        if let Some(closed) = gates_open(draft, name, before, after) {
            return Some(closed);
        }
    }
    if let Some(closed) = approved(draft, name, phase) {
        return Some(closed);
    }
    before_tasks(draft, name, phase)
}

/// A phase that was over, its tasks taken back, begins again when one of its services is tried again.
fn begin_again(draft: &mut Draft, name: &PhaseName, phase: &Phase) -> Option<Obstacle> {
    let undone = |task| draft.task(&of(name), task).is_some_and(|state| state.stage != TaskStage::Done);
    let members = draft.plan.members(name);
    let starts = |service| draft.stage(service) == Stage::Waiting && !outcome::never_starts(draft, service);
    if phase.tasks.keys().any(undone) && members.iter().any(starts) {
        return before_tasks(draft, name, phase);
    }
    None
}

/// **Stable.** Since every service of the phase was confirmed; a guard that fails or a service that goes back starts the count
/// again, an answer that is missing pauses it.
fn stability(draft: &mut Draft, name: &PhaseName) {
    let plan = draft.plan;
    let (mut broken, mut unknown) = (false, false);
    for service in plan.members(name) {
        let troubles = draft.own(service).map(|s| &s.troubles);
        broken |= !draft.is_moved(service);
        broken |= troubles.is_some_and(|t| t.values().any(|t| t.kind == TroubleKind::Failing));
        unknown |= troubles.is_some_and(|t| t.values().any(|t| t.kind == TroubleKind::Unknown));
    }
    let now = draft.stamp;
    let state = draft.next.phases.get(name).cloned().unwrap_or_default();
    let next = match (broken, unknown) {
        (true, _) => PhaseState { stable_since: None, stable_before: None, ..state.clone() },
        (false, true) => PhaseState { stable_since: None, stable_before: Some(stable_for(&state, now)), ..state.clone() },
        (false, false) => PhaseState { stable_since: state.stable_since.or(Some(now)), ..state.clone() },
    };
    if next != state {
        draft.next.phases.insert(name.clone(), next);
    }
}

/// For how long a phase has been stable.
fn stable_for(state: &PhaseState, now: Timestamp) -> Span {
    let running = state.stable_since.map_or(0, |since| now.duration_since(since).as_millis().max(0));
    let before = state.stable_before.unwrap_or_default();
    before.plus(Span::from_millis(u64::try_from(running).unwrap_or(u64::MAX)))
}

fn not_stable(draft: &mut Draft, before: &PhaseName, after: &After) -> Option<Obstacle> {
    let wanted = after.stable_for?;
    let state = draft.next.phases.get(before).cloned().unwrap_or_default();
    let have = stable_for(&state, draft.now);
    if have >= wanted {
        return None;
    }
    let phase = before.clone();
    if state.stable_since.is_some() {
        let missing = wanted.get().saturating_sub(have.get());
        let missing = Span::from_millis(u64::try_from(missing.as_millis()).unwrap_or(u64::MAX));
        let until = draft.wake_in(draft.now, missing);
        return Some((Reason::Stable { phase, until }, WaitsFor::World));
    }
    let plan = draft.plan;
    let troubled = plan.members(before).iter().max_by_key(|n| draft.own(n).is_some_and(|s| !s.troubles.is_empty()))?;
    Some((Reason::Unstable { phase, service: troubled.clone() }, WaitsFor::World))
}

/// The gates between two phases pass with answers that were asked for after the earlier one was moved.
fn gates_open(draft: &mut Draft, name: &PhaseName, before: &PhaseName, after: &After) -> Option<Obstacle> {
    let plan = draft.plan;
    let moved = plan.members(before).iter().filter_map(|n| draft.own(n)?.moved_at).max();
    let since = draft.since(moved.unwrap_or(Timestamp::MIN));
    for (gate_name, gate) in &after.gates {
        let seen = draft.seen.other_gates.get(&(of(name), gate_name.clone()));
        let verdict = gate::judge(gate, seen, since, draft.now);
        draft.wake_if_silent(gate::stale_after(gate));
        if let Some(reason) = gate::wait(gate_name, verdict) {
            return Some((reason, WaitsFor::World));
        }
    }
    None
}

/// **Approvals** in front of a phase: used once, and latched in the record.
fn approved(draft: &mut Draft, name: &PhaseName, phase: &Phase) -> Option<Obstacle> {
    let approval = phase.approval.as_ref()?;
    if draft.next.phases.get(name).is_some_and(|s| s.approved_at.is_some()) {
        return None;
    }
    let about = About::Phase(name.clone());
    let question = Question { record: &draft.next, about: &about, attempt: 0, approval };
    let asks = approval.asks.clone();
    match standing(draft.plan, question, &draft.seen.approvals, draft.now) {
        Standing::Enough { ids, by } => {
            draft.next.approvals_used.extend(ids);
            draft.next.phases.entry(name.clone()).or_default().approved_at = Some(draft.stamp);
            draft.event(Event::PhaseApproved { phase: name.clone(), by });
            None
        }
        Standing::Refused(by) => Some((Reason::Refused { by, asks }, WaitsFor::Person)),
        Standing::Missing(missing) => Some((Reason::Approval { asks, missing }, WaitsFor::Person)),
    }
}

fn before_tasks(draft: &mut Draft, name: &PhaseName, phase: &Phase) -> Option<Obstacle> {
    if phase.tasks.is_empty() {
        return None; // as of most phases, and this is asked at every look
    }
    run(draft, name, agenda::of_phase(phase, PhaseMoment::BeforePhase))
        .then(|| draft.waits.last().map(|(wait, on)| (wait.reason.clone(), *on)))
        .flatten()
}

/// Runs tasks of a phase; says whether one of them is waited for. A task that fails holds the run: it is nobody's else.
fn run(draft: &mut Draft, name: &PhaseName, items: &[agenda::Item]) -> bool {
    let held = draft.run_held();
    let failed = |draft: &mut Draft, reason: Reason| draft.hold_run(reason);
    tasks::run(draft, &of(name), items, held.as_ref(), failed) == Progress::Waits
}

/// What is done after all of the phase's services have been moved; and what is taken back once all that began are back.
fn after_tasks(draft: &mut Draft, name: &PhaseName, phase: &Phase) {
    if phase.tasks.is_empty() {
        return;
    }
    let plan = draft.plan;
    let own: Vec<_> = plan.members(name).iter().collect();
    let items = agenda::of_whole_phase(phase);
    // What is being taken back comes to its end first, also for a service that is tried again: then it can be done once more.
    let half =
        |draft: &Draft, item: &agenda::Item| draft.task(&of(name), &item.name).map(|t| t.stage) == Some(TaskStage::UndoOrdered);
    for item in items.iter().rev() {
        if half(draft, item) && tasks::take_back(draft, &of(name), item) == Progress::Waits {
            return;
        }
    }
    if own.iter().all(|service| draft.is_moved(service)) {
        run(draft, name, agenda::of_phase(phase, PhaseMoment::AfterPhase));
        return;
    }
    if is_over(draft, &own) {
        for when in [UndoWhen::BeforeTraffic, UndoWhen::AfterTraffic] {
            if tasks::undo(draft, &of(name), items, when) == Progress::Waits {
                return;
            }
        }
    }
}

/// **Over**: some of its services went back, nothing of it is on target or on its way there or back, and nothing of it starts any
/// more. A phase of which nothing ever started is over when nothing else is left of the run.
fn is_over(draft: &Draft, own: &[&ServiceName]) -> bool {
    let is_back = |service: &ServiceName| draft.stage(service) == Stage::Returned;
    let rests = |service: &&ServiceName| match is_back(service) {
        true => draft.at_end(service),
        false => outcome::never_starts(draft, service),
    };
    own.iter().all(rests) && (draft.idle || own.iter().any(|service| is_back(service)))
}

/// Whether tasks of a phase still have to be done or taken back before the run can end.
pub fn is_open(draft: &Draft, name: &PhaseName, phase: &Phase) -> bool {
    if phase.tasks.is_empty() {
        return false;
    }
    let own: Vec<_> = draft.plan.members(name).iter().collect();
    let state = |task: &TaskName| draft.task(&of(name), task).map(|t| t.stage);
    if own.iter().all(|service| draft.is_moved(service)) {
        return agenda::of_phase(phase, PhaseMoment::AfterPhase).iter().any(|item| state(&item.name) != Some(TaskStage::Done));
    }
    let begun = phase.tasks.keys().any(|task| state(task).is_some());
    let left = |task: &TaskName| matches!(state(task), Some(TaskStage::Ordered | TaskStage::Done | TaskStage::UndoOrdered));
    begun && is_over(draft, &own) && phase.tasks.iter().any(|(task, t)| matches!(t.undo, Undo::Do { .. }) && left(task))
}

/// Says of each phase that may not begin why, once.
pub fn show_all(draft: &mut Draft) {
    let told =
        |reason: &Reason| !matches!(reason, Reason::Phase { .. } | Reason::TaskRunning { .. } | Reason::TaskOfPerson { .. });
    let shown = draft.closed.iter().filter(|(_, (reason, _))| told(reason));
    for (name, (reason, on)) in shown.map(|(name, obstacle)| (*name, obstacle.clone())).collect::<Vec<_>>() {
        draft.wait(Step::Begin, of(name), reason, on);
    }
}
