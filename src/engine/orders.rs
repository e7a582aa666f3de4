//! What people ordered: latched in the record, so that taking the order back does not undo it.

use super::{
    backward,
    draft::Draft,
    event::Event,
    observed::Intent,
    reason::Reason,
    record::{Direction, Latch, LatchKind, ServiceState, Stage},
    route,
    step::Subject,
    task::{TaskKey, TaskSeen, TaskStage, TaskState, TaskWay},
};
use crate::plan::TaskName;

/// Who may clear a latch: only a resume that names it, and never a rollback.
pub fn obey(draft: &mut Draft) {
    let orders = &draft.seen.orders;
    let by = orders.by.clone().unwrap_or_else(|| "somebody who gave no name".to_owned());
    match orders.intent {
        Intent::Rollback => roll_back(draft, &by),
        Intent::Hold => hold(draft, &by),
        Intent::Run => {
            if let Some(upto) = orders.resumes.filter(|upto| draft.next.resumed != Some(*upto)) {
                draft.next.resumed = Some(upto);
                resume(draft, upto, &by);
            }
        }
    }
}

fn latch(draft: &mut Draft, kind: LatchKind, by: &str) -> Reason {
    let reason = Reason::Ordered { by: by.to_owned() };
    let id = draft.next.next_latch();
    draft.next.latch = Some(Latch { id, kind, since: draft.now, reason: reason.clone() });
    reason
}

fn hold(draft: &mut Draft, by: &str) {
    if draft.next.latch.is_none() {
        let reason = latch(draft, LatchKind::Hold, by);
        draft.event(Event::Held { service: None, reason });
    }
}

/// Everything goes back that is not past its soak.
fn roll_back(draft: &mut Draft, by: &str) {
    if draft.next.latch.as_ref().is_some_and(|l| l.kind == LatchKind::Rollback) {
        return;
    }
    let reason = latch(draft, LatchKind::Rollback, by);
    let plan = draft.plan;
    let bound = draft.bound(&plan.services.keys().cloned().collect());
    for name in plan.services.keys() {
        let state = draft.state(name);
        if state.direction == Direction::Backward || state.stage == Stage::Returned || draft.rests(name, &state) {
            continue;
        }
        match bound.get(name) {
            Some(why) if state.hold.is_none() => draft.hold(name, why.clone()),
            Some(_) => {}
            None => draft.turn(name, reason.clone()),
        }
    }
}

/// **Retry**: a service that went back is tried again, once for each number that people ask for, if the run as a whole does
/// not go back. It begins at its first step, under a new attempt, once its route is given up.
pub fn retry(draft: &mut Draft) {
    if draft.next.latch.as_ref().is_some_and(|l| l.kind == LatchKind::Rollback) {
        return;
    }
    let plan = draft.plan;
    for (name, attempt) in &draft.seen.orders.retries {
        let Some((name, service)) = plan.services.get_key_value(name) else { continue };
        let state = draft.state(name);
        if state.stage != Stage::Returned || *attempt <= state.attempt || !backward::is_end(draft, name, service) {
            continue;
        }
        if !route::fresh(draft.seen, name, draft.now).is_ok_and(|route| route.owner.is_none()) {
            continue;
        }
        let attempt = state.attempt.saturating_add(1);
        let numbered = state.order.map_or(state.numbered, |o| o.number);
        // The tasks' numbers go on, so that no doing is ever taken for an earlier one.
        let anew = |(name, task): (&TaskName, &TaskState)| (name.clone(), TaskState { stage: TaskStage::Undone, ..*task });
        let tasks = state.tasks.iter().map(anew).collect();
        draft.change(name, |s| *s = ServiceState { attempt, numbered, tasks, ..ServiceState::default() });
        draft.event(Event::Retried { service: name.clone(), attempt });
    }
}

/// Clears every hold whose number is at most `upto`. Gates start counting anew: what led to the hold is answered for.
fn resume(draft: &mut Draft, upto: u64, by: &str) {
    if draft.next.latch.as_ref().is_some_and(|l| l.kind == LatchKind::Hold && l.id <= upto) {
        draft.next.latch = None;
        let phases: Vec<_> = draft.next.phases.keys().cloned().map(Subject::Phase).collect();
        let bridges: Vec<_> = draft.next.bridges.keys().cloned().map(Subject::Bridge).collect();
        for subject in phases.into_iter().chain(bridges) {
            again(draft, &subject);
        }
        draft.event(Event::Resumed { service: None, by: by.to_owned() });
    }
    for (name, _) in draft.select(|_, state| state.hold.as_ref().is_some_and(|h| h.id <= upto)) {
        draft.change(name, |s| {
            s.hold = None;
            s.troubles.clear();
        });
        again(draft, &Subject::from(name));
        draft.event(Event::Resumed { service: Some(name.clone()), by: by.to_owned() });
    }
}

/// Tasks that failed are done again once a person has said so: as another doing, under another number.
fn again(draft: &mut Draft, subject: &Subject) {
    let failed: Vec<TaskKey> = draft
        .seen
        .tasks
        .iter()
        .filter(|(key, seen)| key.of == *subject && matches!(seen.value, Ok(TaskSeen::Failed(_))))
        .map(|(key, _)| key.clone())
        .collect();
    for key in failed {
        let Some(state) = draft.task(subject, &key.task).filter(|t| t.number == key.number) else { continue };
        let ordered = match key.way {
            TaskWay::Do => TaskStage::Ordered,
            TaskWay::Undo => TaskStage::UndoOrdered,
        };
        if state.stage == ordered {
            let number = state.number.saturating_add(1);
            draft.set_task(subject, &key.task, TaskState { at: draft.now, number, ..state });
        }
    }
}
