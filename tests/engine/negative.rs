//! Each invariant with its rule taken away: the check must find the gap, and with the rule it must find none.

use gapless::engine::{About, Invariant, Owner, Rules, RunId, Stage, decide_by, safety};

use crate::{
    plans::{ending, one, two, weight, writer},
    sim::Sim,
};

/// Brings a world to where `invariant`'s rule is all that stands between it and a gap.
fn brink(invariant: Invariant) -> Sim {
    let mut sim = Sim::new(match invariant {
        Invariant::Order => two(),
        Invariant::OneWriter => writer(None),
        Invariant::LegacyStays => ending(),
        _ => one(),
    });
    match invariant {
        Invariant::OneWriter => {
            sim.silent.insert("fence-proof".into());
            sim.until(60, |sim| sim.log.iter().any(|l| l == "- only/task-fence: done"));
        }
        Invariant::LegacyStays => {
            sim.until_stage("a", Stage::Soaked);
            sim.approve(About::Decommission("a".parse().unwrap()), "cso", &[]);
        }
        Invariant::Served => {
            ready(&mut sim);
            sim.health("only").target = 0;
        }
        Invariant::WayBack => {
            ready(&mut sim);
            sim.health("only").legacy = 1;
        }
        Invariant::Order => ready(&mut sim),
        Invariant::Fresh | Invariant::UndoOnStart => {
            sim.until_stage("only", Stage::Shifting(0));
            if invariant == Invariant::UndoOnStart {
                sim.orders.intent = gapless::engine::Intent::Rollback;
            }
        }
        Invariant::UnknownHolds => {
            sim.until_stage("only", Stage::Shifting(1));
            sim.health("only").gate_silent = true;
            sim.tick();
            sim.tick();
        }
        Invariant::NoClobber => {
            ready(&mut sim);
            sim.drift("only", weight(40));
        }
        Invariant::NoWorse => {
            sim.until_stage("only", Stage::Soaking);
            sim.health("only").legacy = 0;
            sim.orders.intent = gapless::engine::Intent::Rollback;
        }
        Invariant::OneOwner => {
            ready(&mut sim);
            let other = if sim.routes.contains_key("only") { "only" } else { "base" };
            sim.route(other).owner = Some(Owner { run: RunId("run-0000".into()), name: "friday".into() });
        }
    }
    sim
}

/// Samples of everything, and nothing ordered yet.
fn ready(sim: &mut Sim) {
    let names: Vec<String> = sim.routes.keys().map(ToString::to_string).collect();
    for name in &names {
        sim.route(name).reachable = false;
    }
    for _ in 0..30 {
        sim.tick();
    }
    for name in &names {
        sim.route(name).reachable = true;
    }
}

#[test]
fn each_rule_taken_away_leaves_a_gap_that_the_check_finds() {
    for invariant in Invariant::ALL {
        let sim = brink(invariant);
        let seen = sim.observed();
        let look = |rules| {
            let decision = decide_by(rules, &sim.revision, &sim.record, &seen, sim.now);
            safety::check(&sim.revision, &sim.record, &seen, sim.now, &decision)
        };
        assert_eq!(look(Rules::ALL), [], "{invariant}: with its rule there is no gap");
        let found = look(Rules::without(invariant));
        assert!(found.iter().any(|v| v.invariant == invariant), "{invariant}: its gap was not found, but {found:?}");
    }
}

#[test]
fn each_gap_is_closed_where_it_opens() {
    for invariant in Invariant::ALL {
        let sim = brink(invariant);
        let seen = sim.observed();
        let wrong = |record| decide_by(Rules::without(invariant), &sim.revision, record, &seen, sim.now);
        let closed = |record| gapless::engine::withhold::lawful(&sim.revision, record, &seen, sim.now, wrong(record));
        let first = closed(&sim.record);
        let found = safety::check(&sim.revision, &sim.record, &seen, sim.now, &wrong(&sim.record));
        assert_eq!(safety::check(&sim.revision, &sim.record, &seen, sim.now, &first), [], "{invariant}");
        let held = first.record.services.values().filter_map(|s| s.hold.as_ref());
        let names: Vec<String> = held.map(|h| h.reason.to_string()).collect();
        let named = |name: &String| found.iter().any(|v| *name == format!("{}: {}: {}", v.invariant, v.service, v.detail));
        assert!(!names.is_empty() && names.iter().all(named), "{invariant}: {names:?} for {found:?}");
        let again = closed(&first.record);
        assert_eq!((again.record, again.events), (first.record, vec![]), "{invariant}: it is written once");
    }
}

/// A decision that starts `top` on its route because `base` is on target, and the world that it rested on.
fn start_of_top() -> (Sim, gapless::engine::Decision) {
    let mut sim = Sim::new(two());
    let decision = sim.until_decision(|_, decision| decision.record.services["top"].order.is_some());
    (sim, decision)
}

#[test]
fn a_need_that_is_on_its_way_back_is_not_on_target() {
    let (sim, mut decision) = start_of_top();
    decision.record.services.get_mut("base").unwrap().direction = gapless::engine::Direction::Backward;
    let found = safety::check(&sim.revision, &sim.record, &sim.observed(), sim.now, &decision);
    assert!(found.iter().any(|v| v.invariant == Invariant::Order), "{found:?}");
}

#[test]
fn a_stale_look_at_a_route_is_none() {
    let (sim, decision) = start_of_top();
    let mut seen = sim.observed();
    for sample in seen.routes.values_mut() {
        sample.taken_at = sample.taken_at.checked_sub(jiff::SignedDuration::from_secs(16)).unwrap();
    }
    let found = safety::check(&sim.revision, &sim.record, &seen, sim.now, &decision);
    assert!(found.iter().any(|v| v.invariant == Invariant::NoClobber), "{found:?}");
}
