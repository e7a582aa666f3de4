//! Services with one writer: catch-up → fence → lag proven 0 → promote, and the other way round on the way back.
//!
//! *Guarantees*: a side is promoted only after the other was proven read-only and nothing is left to be copied, both by
//! answers that were asked for after the fence (`one-writer`), and so it is when an order that was lost is given again. The pause is
//! watched from the order of the fence on.
//! *Caveats*: a pause that would be over its budget takes the fence back before the promotion. After it the way forward is the
//! shorter one. A promotion that was lost may still be on its way, so the fence is not simply taken back: the promotion is withdrawn
//! first. Where nothing takes the fence back it stays while the proofs do not come, and people are told; once they have taken it back by
//! hand the order is not given again.

use super::{
    agenda::{self, Item, named},
    draft::{Draft, WaitsFor},
    event::Event,
    gate::{self, Verdict},
    guard,
    invariant::Invariant,
    reason::Reason,
    record::ServiceState,
    step::{Step, Subject},
    task::TaskStage,
    tasks::{self, Progress},
};
use crate::plan::{Data, Gate, GateName, Reverse, Service, ServiceName, Span, Switch, TaskName};

/// The gates of a single writer, as they are asked for: one for each proof.
pub fn gates(data: &Data) -> Vec<(GateName, &Gate)> {
    let mut all = vec![("lag", &data.lag), ("fence-proof", &data.fence.proof), ("promote-proof", &data.promote.proof)];
    all.extend(data.catch_up.as_ref().map(|catch_up| ("catch-up", catch_up)));
    if let Some(unfence) = &data.unfence {
        all.push(("unfence-proof", &unfence.proof));
    }
    if let Reverse::By { lag, fence, promote } = &data.reverse {
        all.extend([("reverse-lag", lag), ("reverse-fence-proof", &fence.proof), ("reverse-promote-proof", &promote.proof)]);
    }
    all.into_iter().filter_map(|(name, gate)| Some((name.parse().ok()?, gate))).collect()
}

/// **Catch-up.** What has to pass before the fence, while writes still flow. A busy writer never shows a lag of nothing then, so
/// a plan names a threshold of its own for it; without one nothing may be left to be copied.
pub fn catch_up(data: &Data) -> (&'static str, &Gate) {
    data.catch_up.as_ref().map_or(("lag", &data.lag), |catch_up| ("catch-up", catch_up))
}

fn stage(state: &ServiceState, task: &TaskName) -> Option<TaskStage> {
    state.tasks.get(task).map(|t| t.stage)
}

/// Whether the fence or what follows it was ordered: nobody may be able to write.
pub fn has_fenced(state: &ServiceState) -> bool {
    state.has_begun(&named::fence())
}

/// Whether the fence was taken back, and it is yet to be proven that legacy may write: the pause is not over before.
fn is_unfenced(state: &ServiceState) -> bool {
    state.pause_since.is_some() && stage(state, &named::fence()) == Some(TaskStage::Undone)
}

/// Whether target was, or may have been, promoted.
pub fn may_be_promoted(state: &ServiceState) -> bool {
    matches!(stage(state, &named::promote()), Some(TaskStage::Ordered | TaskStage::Done | TaskStage::UndoOrdered))
}

/// **The way forward** of the right to write, before the one shift. `Done`: target is the writer, and that is proven.
pub fn forward(draft: &mut Draft, name: &ServiceName, service: &Service, held: Option<&Reason>) -> Progress {
    let Some(data) = &service.data else { return Progress::Done };
    let items = agenda::of_service(service);
    let item = |task: TaskName| items.iter().find(|item| item.name == task);
    let (Some(fence), Some(promote)) = (item(named::fence()), item(named::promote())) else { return Progress::Done };
    let (caught_up, gate) = catch_up(data);
    if !has_fenced(&draft.state(name)) && !copied(draft, name, caught_up, gate, jiff::Timestamp::MIN) {
        return Progress::Waits; // far behind, the pause would not end in time
    }
    let fenced = switch(draft, name, service, fence, held);
    pause_begins(draft, name);
    if fenced == Progress::Waits {
        return Progress::Waits;
    }
    if is_open(draft, name, &promote.name) && !is_proven(draft, name, data) {
        overdue(draft, name, data, &promote.name);
        return Progress::Waits;
    }
    let before = draft.state(name).tasks.get(&promote.name).copied();
    if switch(draft, name, service, promote, held) == Progress::Waits {
        return Progress::Waits;
    }
    let at = draft.state(name).tasks.get(&promote.name).map_or(draft.now, |t| draft.since(t.at));
    if before.is_none_or(|t| t.stage != TaskStage::Done) {
        draft.event(Event::Promoted { service: name.clone() });
    }
    let proven = passes(draft, name, "promote-proof", &data.promote.proof, at, &Step::Task(promote.name.clone()));
    if proven { Progress::Done } else { Progress::Waits }
}

/// One of fence and promotion. A failure acts as the plan says for the service.
fn switch(draft: &mut Draft, name: &ServiceName, service: &Service, item: &Item, held: Option<&Reason>) -> Progress {
    let on_failure = service.on_failure;
    tasks::run(draft, &Subject::from(name), [item], held, |draft, reason| draft.act(name, on_failure, reason))
}

/// Whether a side is yet to be made the writer: nobody has begun to, by a fresh answer if it was ordered. Until then the proofs are
/// asked for, also before an order that was lost is given again: the process that gave it may have ended long ago (found by the
/// explorer: a crash between record and effect, and a stray write before the next process gave the order again).
fn is_open(draft: &Draft, name: &ServiceName, promotion: &TaskName) -> bool {
    draft.rules.keep(Invariant::OneWriter) && !tasks::may_have_begun(draft, &Subject::from(name), promotion)
}

/// From when on answers say what is left behind this fence, if it is proven to stand; else the wait is in the draft.
fn is_fenced(draft: &mut Draft, name: &ServiceName, fence: &TaskName, (proof, gate): (&str, &Gate)) -> Option<jiff::Timestamp> {
    let since = draft.state(name).tasks.get(fence).map_or(draft.now, |t| behind(draft.since(t.at)));
    passes(draft, name, proof, gate, since, &Step::Task(fence.clone())).then_some(since)
}

/// Whether all is proven that has to be before target is made the writer; else the waits are in the draft.
fn is_proven(draft: &mut Draft, name: &ServiceName, data: &Data) -> bool {
    let since = is_fenced(draft, name, &named::fence(), ("fence-proof", &data.fence.proof));
    since.is_some_and(|since| copied(draft, name, "lag", &data.lag, since))
}

/// A promotion that was ordered, lost, and may not be given again, with nothing that takes the fence back: people are told once the
/// pause is over its budget.
fn overdue(draft: &mut Draft, name: &ServiceName, data: &Data, promotion: &TaskName) {
    let state = draft.state(name);
    let Some(since) = state.pause_since.filter(|_| state.has_begun(promotion)) else { return };
    if draft.wake_in(draft.since(since), latest_end(data)) <= draft.now {
        let reason = Reason::PauseOver { budget: data.pause_budget };
        draft.wait(Step::Task(promotion.clone()), name, reason, WaitsFor::Person);
    }
}

/// A promotion that was lost, and that its proofs do not let be given again before the pause is over its budget, is withdrawn. `Done`:
/// there is none, or it is known what became of it.
fn withdraws(draft: &mut Draft, name: &ServiceName, service: &Service, data: &Data) -> Progress {
    let (state, subject, promotion) = (draft.state(name), Subject::from(name), named::promote());
    let lost = match stage(&state, &promotion) {
        Some(TaskStage::UndoOrdered) => true,
        Some(TaskStage::Ordered) => {
            let late = |draft: &mut Draft, since| draft.wake_in(draft.since(since), latest_end(data)) <= draft.now;
            data.unfencing().is_some()
                && tasks::is_lost(draft, &subject, &promotion)
                && state.pause_since.is_some_and(|since| late(draft, since))
                && !is_proven(draft, name, data)
        }
        _ => false,
    };
    let item = agenda::of_service(service).iter().find(|item| lost && item.name == promotion);
    item.map_or(Progress::Done, |item| tasks::withdraw(draft, &subject, item))
}

/// The first moment behind a fence that was seen to stand at this one. An answer to what was asked in the very millisecond may speak of
/// the moment before it (found by the explorer).
pub fn behind(fence: jiff::Timestamp) -> jiff::Timestamp {
    fence.saturating_add(jiff::SignedDuration::from_millis(1)).unwrap_or(fence)
}

/// **What is left to be copied** on the way forward. If nobody can say it for longer than the gate's limit, the plan says what
/// happens.
fn copied(draft: &mut Draft, name: &ServiceName, gate_name: &str, gate: &Gate, since: jiff::Timestamp) -> bool {
    let Some((gate_name, verdict)) = ask(draft, name, gate_name, gate, since) else { return false };
    match &verdict {
        Verdict::Silent(silence) => guard::silent(draft, name, (&gate_name, gate), silence.clone()),
        _ => guard::recovers(draft, name, &gate_name),
    }
    is_past(draft, name, &gate_name, verdict, &Step::CatchUp)
}

/// A gate passes with answers that were asked for after `since`; else the wait is in the draft.
fn passes(draft: &mut Draft, name: &ServiceName, gate_name: &str, gate: &Gate, since: jiff::Timestamp, step: &Step) -> bool {
    let Some((gate_name, verdict)) = ask(draft, name, gate_name, gate, since) else { return false };
    is_past(draft, name, &gate_name, verdict, step)
}

/// What a gate says with answers that were asked for after `since`. Silence is looked for.
fn ask(draft: &mut Draft, name: &ServiceName, gate: &str, rule: &Gate, since: jiff::Timestamp) -> Option<(GateName, Verdict)> {
    let gate = gate.parse::<GateName>().ok()?;
    let key = (Subject::from(name), gate);
    let verdict = gate::judge(rule, draft.seen.other_gates.get(&key), since, draft.now);
    draft.wake_if_silent(gate::stale_after(rule));
    Some((key.1, verdict))
}

/// Whether a step is past a gate; else the wait is in the draft.
fn is_past(draft: &mut Draft, name: &ServiceName, gate: &GateName, verdict: Verdict, step: &Step) -> bool {
    match gate::wait(gate, verdict) {
        None => true,
        Some(reason) => {
            draft.wait(step.clone(), name, reason, WaitsFor::World);
            false
        }
    }
}

/// The pause counts from the first order of the fence, however often that has to be done again.
fn pause_begins(draft: &mut Draft, name: &ServiceName) {
    let (state, now) = (draft.state(name), draft.stamp);
    if has_fenced(&state) && state.pause_since.is_none() {
        draft.change(name, |s| s.pause_since = Some(now));
    }
}

/// Legacy is the writer again, and that is proven.
fn pause_ends(draft: &mut Draft, name: &ServiceName) {
    if draft.state(name).pause_since.is_some() {
        draft.change(name, |s| s.pause_since = None);
    }
}

/// Legacy is fenced, and only the way forward ends that: target may be the writer already, or nothing takes the fence back.
pub fn must_go_on(draft: &Draft, name: &ServiceName) -> bool {
    let state = draft.state(name);
    let bound = || draft.bound(&draft.plan.rollback_closure(name)).contains_key(name);
    has_fenced(&state) && (may_be_promoted(&state) || bound())
}

/// **Pause budget.** From the order of the fence on, whatever else the service waits for. The latest moment is the one from which
/// either end of the pause, promotion or fence taken back, still comes within the budget by what the plan expects; if the promotion
/// has not begun by then, the fence is taken back, with the service: whatever its `onFailure` says, for nobody can write. Says
/// whether nothing more may be ordered.
pub fn pause_is_over(draft: &mut Draft, name: &ServiceName, service: &Service) -> bool {
    let state = draft.state(name);
    let (Some(since), Some(data)) = (state.pause_since, &service.data) else { return false };
    if withdraws(draft, name, service, data) == Progress::Waits {
        return true;
    }
    let ahead = may_be_promoted(&draft.state(name)) || draft.wake_in(draft.since(since), latest_end(data)) > draft.now;
    if ahead || must_go_on(draft, name) {
        return false;
    }
    let reason = Reason::PauseOver { budget: data.pause_budget };
    draft.send_back(name, &reason);
    draft.wait(Step::Task(named::fence()), name, reason, WaitsFor::Person);
    true
}

/// How long after the order of the fence its end has to begin.
pub fn latest_end(data: &Data) -> Span {
    let back = data.unfencing().map_or(Span::ZERO, |switch| switch.expect);
    data.pause_budget.less(back.max(data.promote.expect))
}

/// **The way back** of the right to write, before the traffic. `Done`: legacy is the writer, or never ceased to be.
pub fn backward(draft: &mut Draft, name: &ServiceName, service: &Service) -> Progress {
    let Some(data) = &service.data else { return Progress::Done };
    let state = draft.state(name);
    if !has_fenced(&state) && !is_unfenced(&state) {
        return Progress::Done;
    }
    if may_be_promoted(&state) && is_being_promoted(draft, name, service, data) == Progress::Waits {
        return Progress::Waits;
    }
    if !may_be_promoted(&draft.state(name)) {
        return unfence(draft, name, service, data);
    }
    let Reverse::By { lag, fence, promote } = &data.reverse else { return Progress::Waits };
    let reverse = |name, switch: &Switch| Item {
        name,
        moment: agenda::Moment::AfterSoak,
        deed: super::task::Deed::Act(switch.act.clone()),
        back: agenda::Back::Nothing,
        expect: switch.expect,
    };
    let fence_item = reverse(named::reverse_fence(), fence);
    let promote_item = reverse(named::reverse_promote(), promote);
    if stuck(draft, name, &fence_item) == Progress::Waits {
        return Progress::Waits;
    }
    if is_open(draft, name, &promote_item.name) {
        let since = is_fenced(draft, name, &fence_item.name, ("reverse-fence-proof", &fence.proof));
        if !since.is_some_and(|since| passes(draft, name, "reverse-lag", lag, since, &Step::CatchUp)) {
            return Progress::Waits;
        }
    }
    if stuck(draft, name, &promote_item) == Progress::Waits {
        return Progress::Waits;
    }
    let at = draft.state(name).tasks.get(&promote_item.name).map_or(draft.now, |t| draft.since(t.at));
    if !passes(draft, name, "reverse-promote-proof", &promote.proof, at, &Step::Task(promote_item.name.clone())) {
        return Progress::Waits;
    }
    for task in [named::fence(), named::promote()] {
        draft.undone(&Subject::from(name), &task);
    }
    pause_ends(draft, name);
    Progress::Done
}

/// A promotion that may have begun is let come to its end first: one that came late would make target writable again behind
/// the fence. One that was lost is withdrawn instead, and then the fence is taken back as if there had been none.
fn is_being_promoted(draft: &mut Draft, name: &ServiceName, service: &Service, data: &Data) -> Progress {
    if !draft.rules.keep(Invariant::OneWriter) {
        return Progress::Done;
    }
    let (subject, promotion) = (Subject::from(name), named::promote());
    let Some(item) = agenda::of_service(service).iter().find(|item| item.name == promotion) else { return Progress::Done };
    let withdrawn = stage(&draft.state(name), &promotion) == Some(TaskStage::UndoOrdered);
    let lost = withdrawn || (data.unfencing().is_some() && tasks::is_lost(draft, &subject, &promotion));
    if lost && tasks::withdraw(draft, &subject, item) == Progress::Waits {
        return Progress::Waits;
    }
    match stage(&draft.state(name), &promotion) {
        Some(TaskStage::Undone) => Progress::Done,
        _ => stuck(draft, name, item),
    }
}

/// A step of the way back of the writer. A failure waits for people: there is nothing further back to go to.
fn stuck(draft: &mut Draft, name: &ServiceName, item: &Item) -> Progress {
    let subject = Subject::from(name);
    tasks::run(draft, &subject, [item], None, |draft, reason| draft.hold_for(&subject, reason))
}

/// Legacy was fenced, or may have been, and target never promoted: legacy is made writable again.
fn unfence(draft: &mut Draft, name: &ServiceName, service: &Service, data: &Data) -> Progress {
    let items = agenda::of_service(service);
    let Some(item) = items.iter().find(|item| item.name == named::fence()) else { return Progress::Done };
    if tasks::take_back(draft, &Subject::from(name), item) == Progress::Waits {
        return Progress::Waits;
    }
    let gate_name = if data.unfence.is_some() { "unfence-proof" } else { "reverse-promote-proof" };
    let proof = data.unfencing().map(|switch| (gate_name, &switch.proof));
    let at = draft.state(name).tasks.get(&item.name).map_or(draft.now, |t| draft.since(t.at));
    let step = Step::Undo(item.name.clone());
    match proof {
        Some((gate_name, gate)) if !passes(draft, name, gate_name, gate, at, &step) => Progress::Waits,
        _ => {
            pause_ends(draft, name);
            Progress::Done
        }
    }
}

/// The checks that both sides hold the same pass, with answers that were asked for after the promotion.
pub fn reconciled(draft: &mut Draft, name: &ServiceName, service: &Service) -> bool {
    let Some(data) = &service.data else { return true };
    let since = draft.state(name).tasks.get(&named::promote()).map_or(jiff::Timestamp::MIN, |t| draft.since(t.at));
    let mut all = true;
    for (gate_name, gate) in &data.reconcile {
        all &= passes(draft, name, gate_name.as_str(), gate, since, &Step::Confirm);
    }
    all
}
