//! Structured documents: what the schema says, mostly kept.

use serde_json::{Map, Value};

use crate::{random::Random, torn::WORDS};

/// Makes values of a schema: mostly right, so that the checks behind the schema are met as well.
pub struct Maker<'a> {
    pub random: &'a mut Random,
    /// One value in so many is wrong.
    pub wrong: usize,
    /// So much rarer than by half is what may be left out: 1 makes large documents, that nearly always contradict themselves
    /// somewhere; 40 makes bare ones, that are accepted.
    pub rare: usize,
}

const NAMES: &[&str] = &["a", "b", "c", "d"];

impl Maker<'_> {
    pub fn value(&mut self, schema: &Value, field: &str, depth: usize) -> Value {
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
        let required = required(schema);
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
            if wanted || self.random.one_in((2 + depth / 2) * self.rare) {
                made.insert(name.clone(), self.value(schema, name, depth + 1));
            }
        }
        self.choose(schema, fields, &mut made, depth);
        Value::Object(made)
    }

    /// What excludes each other: one branch of `oneOf`, with what it asks for and without what only the others do; and what one
    /// branch of `anyOf` asks for.
    fn choose(&mut self, schema: &Value, fields: &Map<String, Value>, made: &mut Map<String, Value>, depth: usize) {
        for (word, alone) in [("oneOf", true), ("anyOf", false)] {
            let branches: Vec<Vec<&str>> = schema[word].as_array().into_iter().flatten().map(required).collect();
            let Some(chosen) = (!branches.is_empty()).then(|| self.random.pick(&branches).clone()) else { continue };
            if alone {
                made.retain(|name, _| chosen.contains(&name.as_str()) || !branches.iter().flatten().any(|other| other == name));
            }
            for name in chosen {
                if !made.contains_key(name) {
                    made.insert(name.to_owned(), self.value(&fields[name], name, depth + 1));
                }
            }
        }
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
            "address" => &["10.0.0.1", "10.0.0.2", "10.0.0.3", "fd00::1", "::1", "10.0.0.4"],
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

fn required(schema: &Value) -> Vec<&str> {
    schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

pub fn structured(random: &mut Random, schema: &Value) -> Vec<u8> {
    let wrong = *random.pick(&[20, 100, 1_000, 1_000_000]);
    let rare = *random.pick(&[1, 3, 10, 10, 20, 20, 20, 20, 40, 40, 40, 40, 40, 40, 40, 40]);
    let mut document = Maker { random, wrong, rare }.value(schema, "", 0);
    if let Some(document) = document.as_object_mut() {
        document.entry("metadata").or_insert_with(|| serde_json::json!({ "name": "a" }));
    }
    // What no schema says and every plan needs: something that tells whether a target serves, and sides at one place.
    let services = document.pointer_mut("/spec/services").and_then(Value::as_array_mut).into_iter().flatten();
    for service in services.filter_map(Value::as_object_mut).filter(|_| !random.one_in(8)) {
        service.entry("probes").or_insert_with(|| serde_json::json!([{ "name": "up", "send": { "http": {} } }]));
        for side in ["legacy", "target"] {
            if let Some(Value::Object(side)) = service.get_mut(side).filter(|side| side.get("endpoints").is_some()) {
                side.remove("service");
            }
        }
    }
    document.to_string().into_bytes()
}

/// The same document with every object's fields the other way round.
pub fn reversed(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            Value::Object(fields.iter().rev().map(|(name, value)| (name.clone(), reversed(value))).collect())
        }
        Value::Array(items) => items.iter().map(reversed).collect(),
        other => other.clone(),
    }
}
