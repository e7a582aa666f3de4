//! Defaults of what services share, and moments in UTC.

use super::{BAKE, RESERVE, VALID_FOR, gate, service, task, variables};
use crate::plan::{
    model::{
        Approval, Bridge, Connection, ConnectionTo, Freeze, Group, LegacySystem, ManagedBridge, Role, Watch, Window,
        WindowPurpose,
    },
    moment::Zone,
    names::{BridgeName, ConnectionName, FreezeName, GroupName, RoleName, SystemName, WindowName},
    spec::{
        ApprovalSpec, BridgeSpec, ConnectionSpec, ConnectionToSpec, FreezeSpec, GroupSpec, LegacySystemSpec, MigrationPlanSpec,
        OnFailure, RoleSpec, ServiceSpec, WindowSpec,
    },
};

pub(super) fn connection(spec: &ConnectionSpec) -> (ConnectionName, Connection) {
    let to = match &spec.to {
        ConnectionToSpec::Prometheus(to) => ConnectionTo::Prometheus(to.url.clone()),
        ConnectionToSpec::Dns(to) => ConnectionTo::Dns(to.server.clone()),
        ConnectionToSpec::Haproxy(to) => ConnectionTo::Haproxy(to.runtime.clone()),
        ConnectionToSpec::Alertmanager(to) => ConnectionTo::Alertmanager(to.url.clone()),
        ConnectionToSpec::Notify(to) => ConnectionTo::Notify(to.url.clone()),
    };
    (spec.name.clone(), Connection { to, secret: spec.secret_ref.as_ref().map(|secret| secret.name.clone()) })
}

pub(super) fn window(spec: &WindowSpec, zone: &Zone) -> Option<(WindowName, Window)> {
    let overrun = match spec.purpose {
        WindowPurpose::Shift => OnFailure::Rollback,
        WindowPurpose::Decommission => OnFailure::Hold,
    };
    let window = Window {
        purpose: spec.purpose,
        opens: zone.resolve(spec.opens).ok()?,
        closes: zone.resolve(spec.closes).ok()?,
        reserve: spec.reserve.unwrap_or(RESERVE),
        overrun: spec.overrun.unwrap_or(overrun),
    };
    Some((spec.name.clone(), window))
}

pub(super) fn freeze(spec: &FreezeSpec, zone: &Zone) -> Option<(FreezeName, Freeze)> {
    let (from, until) = (zone.resolve(spec.from).ok()?, zone.resolve(spec.until).ok()?);
    Some((spec.name.clone(), Freeze { from, until, reason: spec.reason.clone() }))
}

pub(super) fn role(spec: &RoleSpec) -> (RoleName, Role) {
    let role = Role {
        users: spec.users.iter().cloned().collect(),
        groups: spec.groups.iter().cloned().collect(),
        deputies: spec.deputies.iter().cloned().collect(),
    };
    (spec.name.clone(), role)
}

pub(super) fn legacy_system(spec: &LegacySystemSpec) -> (SystemName, LegacySystem) {
    (spec.name.clone(), LegacySystem { hosts: spec.hosts.iter().map(|host| host.to_ascii_lowercase()).collect() })
}

pub(super) fn approval(spec: &ApprovalSpec, question: impl FnOnce() -> String) -> Approval {
    Approval {
        all_of: spec.all_of.iter().map(|one| (one.role.clone(), one.count.unwrap_or(1))).collect(),
        valid_for: spec.valid_for.unwrap_or(VALID_FOR),
        asks: spec.asks.clone().unwrap_or_else(question),
    }
}

pub(super) fn bridge(spec: &BridgeSpec) -> Option<(BridgeName, Bridge)> {
    let managed = spec.managed.as_ref().map(|managed| ManagedBridge {
        up: task::act(&managed.up.act),
        up_expect: managed.up.expect.unwrap_or_else(|| task::expect(&managed.up.act)),
        down: task::act(&managed.down.act),
        down_expect: managed.down.expect.unwrap_or_else(|| task::expect(&managed.down.act)),
    });
    let gates = spec.gates.iter().map(|one| gate::plain(one, Watch::Guard)).collect::<Option<_>>()?;
    let mut bridge = Bridge { phases: spec.joins.phases.iter().cloned().collect(), managed, gates };
    variables::of_bridge(&mut bridge);
    Some((spec.name.clone(), bridge))
}

/// A group takes from the plan's defaults what it does not say; if a member can only move all at once, all of them do.
pub(super) fn group(spec: &GroupSpec, plan: &MigrationPlanSpec, services: &[&ServiceSpec]) -> Option<(GroupName, Group)> {
    let defaults = plan.defaults.as_ref().and_then(|defaults| defaults.shift.as_ref());
    let own = spec.shift.as_ref();
    let member = |one: &&&ServiceSpec| spec.services.contains(&one.name);
    let at_once = services.iter().filter(member).any(|one| service::at_once(one));
    let inherited = || defaults.and_then(|shift| shift.steps.clone()).filter(|_| !at_once);
    let steps = own.and_then(|shift| shift.steps.clone()).or_else(inherited).or_else(|| service::default_steps(at_once))?;
    let bake = own.and_then(|shift| shift.bake).or_else(|| defaults.and_then(|shift| shift.bake)).unwrap_or(BAKE);
    Some((spec.name.clone(), Group { services: spec.services.iter().cloned().collect(), steps, bake }))
}
