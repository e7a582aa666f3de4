//! Rehearsals: the examples under drawn faults, the same bytes for the same seed, and what a report says.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use gapless::{
    engine::{Invariant, Outcome, Rules},
    plan::Revision,
    rehearse::{End, KINDS, Measured, Options, Rehearsal, RehearseReport, report::TraceReport, trace::By},
    world::budget::{Budget, Kind},
};

#[path = "../world/plans.rs"]
#[allow(dead_code)]
mod plans;

fn rehearsal(revision: &Revision) -> Rehearsal {
    Rehearsal::new(revision, Options::usual(), &Measured::default())
}

fn ends(rehearsal: &Rehearsal, runs: u64) -> Vec<End> {
    (1..=runs).map(|seed| rehearsal.run(seed)).collect()
}

fn report(rehearsal: &Rehearsal, runs: u64) -> RehearseReport {
    RehearseReport::new(rehearsal, 1, &ends(rehearsal, runs), 0.0)
}

/// `GAPLESS_REHEARSE=N`: N runs of every example, the large ones too.
#[test]
fn no_example_does_what_must_never_happen_and_every_run_comes_to_an_end() {
    for file in plans::examples() {
        let many = std::env::var("GAPLESS_REHEARSE").ok().and_then(|n| n.parse().ok());
        let runs = match (many, file.as_str()) {
            (Some(many), _) => many,
            (None, "registry-exit.yaml" | "peering-exchange.yaml") => continue, // a hundred services: minutes without optimisation
            (None, "spine-weekend.yaml") => 6,
            (None, _) => 40,
        };
        let rehearsal = rehearsal(&plans::example(&file));
        for end in ends(&rehearsal, runs) {
            assert_eq!(end.violations, Vec::<String>::new(), "{file}: seed {}", end.seed);
            assert!(!end.why.contains("no end within"), "{file}: seed {}: {}", end.seed, end.why);
            assert!(end.outcome == Outcome::Completed || !end.why.is_empty(), "{file}: seed {}: {end:?}", end.seed);
        }
    }
}

#[test]
fn without_faults_everything_completes_in_time() {
    let options = Options { budget: Budget::of(0, &[]), ..Options::usual() };
    let revision = plans::example("spine-weekend.yaml");
    let rehearsal = Rehearsal::new(&revision, options, &Measured::default());
    let report = report(&rehearsal, 3);
    assert_eq!((report.completed, report.fits_window.fits, report.rollback.of), (3, 3, 0), "{}", report.text());
}

#[test]
fn the_same_seed_gives_the_same_bytes_whatever_ran_before_it() {
    let rehearsal = rehearsal(&plans::five());
    let forwards = ends(&rehearsal, 60);
    let mut backwards: Vec<End> = (1..=60).rev().map(|seed| rehearsal.run(seed)).collect();
    backwards.reverse();
    assert_eq!(forwards, backwards);
    let bytes = |ends: &[End]| {
        let report = RehearseReport::new(&rehearsal, 1, ends, 0.0);
        serde_json::to_string(&report).unwrap() + &report.text()
    };
    assert_eq!(bytes(&forwards), bytes(&backwards));
    let again = Rehearsal::new(&plans::five(), Options::usual(), &Measured::default());
    assert_eq!(ends(&again, 60), forwards);
    assert!(forwards.windows(2).any(|pair| pair[0].over != pair[1].over), "seeds differ");
}

#[test]
fn a_told_run_is_the_run_and_tells_its_faults() {
    let rehearsal = rehearsal(&plans::five());
    let struck = ends(&rehearsal, 60).into_iter().find(|end| end.outcome == Outcome::RolledBack).expect("one goes back");
    let (end, lines) = rehearsal.trace(struck.seed);
    assert_eq!(end, struck);
    for fault in &struck.faults {
        assert!(lines.iter().any(|line| line.by == By::World && line.what == format!("{} ({})", fault.what, fault.kind)));
    }
    assert!(lines.iter().any(|line| line.by == By::Run && line.what.contains("goes back")));
    let told = TraceReport::new(&end, lines).text();
    assert!(told.ends_with(&format!("Seed {} ends RolledBack: {}\n", end.seed, told_why(&told))), "{told}");
}

fn told_why(told: &str) -> &str {
    told.trim_end().rsplit_once("RolledBack: ").unwrap().1
}

#[test]
fn every_kind_of_fault_strikes_and_only_those_that_may() {
    let plans = [plans::example("database-dns.yaml"), plans::five(), plans::kept()].map(|plan| rehearsal(&plan));
    let struck = plans.iter().flat_map(|plan| ends(plan, 120)).flat_map(|end| end.faults).map(|fault| fault.kind);
    let mut struck: Vec<Kind> = struck.collect();
    struck.sort_unstable();
    struck.dedup();
    assert_eq!(struck.len(), KINDS.len(), "{struck:?}");
    let options = Options { budget: Budget::of(3, &[]).with(Kind::Crash, 1), ..Options::usual() };
    let crashes = Rehearsal::new(&plans::two(), options, &Measured::default());
    for end in ends(&crashes, 30) {
        assert!(end.faults.len() <= 1 && end.faults.iter().all(|fault| fault.kind == Kind::Crash), "{end:?}");
        assert_eq!(end.outcome, Outcome::Completed, "a crash takes nothing back: {}", end.why);
    }
}

/// With a rule left out rehearsals find what it keeps: so they would find it if the rule had a hole.
#[test]
fn a_rule_left_out_shows_as_a_violation_with_its_seed() {
    for invariant in [Invariant::Order, Invariant::Fresh, Invariant::NoClobber, Invariant::OneOwner] {
        let rehearsal = rehearsal(&plans::five()).with_rules(Rules::without(invariant));
        let report = report(&rehearsal, 60);
        assert!(report.violations > 0, "{invariant}: {}", report.text());
        let worst = &report.worst[0];
        assert!(worst.why.contains(&format!("{invariant}: ")), "{invariant}: {worst:?}");
        assert!(!rehearsal.run(worst.seed).violations.is_empty(), "the seed makes it again");
    }
}

/// What `gapless rehearse` prints for three examples; `GAPLESS_BLESS=1` writes it anew.
#[test]
fn what_people_read_is_kept() {
    for (file, runs) in [("quickstart", 200), ("database-dns", 100), ("spine-weekend", 12)] {
        let told = report(&rehearsal(&plans::example(&format!("{file}.yaml"))), runs).text();
        let path = format!("{}/tests/rehearse/{file}.txt", env!("CARGO_MANIFEST_DIR"));
        if std::env::var_os("GAPLESS_BLESS").is_some() {
            std::fs::write(&path, &told).unwrap();
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap_or_default(), told, "{path}; to keep this: GAPLESS_BLESS=1");
    }
}
