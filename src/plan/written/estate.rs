//! What services share, written out.

use super::{gate, task};
use crate::plan::{
    model::{Approval, Bridge, Connection, ConnectionTo, Freeze, Group, LegacySystem, Phase, Role, Window},
    moment::{Moment, Zone},
    names::{BridgeName, ConnectionName, FreezeName, GroupName, PhaseName, RoleName, SystemName, WindowName},
    spec::{
        AfterSpec, ApprovalSpec, BridgeSpec, ConnectionSpec, ConnectionToSpec, DnsServerSpec, ExternalBridgeSpec, FreezeSpec,
        GroupSpec, HaproxyApiSpec, JoinsSpec, LegacySystemSpec, ManagedBridgeSpec, PhaseSpec, QuorumSpec, RoleSpec,
        SecretRefSpec, ShiftSpec, UrlSpec, WindowSpec,
    },
};

pub(super) fn connection((name, connection): (&ConnectionName, &Connection)) -> ConnectionSpec {
    let to = match connection.to.clone() {
        ConnectionTo::Prometheus(url) => ConnectionToSpec::Prometheus(UrlSpec { url }),
        ConnectionTo::Dns(server) => ConnectionToSpec::Dns(DnsServerSpec { server }),
        ConnectionTo::Haproxy(runtime) => ConnectionToSpec::Haproxy(HaproxyApiSpec { runtime }),
        ConnectionTo::Alertmanager(url) => ConnectionToSpec::Alertmanager(UrlSpec { url }),
        ConnectionTo::Notify(url) => ConnectionToSpec::Notify(UrlSpec { url }),
    };
    ConnectionSpec { name: name.clone(), to, secret_ref: connection.secret.clone().map(|name| SecretRefSpec { name }) }
}

pub(super) fn window((name, window): (&WindowName, &Window), zone: &Zone) -> WindowSpec {
    WindowSpec {
        name: name.clone(),
        purpose: window.purpose,
        opens: Moment::at(window.opens, zone),
        closes: Moment::at(window.closes, zone),
        reserve: Some(window.reserve),
        overrun: Some(window.overrun),
    }
}

pub(super) fn freeze((name, freeze): (&FreezeName, &Freeze), zone: &Zone) -> FreezeSpec {
    let (from, until) = (Moment::at(freeze.from, zone), Moment::at(freeze.until, zone));
    FreezeSpec { name: name.clone(), from, until, reason: freeze.reason.clone() }
}

pub(super) fn role((name, role): (&RoleName, &Role)) -> RoleSpec {
    RoleSpec {
        name: name.clone(),
        users: role.users.iter().cloned().collect(),
        groups: role.groups.iter().cloned().collect(),
        deputies: role.deputies.iter().cloned().collect(),
    }
}

pub(super) fn legacy_system((name, system): (&SystemName, &LegacySystem)) -> LegacySystemSpec {
    LegacySystemSpec { name: name.clone(), hosts: system.hosts.iter().cloned().collect() }
}

pub(super) fn approval(approval: &Approval) -> ApprovalSpec {
    let quorum = |(role, count): (&RoleName, &u32)| QuorumSpec { role: role.clone(), count: Some(*count) };
    ApprovalSpec {
        all_of: approval.all_of.iter().map(quorum).collect(),
        valid_for: Some(approval.valid_for),
        asks: Some(approval.asks.clone()),
    }
}

pub(super) fn phase((name, phase): (&PhaseName, &Phase)) -> PhaseSpec {
    let after = phase.after.iter().map(|(name, after)| AfterSpec {
        phase: name.clone(),
        stable_for: Some(after.stable_for.unwrap_or_default()),
        gates: after.gates.iter().map(gate::plain).collect(),
    });
    PhaseSpec {
        name: name.clone(),
        after: after.collect(),
        windows: phase.windows.iter().cloned().collect(),
        approval: phase.approval.as_ref().map(approval),
        tasks: phase.tasks.iter().map(task::of_phase).collect(),
    }
}

pub(super) fn bridge((name, bridge): (&BridgeName, &Bridge)) -> BridgeSpec {
    let managed = bridge.managed.as_ref().map(|managed| ManagedBridgeSpec {
        up: task::timed(&managed.up, managed.up_expect),
        down: task::timed(&managed.down, managed.down_expect),
    });
    BridgeSpec {
        name: name.clone(),
        joins: JoinsSpec { phases: bridge.phases.iter().cloned().collect() },
        external: managed.is_none().then_some(ExternalBridgeSpec {}),
        managed,
        gates: bridge.gates.iter().map(gate::plain).collect(),
    }
}

pub(super) fn group((name, group): (&GroupName, &Group)) -> GroupSpec {
    let shift = ShiftSpec { steps: Some(group.steps.clone()), bake: Some(group.bake) };
    GroupSpec { name: name.clone(), services: group.services.iter().cloned().collect(), shift: Some(shift) }
}
