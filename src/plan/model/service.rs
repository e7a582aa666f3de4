//! A service, and what is its own: needs, load, shadow traffic, the watch after the move, the end of its legacy side.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Act, Approval, Data, Gate, Probe, Router, ServiceTask, SideModel};
use crate::plan::{
    agenda::Agenda,
    names::{BridgeName, GateName, PhaseName, ProbeName, Rate, ServiceName, Side, Span, TaskName, Weight},
    spec::{MirrorMethods, OnFailure, RollbackScope, Tier},
};

/// A service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Service {
    /// The phase it moves in.
    pub phase: PhaseName,
    /// The load it has; `None` if nobody said.
    pub load: Option<Load>,
    /// How much hangs on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<Tier>,
    /// The services that it needs, and in what way.
    pub needs: BTreeMap<ServiceName, Need>,
    /// Where it runs today.
    pub legacy: SideModel,
    /// Where it is to run.
    pub target: SideModel,
    /// What moves its traffic.
    pub router: Router,
    /// The weights on the way, rising to 100.
    pub steps: Vec<Weight>,
    /// How long a weight is watched once it is effective.
    pub bake: Span,
    /// The watch after the move.
    pub soak: Soak,
    /// What happens when a gate fails before the soak.
    pub on_failure: OnFailure,
    /// What goes back with it.
    pub rollback_scope: RollbackScope,
    /// Its synthetic transactions.
    pub probes: BTreeMap<ProbeName, Probe>,
    /// Its gates.
    pub gates: BTreeMap<GateName, Gate>,
    /// How long a connection to it may live: soak and drain outlast it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_connection_age: Option<Span>,
    /// Shadow traffic before the first shift.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mirror: Option<Mirror>,
    /// What warms the target before the first shift.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warm: Option<Act>,
    /// What is done around it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tasks: BTreeMap<TaskName, ServiceTask>,
    /// CronJobs of the legacy side: each is suspended before the shift, and runs on the right side after.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub cron: BTreeSet<String>,
    /// The weights on the way back, falling to 0.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rollback_steps: Vec<Weight>,
    /// How long open connections of legacy are waited for; `None`: until none is left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drain_deadline: Option<Span>,
    /// What the end of its legacy side takes; `None`: legacy stays, and the soak is the service's end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decommission: Option<Decommission>,
    /// How its single writer moves, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Box<Data>>,
    /// Its tasks, listed.
    #[serde(skip)]
    pub agenda: Agenda,
}

impl Service {
    /// A service with nothing but these: no needs, probes, gates or tasks, one shift of everything, a soak of no length.
    pub fn plain(phase: PhaseName, legacy: SideModel, target: SideModel, router: Router) -> Self {
        Self {
            phase,
            load: None,
            tier: None,
            needs: BTreeMap::new(),
            legacy,
            target,
            router,
            steps: vec![Weight::FULL],
            bake: Span::ZERO,
            soak: Soak { length: Span::ZERO, guard_for: Span::ZERO, on_failure: OnFailure::Rollback },
            on_failure: OnFailure::Rollback,
            rollback_scope: RollbackScope::Dependents,
            probes: BTreeMap::new(),
            gates: BTreeMap::new(),
            max_connection_age: None,
            mirror: None,
            warm: None,
            tasks: BTreeMap::new(),
            cron: BTreeSet::new(),
            rollback_steps: Vec::new(),
            drain_deadline: None,
            decommission: None,
            data: None,
            agenda: Agenda::default(),
        }
    }
    /// The services that carry all their traffic on target before it starts, and go back after it.
    pub fn before(&self) -> impl Iterator<Item = &ServiceName> {
        self.needs.iter().filter(|(_, need)| **need == Need::Before).map(|(name, _)| name)
    }
    /// Whether it needs `other` before it.
    pub fn is_after(&self, other: &ServiceName) -> bool {
        self.needs.get(other) == Some(&Need::Before)
    }
    /// The bridges it counts on by its needs.
    pub fn bridges(&self) -> impl Iterator<Item = &BridgeName> {
        self.needs.values().filter_map(|need| match need {
            Need::Across(bridge) => Some(bridge),
            Need::Before => None,
        })
    }
    /// What it needs across this bridge.
    pub fn across<'s>(&'s self, bridge: &BridgeName) -> impl Iterator<Item = &'s ServiceName> {
        self.needs.iter().filter(move |(_, need)| matches!(need, Need::Across(over) if over == bridge)).map(|(name, _)| name)
    }
    /// The description of one side.
    pub fn side(&self, side: Side) -> &SideModel {
        match side {
            Side::Legacy => &self.legacy,
            Side::Target => &self.target,
        }
    }
    /// So many rounds in a row without any healthy endpoint make a side dead: the smallest `failures` of its gates.
    pub fn failures(&self) -> u32 {
        self.gates.values().map(|g| g.failures).min().unwrap_or(DEFAULT_FAILURES)
    }
}

/// The `failures` of a gate that names none.
pub const DEFAULT_FAILURES: u32 = 3;

/// In what way a service needs another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Need {
    /// The needed service carries all its traffic on target first, and goes back last.
    Before,
    /// Either side will do while this bridge stands.
    Across(BridgeName),
}

/// Shadow traffic: a copy of some requests goes to the target, and its answers are thrown away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Mirror {
    /// The share that is copied.
    pub percent: Weight,
    /// For how long.
    pub length: Span,
    /// Which requests are copied.
    #[serde(default, skip_serializing_if = "is_default")]
    pub methods: MirrorMethods,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// What the end of a legacy side takes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Decommission {
    /// Who says that it may end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
    /// For how long the old address is denied first, to see whether anybody misses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scream_test: Option<Span>,
}

/// Load.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Load {
    /// The highest rate.
    pub peak: Rate,
    /// What a side must stand beyond its share of it, in percent.
    pub headroom_percent: u16,
}

/// The watch after the move.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Soak {
    /// Its length.
    pub length: Span,
    /// For how long a guard fails without a break before it acts.
    pub guard_for: Span,
    /// What it does.
    pub on_failure: OnFailure,
}
