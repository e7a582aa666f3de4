//! Random plans with every word of the language.

use std::collections::BTreeMap;

use gapless::plan::{
    Act, Bridge, DnsRoute, DnsType, Evidence, Freeze, Group, ManagedBridge, Mirror, MirrorMethods, Need, OnFailure, PhaseMoment,
    Plan, Revision, RollbackScope, Router, Service, ServiceMoment, Span, Tier, Undo, UndoWhen, Weight, Window, WindowPurpose,
};
use proptest::prelude::*;

use crate::plans::{self, approval, http, other_gate, task, undo_by, weight, with_roles};

/// What a random plan says, a bit for each word.
#[derive(Debug, Clone)]
pub struct Words {
    services: Vec<ServiceWords>,
    phases: u8,
    bits: u32,
}

#[derive(Debug, Clone)]
struct ServiceWords {
    phase: u8,
    needs: u8,
    bits: u32,
}

impl ServiceWords {
    fn says(&self, bit: u32) -> bool {
        self.bits >> bit & 1 == 1
    }
}

pub fn words() -> impl Strategy<Value = Words> {
    let service = (0u8..3, any::<u8>(), any::<u32>()).prop_map(|(phase, needs, bits)| ServiceWords { phase, needs, bits });
    (prop::collection::vec(service, 1..5), 1u8..4, any::<u32>()).prop_map(|(services, phases, bits)| Words {
        services,
        phases,
        bits,
    })
}

fn name(index: usize) -> String {
    format!("s{index}")
}

fn with_tasks(service: &mut Service, words: &ServiceWords) {
    let manual = Act::Manual { owner: "desk".parse().unwrap(), instructions: "ring".into(), evidence: Evidence::Optional };
    let before = Undo::Do {
        act: http("off"),
        when: UndoWhen::BeforeTraffic,
        deadline: Some(Span::from_secs(3)),
        expect: Span::from_secs(1),
    };
    let all = [
        ("prep", task(ServiceMoment::BeforePrepare, http("prep"), undo_by("unprep"))),
        ("pause", task(ServiceMoment::BeforeShift, http("pause"), before)),
        ("ring", task(ServiceMoment::AfterShift, manual, Undo::None("said".into()))),
        ("drop", task(ServiceMoment::AfterShift, http("drop"), Undo::Impossible("gone".into()))),
        ("tidy", task(ServiceMoment::AfterSoak, http("tidy"), Undo::None("tidy".into()))),
        ("nap", task(ServiceMoment::BeforeShift, Act::Wait(Span::from_secs(2)), Undo::None("time".into()))),
    ];
    let said = all.into_iter().zip(0..).filter(|(_, bit)| words.says(*bit) && words.says(bit + 6));
    service.tasks = said.map(|((name, task), _)| (name.parse().unwrap(), task)).collect();
}

fn service(index: usize, words: &ServiceWords, phases: u8) -> Service {
    let phase = words.phase % phases;
    let mut service = plans::service(index + 1, &format!("p{phase}"), &[]);
    with_tasks(&mut service, words);
    if words.says(12) && words.says(13) {
        service.cron = ["nightly".to_owned()].into();
    }
    if words.says(14) && words.says(15) {
        let with_back = words.says(16).then_some(());
        service.data = plans::writer(with_back).plan().services["only"].data.clone();
        service.data.as_mut().unwrap().catch_up = words.says(28).then(other_gate);
        service.steps = vec![Weight::FULL];
    }
    if words.says(29) && words.says(15) {
        service.warm = Some(http("warm"));
    }
    if words.says(30) && words.says(14) {
        service.mirror = Some(Mirror { percent: weight(10), length: Span::from_secs(2), methods: MirrorMethods::default() });
    }
    if words.says(31) {
        service.router = dns(index);
    }
    if words.says(17) {
        let approval = words.says(18).then(|| approval("safety", 1));
        let scream_test = words.says(19).then(|| Span::from_secs(2));
        service.decommission = Some(gapless::plan::Decommission { approval, scream_test });
        service.legacy.system = words.says(20).then(|| "estate".parse().unwrap());
    }
    if words.says(21) {
        service.rollback_steps = vec![weight(50), weight(0)];
    }
    if words.says(22) && words.says(23) {
        service.on_failure = OnFailure::Hold;
    }
    service.tier = words.says(24).then_some(Tier::Critical);
    service.rollback_scope = match (words.says(25), words.says(26)) {
        (true, true) => RollbackScope::Phase,
        (true, false) if words.says(27) => RollbackScope::Run,
        _ => RollbackScope::Dependents,
    };
    service
}

/// A record set: lowered before the move, restored after it.
fn dns(index: usize) -> Router {
    Router::Dns(DnsRoute {
        connection: "ns1".parse().unwrap(),
        zone: "example.".into(),
        name: format!("s{index}.example."),
        kind: DnsType::A,
        ttl_during: Span::from_secs(5),
    })
}

/// Needs go to services of the same or an earlier phase with a lower index, so that there is no cycle.
fn with_needs(services: &mut [(String, Service)], words: &Words) {
    for (index, said) in words.services.iter().enumerate() {
        for other in 0..index {
            let earlier = services[other].1.phase <= services[index].1.phase;
            if said.needs >> other & 1 == 1 && earlier {
                let need = services[other].0.parse().unwrap();
                services[index].1.needs.insert(need, Need::Before);
            }
        }
    }
}

pub fn revision(words: &Words) -> Revision {
    let mut services: Vec<(String, Service)> =
        words.services.iter().enumerate().map(|(i, said)| (name(i), service(i, said, words.phases))).collect();
    with_needs(&mut services, words);
    let all = services.iter().map(|(n, s)| (n.as_str(), s.clone())).collect();
    let mut plan = with_roles(plans::plan(all));
    plan.legacy_systems = BTreeMap::from([("estate".parse().unwrap(), gapless::plan::LegacySystem::default())]);
    let says = |bit: u32| words.bits >> bit & 1 == 1;
    let present: Vec<_> = plan.phases.keys().cloned().collect();
    for pair in present.windows(2) {
        let after = gapless::plan::After {
            stable_for: says(0).then(|| Span::from_secs(3)),
            gates: if says(1) { BTreeMap::from([("no-sev1".parse().unwrap(), other_gate())]) } else { BTreeMap::new() },
        };
        plan.phases.get_mut(&pair[1]).unwrap().after.insert(pair[0].clone(), after);
    }
    for phase in plan.phases.values_mut() {
        phase.approval = says(2).then(|| approval("duty-manager", 1));
        if says(3) {
            phase.tasks.insert("room".parse().unwrap(), task(PhaseMoment::BeforePhase, http("open"), undo_by("close")));
            phase.tasks.insert("thank".parse().unwrap(), task(PhaseMoment::AfterPhase, http("thank"), Undo::None("said".into())));
        }
    }
    with_times(&mut plan, &says);
    with_estate(&mut plan, &says);
    Revision::of(plan)
}

fn with_times(plan: &mut Plan, says: &dyn Fn(u32) -> bool) {
    let at = |s: i64| "2026-08-28T20:00:00Z".parse::<jiff::Timestamp>().unwrap() + jiff::SignedDuration::from_secs(s);
    if says(4) {
        let overrun = if says(5) { OnFailure::Rollback } else { OnFailure::Hold };
        let window = |opens, closes| Window {
            purpose: WindowPurpose::Shift,
            opens: at(opens),
            closes: at(closes),
            reserve: Span::from_secs(1),
            overrun,
        };
        plan.windows.insert("first".parse().unwrap(), window(2, if says(6) { 60 } else { 7_000 }));
        plan.windows.insert("second".parse().unwrap(), window(100, 9_000));
        let names: std::collections::BTreeSet<_> = plan.windows.keys().cloned().collect();
        plan.phases.values_mut().for_each(|phase| phase.windows.clone_from(&names));
    }
    if says(7) {
        plan.freezes.insert("pay".parse().unwrap(), Freeze { from: at(10), until: at(14), reason: "payment run".into() });
    }
    plan.limits.in_motion = says(8).then_some(2);
    if says(9) {
        plan.limits.per_tier.insert(Tier::Critical, 1);
    }
}

/// Every second service needs what it needs across the bridge, if it needs anything of another phase.
fn across(plan: &mut Plan) {
    let phases: BTreeMap<_, _> = plan.services.iter().map(|(name, service)| (name.clone(), service.phase.clone())).collect();
    for service in plan.services.values_mut().step_by(2) {
        let own = service.phase.clone();
        let far = service.needs.iter_mut().filter(|(name, _)| phases[*name] != own);
        far.for_each(|(_, need)| *need = Need::Across("peering".parse().unwrap()));
    }
}

fn with_estate(plan: &mut Plan, says: &dyn Fn(u32) -> bool) {
    if says(10) {
        let short = Span::from_secs(1);
        let managed = ManagedBridge { up: http("up"), up_expect: short, down: http("down"), down_expect: short };
        let gates = BTreeMap::from([("both-ways".parse().unwrap(), other_gate())]);
        let bridge = Bridge { phases: plan.phases.keys().cloned().collect(), managed: Some(managed), gates };
        plan.bridges.insert("peering".parse().unwrap(), bridge);
        across(plan);
    }
    // Two services of one phase, none of them with one writer; limits must leave room for both.
    let plain = |s: &Service| s.data.is_none();
    let pair: Vec<_> =
        plan.services.iter().filter(|(_, s)| plain(s) && s.phase.as_str() == "p0").map(|(n, _)| n.clone()).take(2).collect();
    if says(11) && pair.len() == 2 && !says(9) {
        for member in &pair {
            plan.services.get_mut(member).unwrap().steps = vec![weight(10), weight(100)];
        }
        let group =
            Group { services: pair.into_iter().collect(), steps: vec![weight(10), weight(100)], bake: Span::from_secs(1) };
        plan.groups.insert("pair".parse().unwrap(), group);
    }
}
