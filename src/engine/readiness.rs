//! Whether a service could take its next weight: both sides large enough, gates quiet or passed. Says why not.

use jiff::Timestamp;

use super::{
    draft::{Draft, WaitsFor},
    gate::{self, Verdict},
    invariant::Invariant,
    reason::{Reason, SideRank},
    writer,
};
use crate::plan::{Service, ServiceName, Side, Weight};

/// Why a step waits, and who can end that.
pub type Obstacle = (Reason, WaitsFor);

/// `served` and `way-back`: target is enough for the weight, legacy is enough to take everything back.
pub fn sides(draft: &Draft, name: &ServiceName, service: &Service, weight: Weight) -> Option<Obstacle> {
    let target = draft.side(name, service, Side::Target, weight);
    if target.rank != SideRank::Enough && draft.rules.keep(Invariant::Served) {
        return Some((target.reason, WaitsFor::World));
    }
    let legacy = draft.side(name, service, Side::Legacy, Weight::ZERO);
    let state = draft.state(name);
    let evacuates = legacy.rank == SideRank::Dead && state.weight() == weight && weight == Weight::FULL;
    // Once target is the writer the way to it is the shorter one, whatever has become of legacy.
    let promoted = service.data.is_some() && writer::may_be_promoted(&state);
    if legacy.rank != SideRank::Enough && !evacuates && !promoted && draft.rules.keep(Invariant::WayBack) {
        return Some((legacy.reason, WaitsFor::World));
    }
    None
}

/// Before anything moves no gate may be failing or silent: a target that is bad already gets no traffic. Gives all that are.
pub fn gates_quiet(draft: &Draft, name: &ServiceName, service: &Service) -> Vec<Obstacle> {
    let mut loud = Vec::new();
    for (gate_name, gate) in &service.gates {
        let reason = match gate::judge(gate, gate::answers(draft.seen, name, gate_name), Timestamp::MIN, draft.now) {
            Verdict::Pass => None,
            Verdict::TooFew { good, bad: None, .. } if good > 0 => None,
            Verdict::Silent(_) if !draft.rules.keep(Invariant::UnknownHolds) => None,
            other => gate::wait(gate_name, other),
        };
        loud.extend(reason.map(|reason| (reason, WaitsFor::World)));
    }
    loud
}

/// Every gate passes with rounds that were sent after the weight was effective (`fresh`). Gives all that do not.
pub fn gates_pass(draft: &mut Draft, name: &ServiceName, service: &Service, effective: Timestamp) -> Vec<Obstacle> {
    let since = if draft.rules.keep(Invariant::Fresh) { effective } else { Timestamp::MIN };
    let mut open = Vec::new();
    for (gate_name, gate) in &service.gates {
        let verdict = gate::judge(gate, gate::answers(draft.seen, name, gate_name), since, draft.now);
        draft.wake_if_silent(gate::stale_after(gate));
        if matches!(verdict, Verdict::Silent(_)) && !draft.rules.keep(Invariant::UnknownHolds) {
            continue;
        }
        open.extend(gate::wait(gate_name, verdict).map(|reason| (reason, WaitsFor::World)));
    }
    open
}
