//! The forecast, by cases that can be reckoned by hand, and by what must hold of any.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proptest::prelude::*;

use super::{Cause, Durations, Expected, Forecast, Mover, Work, after, forecast};
use crate::plan::{
    After, Decommission, EndpointSpec, Group, Limits, Need, OnFailure, Phase, PhaseName, Place, Plan, Router, Service,
    ServiceName, SideModel, Soak, Span, Tier, Weight, Window, WindowPurpose,
};

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_788_000_000 + minute * 60).unwrap()
}
fn minutes(count: u64) -> Span {
    Span::from_secs(count * 60)
}
fn name(text: &str) -> ServiceName {
    text.parse().unwrap()
}

/// A service of phase `phase` that moves in `bake` minutes, and what it needs.
fn service(phase: &str, bake: u64, needs: &[&str]) -> Service {
    let side = |host: u8| {
        let address = format!("10.0.0.{host}");
        SideModel::at(Place::Endpoints([EndpointSpec { address, port: 80 }].into()))
    };
    let router = Router::HttpRoute { name: "r".into(), section_name: None };
    let mut service = Service::plain(phase.parse().unwrap(), side(1), side(2), router);
    service.bake = minutes(bake);
    service.needs = needs.iter().map(|need| (name(need), Need::Before)).collect();
    service
}

fn plan(services: Vec<(&str, Service)>) -> Plan {
    let services: BTreeMap<ServiceName, Service> = services.into_iter().map(|(n, s)| (name(n), s)).collect();
    let phases = services.values().map(|s| (s.phase.clone(), Phase::default())).collect();
    Plan::of("p".parse().unwrap(), "default".into(), phases, services)
}

/// With nothing but bakes and tasks taking time.
fn run(plan: &Plan, start: i64) -> (Forecast<'_>, Vec<String>) {
    let works = plan.services.keys().flat_map(|name| [Work::Effective(name), Work::Prepare(name), Work::Drain(name)]);
    let measured: Durations = works.map(|work| (work, Span::ZERO)).collect();
    let forecast = forecast(&Expected::measured(plan, &measured), at(start));
    let path = forecast.last().map(|last| forecast.critical_path(last)).unwrap_or_default();
    let path = path.iter().map(ToString::to_string).collect();
    (forecast, path)
}

fn moved(forecast: &Forecast<'_>, service: &str) -> Option<i64> {
    let ends = forecast.services.get(&name(service))?;
    Some((ends.moved.as_second() - at(0).as_second()) / 60)
}

fn window(purpose: WindowPurpose, opens: i64, closes: i64) -> Window {
    Window { purpose, opens: at(opens), closes: at(closes), reserve: Span::ZERO, overrun: OnFailure::Hold }
}

#[test]
fn needs_go_first_and_the_longest_way_is_named() {
    let plan = plan(vec![
        ("a", service("x", 10, &[])),
        ("b", service("x", 30, &[])),
        ("c", service("x", 5, &["a", "b"])),
        ("d", service("x", 20, &["a"])),
    ]);
    let (forecast, path) = run(&plan, 0);
    assert_eq!(["a", "b", "c", "d"].map(|s| moved(&forecast, s)), [Some(10), Some(30), Some(35), Some(30)]);
    assert_eq!(path, ["b", "c"]);
    assert_eq!(forecast.moved(), Some(at(35)));
    assert_eq!(forecast.completed(), Some(at(35)));
}

#[test]
fn phases_wait_for_all_of_the_earlier_and_for_their_stability() {
    let mut plan = plan(vec![("a", service("x", 10, &[])), ("b", service("x", 15, &[])), ("c", service("y", 5, &[]))]);
    let stable = After { stable_for: Some(minutes(60)), ..After::default() };
    plan.phases.get_mut(&"y".parse::<PhaseName>().unwrap()).unwrap().after.insert("x".parse().unwrap(), stable);
    let (forecast, path) = run(&plan, 0);
    assert_eq!(moved(&forecast, "c"), Some(15 + 60 + 5));
    assert_eq!(path, ["b", "c"]);
}

#[test]
fn limits_let_through_as_many_as_they_say() {
    let mut plan = plan((0..6).map(|i| (["a", "b", "c", "d", "e", "f"][i], service("x", 10, &[]))).collect());
    plan.limits = Limits { in_motion: Some(2), ..Limits::default() };
    let (forecast, path) = run(&plan, 0);
    let all = ["a", "b", "c", "d", "e", "f"].map(|s| moved(&forecast, s));
    assert_eq!(all, [10, 10, 20, 20, 30, 30].map(Some));
    assert_eq!(path.len(), 3);
    assert!(matches!(forecast.moves[&Mover::Service(&name("c"))].cause, Cause::Limit(_)));

    for (one, tier) in [("a", Tier::Critical), ("b", Tier::Critical), ("c", Tier::Standard)] {
        plan.services.get_mut(&name(one)).unwrap().tier = Some(tier);
    }
    plan.limits = Limits { in_motion: None, per_tier: BTreeMap::from([(Tier::Critical, 1)]) };
    let (forecast, _) = run(&plan, 0);
    let all = ["a", "b", "c", "d", "e", "f"].map(|s| moved(&forecast, s));
    assert_eq!(all, [10, 20, 10, 10, 10, 10].map(Some), "who has no place does not keep others from theirs");
}

#[test]
fn a_group_moves_in_lock_step_and_counts_as_its_members() {
    let mut plan = plan(vec![("a", service("x", 1, &["b"])), ("b", service("x", 1, &["a"])), ("c", service("x", 10, &["a"]))]);
    let steps = vec![Weight::new(50).unwrap(), Weight::FULL];
    plan.groups.insert("g".parse().unwrap(), Group { services: [name("a"), name("b")].into(), steps, bake: minutes(20) });
    plan.limits.in_motion = Some(2);
    let (forecast, path) = run(&plan, 0);
    assert_eq!(["a", "b", "c"].map(|s| moved(&forecast, s)), [Some(40), Some(40), Some(50)]);
    assert_eq!(path, ["group g", "c"]);
    plan.limits.in_motion = Some(1);
    let (forecast, _) = run(&plan, 0);
    assert_eq!(forecast.moved(), None, "a group that never finds places never moves");
}

#[test]
fn a_move_begins_only_where_all_of_it_fits() {
    let mut plan = plan(vec![
        ("a", service("x", 60, &[])),
        ("b", service("x", 60, &["a"])),
        ("c", service("x", 90, &["b"])),
        ("d", service("x", 10, &["c"])),
    ]);
    plan.windows.insert("w1".parse().unwrap(), window(WindowPurpose::Shift, 0, 100));
    plan.windows.insert("w2".parse().unwrap(), window(WindowPurpose::Shift, 1_000, 1_100));
    let named = plan.windows.keys().cloned().collect();
    plan.phases.get_mut(&"x".parse::<PhaseName>().unwrap()).unwrap().windows = named;
    let (forecast, _) = run(&plan, -30);
    assert_eq!(["a", "b", "c"].map(|s| moved(&forecast, s)), [Some(60), Some(1_060), None]);
    let stuck: Vec<Mover<'_>> = forecast.stuck().map(|(mover, _)| mover).collect();
    assert_eq!(stuck, [Mover::Service(&name("c"))]);
    assert_eq!(forecast.behind.iter().copied().collect::<Vec<_>>(), [Mover::Service(&name("d"))]);
    assert_eq!((forecast.moved(), forecast.completed()), (None, None));
}

#[test]
fn a_service_that_waits_for_its_window_takes_no_place() {
    let mut plan = plan(vec![("a", service("late", 10, &[])), ("b", service("any", 10, &[])), ("c", service("any", 10, &[]))]);
    plan.limits.in_motion = Some(1);
    plan.windows.insert("w".parse().unwrap(), window(WindowPurpose::Shift, 500, 600));
    let late = plan.phases.get_mut(&"late".parse::<PhaseName>().unwrap()).unwrap();
    late.windows.insert("w".parse().unwrap());
    let (forecast, _) = run(&plan, 0);
    assert_eq!(["a", "b", "c"].map(|s| moved(&forecast, s)), [Some(510), Some(10), Some(20)]);
}

#[test]
fn the_end_waits_for_soaks_the_legacy_system_and_its_window() {
    let mut plan = plan(vec![("a", service("x", 10, &[])), ("b", service("x", 10, &[]))]);
    for (one, soak) in [("a", 100), ("b", 300)] {
        let service = plan.services.get_mut(&name(one)).unwrap();
        service.soak = Soak { length: minutes(soak), ..service.soak };
        service.legacy.system = Some("old".parse().unwrap());
        service.decommission = Some(Decommission { approval: None, scream_test: Some(minutes(60)) });
    }
    let (forecast, _) = run(&plan, 0);
    let ends = forecast.services[&name("a")];
    assert_eq!(ends.soaked, at(110));
    assert_eq!(ends.ended, Some(after(at(310 + 60), Span::from_secs(5))), "not before b on the same system");
    plan.windows.insert("off".parse().unwrap(), window(WindowPurpose::Decommission, 1_000, 1_100));
    let (forecast, _) = run(&plan, 0);
    assert_eq!(forecast.completed(), Some(after(at(1_060), Span::from_secs(5))));
    plan.windows.insert("off".parse().unwrap(), window(WindowPurpose::Decommission, 200, 300));
    let (forecast, _) = run(&plan, 0);
    assert_eq!((forecast.moved(), forecast.completed()), (Some(at(10)), None));
}

proptest! {
    /// What nobody can be faster than and, without limits and windows, nobody is slower than: the longest way of needs.
    #[test]
    fn it_is_the_longest_way(edges in prop::collection::vec((1usize..15, 0usize..15), 0..30), bakes in prop::collection::vec(0u64..50, 15), limit in 1u32..20) {
        let names: Vec<String> = (0..15).map(|i| format!("s{i:02}")).collect();
        let needs: Vec<Vec<&str>> = (0..15)
            .map(|i| edges.iter().filter(|(from, to)| *from == i && to < from).map(|(_, to)| names[*to].as_str()).collect())
            .collect();
        let mut plan = plan((0..15).map(|i| (names[i].as_str(), service("x", bakes[i], &needs[i]))).collect());
        let mut longest = [0u64; 15];
        for i in 0..15 {
            let before = edges.iter().filter(|(from, to)| *from == i && to < from).map(|(_, to)| longest[*to]).max();
            longest[i] = bakes[i] + before.unwrap_or(0);
        }
        {
            let (forecast, path) = run(&plan, 0);
            for i in 0..15 {
                prop_assert_eq!(moved(&forecast, &names[i]), Some(longest[i] as i64));
            }
            let along: u64 = path.iter().map(|one| bakes[names.iter().position(|n| n == one).unwrap()]).sum();
            prop_assert_eq!(forecast.moved(), Some(at(along as i64)), "the critical path adds up");
        }
        plan.limits.in_motion = Some(limit);
        let (forecast, path) = run(&plan, 0);
        let total: u64 = bakes.iter().sum();
        let all = forecast.moved().unwrap();
        prop_assert!(all >= at(*longest.iter().max().unwrap() as i64) && all <= at(total as i64));
        // Graham, "Bounds for certain multiprocessing anomalies" (1966): no list schedule is slower than this.
        let bound = total.div_ceil(u64::from(limit)) + longest.iter().max().unwrap();
        prop_assert!(all <= at(bound as i64), "{:?}", path);
        let along: u64 = path.iter().map(|one| bakes[names.iter().position(|n| n == one).unwrap()]).sum();
        prop_assert_eq!(all, at(along as i64), "the critical path adds up with limits as well");
        for moment in forecast.moves.values().map(|one| one.begins) {
            let in_motion = forecast.moves.values().filter(|one| one.begins <= moment && moment < one.moved.unwrap()).count();
            prop_assert!(in_motion <= limit as usize);
        }
    }
}
