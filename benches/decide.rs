//! How long one look takes with nothing new, and how long the journal's line of an edge, in runs of up to 1,200 services.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs, reason = "tests may")]

use std::collections::{BTreeMap, BTreeSet};

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use gapless::{
    engine::{
        Accepted, Answer, Backend, Effective, GateSeen, Observed, Programmed, Record, Round, RouteSeen, RunId, Sample, SideSeen,
        SidesSeen, decide, judge, mark,
    },
    journal::{Scribe, changes::Changes},
    plan::{
        After, Check, EndpointSpec, Gate, HttpMethod, HttpSend, Load, OnFailure, Phase, Place, Plan, Probe, Revision,
        RollbackScope, Router, Service, ServiceName, SideModel, Soak, Span, Watch, Weight, Window, WindowName, WindowPurpose,
    },
};
use jiff::Timestamp;

fn service(index: usize) -> Service {
    let side = |net: u8| SideModel {
        per_endpoint: "200/s".parse().ok(),
        ..SideModel::at(Place::Endpoints(BTreeSet::from([EndpointSpec {
            address: format!("10.{net}.{}.{}", index / 250, index % 250),
            port: 80,
        }])))
    };
    let send = HttpSend {
        method: HttpMethod::Get,
        path: "/".into(),
        host: None,
        body: None,
        status: BTreeSet::from([200]),
        body_contains: None,
    };
    let span = Span::from_secs(1);
    let gate = Gate {
        every: span,
        timeout: span,
        check: Check::Probe("answers".parse().unwrap()),
        successes: 20,
        max_failures_per_mille: 0,
        failures: 3,
        unknown_limit: Span::from_secs(600),
        on_unknown: OnFailure::Hold,
        watch: Watch::Guard,
    };
    Service {
        load: Some(Load { peak: "100/s".parse().unwrap(), headroom_percent: 20 }),
        steps: [1, 5, 25, 50, 100].map(|w| Weight::new(w).unwrap()).to_vec(),
        bake: Span::from_secs(600),
        soak: Soak { length: Span::from_secs(86_400), guard_for: span, on_failure: OnFailure::Rollback },
        on_failure: OnFailure::Rollback,
        rollback_scope: RollbackScope::Dependents,
        probes: BTreeMap::from([("answers".parse().unwrap(), Probe { every: span, timeout: span, send })]),
        gates: BTreeMap::from([("answers".parse().unwrap(), gate)]),
        ..Service::plain(
            format!("p{}", index / 100).parse().unwrap(),
            side(1),
            side(2),
            Router::HttpRoute { name: format!("r{index}"), section_name: None },
        )
    }
}

/// Every service that may move bakes its first weight: all of them, or those of the first phase of a hundred while the others
/// wait for it.
#[derive(Clone, Copy, PartialEq)]
enum Moving {
    All,
    Hundred,
    /// The same hundred, in a window.
    HundredInWindow,
}

fn world(size: usize, moving: Moving) -> (Revision, Record, Observed, Timestamp) {
    let now: Timestamp = "2026-08-28T20:00:00Z".parse().unwrap();
    let names: Vec<ServiceName> = (0..size).map(|i| format!("s{i:05}").parse().unwrap()).collect();
    let services: BTreeMap<_, _> = names.iter().enumerate().map(|(i, n)| (n.clone(), service(i))).collect();
    let window = Window {
        purpose: WindowPurpose::Shift,
        opens: now,
        closes: now + jiff::Span::new().hours(48),
        reserve: Span::from_secs(3_600),
        overrun: OnFailure::Rollback,
    };
    let in_window = moving == Moving::HundredInWindow;
    let open: BTreeMap<WindowName, Window> = in_window.then(|| ("weekend".parse().unwrap(), window)).into_iter().collect();
    let phases = (0..=size / 100).map(|i| {
        let after =
            i.checked_sub(1).filter(|_| moving != Moving::All).map(|p| (format!("p{p}").parse().unwrap(), After::default()));
        (
            format!("p{i}").parse().unwrap(),
            Phase { after: after.into_iter().collect(), windows: open.keys().cloned().collect(), ..Phase::default() },
        )
    });
    let plan = Plan::of("bench".parse().unwrap(), "default".into(), phases.collect(), services);
    let revision = Revision::of(Plan { windows: open.clone(), ..plan });
    let mut record = Record::new(RunId("bench".into()), &revision, now);
    let mut seen = Observed::default();
    for round in 0..2 {
        for name in &names {
            let order = record.services[name].order;
            let weight = record.services[name].weight();
            let route = RouteSeen {
                version: "1".into(),
                owner: None,
                accepted: Accepted::Split(weight),
                mark: order.map(|o| mark(&record.run, name, o.number)),
                programmed: Programmed::Yes,
                effective: order.map(|_| Effective { weight, since: now }),
                legacy_active: None,
            };
            seen.routes.insert(name.clone(), Sample { value: Ok(route), taken_at: now });
            let side = Sample {
                value: Ok(SideSeen { endpoints: 1, healthy: 1, dead_rounds: 0, backend: Backend::Present }),
                taken_at: now,
            };
            seen.sides.insert(name.clone(), SidesSeen { legacy: Some(side.clone()), target: Some(side) });
            let rounds = vec![Round { sent_at: now, done_at: now, answer: Answer::Good }; 20];
            seen.gates.insert(
                name.clone(),
                BTreeMap::from([("answers".parse().unwrap(), GateSeen { watched_since: Some(now), rounds })]),
            );
        }
        if round == 0 {
            record = decide(&revision, &record, &seen, now).record;
        }
    }
    (revision, record, seen, now)
}

fn bench(c: &mut Criterion) {
    let mut group = c.benchmark_group("one look without news");
    for (moving, told) in [
        (Moving::Hundred, "a hundred in motion"),
        (Moving::HundredInWindow, "a hundred in motion in a window"),
        (Moving::All, "all in motion"),
    ] {
        for size in [12, 120, 1_200, 12_000] {
            let (revision, record, seen, now) = world(size, moving);
            assert_eq!(decide(&revision, &record, &seen, now).record, record, "nothing is new");
            let name = |what: &str| BenchmarkId::new(format!("{what}, {told}"), size);
            group.bench_with_input(name("decide"), &size, |b, _| b.iter(|| decide(&revision, &record, &seen, now)));
            group.bench_with_input(name("judge"), &size, |b, _| b.iter(|| judge(&revision, &record, &seen, now)));
        }
    }
    group.finish();
}

/// One service fails at its first weight and goes back: the line of that, written after others.
fn lines(c: &mut Criterion) {
    let mut group = c.benchmark_group("the line of an edge");
    for size in [3, 120, 1200] {
        let (revision, record, mut seen, now) = world(size, Moving::Hundred);
        let bad = Round { sent_at: now, done_at: now, answer: Answer::Bad("status 500".into()) };
        let first = seen.gates.values_mut().next().and_then(|gates| gates.values_mut().next());
        first.into_iter().for_each(|gate| gate.rounds = vec![bad.clone(); 3]);
        let decision = judge(&revision, &record, &seen, now);
        assert_eq!(Changes::between(&record, &decision.record).services.len(), 1, "one goes back");
        let mut scribe = Scribe::default();
        let first = scribe.line(&revision, &record, &decision, &seen, now);
        assert!(first.begins.is_some());
        let mut before = decision.record.clone();
        before.journal = first.head.clone();
        // Another one goes back after it: that is the line which is measured.
        let second = seen.gates.values_mut().nth(1).and_then(|gates| gates.values_mut().next());
        second.into_iter().for_each(|gate| gate.rounds = vec![bad.clone(); 3]);
        let decision = judge(&revision, &before, &seen, now);
        let line = scribe.line(&revision, &before, &decision, &seen, now);
        assert!(line.begins.is_none(), "it is told in few words");
        println!("{size} services: the first line has {} bytes, the next {}", first.text().len(), line.text().len());
        group.bench_function(BenchmarkId::new("line and text", size), |b| {
            b.iter(|| scribe.line(&revision, &before, &decision, &seen, now).text())
        });
        group.bench_function(BenchmarkId::new("the first line and its text", size), |b| {
            b.iter(|| Scribe::default().line(&revision, &before, &decision, &seen, now).text())
        });
        group.bench_function(BenchmarkId::new("the decision", size), |b| b.iter(|| judge(&revision, &before, &seen, now)));
    }
    group.finish();
}

criterion_group!(benches, bench, lines);
criterion_main!(benches);
