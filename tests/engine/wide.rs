//! Random plans with every word of the language, in random worlds: whatever happens, no invariant breaks, and once the
//! faults are over and people do their part every run ends or waits for something named.

use gapless::{
    engine::{About, Event, Intent, Orders, Outcome, Query, Stage, Subject, TaskWay, queries},
    plan::{Plan, ServiceName, TaskName, UndoWhen, Weight},
};
use proptest::prelude::*;

use crate::{
    sim::Sim,
    words::{revision, words},
};

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
    Declare(usize),
    Lose,
    Delay(u16),
    Crash,
    Away(u8),
}

const TASKS: [&str; 9] = ["prep", "pause", "drop", "fence", "promote", "reverse-promote", "scream-test", "room", "up"];
const GATES: [&str; 7] = ["lag", "catch-up", "fence-proof", "promote-proof", "no-sev1", "both-ways", "rows"];

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
        1 => i.clone().prop_map(Fate::Retry),
        1 => i.prop_map(Fate::Declare),
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
            Fate::Declare(i) => {
                let name = of(sim, i).parse().unwrap();
                let attempt = sim.record.services.get(&name).map_or(0, |state| state.attempt);
                sim.orders.declared.insert(name, attempt);
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

    /// The way back is the way there reversed: over what was really executed, whoever was needed goes back after whoever needed
    /// it, and the tasks of a service are taken back last one first, on each side of the traffic.
    #[test]
    fn the_way_back_is_the_reverse_of_what_was_executed(said in words(), ticks in 1usize..600) {
        let mut sim = Sim::new(revision(&said));
        people(&mut sim);
        (0..ticks).for_each(|_| drop(sim.tick()));
        let executed = sim.events.len();
        sim.orders.intent = Intent::Rollback;
        for _ in 0..4_000 {
            sim.tick();
            if sim.record.ended.is_some() {
                break;
            }
        }
        let (there, back) = sim.events.split_at(executed);
        prop_assert_eq!(reversed(sim.revision.plan(), there, back), Ok(()), "{}", sim.log.join("\n"));
    }
}

/// Whether `back` takes what happened `there` back in the reverse of an order that needs allow.
fn reversed(plan: &Plan, there: &[Event], back: &[Event]) -> Result<(), String> {
    let at = |such: &dyn Fn(&Event) -> bool| back.iter().position(such);
    let moved =
        |name: &ServiceName| there.iter().any(|e| matches!(e, Event::Ordered { step, .. } if step.service() == Some(name)));
    let goes = |name: &ServiceName| at(&|e| matches!(e, Event::Ordered { step, .. } if step.service() == Some(name)));
    let is_back = |name: &ServiceName| at(&|e| matches!(e, Event::Returned { service } if service == name));
    for (name, service) in plan.services.iter().filter(|(name, _)| moved(name)) {
        let together = |need: &ServiceName| plan.group_of(name).is_some_and(|(_, group)| group.services.contains(need));
        for need in service.before().filter(|need| moved(need) && !together(need)) {
            match (is_back(name), goes(need)) {
                (Some(first), Some(then)) if first > then => {
                    return Err(format!("{need} went back before {name}, which needs it"));
                }
                (None, Some(_)) => return Err(format!("{need} went back and {name}, which needs it, did not")),
                _ => {}
            }
        }
    }
    plan.services.keys().try_for_each(|name| tasks_reversed(plan, name, there, back))
}

fn tasks_reversed(plan: &Plan, name: &ServiceName, there: &[Event], back: &[Event]) -> Result<(), String> {
    let ordered = |events: &[Event], wanted: TaskWay| -> Vec<TaskName> {
        let key = |event: &Event| match event {
            Event::TaskOrdered { task } if task.way == wanted && task.of == Subject::from(name) => Some(task.task.clone()),
            _ => None,
        };
        events.iter().filter_map(key).collect()
    };
    let (done, undone) = (ordered(there, TaskWay::Do), ordered(back, TaskWay::Undo));
    // What the plan wants taken back before the traffic comes before the writers are switched back as well, whenever it was done.
    let time = |task: &TaskName| match plan.services[name].tasks.get(task).map(|t| &t.undo) {
        Some(gapless::plan::Undo::Do { when: UndoWhen::BeforeTraffic, .. }) => 0,
        _ if task.as_str().starts_with("resume-") => 0,
        _ if ["fence", "scream-test"].contains(&task.as_str()) => 1,
        _ => 2,
    };
    for of_time in 0..3 {
        let places: Vec<_> = undone.iter().filter(|t| time(t) == of_time).map(|t| done.iter().rposition(|d| d == t)).collect();
        if !places.is_sorted_by(|one, next| one > next) {
            return Err(format!("{name}: done in the order {done:?}, taken back in the order {undone:?}"));
        }
    }
    Ok(())
}
