//! The plan's own defaults (`defaults:`): merged into each service before it is read, and where merged text stands.
//!
//! Objects are merged by field. Lists of named objects are merged by name and then by field; `disabled: true` drops one. What
//! is one of several (a union, `undo`) and plain lists are taken as a whole from the service, if it has them.
//! *Guarantees*: everything after this sees one kind of service, whether a value stood in it or in the defaults;
//! [`Defaults::origin`] leads every place of a merged service back to the place of the text that it came from.

use std::{borrow::Cow, collections::BTreeMap};

use serde_json::{Map, Value};

use super::outline::elements;
use crate::plan::{
    path::{Path, Segment},
    shape,
};

/// The defaults of a document.
pub(super) struct Defaults<'a> {
    document: &'a Value,
    defaults: Option<&'a Value>,
    /// The same without the steps of `shift`, for services that move all at once.
    at_once: Option<Value>,
}

/// An element of a merged list: where it stands in the service and in the defaults.
type Source = (Option<usize>, Option<usize>);

impl<'a> Defaults<'a> {
    pub fn of(document: &'a Value) -> Self {
        let defaults = document.get("spec").and_then(|spec| spec.get("defaults")).filter(|defaults| defaults.is_object());
        let at_once = defaults.cloned().map(|mut copy| {
            if let Some(shift) = copy.get_mut("shift").and_then(Value::as_object_mut) {
                shift.shift_remove("steps");
            }
            copy
        });
        Self { document, defaults, at_once }
    }

    /// The defaults that are for this service.
    fn of_service(&self, service: &Value) -> Option<&Value> {
        let dns = service.get("router").is_some_and(|router| router.get("dns").is_some());
        if dns || service.get("data").is_some() { self.at_once.as_ref() } else { self.defaults }
    }

    /// A service with what it has from the defaults.
    pub fn merged<'s>(&self, service: &'s Value) -> Cow<'s, Value> {
        let given = self.of_service(service).filter(|_| service.is_object());
        if given.is_none() && !may_drop(service) {
            return Cow::Borrowed(service);
        }
        Cow::Owned(merge(Some(service), given, shape::service()).unwrap_or(Value::Null))
    }

    /// Where the text stands that is at `path` once services are merged. A place that stands nowhere (a field that is missing) is
    /// led to the place in the service where it could stand.
    pub fn origin(&self, path: &Path) -> Path {
        let [spec, services, Segment::Index(index), rest @ ..] = path.segments() else { return path.clone() };
        let base = Path::top().join(spec.clone()).join(services.clone()).join(Segment::Index(*index));
        let service = elements(self.document.get("spec"), "services").nth(*index);
        let (Some(service), true) = (service, *services == Segment::Key("services".into())) else { return path.clone() };
        let own = Some((base, service));
        let given = self.of_service(service).map(|value| (Path::top().key("spec").key("defaults"), value));
        walk(own, given, shape::service(), rest)
    }
}

impl Defaults<'_> {
    /// The place in the text of a path that calls the elements of lists by their names, such as `spec.services.pds.shift`. What a
    /// service has from the defaults is found there; what stands nowhere is led to the nearest place around it.
    pub fn by_name(&self, path: &Path) -> Path {
        let (found, rest) = by_name(self.document, Path::top(), path.segments());
        match (rest, found.segments()) {
            ([], _) => found,
            (rest, [_, Segment::Key(list), Segment::Index(_), ..]) if list == "services" => {
                let defaults = self.defaults.unwrap_or(&Value::Null);
                let inside = path.segments().get(3..).unwrap_or_default();
                match by_name(defaults, Path::top().key("spec").key("defaults"), inside) {
                    (given, []) => given,
                    _ if rest.len() == inside.len() => found.key("name"),
                    _ => found,
                }
            }
            _ => found,
        }
    }
}

/// The deepest place on the way that there is, and the rest of the way.
fn by_name<'p>(value: &Value, base: Path, way: &'p [Segment]) -> (Path, &'p [Segment]) {
    let Some((first, rest)) = way.split_first() else { return (base, way) };
    let next = match (value, first) {
        (Value::Array(items), Segment::Key(name)) => {
            let called = |item: &Value| NAMES.iter().any(|field| item.get(field).and_then(Value::as_str) == Some(name));
            items.iter().position(called).and_then(|index| Some((base.index(index), items.get(index)?)))
        }
        (_, Segment::Key(name)) => value.get(name).map(|inner| (base.key(name.clone()), inner)),
        (_, Segment::Index(index)) => value.get(index).map(|inner| (base.index(*index), inner)),
    };
    match next {
        Some((path, inner)) => by_name(inner, path, rest),
        None => (base, way),
    }
}

/// The fields by which elements of lists are called.
const NAMES: [&str; 5] = ["name", "service", "phase", "role", "tier"];

/// A place and what is there.
type At<'a> = Option<(Path, &'a Value)>;

fn walk<'v>(mut own: At<'v>, mut given: At<'v>, mut schema: &Value, rest: &[Segment]) -> Path {
    let mut last = own.as_ref().or(given.as_ref()).map(|(path, _)| path.clone()).unwrap_or_default();
    for (depth, segment) in rest.iter().enumerate() {
        if own.is_some() && is_whole(schema) {
            given = None;
        }
        match segment {
            Segment::Key(name) => {
                let into = |at: At<'v>| at.and_then(|(path, value)| Some((path.key(name.clone()), value.get(name)?)));
                (own, given) = (into(own), into(given));
                schema = schema.get("properties").and_then(|fields| fields.get(name)).unwrap_or(&Value::Null);
            }
            Segment::Index(index) => {
                let (in_own, in_given) = if is_named(schema) {
                    let items = |at: &At<'v>| at.as_ref().map(|(_, value)| list(Some(value))).unwrap_or_default();
                    sources(items(&own), items(&given)).get(*index).copied().unwrap_or_default()
                } else {
                    (Some(*index), Some(*index))
                };
                let into = |at: At<'v>, index: Option<usize>| {
                    at.zip(index).and_then(|((path, value), i)| Some((path.index(i), value.get(i)?)))
                };
                (own, given) = (into(own, in_own), into(given, in_given));
                schema = schema.get("items").unwrap_or(&Value::Null);
            }
        }
        match own.as_ref().or(given.as_ref()) {
            Some((path, _)) => last = path.clone(),
            None => return last.then(rest.get(depth..).unwrap_or_default()),
        }
    }
    last
}

/// Whether a value of this schema is taken as a whole.
fn is_whole(schema: &Value) -> bool {
    schema.get("maxProperties").is_some()
        || schema.get(shape::WHOLE).is_some()
        || (schema.get("items").is_some() && !is_named(schema))
}

/// Whether it is a list whose elements can be dropped by name.
fn is_named(schema: &Value) -> bool {
    schema.get("items").and_then(|items| items.get("properties")?.get("disabled")).is_some()
}

fn merge(own: Option<&Value>, given: Option<&Value>, schema: &Value) -> Option<Value> {
    match (own, given) {
        (Some(Value::Array(_)), _) | (None, Some(Value::Array(_))) if is_named(schema) => {
            let (own, given) = (list(own), list(given));
            let items = schema.get("items").unwrap_or(&Value::Null);
            let element = |(i, j): Source| merge(i.and_then(|i| own.get(i)), j.and_then(|j| given.get(j)), items);
            Some(Value::Array(sources(own, given).into_iter().filter_map(element).collect()))
        }
        (Some(own), Some(_)) if is_whole(schema) => Some(own.clone()),
        (Some(Value::Object(own)), given) => Some(Value::Object(merge_fields(own, given.and_then(Value::as_object), schema))),
        (Some(own), _) => Some(own.clone()),
        (None, given) => given.cloned(),
    }
}

fn merge_fields(own: &Map<String, Value>, given: Option<&Map<String, Value>>, schema: &Value) -> Map<String, Value> {
    let field = |name: &str| schema.get("properties").and_then(|fields| fields.get(name)).unwrap_or(&Value::Null);
    let mut merged = Map::new();
    for (name, value) in own {
        merged
            .extend(merge(Some(value), given.and_then(|given| given.get(name)), field(name)).map(|value| (name.clone(), value)));
    }
    for (name, value) in given.into_iter().flatten().filter(|(name, _)| !own.contains_key(*name)) {
        merged.extend(merge(None, Some(value), field(name)).map(|value| (name.clone(), value)));
    }
    merged
}

/// Whether anything in it may be dropped by merging though there are no defaults. Asked of every service, so it does not look at
/// the schema.
fn may_drop(own: &Value) -> bool {
    match own {
        Value::Object(fields) => fields.contains_key("disabled") || fields.values().any(may_drop),
        Value::Array(items) => items.iter().any(may_drop),
        _ => false,
    }
}

/// Whether an element says that it is dropped, if it says anything.
fn is_disabled(element: &Value) -> Option<bool> {
    element.get("disabled")?.as_bool()
}

fn list(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// The elements of a merged list: the service's own in their order, then those of the defaults that it does not name; without
/// those that are dropped.
fn sources(own: &[Value], given: &[Value]) -> Vec<Source> {
    let name = |value: &Value| value.get("name").and_then(Value::as_str).map(str::to_owned);
    let mut by_name: BTreeMap<String, usize> = BTreeMap::new();
    for (index, value) in given.iter().enumerate() {
        by_name.entry(name(value).unwrap_or_default()).or_insert(index);
    }
    let mut taken = vec![false; given.len()];
    let mut all: Vec<Source> = Vec::with_capacity(own.len() + given.len());
    for (index, value) in own.iter().enumerate() {
        // A second element of one name is a mistake of its own; it has nothing from the defaults.
        let from = name(value).and_then(|name| by_name.get(&name).copied()).filter(|from| taken.get(*from) == Some(&false));
        if let Some(taken) = from.and_then(|from| taken.get_mut(from)) {
            *taken = true;
        }
        all.push((Some(index), from));
    }
    all.extend(taken.iter().enumerate().filter(|(_, taken)| !**taken).map(|(index, _)| (None, Some(index))));
    let disabled = |list: &[Value], at: Option<usize>| at.and_then(|at| is_disabled(list.get(at)?));
    all.retain(|(i, j)| disabled(own, *i).or(disabled(given, *j)) != Some(true));
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn document() -> Value {
        json!({ "spec": {
            "defaults": {
                "shift": { "steps": [1, 100], "bake": "5m" },
                "gates": [
                    { "name": "p99", "every": "15s", "check": { "prometheus": { "connection": "prom", "query": "x", "max": 1 } } },
                    { "name": "desk", "check": { "http": { "url": "http://desk" } } },
                ],
            },
            "services": [
                { "name": "a", "gates": [{ "name": "own" }, { "name": "desk", "check": { "probe": { "name": "up" } } }] },
                { "name": "b", "shift": { "bake": "9m" }, "gates": [{ "name": "p99", "disabled": true }], "router": { "dns": {} } },
            ],
        } })
    }

    #[test]
    fn fields_and_named_elements_are_merged_and_the_rest_is_taken_whole() {
        let document = document();
        let defaults = Defaults::of(&document);
        let a = defaults.merged(&document["spec"]["services"][0]);
        assert_eq!(a["shift"], json!({ "steps": [1, 100], "bake": "5m" }));
        let names: Vec<_> = a["gates"].as_array().unwrap().iter().map(|gate| gate["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["own", "desk", "p99"]);
        assert_eq!(a["gates"][1]["check"], json!({ "probe": { "name": "up" } }), "a union has one member");
        let b = defaults.merged(&document["spec"]["services"][1]);
        assert_eq!(b["shift"], json!({ "bake": "9m" }), "a record set moves all at once");
        assert_eq!(b["gates"].as_array().unwrap().len(), 1);
    }

    #[test]
    fn a_service_without_defaults_is_taken_as_it_is_unless_something_of_it_is_dropped() {
        let named = |disabled: bool| json!({ "name": "a", "gates": [{ "name": "x" }, { "name": "y", "disabled": disabled }] });
        let document =
            json!({ "spec": { "services": [named(false), named(true), "no object", { "gates": { "disabled": true } }] } });
        let defaults = Defaults::of(&document);
        for service in document["spec"]["services"].as_array().unwrap() {
            let merged = defaults.merged(service);
            assert_eq!(Some(merged.as_ref()), merge(Some(service), None, shape::service()).as_ref());
            assert_eq!(matches!(merged, Cow::Borrowed(_)), !may_drop(service));
        }
        assert_eq!(defaults.merged(&named(true))["gates"].as_array().unwrap().len(), 1);
    }

    #[test]
    fn every_merged_place_leads_back_to_its_text() {
        let document = document();
        let defaults = Defaults::of(&document);
        let services = Path::top().key("spec").key("services");
        let origin = |path: Path| defaults.origin(&path).to_string();
        let gates = services.index(0).key("gates");
        assert_eq!(
            origin(gates.index(2).key("check").key("prometheus").key("max")),
            "spec.defaults.gates[0].check.prometheus.max"
        );
        assert_eq!(origin(gates.index(1).key("check").key("probe").key("name")), "spec.services[0].gates[1].check.probe.name");
        assert_eq!(origin(gates.index(0).key("check")), "spec.services[0].gates[0].check");
        assert_eq!(origin(services.index(0).key("shift").key("bake")), "spec.defaults.shift.bake");
        assert_eq!(origin(services.index(1).key("shift").key("steps").index(0)), "spec.services[1].shift.steps[0]");
        assert_eq!(origin(services.index(1).key("gates").index(0).key("name")), "spec.defaults.gates[1].name");
        assert_eq!(origin(Path::top().key("spec").key("phases").index(0)), "spec.phases[0]");
    }
}
