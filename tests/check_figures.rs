//! Figures of the plan layer: how its cost grows. They judge nothing and want a machine to themselves:
//! `cargo test --release --no-default-features --test check_figures -- --ignored --nocapture`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    time::Instant,
};

use gapless::plan::{
    Need, Phase, Place, Plan, Router, Service, ServiceName, SideModel, Span,
    graph::{Waits, blast_radii},
    read,
    schedule::{Calendar, Expected, Purpose, forecast, undo_time},
};

/// Services that need two others each, in three phases.
fn plan(count: usize) -> Plan {
    let name = |i: usize| format!("s{i}").parse::<ServiceName>().unwrap();
    let side = || SideModel::at(Place::Endpoints(BTreeSet::new()));
    let one = |i: usize| {
        let router = Router::HttpRoute { name: format!("s{i}"), section_name: None };
        let phase = ["x", "y", "z"][i % 3].parse().unwrap();
        let mut service = Service::plain(phase, side(), side(), router);
        service.bake = Span::from_secs(600 + i as u64 % 7);
        service.needs = [i / 2, i / 3].into_iter().filter(|need| *need < i).map(|need| (name(need), Need::Before)).collect();
        (name(i), service)
    };
    let services: BTreeMap<ServiceName, Service> = (0..count).map(one).collect();
    let phases = services.values().map(|service| (service.phase.clone(), Phase::default())).collect();
    let mut plan = Plan::of("big".parse().unwrap(), "default".into(), phases, services);
    plan.limits.in_motion = Some(50);
    plan
}

#[test]
#[ignore = "figures, measured alone and optimised"]
fn schedule_and_graph_up_to_a_hundred_thousand_services() {
    let start = "2026-08-28T20:00:00Z".parse().unwrap();
    for count in [1_000usize, 10_000, 100_000] {
        let plan = plan(count);
        let expected = Expected::of(&plan);
        let begin = Instant::now();
        let forecast = forecast(&expected, start);
        assert_eq!(forecast.services.len(), count);
        let forecast_takes = begin.elapsed();
        let begin = Instant::now();
        assert!(undo_time(&expected, plan.services.keys()).is_some());
        let undo_takes = begin.elapsed();
        let begin = Instant::now();
        assert_eq!(blast_radii(&plan).len(), count);
        let blast_takes = begin.elapsed();
        let names: Vec<String> = (0..count).map(|i| format!("s{i}")).collect();
        let ring = (0..count).map(|i| (names[i].as_str(), BTreeSet::from([names[(i + 1) % count].as_str()]))).collect();
        let begin = Instant::now();
        assert_eq!(Waits::new(&ring).knots()[0].cycle.len(), count);
        println!(
            "{count} services: forecast {forecast_takes:?}, undo of all {undo_takes:?}, blast radii {blast_takes:?}, a ring {:?}",
            begin.elapsed()
        );
    }
    let plan = plan(1_200);
    let (calendar, phase) = (Calendar::of(&plan), "x".parse().unwrap());
    let begin = Instant::now();
    for _ in 0..1_000_000 {
        let _ = calendar.may_start(Purpose::Shift(&phase), Span::from_secs(600), Span::from_secs(60), start);
    }
    println!("may_start: {:?} each", begin.elapsed() / 1_000_000);
}

#[test]
#[ignore = "figures, measured alone and optimised"]
fn check_of_many_services() {
    let mut last = None;
    for count in [100usize, 1_000, 5_000] {
        let mut text = String::from("apiVersion: gapless.dev/v1alpha1\nkind: MigrationPlan\nmetadata: { name: big }\nspec:\n");
        text.push_str("  windows: [{ name: w, for: Shift, opens: 2026-08-28T20:00, closes: 2027-08-31T23:00 }]\n");
        text.push_str("  phases: [{ name: x, windows: [w] }]\n  services:\n");
        for i in 0..count {
            let (a, b, needed) = (i / 250, i % 250 + 1, i / 2);
            let needs = if needed < i { format!("{{ service: s{needed} }}") } else { String::new() };
            let _ = write!(
                text,
                "    - name: s{i}\n      needs: [{needs}]\n      legacy: {{ endpoints: [{{ address: 10.0.{a}.{b}, port: 80 }}] }}\n      \
                 target: {{ endpoints: [{{ address: 10.1.{a}.{b}, port: 80 }}] }}\n      shift: {{ steps: [1, 2, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 100] }}\n      \
                 router: {{ webhook: {{ url: \"http://10.2.0.1/r/{i}\" }} }}\n      probes: [{{ name: up, send: {{ http: {{}} }} }}]\n"
            );
        }
        let begin = Instant::now();
        let findings = match read(&text) {
            Ok(checked) => checked.warnings,
            Err(refused) => refused.findings,
        };
        let takes = begin.elapsed();
        let ratio = last
            .replace(takes)
            .map_or_else(String::new, |last| format!(", {:.1} times the last", takes.as_secs_f64() / last.as_secs_f64()));
        println!("{count} services, {} bytes: {takes:?}{ratio}; {} findings", text.len(), findings.len());
    }
}
