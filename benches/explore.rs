//! How fast states are searched and runs are rehearsed, by the time of one processor: states and steps a second, decisions, what
//! the reductions leave out, and how much more two faults are than one.
//!
//! `cargo bench --bench explore` measures plans that take seconds; `-- FILE FAULTS` any plan of `plans/`, on all cores as well.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs, reason = "tests may")]

#[path = "../src/cli/threads.rs"]
mod threads;

use std::time::Instant;

use gapless::{
    explore::{
        Alone, Crew, Options,
        budget::{Budget, Kind},
        explore,
        piece::pieces,
    },
    plan::{self, Revision},
    rehearse::{self, Measured, Rehearsal},
};
use threads::Threads;

/// Nanoseconds on the processor so far: others on the machine do not count.
fn processor_time() -> u64 {
    let line = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    line.split_whitespace().next().and_then(|ns| ns.parse().ok()).unwrap_or(0)
}

fn example(file: &str) -> Revision {
    let text = std::fs::read_to_string(format!("{}/plans/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    plan::read(&text).unwrap_or_else(|refused| panic!("{:#?}", refused.findings)).revision
}

#[derive(Default, Clone, Copy)]
struct Sum {
    states: u64,
    steps: u64,
    decisions: u64,
    seconds: f64,
}

fn measure(revision: &Revision, options: &Options) -> Sum {
    let mut sum = Sum::default();
    let begun = processor_time();
    for piece in pieces(revision, options.around) {
        let report = explore(&piece, options, &Alone, &|_| {});
        assert!(report.counterexample.is_none(), "{}", report.counterexample.unwrap().text());
        sum.states += report.states;
        sum.steps += report.steps;
        sum.decisions += report.decisions;
    }
    sum.seconds = (processor_time() - begun) as f64 / 1e9;
    sum
}

fn row(name: &str, sum: Sum, ratio: &str) {
    let Sum { states, steps, decisions, seconds } = sum;
    let (states_a_second, steps_a_second) = (states as f64 / seconds, steps as f64 / seconds);
    println!(
        "{name:<34} {states:>10} {steps:>11} {decisions:>9} {seconds:>8.2} {states_a_second:>10.0} {steps_a_second:>11.0} {ratio}"
    );
}

fn searches() {
    println!(
        "{:<34} {:>10} {:>11} {:>9} {:>8} {:>10} {:>11} ratio",
        "one processor", "states", "steps", "decisions", "s", "states/s", "steps/s"
    );
    for file in ["quickstart.yaml", "three-services.yaml", "service-desk.yaml"] {
        let revision = example(file);
        let options = |faults| Options::new(None, Budget::of(faults, &Kind::ALL), u64::MAX);
        let one = measure(&revision, &options(1));
        row(&format!("{file}, one fault"), one, "");
        if file == "service-desk.yaml" {
            continue; // without reductions it has more states than 24 GB hold
        }
        let whole = measure(&revision, &options(1).unreduced());
        let ratio = format!("{:.2} times the states without reductions", whole.states as f64 / one.states as f64);
        row(&format!("{file}, unreduced"), whole, &ratio);
        if file == "quickstart.yaml" {
            let two = measure(&revision, &options(2));
            row(
                &format!("{file}, two faults"),
                two,
                &format!("{:.0} times the states of one", two.states as f64 / one.states as f64),
            );
        }
    }
}

fn rehearsals() {
    println!("\n{:<34} {:>10} {:>11} {:>9} {:>8} {:>10}", "one processor", "runs", "looks", "", "s", "runs/s");
    for (file, runs) in [("quickstart.yaml", 2_000), ("three-services.yaml", 500), ("spine-weekend.yaml", 100)] {
        let rehearsal = Rehearsal::new(&example(file), rehearse::Options::usual(), &Measured::default());
        let begun = processor_time();
        let looks: u64 = (1..=runs).map(|seed| u64::from(rehearsal.run(seed).looks)).sum();
        let seconds = (processor_time() - begun) as f64 / 1e9;
        println!("{file:<34} {runs:>10} {looks:>11} {:>9} {seconds:>8.2} {:>10.0}", "", runs as f64 / seconds);
    }
}

/// One plan on all cores, piece by piece.
fn plan_on_all_cores(file: &str, faults: u8) {
    let cores = Threads::new(None);
    let revision = example(file);
    let options = Options::new(None, Budget::of(faults, &Kind::ALL), u64::MAX);
    let all = Instant::now();
    for piece in pieces(&revision, options.around) {
        let begun = Instant::now();
        let report = explore(&piece, &options, &cores, &|_| {});
        let seconds = begun.elapsed().as_secs_f64();
        row(&piece.name, Sum { states: report.states, steps: report.steps, decisions: report.decisions, seconds }, "");
    }
    println!("{file}, {faults} faults, {} threads: {:.1} s", cores.size(), all.elapsed().as_secs_f64());
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    match args.as_slice() {
        [file, faults] => plan_on_all_cores(file, faults.parse().unwrap()),
        _ => {
            searches();
            rehearsals();
        }
    }
}
