//! Random plans with every word of the language, in random worlds: whatever happens, no invariant breaks, and once the
//! faults are over and people do their part every run ends or waits for something named.

use std::collections::BTreeMap;

use gapless::{
    engine::{About, Intent, Orders, Outcome, Query, Stage, queries},
    plan::{
        Act, Bridge, Evidence, Freeze, Group, ManagedBridge, Need, OnFailure, PhaseMoment, Plan, Revision, RollbackScope,
        Service, ServiceMoment, Span, Tier, Undo, UndoWhen, Weight, Window, WindowPurpose,
    },
};
use proptest::prelude::*;

use crate::{
    plans::{self, approval, http, other_gate, task, undo_by, weight, with_roles},
    sim::Sim,
};

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

fn words() -> impl Strategy<Value = Words> {
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
        let data = plans::writer(with_back).plan().services["only"].data.clone();
        service.data = data;
        service.steps = vec![Weight::FULL];
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

fn revision(words: &Words) -> Revision {
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

fn with_estate(plan: &mut Plan, says: &dyn Fn(u32) -> bool) {
    if says(10) {
        let short = Span::from_secs(1);
        let managed = ManagedBridge { up: http("up"), up_expect: short, down: http("down"), down_expect: short };
        let gates = BTreeMap::from([("both-ways".parse().unwrap(), other_gate())]);
        let bridge = Bridge { phases: plan.phases.keys().cloned().collect(), managed: Some(managed), gates };
        plan.bridges.insert("peering".parse().unwrap(), bridge);
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

/// What befalls a run.
#[derive(Debug, Clone)]
enum Fate {
    Ticks(u8),
    Target(usize, u32),
    Legacy(usize, u32),
    Errs(usize, bool),
    Silent(usize, bool),
    Reach(usize, bool),
    Fails(u8, bool),
    Hangs(u8, bool),
    Bad(u8, bool),
    Mute(u8, bool),
    People,
    Intent(Intent),
    Resume,
    Retry(usize),
    Lose,
    Delay(u16),
    Crash,
    Away(u8),
}

const TASKS: [&str; 9] = ["prep", "pause", "drop", "fence", "promote", "reverse-promote", "scream-test", "room", "up"];
const GATES: [&str; 6] = ["lag", "fence-proof", "promote-proof", "no-sev1", "both-ways", "rows"];

fn fate() -> impl Strategy<Value = Fate> {
    let i = 0usize..5;
    prop_oneof![
        10 => (1u8..80).prop_map(Fate::Ticks),
        1 => (i.clone(), 0u32..3).prop_map(|(i, n)| Fate::Legacy(i, n)),
        1 => (i.clone(), 0u32..3).prop_map(|(i, n)| Fate::Target(i, n)),
        1 => (i.clone(), any::<bool>()).prop_map(|(i, b)| Fate::Errs(i, b)),
        1 => (i.clone(), any::<bool>()).prop_map(|(i, b)| Fate::Silent(i, b)),
        1 => (i.clone(), any::<bool>()).prop_map(|(i, b)| Fate::Reach(i, b)),
        1 => (any::<u8>(), any::<bool>()).prop_map(|(i, b)| Fate::Fails(i, b)),
        1 => (any::<u8>(), any::<bool>()).prop_map(|(i, b)| Fate::Hangs(i, b)),
        1 => (any::<u8>(), any::<bool>()).prop_map(|(i, b)| Fate::Bad(i, b)),
        1 => (any::<u8>(), any::<bool>()).prop_map(|(i, b)| Fate::Mute(i, b)),
        3 => Just(Fate::People),
        1 => prop_oneof![Just(Intent::Run), Just(Intent::Hold), Just(Intent::Rollback)].prop_map(Fate::Intent),
        1 => Just(Fate::Resume),
        1 => i.prop_map(Fate::Retry),
        1 => Just(Fate::Lose),
        1 => (5u16..5000).prop_map(Fate::Delay),
        1 => Just(Fate::Crash),
        1 => (1u8..60).prop_map(Fate::Away),
    ]
}

fn of(sim: &Sim, index: usize) -> String {
    sim.routes.keys().nth(index % sim.routes.len()).unwrap().to_string()
}
fn toggle(set: &mut std::collections::BTreeSet<String>, name: &str, on: bool) {
    set.remove(name);
    set.extend(on.then(|| name.to_owned()));
}

fn befall(sim: &mut Sim, fates: &[Fate]) {
    for fate in fates {
        match fate.clone() {
            Fate::Ticks(n) => (0..n).for_each(|_| drop(sim.tick())),
            Fate::Legacy(i, n) => sim.health(&of(sim, i)).legacy = n,
            Fate::Target(i, n) => sim.health(&of(sim, i)).target = n,
            Fate::Errs(i, b) => sim.health(&of(sim, i)).target_errs = b,
            Fate::Silent(i, b) => sim.health(&of(sim, i)).gate_silent = b,
            Fate::Reach(i, b) => sim.route(&of(sim, i)).reachable = b,
            Fate::Fails(i, b) => toggle(&mut sim.failing, TASKS[usize::from(i) % TASKS.len()], b),
            Fate::Hangs(i, b) => toggle(&mut sim.hanging, TASKS[usize::from(i) % TASKS.len()], b),
            Fate::Bad(i, b) => toggle(&mut sim.bad, GATES[usize::from(i) % GATES.len()], b),
            Fate::Mute(i, b) => toggle(&mut sim.silent, GATES[usize::from(i) % GATES.len()], b),
            Fate::People => people(sim),
            Fate::Intent(intent) => sim.orders.intent = intent,
            Fate::Resume => sim.orders = Orders { resumes: Some(sim.record.next_latch()), ..sim.orders.clone() },
            Fate::Retry(i) => {
                let name = of(sim, i).parse().unwrap();
                let attempt = sim.record.services[&name].attempt + 1;
                sim.orders.retries.insert(name, attempt);
            }
            Fate::Lose => sim.lose_next += 1,
            Fate::Delay(ms) => sim.delay_next_ms = ms.into(),
            Fate::Crash => sim.crash(),
            Fate::Away(s) => sim.away(s.into()),
        }
    }
}

/// People do what waits for them.
fn people(sim: &mut Sim) {
    sim.done("ring");
    let plan = sim.revision.plan().clone();
    for phase in plan.phases.keys() {
        sim.approve(About::Phase(phase.clone()), "ann", &["duty"]);
    }
    for (service, _) in plan.services.iter().filter(|(_, s)| s.decommission.is_some()) {
        let attempt = sim.record.services[service].attempt;
        sim.approve(About::Decommission(service.clone()), "cso", &[]);
        sim.approvals.last_mut().unwrap().attempt = attempt;
    }
    if sim.approvals.len() > 40 {
        sim.approvals.drain(..20);
    }
}

/// All faults end.
fn mend(sim: &mut Sim) {
    for i in 0..sim.routes.len() {
        let name = of(sim, i);
        *sim.health(&name) = Sim::new(sim.revision.clone()).health[name.as_str()];
        sim.route(&name).reachable = true;
    }
    for set in [&mut sim.failing, &mut sim.hanging, &mut sim.bad, &mut sim.silent] {
        set.clear();
    }
    sim.lose_next = 0;
    sim.orders.intent = Intent::Run;
}

/// What the world must look like at an end, whatever the engine thinks.
fn judge_end(sim: &Sim) -> Result<(), String> {
    for (name, state) in &sim.record.services {
        let weight = sim.routes[name].weight;
        let rests = match state.stage {
            Stage::Returned | Stage::Waiting => weight == Weight::ZERO,
            _ => weight == Weight::FULL,
        };
        if !rests {
            return Err(format!("{name} ended as {:?} with {weight}", state.stage));
        }
        let single = sim.revision.plan().services[name].data.is_some();
        if let Some((legacy, target)) = sim.writable.get(name).filter(|_| single) {
            let right = if weight == Weight::FULL { *target && !*legacy } else { *legacy && !*target };
            if !right {
                return Err(format!("{name} ended with {weight}, legacy writable {legacy}, target writable {target}"));
            }
        }
    }
    let asked = queries(&sim.revision, &sim.record);
    if asked.iter().any(|q| matches!(q, Query::Task(_))) {
        return Err("a task is still open".to_owned());
    }
    Ok(())
}

/// A quarter of what proptest runs by itself: a case is a whole run. A nightly run takes thousands (`PROPTEST_CASES`).
fn config() -> ProptestConfig {
    let given = ProptestConfig::default();
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { given.cases } else { given.cases / 4 };
    ProptestConfig { failure_persistence: None, cases, ..given }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn no_plan_in_no_world_breaks_an_invariant_and_every_run_comes_to_an_end(said in words(), fates in prop::collection::vec(fate(), 1..50)) {
        let mut sim = Sim::new(revision(&said));
        befall(&mut sim, &fates);
        mend(&mut sim);
        for round in 0..12_000 {
            if round % 200 == 0 {
                people(&mut sim);
                sim.orders.resumes = Some(sim.record.next_latch());
            }
            sim.tick();
            if sim.record.ended.is_some() {
                break;
            }
        }
        prop_assert!(sim.outcome.is_some() || !sim.waits.is_empty(), "waits for nothing:\n{}", sim.log.join("\n"));
        let named = ["there is no way back", "window", "is no way back", "has started", "left behind"];
        if sim.record.ended.is_none() {
            let why = |w: &String| named.iter().any(|n| w.contains(n)) || w.contains("it needs") || w.contains("comes first");
            prop_assert!(sim.waits.iter().any(why), "{:#?}\n{}\n{:#?}", sim.waits, sim.log.join("\n"), sim.record);
        } else {
            prop_assert_eq!(judge_end(&sim), Ok(()), "{}\n{:#?}", sim.log.join("\n"), sim.record);
            prop_assert!(matches!(sim.outcome, Some(Outcome::Completed | Outcome::RolledBack)));
        }
    }
}
