//! Reading as much of a broken object as can be read, so that one mistake does not hide another.
//!
//! What is wrong is left out where it may be left out, and replaced by the smallest thing that the schema allows where it
//! must be there. Either place is remembered: a finding that rests on it would judge what nobody wrote.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use serde_path_to_error::Segment as Step;

use super::{
    finding::{Code, Finding},
    names::{RATE_PATTERN, SPAN_PATTERN},
    path::{Path, Segment},
};

/// How many mistakes of one object are looked for beyond what the schema finds.
const ROUNDS: usize = 64;

/// What could be read of an object.
#[derive(Debug)]
pub(crate) struct Salvaged<T> {
    /// The object, mended; `None` if it could not be.
    pub object: Option<T>,
    /// The places that are not as they were written.
    pub mended: Vec<Path>,
}

/// Reads `value`, which stands at `base` and has this schema, with the places in `wrong` mended. Mistakes that the schema
/// cannot see (a duration of a thousand years) are added to `findings`.
pub(crate) fn salvage<T: DeserializeOwned>(
    value: &Value,
    schema: &Value,
    base: &Path,
    wrong: &[Path],
    findings: &mut Vec<Finding>,
) -> Salvaged<T> {
    let mut todo: Vec<Path> = wrong.iter().filter_map(|path| path.within(base)).collect();
    // Nearly every object of a large plan is good, and is read as it stands.
    if todo.is_empty()
        && let Ok(read) = T::deserialize(value)
    {
        return Salvaged { object: Some(read), mended: Vec::new() };
    }
    let mut mended: Vec<Path> = Vec::new();
    let mut value = value.clone();
    // From the ends of the document to its top, so that a place that is replaced is not mended again inside.
    todo.sort_by_key(|path| std::cmp::Reverse(path.segments().len()));
    for path in todo {
        mend(&mut value, schema, path, &mut mended);
    }
    let mut object = None;
    for _ in 0..ROUNDS {
        match serde_path_to_error::deserialize::<_, T>(&value) {
            Ok(read) => {
                object = Some(read);
                break;
            }
            Err(error) => {
                let at = steps(error.path());
                if !mended.iter().any(|path| path.overlaps(&at)) {
                    findings.push(bad_value(base.then(at.segments()), &error.into_inner().to_string()));
                } else if mended.contains(&at) && at.segments().is_empty() {
                    break; // the whole was replaced and still cannot be read
                }
                let again = if mended.contains(&at) { at.parent().unwrap_or_default() } else { at };
                mend(&mut value, schema, again, &mut mended);
            }
        }
    }
    Salvaged { object, mended: mended.iter().map(|path| base.then(path.segments())).collect() }
}

/// Makes the place at `path` good: removed, replaced, or, where that leaves its owner without what it must have, the owner.
fn mend(value: &mut Value, schema: &Value, path: Path, mended: &mut Vec<Path>) {
    let mut path = path;
    loop {
        let owner = path.parent().unwrap_or_default();
        let required = required(schema, &owner, &path);
        match (at(schema, path.segments()), path.last()) {
            (Some(own), _) if required => set(value, path.segments(), stand_in(own, 0)),
            (_, Some(Segment::Key(name))) => {
                if let Some(fields) = get_mut(value, owner.segments()).and_then(Value::as_object_mut) {
                    fields.shift_remove(name);
                }
            }
            _ => {}
        }
        mended.push(path);
        // A union that has lost its only member is replaced as a whole.
        let least = at(schema, owner.segments()).and_then(|own| own.get("minProperties")?.as_u64()).unwrap_or(0);
        let has = get_mut(value, owner.segments()).and_then(|owner| owner.as_object().map(Map::len));
        match has {
            Some(has) if (has as u64) < least => path = owner,
            _ => return,
        }
    }
}

/// Whether the thing at `path` may not simply be missing: an element of a list, or a field that its owner requires.
fn required(schema: &Value, owner: &Path, path: &Path) -> bool {
    match path.last() {
        Some(Segment::Key(name)) => at(schema, owner.segments())
            .and_then(|own| own.get("required")?.as_array())
            .is_some_and(|all| all.iter().any(|one| one == name)),
        _ => true,
    }
}

/// The smallest value that a structural schema allows.
fn stand_in(schema: &Value, depth: usize) -> Value {
    let number = |keyword: &str| schema.get(keyword).and_then(Value::as_u64).unwrap_or(0);
    if let Some(first) = schema.get("enum").and_then(|words| words.as_array()?.first()) {
        return first.clone();
    }
    match schema.get("type").and_then(Value::as_str) {
        Some("object") => {
            let fields = schema.get("properties").and_then(Value::as_object);
            let required = schema.get("required").and_then(Value::as_array);
            let mut names: Vec<&str> = required.into_iter().flatten().filter_map(Value::as_str).collect();
            if names.is_empty() && number("minProperties") > 0 {
                names.extend(fields.and_then(|fields| fields.keys().next()).map(String::as_str));
            }
            let field = |name: &str| Some((name.to_owned(), stand_in(fields?.get(name)?, depth + 1)));
            Value::Object(if depth > 8 { Map::new() } else { names.into_iter().filter_map(field).collect() })
        }
        Some("array") => {
            let item = schema.get("items").map_or(Value::Null, |items| stand_in(items, depth + 1));
            Value::Array(vec![item; usize::try_from(number("minItems").min(1)).unwrap_or(0)])
        }
        Some("integer" | "number") => number("minimum").into(),
        Some("boolean") => false.into(),
        _ => match schema.get("pattern").and_then(Value::as_str) {
            Some(SPAN_PATTERN) => "1s".into(),
            Some(RATE_PATTERN) => "1/s".into(),
            _ => "x".repeat(usize::try_from(number("minLength").clamp(1, 64)).unwrap_or(1)).into(),
        },
    }
}

fn bad_value(path: Path, message: &str) -> Finding {
    // Our own types say what is wrong and, after the colon, what to write instead.
    let (message, help) = match message.split_once(": ") {
        Some((message, help)) if message.starts_with('`') => (message, help),
        _ => (message, "see `gapless schema plan`"),
    };
    Finding::error(Code::BadValue, path, message, help)
}

fn steps(path: &serde_path_to_error::Path) -> Path {
    path.iter().fold(Path::top(), |path, step| match step {
        Step::Seq { index } => path.index(*index),
        Step::Map { key } => path.key(key.clone()),
        Step::Enum { variant } => path.key(variant.clone()),
        Step::Unknown => path,
    })
}

/// The schema of what is at `path` within something of this schema.
fn at<'a>(schema: &'a Value, path: &[Segment]) -> Option<&'a Value> {
    path.iter().try_fold(schema, |schema, segment| match segment {
        Segment::Key(name) => schema.get("properties")?.get(name),
        Segment::Index(_) => schema.get("items"),
    })
}

fn get_mut<'a>(value: &'a mut Value, path: &[Segment]) -> Option<&'a mut Value> {
    path.iter().try_fold(value, |value, segment| match segment {
        Segment::Key(name) => value.get_mut(name),
        Segment::Index(index) => value.get_mut(index),
    })
}

fn set(value: &mut Value, path: &[Segment], new: Value) {
    match path.split_last() {
        None => *value = new,
        Some((Segment::Key(name), owner)) => {
            if let Some(fields) = get_mut(value, owner).and_then(Value::as_object_mut) {
                fields.insert(name.clone(), new);
            }
        }
        Some((Segment::Index(index), owner)) => {
            if let Some(item) = get_mut(value, owner).and_then(|owner| owner.get_mut(index)) {
                *item = new;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{schema, spec::ServiceSpec};

    fn service() -> Value {
        serde_json::json!({
            "name": "a",
            "legacy": { "endpoints": [{ "address": "127.0.0.1", "port": 1 }] },
            "target": { "endpoints": [{ "address": "127.0.0.1", "port": 2 }] },
            "router": { "webhook": { "url": "http://127.0.0.1/a" } },
            "gates": [{ "name": "g", "check": { "http": { "url": "http://127.0.0.1/h" } } }],
        })
    }

    fn read(value: &Value, base: &Path, wrong: &[Path]) -> (Salvaged<ServiceSpec>, Vec<Finding>) {
        let mut findings = Vec::new();
        let read = salvage(value, &schema::file::<ServiceSpec>(), base, wrong, &mut findings);
        (read, findings)
    }

    #[test]
    fn durations_out_of_range_are_all_found_and_the_rest_is_read() {
        let mut value = service();
        value["shift"] = serde_json::json!({ "bake": "9000d" });
        value["gates"][0]["every"] = "99999d".into();
        let base = Path::top().key("spec").key("services").index(7);
        let (read, findings) = read(&value, &base, &[]);
        let mut paths: Vec<String> = findings.iter().map(|f| f.path.to_string()).collect();
        paths.sort();
        assert_eq!(paths, ["spec.services[7].gates[0].every", "spec.services[7].shift.bake"]);
        assert_eq!(read.object.unwrap().gates.len(), 1);
    }

    #[test]
    fn what_must_be_there_gets_a_stand_in_and_is_remembered() {
        let mut value = service();
        value["gates"][0].as_object_mut().unwrap().remove("check");
        value["router"] = serde_json::json!({ "haproxy": {} });
        value.as_object_mut().unwrap().remove("name");
        let top = Path::top();
        let wrong = [top.key("gates").index(0).key("check"), top.key("router").key("haproxy"), top.key("name")];
        let (read, findings) = read(&value, &top, &wrong);
        assert!(read.object.is_some() && findings.is_empty(), "{findings:?}");
        assert!(read.mended.contains(&top.key("router")), "the emptied union is not as it was written");
        assert!(wrong.iter().all(|path| read.mended.contains(path)));
    }

    #[test]
    fn what_is_no_object_at_all_is_still_answered() {
        let (read, _) = read(&Value::Null, &Path::top(), &[Path::top()]);
        assert_eq!(read.mended, [Path::top()]);
    }
}
