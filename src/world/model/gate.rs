//! Gates in numbers.

use super::{Ix, NOBODY, ms};
use crate::{
    engine::{Subject, gate as gates, writer_gates},
    plan::{Check, Gate, GateName, OnFailure, Plan, Side, Watch},
    world::task::Access,
};

/// What a gate proves of a single writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// That a side may write, or may not.
    May(Side, Access),
    /// That nothing is left to be copied to this side. Whoever asks between two writes does not see what is under way.
    Copied(Side),
    /// That no more is left to be copied to this side than what was written a moment ago.
    CaughtUp(Side),
    /// That both sides hold the same.
    Same,
}

/// A gate in numbers.
#[derive(Debug, Clone)]
pub struct GateModel {
    /// Its service; [`NOBODY`]: it is a phase's or a bridge's.
    pub service: Ix,
    /// Whose it is, if it is looked at by itself and not as one of a service's own gates.
    pub other: Option<Subject>,
    /// What it proves: it answers by that, whatever else befalls the service.
    pub proves: Option<Proof>,
    /// Its name.
    pub name: GateName,
    /// Between two rounds, in milliseconds; at least 1.
    pub every: i64,
    /// Good rounds that it wants.
    pub wanted: u32,
    /// Of so many.
    pub of: u32,
    /// Bad rounds in a row that are a failure.
    pub failures: u32,
    /// Milliseconds without an answer after which the plan says what happens.
    pub unknown_limit: i64,
    /// What happens then.
    pub on_unknown: OnFailure,
    /// When it is looked at.
    pub watch: Watch,
    /// Whether it speaks of the target's endpoints, and so fails when none answers.
    pub of_target: bool,
    /// Rounds that a sensor keeps.
    pub keep: u32,
}

/// The gates of phases, bridges and single writers.
pub(super) fn other_gates(plan: &Plan) -> Vec<GateModel> {
    let mut all = Vec::new();
    let mut add = |service: Ix, of: Subject, name: &GateName, gate: &Gate, proves| {
        let model = GateModel { other: Some(of), proves, of_target: false, ..gate_model(service, name, gate) };
        all.push(model);
    };
    for (ix, (name, service)) in (0..).zip(&plan.services) {
        let Some(data) = &service.data else { continue };
        for (gate_name, gate) in writer_gates(data) {
            let proves = match gate_name.as_str() {
                "fence-proof" => Some(Proof::May(Side::Legacy, Access::Closed)),
                "promote-proof" => Some(Proof::May(Side::Target, Access::Open)),
                "unfence-proof" | "reverse-promote-proof" => Some(Proof::May(Side::Legacy, Access::Open)),
                "reverse-fence-proof" => Some(Proof::May(Side::Target, Access::Closed)),
                "lag" => Some(Proof::Copied(Side::Target)),
                "catch-up" => Some(Proof::CaughtUp(Side::Target)),
                "reverse-lag" => Some(Proof::Copied(Side::Legacy)),
                _ => None,
            };
            add(ix, Subject::from(name), &gate_name, gate, proves);
        }
        let same = Some(Proof::Same);
        data.reconcile.iter().for_each(|(gate_name, gate)| add(ix, Subject::from(name), gate_name, gate, same));
    }
    for (name, phase) in &plan.phases {
        for (gate_name, gate) in phase.after.values().flat_map(|after| &after.gates) {
            add(NOBODY, Subject::Phase(name.clone()), gate_name, gate, None);
        }
    }
    for (name, bridge) in &plan.bridges {
        bridge.gates.iter().for_each(|(gate_name, gate)| add(NOBODY, Subject::Bridge(name.clone()), gate_name, gate, None));
    }
    all
}

pub(super) fn gate_model(service: Ix, name: &GateName, gate: &Gate) -> GateModel {
    let (wanted, of) = gates::window(gate);
    GateModel {
        service,
        other: None,
        proves: None,
        name: name.clone(),
        every: ms(gate.every).max(1),
        wanted,
        of,
        failures: gate.failures,
        unknown_limit: ms(gate.unknown_limit),
        on_unknown: gate.on_unknown,
        watch: gate.watch,
        of_target: matches!(gate.check, Check::Probe(_)),
        keep: of.max(gate.failures).max(gates::ROUNDS_MIN),
    }
}
