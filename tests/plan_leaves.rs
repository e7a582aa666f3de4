//! No field of the plan language is without effect: each leaf of the JSON schema is set in a plan and changed; whatever is
//! accepted has another digest.
//!
//! The schema itself says which leaves there are, so a field that somebody adds is tested without anybody's doing; if it
//! cannot be set, the test fails and wants to know how.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use std::collections::BTreeMap;

use gapless::plan::{read, schema, spec::Document};
use serde_json::{Map, Value, json};

/// Every leaf of a schema, as a path with `*` for elements of lists.
fn leaves(schema: &Value, path: &mut Vec<String>, out: &mut Vec<Vec<String>>) {
    let fields = schema.get("properties").and_then(Value::as_object);
    match (fields, schema.get("items"), schema.get("additionalProperties").filter(|more| more.is_object())) {
        (Some(fields), ..) => {
            for (name, inner) in fields {
                path.push(name.clone());
                leaves(inner, path, out);
                path.pop();
            }
        }
        (_, Some(items), _) => {
            path.push("*".into());
            leaves(items, path, out);
            path.pop();
        }
        (_, _, Some(_)) => {} // labels and annotations, which change nothing by design
        _ => out.push(path.clone()),
    }
}

/// Fields without which an object is not whole, though its schema lets the plan's defaults give them.
const WHOLE: [&str; 9] = ["check", "send", "at", "do", "undo", "peak", "percent", "allOf", "max"];

/// The smallest good value of a schema at a place.
fn sample(schema: &Value, place: &[String]) -> Value {
    match schema["type"].as_str().unwrap() {
        "object" => sample_object(schema, place),
        "array" => {
            let inner = [place, &["*".to_owned()]].concat();
            json!([sample(&schema["items"], &inner)])
        }
        _ => candidates(schema, place).swap_remove(0),
    }
}

fn sample_object(schema: &Value, place: &[String]) -> Value {
    let none = Map::new();
    let fields = schema["properties"].as_object().unwrap_or(&none);
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let key = place.last().map(String::as_str);
    let mut object = Map::new();
    if schema.get("maxProperties").is_some() {
        let first =
            ["job", "http"].into_iter().find(|name| fields.contains_key(*name)).or(fields.keys().next().map(String::as_str));
        let name = first.unwrap();
        let inner = [place, &[name.to_owned()]].concat();
        object.insert(name.into(), sample(&fields[name], &inner));
        return Value::Object(object);
    }
    match key {
        Some("undo") => return json!({ "none": "nothing to take back" }),
        Some("reverse") => return json!({ "none": "no way back" }),
        _ => {}
    }
    let mirror = key == Some("mirror");
    for (name, inner) in fields {
        if required.contains(&name.as_str()) || WHOLE.contains(&name.as_str()) || (mirror && name == "for") {
            let place = [place, std::slice::from_ref(name)].concat();
            object.insert(name.clone(), sample(inner, &place));
        }
    }
    Value::Object(object)
}

/// Good values of a leaf, at least two if there are.
fn candidates(schema: &Value, place: &[String]) -> Vec<Value> {
    if let Some(words) = schema["enum"].as_array() {
        return words.clone();
    }
    let key = |back: usize| place.len().checked_sub(back).and_then(|at| place.get(at)).map_or("", String::as_str);
    let (last, owner) = if key(1) == "*" { (key(2), key(3)) } else { (key(1), key(2)) };
    let texts = |texts: &[&str]| texts.iter().map(|text| json!(text)).collect::<Vec<_>>();
    match schema["type"].as_str().unwrap() {
        "boolean" => vec![json!(false), json!(true)],
        "number" => vec![json!(0.25), json!(0.5), json!(0)],
        "integer" => integers(schema, last),
        _ => match schema["pattern"].as_str() {
            Some(pattern) if pattern.contains("ms|s|m") => texts(&["11m", "12m", "10s", "36h"]),
            Some(pattern) if pattern.ends_with("/s$") => texts(&["700/s", "900/s"]),
            Some(pattern) if pattern.contains('T') => moments(last),
            _ => texts(words(last, owner, place)),
        },
    }
}

fn integers(schema: &Value, key: &str) -> Vec<Value> {
    let low = schema["minimum"].as_u64().unwrap_or(0);
    match key {
        "steps" => vec![json!(0), json!(20), json!(30)],
        "status" => vec![json!(202), json!(204)],
        "port" => vec![json!(8444), json!(8445)],
        _ => vec![json!(low.max(2)), json!(low.max(2) + 1), json!(90)],
    }
}

fn moments(key: &str) -> Vec<Value> {
    match key {
        "opens" => vec![json!("2026-08-20T20:00"), json!("2026-08-20T20:00:01")],
        "closes" => vec![json!("2026-08-24T22:00"), json!("2026-08-24T21:00")],
        "from" => vec![json!("2026-09-29T19:00"), json!("2026-09-29T20:00")],
        "until" => vec![json!("2026-09-30T08:00"), json!("2026-09-30T07:00")],
        _ => vec![json!("2027-12-18T17:00"), json!("2027-12-18T18:00")],
    }
}

/// Words that are good for a text, by its field and the field around it.
fn words(key: &str, owner: &str, place: &[String]) -> &'static [&'static str] {
    match (owner, key) {
        (_, "timeZone") => &["Europe/Paris", "UTC"],
        ("allOf" | "*", "role") | ("manual", "owner") => &["duty", "safety"],
        (_, "deputies") => &["safety", "duty"],
        ("prometheus", "connection") => &["prom", "prom-2"],
        ("dns", "connection") => &["ns1", "ns2"],
        ("haproxy", "connection") => &["edge", "edge-2"],
        ("silence", "connection") => &["alerts", "alerts-2"],
        ("notify", "connection") => &["bot", "bot-2"],
        ("legacy" | "target", "system") => &["old", "old-2"],
        (_, "bridge") => &["peering", "peering-2"],
        ("*", "windows") => &["weekend-2", "free"],
        ("probe", "name") => &["up", "up-2"],
        ("joins", "phases") => &["core", "clinical"],
        ("*", "services") => &["first", "third"],
        (_, "phase") if place.iter().any(|step| step == "after") => &["clinical", "core"],
        (_, "phase") => &["core", "empty"],
        (_, "service") if place.iter().any(|step| step == "needs") => &["database", "third"],
        (_, "service") => &["svc-a", "svc-b"],
        (_, "address") => &["10.77.0.1", "10.77.0.2"],
        (_, "url") => &["http://10.77.0.1/a", "https://10.77.0.1/b"],
        (_, "server") => &["10.77.0.1:53", "10.77.0.2:53"],
        (_, "runtime") => &["tcp://10.77.0.1:9999", "unix:///run/haproxy.sock"],
        ("dns", "zone") => &["example.", "registry.example."],
        ("dns", "name") => &["web.registry.example.", "web-2.registry.example."],
        (_, "path") => &["/a", "/b"],
        (_, "host") => &["a.example.org", "b.example.org"],
        (_, "matchers") => &["service=\"a\"", "service=\"b\""],
        (_, "keyFromEnv") => &["KEY_A", "KEY_B"],
        (_, "namespace") => &["spine-a", "spine-b"],
        (_, "users" | "groups") => &["a@example.org", "b@example.org"],
        _ => &["other-a", "other-b"],
    }
}

/// Takes out of an object what excludes `next`, and puts in what it needs.
fn make_room(object: &mut Map<String, Value>, around: &str, next: &str) {
    if (around, next) == ("tasks", "undo") && object.get("at") == Some(&json!("BeforePrepare")) {
        object.insert("at".into(), json!("AfterSoak"));
    }
    let mut only = |excluded: &[&str]| excluded.iter().for_each(|name| drop(object.shift_remove(*name)));
    match (around, next) {
        ("undo", "none") => only(&["impossible", "do", "when", "deadline", "expect"]),
        ("decommission", "screamTest") => {
            object.entry("approval").or_insert(json!({ "allOf": [{ "role": "duty" }] }));
        }
        ("undo", "impossible") => only(&["none", "do", "when", "deadline", "expect"]),
        ("undo", "do") => only(&["none", "impossible"]),
        ("undo", "when" | "deadline" | "expect") => {
            only(&["none", "impossible"]);
            object.entry("do").or_insert(json!({ "job": { "fromCronJob": "back" } }));
        }
        ("reverse", "none") => only(&["lag", "fence", "promote"]),
        ("reverse", _) => {
            only(&["none"]);
            let switch = || json!({ "do": { "job": { "fromCronJob": "back" } }, "proof": { "probe": { "name": "up" } } });
            object.entry("lag").or_insert_with(|| json!({ "check": { "http": { "url": "http://10.50.0.12/lag" } } }));
            object.entry("fence").or_insert_with(switch);
            object.entry("promote").or_insert_with(switch);
        }
        ("bridges", "managed") => only(&["external"]),
        ("legacy" | "target", "service" | "workload") => {
            only(&["endpoints", "capacity"]);
            object.entry("service").or_insert(json!({ "name": "free", "port": 80 }));
        }
        ("needs", "bridge") => {
            object.insert("mode".into(), json!("Across"));
        }
        _ => {}
    }
}

/// Sets the leaf at `path` in a copy of the base; `None` if the leaf has no place there.
fn set(base: &Value, schema: &Value, path: &[String], new: &Value) -> Value {
    let mut document = base.clone();
    let (mut at, mut schema) = (&mut document, schema);
    let mut place: Vec<String> = Vec::new();
    for (depth, step) in path.iter().enumerate() {
        let around = place.iter().rev().find(|step| *step != "*").cloned().unwrap_or_default();
        let last = depth + 1 == path.len();
        place.push(step.clone());
        if step == "*" {
            schema = &schema["items"];
            let list = at.as_array_mut().unwrap();
            let index = index_of(path, &around);
            if list.is_empty() {
                list.push(sample(schema, &place));
            }
            at = list.get_mut(index).unwrap();
            if last {
                *at = new.clone();
            }
            continue;
        }
        let object = at.as_object_mut().unwrap();
        make_room(object, &around, step);
        if schema.get("maxProperties").is_some() && !object.contains_key(step) {
            object.clear();
        }
        schema = &schema["properties"][step];
        if last {
            object.insert(step.clone(), new.clone());
            if *new == json!("Across") {
                object.insert("bridge".into(), json!("peering"));
            }
            break;
        }
        at = object.entry(step.clone()).or_insert_with(|| sample(schema, &place));
    }
    complete_steps(&mut document, path);
    if path.iter().any(|step| step == "endpointSlice") {
        // One endpoint on each side has no smaller steps.
        document["spec"]["services"][0]["shift"] = json!({ "steps": [50, 100] });
    }
    document
}

/// Which element of a list a path means: data belong to the database, and the phase that nothing refers to can be changed.
fn index_of(path: &[String], list: &str) -> usize {
    if list == "phases" && path.get(1).is_some_and(|at| at == "phases") {
        return 2;
    }
    let of_database =
        list == "services" && path.get(1).is_some_and(|at| at == "services") && path.iter().any(|step| step == "data");
    usize::from(of_database)
}

/// Weights of a list fit each other.
fn complete_steps(document: &mut Value, path: &[String]) {
    if !path.ends_with(&["steps".into(), "*".into()]) {
        return;
    }
    let pointer: Vec<String> = path[..path.len() - 1].iter().map(|step| step.replace('*', "0")).collect();
    let list = document.pointer_mut(&format!("/{}", pointer.join("/"))).unwrap();
    let first = list[0].clone();
    let end = if path.iter().any(|step| step == "rollback") { 0 } else { 100 };
    *list = if first == json!(end) { json!([end]) } else { json!([first, end]) };
}

/// Leaves with only one good value, and why.
fn is_fixed(path: &str) -> bool {
    let fixed = [
        "/apiVersion",
        "/kind",                             // what a plan is
        "/data/writer",                      // the only kind of writer
        "/target/system",                    // one type for both sides; a target has none
        "/phases/*/tasks/*/undo/impossible", // refused: a phase ends before the soak does
    ];
    let without_probes = ["/after/*/gates/", "/bridges/*/gates/"];
    let probe = path.contains("/check/probe/") && without_probes.iter().any(|list| path.contains(list));
    // Its presence is the value.
    fixed.iter().any(|end| path.ends_with(end)) && !path.contains("workload") || probe || path.ends_with("/external")
}

#[test]
fn no_field_is_without_effect() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/language/all.yaml")).unwrap();
    let base: Value = serde_yaml::from_str(&text).unwrap();
    let schema = schema::file::<Document>();
    let mut all = Vec::new();
    leaves(&schema, &mut Vec::new(), &mut all);
    assert!(all.len() > 450, "the schema has only {} leaves", all.len());
    let mut failures = Vec::new();
    let mut changes = 0;
    for path in &all {
        let name = format!("/{}", path.join("/"));
        let own =
            path.iter().fold(&schema, |schema, step| if step == "*" { &schema["items"] } else { &schema["properties"][step] });
        let mut digests: BTreeMap<String, Value> = BTreeMap::new();
        let mut refused = Vec::new();
        for value in candidates(own, path) {
            let document = set(&base, &schema, path, &value);
            match read(document.to_string()) {
                Ok(checked) => {
                    changes += 1;
                    if let Some(same) = digests.insert(checked.revision.digest().to_string(), value.clone()) {
                        failures.push(format!("{name}: {same} and {value} have one digest"));
                    }
                }
                Err(no) => refused.push(format!("{value}: {}", no.findings.iter().find(|f| f.is_error()).unwrap())),
            }
        }
        if digests.len() < 2 && !is_fixed(&name) {
            failures.push(format!("{name}: fewer than two values were taken; refused: {refused:#?}"));
        }
    }
    assert!(failures.is_empty(), "{} of {} leaves:\n{}", failures.len(), all.len(), failures.join("\n"));
    eprintln!("{} leaves, {changes} changes", all.len());
}
