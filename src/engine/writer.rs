//! Services with one writer: catch-up → fence → lag proven 0 → promote, and the other way round on the way back.
//!
//! *Guarantees*: a side is promoted only after the other was proven read-only and nothing is left to be copied, both by
//! answers that were asked for after the fence (`one-writer`). The pause is watched from the order of the fence on.
//! *Caveats*: a pause over budget before the promotion takes the fence back. After it the way forward is the shorter one.

use super::{
    agenda::{self, Item, named},
    backward,
    draft::{Draft, WaitsFor},
    event::Event,
    gate,
    invariant::Invariant,
    reason::Reason,
    record::ServiceState,
    step::{Step, Subject},
    task::TaskStage,
    tasks::{self, Progress},
};
use crate::plan::{Data, Gate, GateName, Reverse, Service, ServiceName, TaskName};

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

/// Whether target was, or may have been, promoted.
pub fn may_be_promoted(state: &ServiceState) -> bool {
    matches!(stage(state, &named::promote()), Some(TaskStage::Ordered | TaskStage::Done))
}

/// **The way forward** of the right to write, before the one shift. `Done`: target is the writer, and that is proven.
pub fn forward(draft: &mut Draft, name: &ServiceName, service: &Service, held: Option<&Reason>) -> Progress {
    let Some(data) = &service.data else { return Progress::Done };
    let items = agenda::of_service(service);
    let item = |task: TaskName| items.iter().find(|item| item.name == task);
    let (Some(fence), Some(promote)) = (item(named::fence()), item(named::promote())) else { return Progress::Done };
    let (caught_up, gate) = catch_up(data);
    if !has_fenced(&draft.state(name)) && !passes(draft, name, caught_up, gate, jiff::Timestamp::MIN, &Step::CatchUp) {
        return Progress::Waits; // far behind, the pause would not end in time
    }
    let fenced = switch(draft, name, service, fence, held);
    pause_begins(draft, name);
    if fenced == Progress::Waits {
        return Progress::Waits;
    }
    let promoted = draft.state(name).has_begun(&promote.name);
    if !promoted && draft.rules.keep(Invariant::OneWriter) {
        let fenced = draft.state(name).tasks.get(&fence.name).map_or(draft.now, |t| draft.since(t.at));
        let proven = passes(draft, name, "fence-proof", &data.fence.proof, fenced, &Step::Task(fence.name.clone()));
        if !proven || !passes(draft, name, "lag", &data.lag, fenced, &Step::CatchUp) {
            return Progress::Waits;
        }
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

/// A gate passes with answers that were asked for after `since`; else the wait is in the draft.
fn passes(draft: &mut Draft, name: &ServiceName, gate_name: &str, gate: &Gate, since: jiff::Timestamp, step: &Step) -> bool {
    let Ok(gate_name) = gate_name.parse::<GateName>() else { return false };
    let verdict = gate::judge(gate, draft.seen.other_gates.get(&(Subject::from(name), gate_name.clone())), since, draft.now);
    draft.wake_if_silent(gate::stale_after(gate));
    match gate::wait(&gate_name, verdict) {
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

/// **Pause budget.** From the order of the fence on, whatever else the service waits for; when it is over before the promotion
/// began, the fence is taken back, with the service, if anything takes it back. Says whether nothing more may be ordered.
pub fn pause_is_over(draft: &mut Draft, name: &ServiceName, service: &Service) -> bool {
    let state = draft.state(name);
    let (Some(since), Some(data)) = (state.pause_since, &service.data) else { return false };
    if may_be_promoted(&state) || draft.wake_in(draft.since(since), data.pause_budget) > draft.now {
        return false;
    }
    if backward::no_return(service, &state).is_some() {
        return false; // nothing takes the fence back: the way forward is the only one that ends the pause
    }
    let reason = Reason::PauseOver { budget: data.pause_budget };
    draft.act(name, service.on_failure, reason.clone());
    draft.wait(Step::Task(named::fence()), name, reason, WaitsFor::Person);
    true
}

/// **The way back** of the right to write, before the traffic. `Done`: legacy is the writer, or never ceased to be.
pub fn backward(draft: &mut Draft, name: &ServiceName, service: &Service) -> Progress {
    let Some(data) = &service.data else { return Progress::Done };
    let state = draft.state(name);
    if !has_fenced(&state) {
        return Progress::Done;
    }
    if !may_be_promoted(&state) {
        return unfence(draft, name, service, data);
    }
    let Reverse::By { lag, fence, promote } = &data.reverse else { return Progress::Waits };
    if draft.rules.keep(Invariant::OneWriter) && is_being_promoted(draft, name, service) == Progress::Waits {
        return Progress::Waits;
    }
    let reverse = |name, switch: &crate::plan::Switch| Item {
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
    if !draft.state(name).has_begun(&promote_item.name) && draft.rules.keep(Invariant::OneWriter) {
        let since = draft.state(name).tasks.get(&fence_item.name).map_or(draft.now, |t| draft.since(t.at));
        let proven = passes(draft, name, "reverse-fence-proof", &fence.proof, since, &Step::Task(fence_item.name.clone()));
        if !proven || !passes(draft, name, "reverse-lag", lag, since, &Step::CatchUp) {
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
    Progress::Done
}

/// A promotion that may have begun is let come to its end first: one that came late would make target writable again behind
/// the fence.
fn is_being_promoted(draft: &mut Draft, name: &ServiceName, service: &Service) -> Progress {
    let items = agenda::of_service(service);
    match items.iter().find(|item| item.name == named::promote()) {
        Some(item) => stuck(draft, name, item),
        None => Progress::Done,
    }
}

/// A step of the way back of the writer. A failure waits for people: there is nothing further back to go to.
fn stuck(draft: &mut Draft, name: &ServiceName, item: &Item) -> Progress {
    tasks::run(draft, &Subject::from(name), [item], None, |draft, reason| {
        if draft.state(name).hold.is_none() {
            draft.hold(name, reason);
        }
    })
}

/// Legacy was fenced, or may have been, and target never promoted: legacy is made writable again.
fn unfence(draft: &mut Draft, name: &ServiceName, service: &Service, data: &Data) -> Progress {
    let items = agenda::of_service(service);
    let Some(item) = items.iter().find(|item| item.name == named::fence()) else { return Progress::Done };
    if tasks::take_back(draft, &Subject::from(name), item) == Progress::Waits {
        return Progress::Waits;
    }
    let proof = match (&data.unfence, &data.reverse) {
        (Some(unfence), _) => Some(("unfence-proof", &unfence.proof)),
        (None, Reverse::By { promote, .. }) => Some(("reverse-promote-proof", &promote.proof)),
        (None, Reverse::None(_)) => None,
    };
    let at = draft.state(name).tasks.get(&item.name).map_or(draft.now, |t| draft.since(t.at));
    let step = Step::Undo(item.name.clone());
    match proof {
        Some((gate_name, gate)) if !passes(draft, name, gate_name, gate, at, &step) => Progress::Waits,
        _ => Progress::Done,
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
