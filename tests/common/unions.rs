//! Every union of the plan's schema, and documents that are right and wrong in nothing but one of them.
//!
//! A union is an object that must have exactly one of several members: alone under its own key (`do`, `check`, `router`), or
//! beside other fields (`undo`, a bridge, a side). The schema itself says where they are, so a new one is tried as well.
#![allow(dead_code, clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic, and takes what it needs")]

use serde_json::{Map, Value, json};

/// A union of the schema.
pub struct Union {
    /// Where, as findings write it: `spec.services[0].router`.
    pub path: String,
    /// What excludes each other: each member's fields.
    pub members: Vec<Vec<String>>,
    steps: Vec<Step>,
    schema: Value,
}

#[derive(Debug, Clone, PartialEq)]
enum Step {
    Field(String),
    Element,
}

/// A plan, and in words what is tried with it.
pub struct Case {
    /// In words.
    pub what: String,
    /// The whole object, as it is applied.
    pub object: Value,
}

/// All unions of the schema of a plan's `spec`, in its order.
pub fn all(spec: &Value) -> Vec<Union> {
    let mut found = Vec::new();
    walk(spec, &mut Vec::new(), &mut found);
    found
}

fn walk(schema: &Value, steps: &mut Vec<Step>, found: &mut Vec<Union>) {
    if let Some(members) = members(schema) {
        let path = steps.iter().fold("spec".to_owned(), |path, step| match step {
            Step::Field(name) => format!("{path}.{name}"),
            Step::Element => format!("{path}[0]"),
        });
        found.push(Union { path, members, steps: steps.clone(), schema: schema.clone() });
    }
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        steps.push(Step::Field(name.clone()));
        walk(field, steps, found);
        steps.pop();
    }
    if let Some(items) = schema.get("items") {
        steps.push(Step::Element);
        walk(items, steps, found);
        steps.pop();
    }
}

/// What excludes each other here, if anything does.
fn members(schema: &Value) -> Option<Vec<Vec<String>>> {
    if schema["minProperties"] == 1 && schema["maxProperties"] == 1 {
        return Some(schema["properties"].as_object()?.keys().map(|name| vec![name.clone()]).collect());
    }
    let members: Vec<_> = schema.get("oneOf")?.as_array()?.iter().map(required).collect();
    members.iter().all(|fields| !fields.is_empty()).then_some(members)
}

impl Union {
    /// A plan for each member alone, which the schema takes.
    pub fn right(&self, spec: &Value) -> Vec<Case> {
        let case = |fields: &Vec<String>| self.case(spec, &fields.join(" and "), self.with(&[fields]));
        self.members.iter().map(case).collect()
    }

    /// Plans that have no member, two of them, or one that does not exist.
    pub fn wrong(&self, spec: &Value) -> Vec<Case> {
        let mut unknown = self.with(&[]);
        unknown["noSuchMember"] = json!({});
        let none = [self.case(spec, "no member", self.with(&[])), self.case(spec, "an unknown member", unknown)];
        let pairs = self.members.iter().enumerate().flat_map(|(i, one)| self.members[i + 1..].iter().map(move |two| (one, two)));
        // Each with the next, and the last with the first: every member is tried, and a union of eight has eight pairs.
        let near = |one: &Vec<String>, two: &Vec<String>| {
            let at = |fields| self.members.iter().position(|other| other == fields).unwrap();
            at(two) - at(one) == 1 || at(two) - at(one) == self.members.len() - 1
        };
        let both = pairs.filter(|(one, two)| near(one, two)).map(|(one, two)| {
            self.case(spec, &format!("{} beside {}", one.join(" and "), two.join(" and ")), self.with(&[one, two]))
        });
        none.into_iter().chain(both).collect()
    }

    /// The object here with these members, and with what it must have besides.
    fn with(&self, members: &[&Vec<String>]) -> Value {
        let mut fields = Map::new();
        let own = required(&self.schema);
        for name in own.iter().chain(members.iter().copied().flatten()) {
            fields.insert(name.clone(), sample(&self.schema["properties"][name]));
        }
        Value::Object(fields)
    }

    fn case(&self, spec: &Value, what: &str, here: Value) -> Case {
        let spec = grown(spec, &self.steps, here);
        let object = json!({
            "apiVersion": "gapless.dev/v1alpha1", "kind": "MigrationPlan", "metadata": { "name": "unions" }, "spec": spec,
        });
        Case { what: format!("{} has {what}", self.path), object }
    }
}

fn required(schema: &Value) -> Vec<String> {
    schema["required"].as_array().into_iter().flatten().map(|name| name.as_str().unwrap().to_owned()).collect()
}

/// The smallest value that a schema takes, with `end` at the end of `steps`.
fn grown(schema: &Value, steps: &[Step], end: Value) -> Value {
    match steps.split_first() {
        None => end,
        Some((Step::Element, rest)) => json!([grown(&schema["items"], rest, end)]),
        Some((Step::Field(name), rest)) => {
            let mut object = object_with(schema, Some(name));
            object.insert(name.clone(), grown(&schema["properties"][name], rest, end));
            Value::Object(object)
        }
    }
}

fn sample(schema: &Value) -> Value {
    if let Some(words) = schema["enum"].as_array() {
        return words[0].clone();
    }
    match schema["type"].as_str().unwrap() {
        "object" => Value::Object(object_with(schema, None)),
        "array" => (0..schema["minItems"].as_u64().unwrap_or(0)).map(|_| sample(&schema["items"])).collect(),
        "integer" | "number" => schema["minimum"].as_u64().unwrap_or(0).into(),
        "boolean" => true.into(),
        _ => text(schema["pattern"].as_str().unwrap_or_default()).into(),
    }
}

fn text(pattern: &str) -> &'static str {
    match pattern {
        _ if pattern.contains("ms|s|m|h|d") => "1s",
        _ if pattern.contains("/s") => "1/s",
        _ if pattern.contains('T') => "2026-08-28T20:00",
        _ if pattern.is_empty() => "http://a", // long enough for all that have no pattern
        _ => "a",
    }
}

/// The smallest object that a schema takes, with room for `wanted`.
fn object_with(schema: &Value, wanted: Option<&str>) -> Map<String, Value> {
    let mut names = required(schema);
    names.extend(wanted.map(str::to_owned));
    if let Some(members) = members(schema) {
        let has = |fields: &&Vec<String>| fields.iter().any(|field| wanted == Some(field));
        let member = members.iter().find(has).unwrap_or(&members[0]);
        names.extend(member.iter().cloned());
    } else if let Some(any) = schema["anyOf"].as_array() {
        names.extend(required(&any[0]));
    }
    names.into_iter().map(|name| (name.clone(), sample(&schema["properties"][&name]))).collect()
}

/// What is done to a service that is right.
type Edit<'a> = &'a dyn Fn(&mut Value);

/// What is wrong beyond the count of members: fields that need another one, or exclude it. Paths are as findings write them.
pub fn others(spec: &Value) -> Vec<(&'static str, Case)> {
    let service = |edit: Edit<'_>| {
        let mut spec = sample(spec);
        edit(&mut spec["services"][0]);
        spec
    };
    let task = |undo: Value| json!([{ "name": "a", "at": "BeforeShift", "do": { "job": { "fromCronJob": "a" } }, "undo": undo }]);
    let query = json!({ "prometheus": { "connection": "a", "query": "up" } });
    let cases: [(&str, &str, Edit<'_>); 7] = [
        ("spec.services[0].legacy.workload", "a workload without a Service in front of it", &|s| {
            s["legacy"]["workload"] = json!({ "kind": "Deployment", "name": "a" });
        }),
        ("spec.services[0].needs[0].bridge", "a bridge without a mode", &|s| {
            s["needs"] = json!([{ "service": "b", "bridge": "c" }])
        }),
        ("spec.services[0].needs[0].bridge", "a bridge of a need that waits", &|s| {
            s["needs"] = json!([{ "service": "b", "mode": "Before", "bridge": "c" }]);
        }),
        ("spec.services[0].needs[0].mode", "no bridge", &|s| s["needs"] = json!([{ "service": "b", "mode": "Across" }])),
        ("spec.services[0].tasks[0].undo.when", "a moment for nothing", &|s| {
            s["tasks"] = task(json!({ "none": "a", "when": "AfterTraffic" }));
        }),
        ("spec.services[0].tasks[0].undo.deadline", "a deadline for nothing", &|s| {
            s["tasks"] = task(json!({ "impossible": "a", "deadline": "1s" }));
        }),
        ("spec.services[0].gates[0].check.prometheus", "a query without bounds", &|s| {
            s["gates"] = json!([{ "name": "a", "check": query }]);
        }),
    ];
    let case = |(path, what, edit): (&'static str, &str, Edit<'_>)| {
        let object = json!({
            "apiVersion": "gapless.dev/v1alpha1", "kind": "MigrationPlan", "metadata": { "name": "unions" }, "spec": service(edit),
        });
        (path, Case { what: format!("{path}: {what}"), object })
    };
    cases.into_iter().map(case).collect()
}
