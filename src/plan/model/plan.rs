//! The plan as a whole, and what is asked of it: who needs whom, who goes back with whom, what comes before what.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Bridge, Connection, Freeze, Group, Index, LegacySystem, Limits, Phase, Role, Service, Window, index::Tables};
use crate::plan::{
    names::{
        BridgeName, ConnectionName, FreezeName, GroupName, PhaseName, PlanName, RoleName, ServiceName, Span, SystemName,
        WindowName,
    },
    spec::RollbackScope,
};

/// A checked plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Plan {
    /// Its name.
    pub name: PlanName,
    /// The namespace of its routes and Services.
    pub namespace: String,
    /// The IANA zone in which people of this plan read the clock; `None`: UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// The date that cannot move.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Timestamp>,
    /// Outside systems.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub connections: BTreeMap<ConnectionName, Connection>,
    /// When forward steps may start.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub windows: BTreeMap<WindowName, Window>,
    /// When none may.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub freezes: BTreeMap<FreezeName, Freeze>,
    /// How much may be in motion at once.
    #[serde(default, skip_serializing_if = "Limits::is_none")]
    pub limits: Limits,
    /// A live run needs a passed rehearsal of this digest that is no older.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rehearsal_within: Option<Span>,
    /// Who may say yes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub roles: BTreeMap<RoleName, Role>,
    /// What is switched off in the end.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub legacy_systems: BTreeMap<SystemName, LegacySystem>,
    /// Its phases.
    pub phases: BTreeMap<PhaseName, Phase>,
    /// Connectivity between the estates.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub bridges: BTreeMap<BridgeName, Bridge>,
    /// Services that move as one. A service is in at most one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub groups: BTreeMap<GroupName, Group>,
    /// Its services.
    pub services: BTreeMap<ServiceName, Service>,
    /// What is looked up in it. No part of the plan.
    #[serde(skip)]
    pub index: Index,
}

impl Plan {
    /// A plan of these phases and services, and nothing else.
    pub fn of(
        name: PlanName,
        namespace: String,
        phases: BTreeMap<PhaseName, Phase>,
        services: BTreeMap<ServiceName, Service>,
    ) -> Self {
        Self {
            name,
            namespace,
            time_zone: None,
            deadline: None,
            connections: BTreeMap::new(),
            windows: BTreeMap::new(),
            freezes: BTreeMap::new(),
            limits: Limits::default(),
            rehearsal_within: None,
            roles: BTreeMap::new(),
            legacy_systems: BTreeMap::new(),
            phases,
            bridges: BTreeMap::new(),
            groups: BTreeMap::new(),
            services,
            index: Index::default(),
        }
    }

    fn tables(&self) -> &Tables {
        self.index.get_or_find(|| Tables::of(self))
    }

    /// The services that need `service` directly, and before them.
    pub fn dependents<'a>(&'a self, service: &ServiceName) -> impl Iterator<Item = &'a ServiceName> + use<'a> {
        self.tables().dependents.get(service).into_iter().flatten()
    }

    /// The group that `service` is in, if it is in one.
    pub fn group_of(&self, service: &ServiceName) -> Option<(&GroupName, &Group)> {
        self.groups.get_key_value(self.tables().groups.get(service)?)
    }

    /// The services of a phase, by name.
    pub fn members(&self, phase: &PhaseName) -> &[ServiceName] {
        self.tables().members.get(phase).map_or(&[], Vec::as_slice)
    }

    /// The services that live on a legacy system, by name.
    pub fn tenants(&self, system: &SystemName) -> &[ServiceName] {
        self.tables().tenants.get(system).map_or(&[], Vec::as_slice)
    }

    /// `service` and all that must go back when it does, by its own rollback scope, by needs and by groups.
    pub fn rollback_closure(&self, service: &ServiceName) -> BTreeSet<ServiceName> {
        let mut todo: Vec<&ServiceName> = match self.services.get_key_value(service) {
            None => Vec::new(),
            Some((name, own)) => match own.rollback_scope {
                RollbackScope::Run => self.services.keys().collect(),
                RollbackScope::Phase => self.members(&own.phase).iter().collect(),
                RollbackScope::Dependents => vec![name],
            },
        };
        let mut closure = BTreeSet::new();
        while let Some(next) = todo.pop() {
            if closure.insert(next.clone()) {
                todo.extend(self.dependents(next));
                todo.extend(self.group_of(next).into_iter().flat_map(|(_, group)| &group.services));
            }
        }
        closure
    }

    /// The phases that come before `phase`, and those before them.
    pub fn phases_before(&self, phase: &PhaseName) -> &BTreeSet<PhaseName> {
        static NONE: BTreeSet<PhaseName> = BTreeSet::new();
        self.tables().before.get(phase).unwrap_or(&NONE)
    }
}
