//! The order of a document decides nothing: neither that of fields nor that of lists whose elements have names.

use gapless::{
    engine::{Record, RunId, decide, queries},
    plan::{Revision, read},
};
use proptest::prelude::*;
use serde_json::{Map, Value};

use crate::sim::Sim;

/// Plans with every word of the language.
const PLANS: [&str; 8] = [
    "tests/language/all.yaml",
    "tests/language/database.yaml",
    "tests/language/weekend.yaml",
    "plans/peering-exchange.yaml",
    "plans/service-desk.yaml",
    "plans/sock-shop.yaml",
    "plans/spine-weekend.yaml",
    "plans/three-services.yaml",
];

/// Lists that are sets of names or addresses. In others the order is what is meant: weights on the way and back.
const SETS: [&str; 12] =
    ["windows", "services", "phases", "users", "groups", "deputies", "hosts", "cron", "status", "endpoints", "allOf", "joins"];

/// Numbers that look drawn, and are the same for the same seed (a step of SplitMix64, Steele et al. 2014).
struct Draws(u64);
impl Draws {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        usize::try_from((mixed ^ (mixed >> 27)) % bound as u64).unwrap()
    }
    fn shuffle<T>(&mut self, items: &mut [T]) {
        (1..items.len()).rev().for_each(|last| items.swap(last, self.below(last + 1)));
    }
}

/// The same document in another order.
fn permuted(value: Value, key: &str, draws: &mut Draws) -> Value {
    match value {
        Value::Object(map) => {
            let mut fields: Vec<(String, Value)> = map.into_iter().collect();
            draws.shuffle(&mut fields);
            let within = |(key, value): (String, Value)| (key.clone(), permuted(value, &key, draws));
            Value::Object(fields.into_iter().map(within).collect::<Map<_, _>>())
        }
        Value::Array(items) => {
            let mut items: Vec<Value> = items.into_iter().map(|item| permuted(item, "", draws)).collect();
            let named = items.iter().all(|item| item.get("name").is_some());
            if named || SETS.contains(&key) {
                draws.shuffle(&mut items);
            }
            Value::Array(items)
        }
        other => other,
    }
}

/// A service that names no phase is in the first one of the list: said in words, the order of phases means nothing.
fn with_phases(mut document: Value) -> Value {
    let first = document.pointer("/spec/phases/0/name").cloned();
    let services = document.pointer_mut("/spec/services").and_then(Value::as_array_mut).into_iter().flatten();
    if let Some(first) = first {
        services.for_each(|service| {
            service.as_object_mut().unwrap().entry("phase").or_insert(first.clone());
        });
    }
    document
}

fn revision(document: &Value) -> Revision {
    read(document.to_string()).unwrap_or_else(|refused| panic!("{:#?}", refused.findings)).revision
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_permuted_document_decides_the_same(file in 0..PLANS.len(), seed: u64, ticks in 0usize..80) {
        let text = std::fs::read_to_string(format!("{}/{}", env!("CARGO_MANIFEST_DIR"), PLANS[file])).unwrap();
        let document = with_phases(serde_yaml::from_str(&text).unwrap());
        let other = permuted(document.clone(), "", &mut Draws(seed));
        let (one, other) = (revision(&document), revision(&other));
        prop_assert_eq!(one.digest(), other.digest());
        let mut sim = Sim::new(one);
        (0..ticks).for_each(|_| drop(sim.tick()));
        let seen = sim.observed();
        prop_assert_eq!(queries(&sim.revision, &sim.record), queries(&other, &sim.record));
        let decided = decide(&sim.revision, &sim.record, &seen, sim.now);
        prop_assert_eq!(decided, decide(&other, &sim.record, &seen, sim.now));
        let begins = |revision: &Revision| Record::new(RunId("run".into()), revision, sim.now);
        prop_assert_eq!(begins(&sim.revision), begins(&other));
    }
}
