//! What people ordered: latched in the record, so that taking the order back does not undo it.

use super::{
    draft::Draft,
    event::Event,
    observed::{Intent, Orders},
    reason::Reason,
    record::{Direction, Latch, LatchKind, Stage},
    step::Subject,
    task::{TaskKey, TaskSeen, TaskStage, TaskState, TaskWay},
};

/// Who gave the orders, for people.
pub fn by(orders: &Orders) -> String {
    orders.by.clone().unwrap_or_else(|| "somebody who gave no name".to_owned())
}

/// **Who may clear a latch**: only a resume that names it, and never a rollback. What holds on the way back is resumed beside the order
/// to go back.
pub fn obey(draft: &mut Draft) {
    let orders = &draft.seen.orders;
    let by = by(orders);
    match orders.intent {
        Intent::Rollback => roll_back(draft, &by),
        Intent::Hold => return hold(draft, &by),
        Intent::Run => {}
    }
    if let Some(upto) = orders.resumes.filter(|upto| draft.next.resumed != Some(*upto)) {
        draft.next.resumed = Some(upto);
        resume(draft, upto, &by);
    }
}

fn latch(draft: &mut Draft, kind: LatchKind, by: &str) -> Reason {
    let reason = Reason::Ordered { by: by.to_owned() };
    let id = draft.next.next_latch();
    draft.next.latch = Some(Latch { id, kind, since: draft.stamp, reason: reason.clone(), hold: None });
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

/// Clears every hold whose number is at most `upto`. Gates start counting anew: what led to the hold is answered for.
fn resume(draft: &mut Draft, upto: u64, by: &str) {
    if draft.next.latch.as_ref().and_then(Latch::holds).is_some_and(|(id, _)| id <= upto) {
        // A rollback stands: what held beside it goes on.
        let rollback = draft.next.latch.take().filter(|latch| latch.kind == LatchKind::Rollback);
        draft.next.latch = rollback.map(|latch| Latch { hold: None, ..latch });
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
            draft.set_task(subject, &key.task, TaskState { at: draft.stamp, number, ..state });
        }
    }
}
