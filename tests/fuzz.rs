//! Millions of inputs for the plan layer: bytes, structured documents, and the schedule of what was accepted.
//!
//! A bounded number runs with the other tests; `GAPLESS_FUZZ=N` makes it N of each kind, and `GAPLESS_FUZZ_SEED` begins
//! elsewhere. On stable, in one process, without a tool to install:
//! `GAPLESS_FUZZ=10000000 cargo test --release --no-default-features --test fuzz -- --nocapture`.
//! An input that panics is printed whole, with the seed that makes it again; it becomes a test before it is mended.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use std::{
    collections::BTreeMap,
    path::Path,
    time::{Duration, Instant},
};

use gapless::plan::{
    Checked, Code, Finding, Plan, Refused, read, read_all,
    schedule::{Calendar, Expected, Purpose, forecast, undo_time},
    schema,
};
use serde_json::{Map, Value};

/// One input may take so long. Generous: the machine does other things too.
const LONGEST: Duration = Duration::from_secs(20);

/// SplitMix64 (Steele, Lea and Flood 2014): small, fast, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound.max(1) as u64).unwrap()
    }
    fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }
    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

fn count(few: u64) -> u64 {
    std::env::var("GAPLESS_FUZZ").ok().map_or(few, |n| n.parse().expect("GAPLESS_FUZZ is a number"))
}

fn first_seed() -> u64 {
    std::env::var("GAPLESS_FUZZ_SEED").ok().map_or(1, |n| n.parse().expect("GAPLESS_FUZZ_SEED is a number"))
}

/// Runs `one` for each seed; tells where it is, what came of the inputs, and which took longest.
fn fuzz(name: &str, few: u64, mut input: impl FnMut(&mut Random) -> Vec<u8>, one: impl Fn(&[u8]) -> &'static str) {
    let (count, first, started) = (count(few), first_seed(), Instant::now());
    let mut longest = (Duration::ZERO, 0);
    let mut came: BTreeMap<&str, u64> = BTreeMap::new();
    let mut bytes = 0;
    for seed in first..first + count {
        let input = input(&mut Random(seed.wrapping_mul(0xd134_2543_de82_ef95)));
        bytes += input.len();
        let begun = Instant::now();
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| one(&input)));
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

/// What is nearly YAML, nearly a plan, or a trap.
const WORDS: &[&str] = &[
    "---\n",
    "...\n",
    "? ",
    ": ",
    "- ",
    "[",
    "]",
    "{",
    "}",
    ",",
    "&a ",
    "*a",
    "<<: *a",
    "!t ",
    "!!str ",
    "|\n",
    ">-\n",
    "#",
    "\"",
    "'",
    "\t",
    "\r\n",
    "\u{feff}",
    "\u{85}",
    "\u{2028}",
    "\0",
    "é",
    "💥",
    "%YAML 1.1\n",
    "~",
    "null",
    "on",
    "yes",
    "0443",
    "0x1F",
    "1_000",
    "12:30:45",
    ".5",
    ".nan",
    "1e999",
    "-0",
    "18446744073709551616",
    "9223372036854775808",
    "0s",
    "9999999d",
    "1ms",
    "100",
    "0",
    "-1",
    "101",
    "65536",
    "450/s",
    "0/s",
    "2026-10-25T01:30",
    "2027-03-28T01:30",
    "9999-12-31T23:59",
    "0000-00-00T00:00",
    "Europe/London",
    "$(service)",
    "$(side)",
    "$(",
    "kind: List\nitems:\n",
    "kind: MigrationPlan\n",
    "apiVersion: v1\n",
    "spec:\n",
    "services:\n",
    "needs:",
    "phases:",
    "groups:",
    "windows:",
    "freezes:",
    "defaults:",
    "disabled: true",
    "mode: Across",
    "every: 1s",
    "steps: [1, 100]",
    "http://[::1]:80/",
    "http://a:b@c/",
    "9434765919",
    "::1",
    "0.0.0.0",
    "255.255.255.255",
    "fe80::1%1",
];

/// Some text of the corpus, torn: bytes, words, lines and stretches changed, taken out, doubled and mixed with another text.
fn torn(random: &mut Random, corpus: &[String]) -> Vec<u8> {
    if random.one_in(20) {
        return (0..random.below(300)).map(|_| random.next().to_le_bytes()[0]).collect();
    }
    let mut bytes = random.pick(corpus).clone().into_bytes();
    let rounds = if random.one_in(2) { 1 } else { 1 + random.below(6) };
    for _ in 0..rounds {
        let at = random.below(bytes.len() + 1);
        let to = (at + random.below(24)).min(bytes.len());
        match random.below(9) {
            0 if at < bytes.len() => bytes[at] = random.next().to_le_bytes()[0],
            1 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            2 => drop(bytes.drain(at..to)),
            3 => {
                let word = random.pick(WORDS).bytes();
                drop(bytes.splice(at..at, word));
            }
            4 => {
                let word = random.pick(WORDS).bytes();
                drop(bytes.splice(at..to, word));
            }
            5 => {
                let other = random.pick(corpus).as_bytes();
                let from = random.below(other.len() + 1);
                let until = (from + random.below(200)).min(other.len());
                drop(bytes.splice(at..at, other[from..until].iter().copied()));
            }
            6 => {
                let mut lines: Vec<Vec<u8>> = bytes.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
                let (a, b) = (random.below(lines.len()), random.below(lines.len()));
                match random.below(4) {
                    0 => lines.swap(a, b),
                    1 => drop(lines.remove(a)),
                    2 => lines.insert(a, lines[b].clone()),
                    _ => lines[a].splice(0..0, b"  ".iter().copied()).for_each(drop),
                }
                bytes = lines.join(&b'\n');
            }
            7 => bytes.truncate(at),
            _ => {
                let stretch = bytes[at..to].to_vec();
                for _ in 0..random.below(20) {
                    drop(bytes.splice(at..at, stretch.iter().copied()));
                }
            }
        }
    }
    bytes
}

fn findings(result: &Result<Checked, Refused>) -> &[Finding] {
    match result {
        Ok(checked) => &checked.warnings,
        Err(refused) => &refused.findings,
    }
}

/// What holds of the answer to any bytes at all.
fn answered(bytes: &[u8]) -> &'static str {
    let contents = read_all(bytes);
    assert!(!contents.plans.is_empty(), "no answer");
    let lines = bytes.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count() + 2 + bytes.len() / 2;
    for plan in &contents.plans {
        let found = findings(&plan.result);
        assert_eq!(plan.result.is_err(), found.iter().any(Finding::is_error), "refused if and only if there is an error");
        for finding in found {
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
    let twice = |bytes: &[u8]| {
        if bytes.len().is_multiple_of(61) {
            assert_eq!(read_all(bytes), read_all(bytes), "the same text has the same answer");
        }
        answered(bytes)
    };
    fuzz("bytes", 2_000, |random| torn(random, &corpus), twice);
}

// --- structured: what the schema says, mostly kept

/// Makes values of a schema: mostly right, so that the checks behind the schema are met as well.
struct Maker<'a> {
    random: &'a mut Random,
    /// One value in so many is wrong.
    wrong: usize,
}

const NAMES: &[&str] = &["a", "b", "c", "d"];

impl Maker<'_> {
    fn value(&mut self, schema: &Value, field: &str, depth: usize) -> Value {
        if self.random.one_in(self.wrong) {
            return self.wrong_value();
        }
        if let Some(words) = schema.get("enum").and_then(Value::as_array) {
            return self.random.pick(words).clone();
        }
        match schema.get("type").and_then(Value::as_str) {
            Some("object") => self.object(schema, depth),
            Some("array") => self.array(schema, field, depth),
            Some("integer") => self.integer(schema),
            Some("number") => (*self.random.pick(&[0.0, 0.1, 0.5, 0.9, 1.0, 100.0, -1.0])).into(),
            Some("boolean") => self.random.one_in(2).into(),
            _ => self.text(schema, field),
        }
    }

    fn object(&mut self, schema: &Value, depth: usize) -> Value {
        let none = Map::new();
        let fields = schema.get("properties").and_then(Value::as_object).unwrap_or(&none);
        let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let union = schema.get("maxProperties").and_then(Value::as_u64) == Some(1);
        let mut made = Map::new();
        if union {
            let all: Vec<&String> = fields.keys().collect();
            if !all.is_empty() {
                let name = *self.random.pick(&all);
                made.insert(name.clone(), self.value(&fields[name.as_str()], name, depth + 1));
            }
            return Value::Object(made);
        }
        for (name, schema) in fields {
            let wanted = required.contains(&name.as_str()) && !self.random.one_in(self.wrong * 4);
            // Deeper is rarer, or a plan would be nothing but its rarest corners.
            if wanted || self.random.one_in(2 + depth / 2) {
                made.insert(name.clone(), self.value(schema, name, depth + 1));
            }
        }
        Value::Object(made)
    }

    fn array(&mut self, schema: &Value, field: &str, depth: usize) -> Value {
        let least = usize::try_from(schema["minItems"].as_u64().unwrap_or(0)).unwrap();
        let many = least + self.random.below(if depth < 4 { 4 } else { 2 });
        let items = &schema["items"];
        let mut all: Vec<Value> = (0..many).map(|_| self.value(items, field, depth + 1)).collect();
        if all.iter().all(Value::is_number) {
            all.sort_by_key(Value::as_u64); // weights rise
            all.dedup();
            if field == "steps" {
                all.push(100.into());
            }
        }
        for (index, item) in all.iter_mut().enumerate() {
            // Names stand once, most of the time.
            if let Some(name) = item.get_mut("name").filter(|name| name.is_string() && index < NAMES.len()) {
                *name = NAMES[index].into();
            }
        }
        all.into()
    }

    fn integer(&mut self, schema: &Value) -> Value {
        let (least, most) = (schema["minimum"].as_u64().unwrap_or(0), schema["maximum"].as_u64().unwrap_or(1 << 40));
        match self.random.below(4) {
            0 => least.into(),
            1 => most.into(),
            _ => (least + self.random.next() % (most - least).min(50).saturating_add(1)).into(),
        }
    }

    fn text(&mut self, schema: &Value, field: &str) -> Value {
        let pattern = schema.get("pattern").and_then(Value::as_str).unwrap_or_default();
        let moments = [
            "2026-08-28T20:00",
            "2026-08-31T23:00",
            "2026-10-25T01:30",
            "2027-03-28T01:30",
            "2026-12-18T17:00",
            "2026-08-29T12:00",
        ];
        let words: &[&str] = match field {
            "apiVersion" => &["gapless.dev/v1alpha1"],
            "kind" => &["MigrationPlan"],
            "opens" | "closes" | "from" | "until" | "deadline" => &moments,
            "timeZone" => &["Europe/London", "UTC", "America/St_Johns", "Pacific/Apia"],
            "address" => &["10.0.0.1", "10.0.0.2", "10.0.0.3", "::1", "10.0.0.4"],
            "url" => &["http://10.0.0.9/a", "http://10.0.0.9/b", "http://10.0.0.9:80/c?x=1"],
            "peak" | "perEndpoint" => &["1/s", "450/s", "100000000/s"],
            "path" => &["/", "/health"],
            _ if pattern.contains("ms|s|m|h|d") => &["1s", "10m", "2h", "1d", "45d", "500ms", "3000d", "0s"],
            _ if pattern.contains("/s") => &["1/s", "450/s"],
            _ => NAMES,
        };
        (*self.random.pick(words)).into()
    }

    fn wrong_value(&mut self) -> Value {
        match self.random.below(8) {
            0 => Value::Null,
            1 => Value::Bool(true),
            2 => (-1).into(),
            3 => u64::MAX.into(),
            4 => Value::Array(vec![Value::Null]),
            5 => Value::Object(Map::from_iter([("name".to_owned(), "a".into())])),
            6 => "x".repeat(self.random.below(300)).into(),
            _ => (*self.random.pick(WORDS)).into(),
        }
    }
}

fn structured(random: &mut Random, schema: &Value) -> Vec<u8> {
    let wrong = *random.pick(&[20, 100, 1_000, 1_000_000]);
    let mut document = Maker { random, wrong }.value(schema, "", 0);
    if let Some(document) = document.as_object_mut() {
        document.entry("metadata").or_insert_with(|| serde_json::json!({ "name": "a" }));
    }
    document.to_string().into_bytes()
}

/// The same document with every object's fields the other way round.
fn reversed(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            Value::Object(fields.iter().rev().map(|(name, value)| (name.clone(), reversed(value))).collect())
        }
        Value::Array(items) => items.iter().map(reversed).collect(),
        other => other.clone(),
    }
}

#[test]
fn any_document_is_answered_and_the_order_of_its_fields_does_not_matter() {
    let schema = schema::plan_file();
    let judge = |bytes: &[u8]| {
        let outcome = answered(bytes);
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

// --- the schedule of what was accepted

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
                    document["spec"][&field] = Maker { random, wrong: 1_000_000 }.value(wanted, &field, 2);
                }
                1 if other["spec"][&field] != Value::Null => document["spec"][&field] = other["spec"][&field].clone(),
                _ => {
                    let service = &schema["properties"]["spec"]["properties"]["services"]["items"]["properties"];
                    let fields: Vec<String> = service.as_object().unwrap().keys().cloned().collect();
                    let field = random.pick(&fields).clone();
                    let made = Maker { random, wrong: 1_000_000 }.value(&service[&field], &field, 4);
                    let at = random.below(document["spec"]["services"].as_array().map_or(0, Vec::len));
                    if field != "name" && document["spec"]["services"][at].is_object() {
                        document["spec"]["services"][at][&field] = made;
                    }
                }
            }
        }
        document.to_string().into_bytes()
    };
    let judge = |bytes: &[u8]| match read(bytes) {
        Ok(checked) => {
            scheduled(checked.revision.plan());
            let other = reversed(&serde_json::from_slice(bytes).unwrap());
            let other = read(other.to_string()).expect("the same plan is accepted in another order");
            assert_eq!(checked.revision.digest(), other.revision.digest(), "the order of fields changes no digest");
            "scheduled"
        }
        Err(_) => "refused",
    };
    fuzz("schedules", 500, input, judge);
}
