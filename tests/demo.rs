//! The demo as a user runs it: the real program with real sockets; its JSON, its exit code, and what it leaves behind.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "the helpers of a test are test code")]

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use serde_json::Value;

/// One demo at a time: they measure, and each keeps a small machine busy.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Played {
    summary: Value,
    code: i32,
    seconds: f64,
}

fn gapless(scratch: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gapless"));
    command.args(args).env("TMPDIR", scratch).stdout(Stdio::piped());
    command
}

fn play(faults: &str) -> Played {
    let _alone = alone();
    let scratch = tempfile::tempdir().unwrap();
    let mut args = vec!["demo", "-o", "json"];
    if !faults.is_empty() {
        args.extend(["--fault", faults]);
    }
    let begin = Instant::now();
    let output = gapless(scratch.path(), &args).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let summary: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"));
    println!("{faults}: {summary:#}");
    let played = Played { summary, code: output.status.code().unwrap(), seconds: begin.elapsed().as_secs_f64() };
    played.is_whole();
    played
}

impl Played {
    /// What holds for every demo: the contract's schema, sums that agree, a journal that is there and verifies.
    fn is_whole(&self) {
        let s = &self.summary;
        let schema = Command::new(env!("CARGO_BIN_EXE_gapless")).args(["schema", "demo"]).output().unwrap();
        let schema: Value = serde_json::from_slice(&schema.stdout).unwrap();
        let flaws: Vec<_> = jsonschema::validator_for(&schema).unwrap().iter_errors(s).map(|e| e.to_string()).collect();
        assert!(flaws.is_empty(), "{flaws:?}");
        assert_eq!(s["outcome"], s["expected"], "{s:#}");
        assert_eq!(s["apart"]["lost"], 0, "no request is lost to the move: {s:#}");
        assert_eq!(self.code, 0);
        let services = s["services"].as_array().unwrap();
        let sum = |field: &str| services.iter().map(|row| row[field].as_u64().unwrap()).sum::<u64>();
        assert_eq!((sum("requests"), sum("failed")), (self.count("requests"), self.count("failed")));
        let names: Vec<_> = services.iter().map(|row| (row["name"].as_str().unwrap(), row["side"].as_str().unwrap())).collect();
        let expected = ["accounts", "orders", "letters"].map(|name| [(name, "legacy"), (name, "target")]).concat();
        assert_eq!(names, expected, "every request is known to have gone to a side");
        assert!(s["journalState"]["verified"]["lines"].as_u64().unwrap() > 0, "{s:#}");
        assert!(s["longestGap"].is_u64() && (s["detectionMs"].is_null() || s["detectionMs"].is_u64()));
    }
    fn count(&self, field: &str) -> u64 {
        self.summary[field].as_u64().unwrap()
    }
    fn failed(&self, name: &str, side: &str) -> u64 {
        let rows = self.summary["services"].as_array().unwrap();
        rows.iter().find(|row| row["name"] == name && row["side"] == side).unwrap()["failed"].as_u64().unwrap()
    }
    fn weights(&self, name: &str) -> Vec<u64> {
        let weights = self.summary["weights"][name].as_array().unwrap();
        weights.iter().map(|w| w["weight"].as_u64().unwrap()).collect()
    }
    /// When the traffic of this service was under this weight last.
    fn since(&self, name: &str, weight: u64) -> jiff::Timestamp {
        let weights = self.summary["weights"][name].as_array().unwrap();
        weights.iter().rev().find(|w| w["weight"] == weight).unwrap()["at"].as_str().unwrap().parse().unwrap()
    }
    fn why(&self) -> &str {
        self.summary["why"].as_str().unwrap()
    }
}

#[test]
fn without_faults_everything_moves_and_nothing_is_lost() {
    let played = play("");
    assert_eq!(played.summary["outcome"], "Completed");
    assert_eq!((played.count("failed"), played.count("longestGap")), (0, 0));
    assert!(played.count("requests") > 4000, "several thousand: {}", played.count("requests"));
    assert!(played.seconds < 30.0, "in under half a minute: {}", played.seconds);
    for service in ["accounts", "orders", "letters"] {
        assert_eq!(played.weights(service), [5, 25, 50, 100]);
    }
    assert!(played.since("accounts", 100) < played.since("orders", 5), "what orders needs goes first");
    assert!(played.since("orders", 100) < played.since("letters", 5), "phase core goes first");
    assert!(played.summary["detectionMs"].is_null());
}

fn goes_back(fault: &str) {
    let played = play(fault);
    assert_eq!(played.summary["outcome"], "RolledBack");
    assert_eq!(played.weights("orders"), [5, 25, 0]);
    assert_eq!(played.weights("accounts"), [5, 25, 50, 100, 0], "it goes back with orders");
    assert_eq!(played.weights("letters"), [] as [u64; 0]);
    assert!(played.since("orders", 0) < played.since("accounts", 0), "in reverse order");
    let by_fault = played.summary["apart"]["byFault"].as_u64().unwrap();
    assert_eq!(by_fault, played.failed("orders", "target"), "only the faulty side answered badly");
    assert!(by_fault > 0, "a quarter of the traffic met the fault until the gate had failed three times in a row");
    let detection = played.summary["detectionMs"].as_u64().unwrap();
    assert!(detection < 3000, "{detection}");
    assert!(played.why().contains("orders goes back: gate answers failed at 25 %"), "{}", played.why());
    assert!(played.why().contains("Back on legacy, in this order: orders, accounts."), "{}", played.why());
}

#[test]
fn a_target_that_answers_500_is_left_in_reverse_order() {
    goes_back("target-errors");
}
#[test]
fn a_target_that_dies_is_left_in_reverse_order() {
    goes_back("target-dies");
}
#[test]
fn a_target_that_is_too_slow_is_left_in_reverse_order() {
    goes_back("target-slow");
}

#[test]
fn a_legacy_side_that_dies_is_left_for_the_healthy_target_and_then_people_decide() {
    let played = play("legacy-dies");
    assert_eq!(played.summary["outcome"], "Held");
    assert_eq!(played.weights("orders"), [5, 25, 100]);
    assert_eq!(played.weights("accounts"), [5, 25, 50, 100], "its target is healthy, it stays there");
    assert_eq!(played.failed("orders", "target"), 0);
    assert!(played.failed("orders", "legacy") > 0);
    assert!(played.summary["detectionMs"].as_u64().unwrap() < 3000);
    assert!(played.why().contains("orders: all its traffic went to target at once"), "{}", played.why());
    assert!(played.why().contains("orders holds: there is no way back"), "{}", played.why());
}

#[test]
fn no_service_goes_back_to_a_dead_legacy_side() {
    let played = play("target-errors,legacy-dies");
    assert_eq!(played.summary["outcome"], "Held");
    assert!(!played.weights("orders").contains(&0), "{:?}", played.weights("orders"));
    assert!(played.why().contains("no-worse"), "{}", played.why());
}

#[test]
fn a_gate_without_an_answer_holds_after_its_limit() {
    let played = play("gate-unknown");
    assert_eq!(played.summary["outcome"], "Held");
    assert_eq!(played.count("failed"), 0, "nothing is wrong with either side");
    assert_eq!(played.weights("orders"), [5, 25], "neither forwards nor back");
    assert!(played.why().contains("gate monitor has had no answer for 2s"), "{}", played.why());
}

#[test]
fn a_runner_that_is_killed_goes_on_where_it_was() {
    let played = play("crash");
    assert_eq!(played.summary["outcome"], "Completed");
    assert_eq!((played.count("failed"), played.count("longestGap")), (0, 0));
    for service in ["accounts", "orders", "letters"] {
        assert_eq!(played.weights(service), [5, 25, 50, 100], "no weight twice, none left out");
    }
    let timeline = played.summary["timeline"].as_array().unwrap();
    assert!(timeline.iter().any(|m| m["text"].as_str().unwrap().contains("kill -9")));
}

#[test]
fn a_runner_that_is_killed_on_the_way_back_goes_on_back() {
    let played = play("target-slow,crash");
    assert_eq!(played.summary["outcome"], "RolledBack");
    assert_eq!(played.weights("orders").last(), Some(&0));
    assert!(played.since("orders", 0) < played.since("accounts", 0));
}

#[test]
fn an_unknown_fault_is_wrong_usage() {
    let scratch = tempfile::tempdir().unwrap();
    let output = gapless(scratch.path(), &["demo", "--fault", "meteor"]).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("meteor") && said.contains("target-errors"), "{said}");
}

/// The processes that this one has started and that still run.
fn children_of(parent: u32) -> Vec<PathBuf> {
    let is_child = |path: &PathBuf| {
        let stat = std::fs::read_to_string(path.join("stat")).unwrap_or_default();
        let after_name = stat.rsplit_once(')').map(|(_, rest)| rest.to_owned()).unwrap_or_default();
        after_name.split_whitespace().nth(1).and_then(|ppid| ppid.parse().ok()) == Some(parent)
    };
    let processes = std::fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path());
    processes.filter(is_child).collect()
}

fn wait(child: &mut Child, limit: Duration) -> Option<i32> {
    let begin = Instant::now();
    while begin.elapsed() < limit {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        std::thread::sleep(Duration::from_millis(10)); // there is no waiting with a limit in the standard library
    }
    None
}

#[test]
fn ctrl_c_leaves_nothing_behind() {
    let _alone = alone();
    let scratch = tempfile::tempdir().unwrap();
    let mut demo = gapless(scratch.path(), &["demo", "--events"]).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(demo.stdout.take().unwrap()).lines();
    let ordered = lines.find(|line| line.as_ref().unwrap().contains("\"ordered\"")).unwrap().unwrap();
    let event: Value = serde_json::from_str(&ordered).unwrap();
    assert_eq!(event["weight"], 5, "each line is one event");
    let runners = children_of(demo.id());
    assert_eq!(runners.len(), 1, "the runner");
    let pid = rustix::process::Pid::from_raw(demo.id().try_into().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert_eq!(wait(&mut demo, Duration::from_secs(5)), Some(1));
    assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0, "no file");
    await_end(&runners[0]);
}

fn await_end(process: &Path) {
    let limit = Instant::now() + Duration::from_secs(5);
    while process.exists() && Instant::now() < limit {
        std::thread::yield_now();
    }
    assert!(!process.exists(), "no process is left");
}

#[test]
fn a_demo_that_is_killed_takes_its_runner_along() {
    let _alone = alone();
    let scratch = tempfile::tempdir().unwrap();
    let mut demo = gapless(scratch.path(), &["demo", "--events"]).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(demo.stdout.take().unwrap()).lines();
    lines.find(|line| line.as_ref().unwrap().contains("\"ordered\"")).unwrap().unwrap();
    let runners = children_of(demo.id());
    demo.kill().unwrap();
    demo.wait().unwrap();
    await_end(&runners[0]);
}
