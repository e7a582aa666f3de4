//! Plans for tests, built from the checked model directly so that the engine is tested apart from the document.

use std::collections::{BTreeMap, BTreeSet};

use gapless::plan::{
    Act, Approval, Check, Data, Decommission, EndpointSpec, Gate, HttpMethod, HttpSend, Load, Need, OnFailure, Phase, Place,
    Plan, Probe, Reverse, Revision, Role, RollbackScope, Router, Service, SideModel, Soak, Span, Switch, Task, Undo, UndoWhen,
    Watch, Weight,
};

pub fn weight(percent: u64) -> Weight {
    Weight::new(percent).unwrap()
}

fn side(net: u8, host: usize) -> SideModel {
    let endpoint = |i: usize| EndpointSpec { address: format!("10.{net}.{host}.{i}"), port: 80 };
    SideModel {
        per_endpoint: Some("60/s".parse().unwrap()),
        ..SideModel::at(Place::Endpoints(BTreeSet::from([endpoint(1), endpoint(2)])))
    }
}

/// A service with two endpoints a side, 80 requests a second at its peak, and one guard over one probe.
pub fn service(index: usize, phase: &str, needs: &[&str]) -> Service {
    let send = HttpSend {
        method: HttpMethod::Get,
        path: "/".into(),
        host: None,
        body: None,
        status: BTreeSet::from([200]),
        body_contains: None,
    };
    let probe = Probe { every: Span::from_millis(100), timeout: Span::from_millis(80), send };
    let gate = Gate {
        every: Span::from_millis(100),
        timeout: Span::from_millis(80),
        check: Check::Probe("answers".parse().unwrap()),
        successes: 5,
        max_failures_per_mille: 0,
        failures: 3,
        unknown_limit: Span::from_secs(20),
        on_unknown: OnFailure::Hold,
        watch: Watch::Guard,
    };
    Service {
        load: Some(Load { peak: "80/s".parse().unwrap(), headroom_percent: 20 }),
        needs: needs.iter().map(|n| (n.parse().unwrap(), Need::Before)).collect(),
        steps: vec![weight(5), weight(25), weight(100)],
        bake: Span::from_secs(2),
        soak: Soak { length: Span::from_secs(10), guard_for: Span::from_secs(1), on_failure: OnFailure::Rollback },
        on_failure: OnFailure::Rollback,
        rollback_scope: RollbackScope::Dependents,
        probes: BTreeMap::from([("answers".parse().unwrap(), probe)]),
        gates: BTreeMap::from([("answers".parse().unwrap(), gate)]),
        ..Service::plain(
            phase.parse().unwrap(),
            side(1, index),
            side(2, index),
            Router::Webhook { url: format!("http://127.0.0.1:1/{index}"), key_from_env: None },
        )
    }
}

pub fn plan(services: Vec<(&str, Service)>) -> Plan {
    let mut phases: BTreeMap<_, Phase> = BTreeMap::new();
    for (_, s) in &services {
        phases.insert(s.phase.clone(), Phase::default());
    }
    if let (Ok(one), Ok(two)) = ("one".parse(), "two".parse())
        && phases.contains_key(&one)
        && let Some(second) = phases.get_mut::<gapless::plan::PhaseName>(&two)
    {
        second.after.insert(one, gapless::plan::After::default());
    }
    let services = services.into_iter().map(|(n, s)| (n.parse().unwrap(), s)).collect();
    Plan::of("test".parse().unwrap(), "default".into(), phases, services)
}

/// base ← middle ← top in one phase, and `side`, which needs nobody; `late` in a second phase.
pub fn five() -> Revision {
    Revision::of(plan(vec![
        ("base", service(1, "one", &[])),
        ("middle", service(2, "one", &["base"])),
        ("top", service(3, "one", &["middle"])),
        ("side", service(4, "one", &[])),
        ("late", service(5, "two", &["side"])),
    ]))
}

/// `second` comes a phase after `first`; `elsewhere`, in a phase of its own, needs `second`.
pub fn apart() -> Revision {
    Revision::of(plan(vec![
        ("first", service(1, "one", &[])),
        ("second", service(2, "two", &[])),
        ("elsewhere", service(3, "three", &["second"])),
    ]))
}

pub fn one() -> Revision {
    Revision::of(plan(vec![("only", service(1, "one", &[]))]))
}

/// base ← top.
pub fn two() -> Revision {
    Revision::of(plan(vec![("base", service(1, "one", &[])), ("top", service(2, "one", &["base"]))]))
}

/// A gate that is no service's, answered every 10 ms in the test's world.
pub fn other_gate() -> Gate {
    Gate { check: Check::Http("http://127.0.0.1:1/".into()), successes: 2, ..service(1, "one", &[]).gates["answers"].clone() }
}

pub fn http(path: &str) -> Act {
    Act::Http { method: HttpMethod::Post, url: format!("http://127.0.0.1:1/{path}"), body: None }
}

pub fn task<M>(at: M, act: Act, undo: Undo) -> Task<M> {
    Task { at, act, undo, expect: Span::from_secs(1) }
}

/// An undo by an HTTP call, after the traffic.
pub fn undo_by(path: &str) -> Undo {
    Undo::Do { act: http(path), when: UndoWhen::AfterTraffic, deadline: None, expect: Span::from_secs(1) }
}

/// One service with one writer; with a way back for the writer, or without.
pub fn writer(reverse: Option<()>) -> Revision {
    let switch = |path: &str| Switch { act: http(path), proof: other_gate(), expect: Span::from_secs(1) };
    let by = || Reverse::By { lag: other_gate(), fence: switch("fence-target"), promote: switch("promote-legacy") };
    let data = Data {
        pause_budget: Span::from_secs(5),
        catch_up: None,
        lag: other_gate(),
        fence: switch("fence"),
        unfence: Some(switch("unfence")),
        promote: switch("promote"),
        reverse: reverse.map_or_else(|| Reverse::None("nothing is copied back".into()), |()| by()),
        reconcile: BTreeMap::from([("rows".parse().unwrap(), other_gate())]),
    };
    let only = Service { steps: vec![Weight::FULL], data: Some(Box::new(data)), ..service(1, "one", &[]) };
    Revision::of(plan(vec![("only", only)]))
}

pub fn approval(role: &str, count: u32) -> Approval {
    Approval { all_of: BTreeMap::from([(role.parse().unwrap(), count)]), valid_for: Span::from_secs(60), asks: "Go?".into() }
}

pub fn with_roles(mut plan: Plan) -> Plan {
    let role = |groups: &[&str], users: &[&str], deputies: &[&str]| Role {
        users: users.iter().map(ToString::to_string).collect(),
        groups: groups.iter().map(ToString::to_string).collect(),
        deputies: deputies.iter().map(|d| d.parse().unwrap()).collect(),
    };
    plan.roles = BTreeMap::from([
        ("duty-manager".parse().unwrap(), role(&["duty"], &[], &["desk"])),
        ("desk".parse().unwrap(), role(&["desk"], &[], &[])),
        ("safety".parse().unwrap(), role(&[], &["cso"], &[])),
    ]);
    plan
}

/// `a` and `b` on one legacy system, whose end is approved by `safety` after a scream test; `b` soaks longer.
pub fn ending() -> Revision {
    let end = Decommission { approval: Some(approval("safety", 1)), scream_test: Some(Span::from_secs(2)) };
    let on_system = |index: usize| {
        let mut service = service(index, "one", &[]);
        service.legacy.system = Some("estate".parse().unwrap());
        service.decommission = Some(end.clone());
        service
    };
    let mut b = on_system(2);
    b.soak.length = Span::from_secs(20);
    let mut plan = with_roles(plan(vec![("a", on_system(1)), ("b", b)]));
    plan.legacy_systems = BTreeMap::from([("estate".parse().unwrap(), gapless::plan::LegacySystem::default())]);
    Revision::of(plan)
}

/// The same with one writer in `b`, which is past its soak while `a` is not.
pub fn ending_with_writer() -> Revision {
    let mut plan = ending().plan().clone();
    let b = plan.services.get_mut("b").unwrap();
    b.steps = vec![Weight::FULL];
    b.data = writer(Some(())).plan().services["only"].data.clone();
    let long = std::mem::replace(&mut b.soak.length, Span::from_secs(1));
    plan.services.get_mut("a").unwrap().soak.length = long;
    Revision::of(plan)
}
