//! What people ordered: latched in the record, so that taking the order back does not undo it.

use super::{
    draft::Draft,
    event::Event,
    observed::Intent,
    reason::Reason,
    record::{Direction, Latch, LatchKind, Stage},
};

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
    for name in plan.services.keys() {
        let state = draft.state(name);
        if state.direction == Direction::Forward && state.stage != Stage::Soaked {
            draft.turn(name, reason.clone());
        }
    }
}

/// Clears every hold whose number is at most `upto`. Gates start counting anew: what led to the hold is answered for.
fn resume(draft: &mut Draft, upto: u64, by: &str) {
    if draft.next.latch.as_ref().is_some_and(|l| l.kind == LatchKind::Hold && l.id <= upto) {
        draft.next.latch = None;
        draft.event(Event::Resumed { service: None, by: by.to_owned() });
    }
    let plan = draft.plan;
    for name in plan.services.keys() {
        if draft.state(name).hold.is_some_and(|h| h.id <= upto) {
            draft.change(name, |s| {
                s.hold = None;
                s.troubles.clear();
            });
            draft.event(Event::Resumed { service: Some(name.clone()), by: by.to_owned() });
        }
    }
}
