//! Millions of inputs for the plan layer: bytes, structured documents, and the schedule of what was accepted.
//!
//! A bounded number runs with the other tests; `GAPLESS_FUZZ=N` makes it N of each kind, and `GAPLESS_FUZZ_SEED` begins
//! elsewhere. On stable, in one process, without a tool to install:
//! `GAPLESS_FUZZ=10000000 cargo test --release --no-default-features --test fuzz -- --nocapture`.
//! An input that panics is printed whole, with the seed that makes it again; it becomes a test before it is mended.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod maker;
mod random;
#[path = "../../src/cli/threads.rs"]
mod threads;
mod torn;

use std::{
    collections::BTreeMap,
    path::Path,
    time::{Duration, Instant},
};

use gapless::plan::{
    Checked, Code, Finding, Plan, Refused, read, read_all, read_all_by,
    schedule::{Calendar, Expected, Purpose, forecast, undo_time},
    schema,
};
use serde_json::Value;

use crate::{
    maker::{Maker, reversed, structured},
    random::Random,
    threads::Threads,
    torn::torn,
};

/// One input may take so long. Generous: the machine does other things too.
const LONGEST: Duration = Duration::from_secs(20);

fn count(few: u64) -> u64 {
    std::env::var("GAPLESS_FUZZ").ok().map_or(few, |n| n.parse().expect("GAPLESS_FUZZ is a number"))
}

fn first_seed() -> u64 {
    std::env::var("GAPLESS_FUZZ_SEED").ok().map_or(1, |n| n.parse().expect("GAPLESS_FUZZ_SEED is a number"))
}

/// How often each code was found.
type Reached = BTreeMap<Code, u64>;

/// Runs `one` for each seed; tells where it is, what came of the inputs, which took longest and which codes were never found.
fn fuzz(name: &str, few: u64, mut input: impl FnMut(&mut Random) -> Vec<u8>, one: impl Fn(&[u8], &mut Reached) -> &'static str) {
    let (count, first, started) = (count(few), first_seed(), Instant::now());
    let mut longest = (Duration::ZERO, 0);
    let mut came: BTreeMap<&str, u64> = BTreeMap::new();
    let mut reached = Reached::new();
    let mut bytes = 0;
    for seed in first..first + count {
        let input = input(&mut Random(seed.wrapping_mul(0xd134_2543_de82_ef95)));
        bytes += input.len();
        let begun = Instant::now();
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| one(&input, &mut reached)));
        let took = begun.elapsed();
        match outcome {
            Ok(outcome) => *came.entry(outcome).or_default() += 1,
            Err(_) => panic!("{name}: seed {seed} fails on this input:\n{:?}\n{}", input, String::from_utf8_lossy(&input)),
        }
        assert!(took < LONGEST, "{name}: seed {seed} takes {took:?}:\n{}", String::from_utf8_lossy(&input));
        longest = longest.max((took, seed));
        if seed.is_multiple_of(1_000_000) {
            println!("{name}: {} of {count} in {:?}: {came:?}", seed - first + 1, started.elapsed());
        }
    }
    let (took, seed) = longest;
    println!("{name}: {count} inputs, {bytes} bytes, {:?}: {came:?}; the longest took {took:?} (seed {seed})", started.elapsed());
    let never: Vec<&str> = Code::ALL.iter().filter(|code| !reached.contains_key(code)).map(|code| code.name()).collect();
    println!("{name}: {} of {} codes were found; never: {never:?}", reached.len(), Code::ALL.len());
}

/// Every plan that the project has, good and wrong.
fn corpus() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all: Vec<String> = Code::ALL.iter().flat_map(|code| [code.wrong().to_owned(), code.right().to_owned()]).collect();
    for folder in ["plans", "tests/findings", "tests/language"] {
        let mut files: Vec<_> = std::fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        for file in files.iter().filter(|file| file.extension().is_some_and(|ext| ext == "yaml" || ext == "json")) {
            let text = std::fs::read(file).unwrap();
            if text.len() < 20_000 {
                all.push(String::from_utf8_lossy(&text).into_owned());
            }
        }
    }
    all
}

fn findings(result: &Result<Checked, Refused>) -> &[Finding] {
    match result {
        Ok(checked) => &checked.warnings,
        Err(refused) => &refused.findings,
    }
}

/// What holds of the answer to any bytes at all.
fn answered(bytes: &[u8], reached: &mut Reached) -> &'static str {
    let contents = read_all(bytes);
    assert!(!contents.plans.is_empty(), "no answer");
    let lines = bytes.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count() + 2 + bytes.len() / 2;
    for plan in &contents.plans {
        let found = findings(&plan.result);
        assert_eq!(plan.result.is_err(), found.iter().any(Finding::is_error), "refused if and only if there is an error");
        for finding in found {
            *reached.entry(finding.code).or_default() += 1;
            assert!(!finding.message.is_empty() && !finding.help.is_empty() && finding.message.len() < 4_000, "{finding}");
            assert!(finding.line.is_none_or(|line| line >= 1 && line as usize <= lines), "{finding:?}");
            assert!(finding.column.is_none_or(|column| column >= 1), "{finding:?}");
        }
    }
    match contents.plans.as_slice() {
        [one] if one.result.is_ok() => "good",
        [one] => match findings(&one.result).iter().all(|finding| finding.code == Code::Syntax) {
            true => "unreadable",
            false => "refused",
        },
        _ => "several",
    }
}

#[test]
fn any_bytes_are_answered() {
    let corpus = corpus();
    let twice = |bytes: &[u8], reached: &mut Reached| {
        if bytes.len().is_multiple_of(61) {
            assert_eq!(
                read_all(bytes),
                read_all_by(&Threads::new(Some(2)), bytes),
                "the same text has the same answer, whoever reads it"
            );
        }
        answered(bytes, reached)
    };
    fuzz("bytes", 2_000, |random| torn(random, &corpus), twice);
}

#[test]
fn any_document_is_answered_and_the_order_of_its_fields_does_not_matter() {
    let schema = schema::plan_file();
    let judge = |bytes: &[u8], reached: &mut Reached| {
        let outcome = answered(bytes, reached);
        if outcome == "good" || bytes.len().is_multiple_of(16) {
            let value: Value = serde_json::from_slice(bytes).unwrap();
            match (read(bytes), read(reversed(&value).to_string())) {
                (Ok(one), Ok(other)) => assert_eq!(one.revision.digest(), other.revision.digest()),
                (one, other) => assert_eq!(one.is_ok(), other.is_ok(), "accepted in one order only"),
            }
        }
        outcome
    };
    fuzz("documents", 300, |random| structured(random, &schema), judge);
}

/// Asks every question of the schedule about a plan.
fn scheduled(plan: &Plan) {
    let expected = Expected::of(plan);
    let calendar = Calendar::of(plan);
    for start in ["1970-01-01T00:00:00Z", "2026-08-28T20:00:00Z", "2026-10-25T00:30:00Z", "9999-12-30T22:00:00Z"] {
        let start = start.parse().unwrap();
        let forecast = forecast(&expected, start);
        assert!(forecast.services.len() <= plan.services.len(), "no service has two forecasts");
        if let Some(last) = forecast.last() {
            assert!(!forecast.critical_path(last).is_empty());
        }
        assert!(forecast.completed().is_none_or(|end| end >= start), "nothing ends before it begins");
        for phase in plan.phases.keys() {
            let purpose = Purpose::Shift(phase);
            let (takes, undo) = (gapless::plan::Span::from_secs(60), gapless::plan::Span::from_secs(30));
            if let Some(at) = calendar.next_start(purpose, takes, undo, start) {
                assert!(at >= start, "the next start is not in the past");
            }
            let _ = calendar.next_opening(purpose, start);
        }
    }
    let _ = undo_time(&expected, plan.services.keys());
}

#[test]
fn the_schedule_of_any_accepted_plan_is_answered() {
    let (schema, corpus) = (schema::plan_file(), corpus());
    let good: Vec<Value> =
        corpus.iter().filter(|text| read(text).is_ok()).map(|text| serde_yaml::from_str(text).unwrap()).collect();
    assert!(good.len() > 20, "the corpus has good plans");
    // A good plan with one part made anew is mostly still a good plan.
    let input = |random: &mut Random| {
        let mut document = random.pick(&good).clone();
        for _ in 0..=random.below(3) {
            let fields: Vec<String> = schema["properties"]["spec"]["properties"].as_object().unwrap().keys().cloned().collect();
            let (field, other) = (random.pick(&fields).clone(), random.pick(&good).clone());
            match random.below(3) {
                0 => {
                    let wanted = &schema["properties"]["spec"]["properties"][&field];
                    document["spec"][&field] = Maker { random, wrong: 1_000_000, rare: 1 }.value(wanted, &field, 2);
                }
                1 if other["spec"][&field] != Value::Null => document["spec"][&field] = other["spec"][&field].clone(),
                _ => {
                    let service = &schema["properties"]["spec"]["properties"]["services"]["items"]["properties"];
                    let fields: Vec<String> = service.as_object().unwrap().keys().cloned().collect();
                    let field = random.pick(&fields).clone();
                    let made = Maker { random, wrong: 1_000_000, rare: 1 }.value(&service[&field], &field, 4);
                    let at = random.below(document["spec"]["services"].as_array().map_or(0, Vec::len));
                    if field != "name" && document["spec"]["services"][at].is_object() {
                        document["spec"]["services"][at][&field] = made;
                    }
                }
            }
        }
        document.to_string().into_bytes()
    };
    let judge = |bytes: &[u8], reached: &mut Reached| match read(bytes) {
        Ok(checked) => {
            checked.warnings.iter().for_each(|finding| *reached.entry(finding.code).or_default() += 1);
            scheduled(checked.revision.plan());
            let other = reversed(&serde_json::from_slice(bytes).unwrap());
            let other = read(other.to_string()).expect("the same plan is accepted in another order");
            assert_eq!(checked.revision.digest(), other.revision.digest(), "the order of fields changes no digest");
            "scheduled"
        }
        Err(refused) => {
            refused.findings.iter().for_each(|finding| *reached.entry(finding.code).or_default() += 1);
            "refused"
        }
    };
    fuzz("schedules", 500, input, judge);
}
