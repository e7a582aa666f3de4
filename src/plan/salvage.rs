//! Reading as much of a broken object as can be read, so that one mistake does not hide another.

use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::Segment as Step;

use super::{
    finding::{Code, Finding},
    path::{Path, Segment},
};

/// How many mistakes of one object are looked for beyond what the schema finds.
const ROUNDS: usize = 64;

/// What could be read of an object.
#[derive(Debug)]
pub(crate) struct Salvaged<T> {
    /// The object, without what was wrong; `None` if something was wrong that it cannot be without.
    pub object: Option<T>,
    /// The places that were left out: a finding that rests on one of them would judge what nobody wrote.
    pub left_out: Vec<Path>,
}

/// Reads `value`, which stands at `base`, without the places in `wrong`. Mistakes that the schema cannot see (a duration of
/// a thousand years) are added to `findings`.
pub(crate) fn salvage<T: DeserializeOwned>(
    value: &Value,
    base: &Path,
    wrong: &[Path],
    findings: &mut Vec<Finding>,
) -> Salvaged<T> {
    let mut out: Vec<Path> = wrong.iter().filter_map(|path| path.within(base)).collect();
    let mut object = None;
    for _ in 0..ROUNDS {
        if out.iter().any(|path| path.segments().is_empty()) {
            break;
        }
        let mut pruned = value.clone();
        out.iter().for_each(|path| remove(&mut pruned, path.segments()));
        match serde_path_to_error::deserialize::<_, T>(pruned) {
            Ok(read) => {
                object = Some(read);
                break;
            }
            Err(error) => widen(&mut out, &steps(error.path()), base, &error.into_inner(), findings),
        }
    }
    Salvaged { object, left_out: out.iter().map(|path| base.then(path.segments())).collect() }
}

/// Leaves more out: what lies around places left out already, or a new place, which is then a finding.
fn widen(out: &mut Vec<Path>, at: &Path, base: &Path, error: &serde_json::Error, findings: &mut Vec<Finding>) {
    let (touched, mut rest): (Vec<Path>, Vec<Path>) = out.drain(..).partition(|path| path.overlaps(at));
    if touched.is_empty() {
        findings.push(bad_value(base.then(at.segments()), &error.to_string()));
        rest.push(to_key(at));
    } else {
        let shortest = touched.iter().map(|path| path.segments().len()).min().unwrap_or(0);
        let length = at.segments().len().min(shortest.saturating_sub(1));
        rest.push(to_key(&Path::top().then(at.segments().get(..length).unwrap_or_default())));
    }
    *out = rest;
}

fn bad_value(path: Path, message: &str) -> Finding {
    // Our own types say what is wrong and, after the colon, what to write instead.
    let (message, help) = match message.split_once(": ") {
        Some((message, help)) if message.starts_with('`') => (message, help),
        _ => (message, "see `gapless schema plan`"),
    };
    Finding::error(Code::BadValue, path, message, help)
}

/// The path up to its last field: a list loses no element, because the places of the others would move.
fn to_key(path: &Path) -> Path {
    let fields = path.segments().iter().rposition(|segment| matches!(segment, Segment::Key(_))).map_or(0, |last| last + 1);
    Path::top().then(path.segments().get(..fields).unwrap_or_default())
}

fn steps(path: &serde_path_to_error::Path) -> Path {
    path.iter().fold(Path::top(), |path, step| match step {
        Step::Seq { index } => path.index(*index),
        Step::Map { key } => path.key(key.clone()),
        Step::Enum { variant } => path.key(variant.clone()),
        Step::Unknown => path,
    })
}

fn remove(value: &mut Value, path: &[Segment]) {
    match (value, path) {
        (Value::Object(fields), [Segment::Key(name)]) => {
            fields.shift_remove(name);
        }
        (Value::Object(fields), [Segment::Key(name), rest @ ..]) => {
            if let Some(inner) = fields.get_mut(name) {
                remove(inner, rest);
            }
        }
        (Value::Array(items), [Segment::Index(index), rest @ ..]) => {
            if let Some(inner) = items.get_mut(*index) {
                remove(inner, rest);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::spec::ServiceSpec;

    fn service() -> Value {
        serde_json::json!({
            "name": "a",
            "legacy": { "endpoints": [{ "address": "127.0.0.1", "port": 1 }] },
            "target": { "endpoints": [{ "address": "127.0.0.1", "port": 2 }] },
            "router": { "webhook": { "url": "http://127.0.0.1/a" } },
            "gates": [{ "name": "g", "check": { "http": { "url": "http://127.0.0.1/h" } } }],
        })
    }

    #[test]
    fn durations_out_of_range_are_all_found_and_the_rest_is_read() {
        let mut value = service();
        value["shift"] = serde_json::json!({ "bake": "9000d" });
        value["gates"][0]["every"] = "99999d".into();
        let base = Path::top().key("spec").key("services").index(7);
        let mut findings = Vec::new();
        let read: Salvaged<ServiceSpec> = salvage(&value, &base, &[], &mut findings);
        let mut paths: Vec<String> = findings.iter().map(|f| f.path.to_string()).collect();
        paths.sort();
        assert_eq!(paths, ["spec.services[7].gates[0].every", "spec.services[7].shift.bake"]);
        assert_eq!(read.object.unwrap().gates.len(), 1);
    }

    #[test]
    fn a_broken_element_takes_its_list_along_and_a_broken_side_the_service() {
        let mut value = service();
        value["gates"][0].as_object_mut().unwrap().remove("check");
        let top = Path::top();
        let wrong = [top.key("gates").index(0).key("check")];
        let read: Salvaged<ServiceSpec> = salvage(&value, &top, &wrong, &mut Vec::new());
        assert_eq!(read.left_out, [top.key("gates")]);
        assert!(read.object.unwrap().gates.is_empty());
        let read: Salvaged<ServiceSpec> =
            salvage(&value, &top, &[top.key("router").key("haproxy"), top.key("router").key("webhook")], &mut Vec::new());
        assert!(read.object.is_none());
    }
}
