//! What is derived from objects without a cluster: where answers are asked for, how legacy hosts are described, what a
//! status says.
#![cfg(feature = "kubernetes")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use std::collections::BTreeSet;

use gapless::{
    adapters::{prober::Targets, wake::Wake},
    engine::{Backend, Decision, Ended, Outcome, Reason, Record, RunId, Stage, Step, Wait},
    kubernetes::{
        backend::{Standing, Verdict, compare, endpoints, objects},
        crd::{ConditionStatus, MigrationRunStatus},
        definitions::definitions,
        gateway::{parents, question},
        revision::{pack, unpack},
        route::{BackendName, RuleName, rule},
        status,
        watch::Sink as _,
        world::{Watched, World},
    },
    plan::{EndpointSpec, Revision, Service, Side, Weight, check_spec},
};
use jiff::Timestamp;
use rstest::rstest;
use serde_json::{Value, json};

fn revision(paths: &[&str]) -> Revision {
    let probes: Vec<Value> = paths
        .iter()
        .enumerate()
        .map(|(n, path)| json!({ "name": format!("p{n}"), "send": { "http": { "path": path } } }))
        .collect();
    let spec = json!({ "services": [{ "name": "pds", "legacy": { "endpoints": [{ "address": "10.0.0.1", "port": 8080 }] },
        "target": { "service": { "name": "pds", "port": 80 } }, "router": { "httpRoute": { "name": "pds" } }, "probes": probes,
        "gates": [{ "name": "g", "check": { "http": { "url": "http://x/" } } }] }] });
    check_spec("plan", "spine", &serde_json::from_value(spec).unwrap()).unwrap().revision
}
fn service(paths: &[&str]) -> Service {
    revision(paths).plan().services.values().next().unwrap().clone()
}
fn route(matches: Value, hostnames: Value) -> Value {
    json!({ "metadata": { "namespace": "spine", "name": "pds" }, "spec": {
        "parentRefs": [{ "name": "front", "namespace": "edge" }], "hostnames": hostnames,
        "rules": [{ "matches": matches, "backendRefs": [{ "name": "pds-legacy", "port": 8080 }, { "name": "pds", "port": 80 }] }] } })
}
fn name() -> RuleName {
    let backend = |name: &str, port| BackendName { name: name.into(), port };
    RuleName { section: None, legacy: backend("pds-legacy", 8080), target: backend("pds", 80) }
}
fn gateway() -> Value {
    json!({ "spec": { "listeners": [{ "name": "tls", "port": 443, "protocol": "HTTPS" }, { "name": "web", "port": 8000, "protocol": "HTTP" }] },
            "status": { "addresses": [{ "value": "10.1.2.3" }] } })
}
/// `METHOD host path headers` of the question for a route, or why there is none.
fn asked(route: &Value, gateway: &Value, probes: &[&str]) -> Result<String, String> {
    let parent = &parents(route)[0];
    let found = question(route, &rule(route, &name()).unwrap(), parent, gateway, &service(probes)).map_err(|why| why.0)?;
    let headers: Vec<String> = found.headers.iter().map(|(n, v)| format!("{n}={v}")).collect();
    Ok(format!(
        "{} {} {} {}{}",
        found.method,
        found.address.authority(),
        found.host.unwrap_or("-".into()),
        found.address.path(),
        headers.join(",")
    ))
}
fn prefix(path: &str) -> Value {
    json!([{ "path": { "type": "PathPrefix", "value": path } }])
}

#[rstest]
#[case::prefix(prefix("/api"), json!(["pds.example.org"]), &[], "GET 10.1.2.3:8000 pds.example.org /api")]
#[case::probe_under_it(prefix("/api"), json!([]), &["/live", "/api/live?deep=1"], "GET 10.1.2.3:8000 - /api/live?deep=1")]
#[case::not_under_it(prefix("/api"), json!([]), &["/apis"], "GET 10.1.2.3:8000 - /api")]
#[case::root(prefix("/"), json!(["*.example.org"]), &["/live"], "GET 10.1.2.3:8000 gapless.example.org /live")]
#[case::exact(json!([{ "path": { "type": "Exact", "value": "/a" }, "method": "HEAD", "headers": [{ "name": "x", "value": "y" }], "queryParams": [{ "name": "q", "value": "a b" }] }]), json!([]), &["/live"], "HEAD 10.1.2.3:8000 - /a?q=a%20bx=y")]
#[case::second_match(json!([{ "path": { "type": "RegularExpression", "value": "/a.*" } }, { "method": "POST" }, { "method": "GET", "path": { "value": "/b" } }]), json!([]), &[], "GET 10.1.2.3:8000 - /b")]
fn a_question_is_one_that_the_rule_matches(
    #[case] matches: Value,
    #[case] hosts: Value,
    #[case] probes: &[&str],
    #[case] wanted: &str,
) {
    assert_eq!(asked(&route(matches, hosts), &gateway(), probes).unwrap(), wanted);
}

#[rstest]
#[case::unsafe_only(json!([{ "method": "POST" }]), gateway(), "asked safely")]
#[case::pattern_only(json!([{ "path": { "type": "RegularExpression", "value": "/.*" } }]), gateway(), "asked safely")]
#[case::header_pattern(json!([{ "headers": [{ "type": "RegularExpression", "name": "a", "value": ".*" }] }]), gateway(), "asked safely")]
#[case::no_address(prefix("/"), json!({ "spec": { "listeners": [] } }), "no address")]
#[case::tls_only(prefix("/"), json!({ "spec": { "listeners": [{ "port": 443, "protocol": "HTTPS" }] }, "status": { "addresses": [{ "value": "1.2.3.4" }] } }), "no plain HTTP listener")]
fn what_cannot_be_asked_is_said(#[case] matches: Value, #[case] gateway: Value, #[case] says: &str) {
    let why = asked(&route(matches, json!([])), &gateway, &[]).unwrap_err();
    assert!(why.contains(says), "{why}");
}

fn hosts(all: &[(&str, u16)]) -> BTreeSet<EndpointSpec> {
    all.iter().map(|(address, port)| EndpointSpec { address: (*address).into(), port: *port }).collect()
}
fn backend() -> BackendName {
    BackendName { name: "pds-legacy".into(), port: 8080 }
}

#[test]
fn hosts_of_both_families_and_several_ports_become_slices_that_read_back_the_same() {
    let hosts = hosts(&[("10.0.0.1", 8080), ("10.0.0.2", 8080), ("10.0.0.3", 9090), ("fd00::1", 8080)]);
    let made = objects("spine", &backend(), &hosts);
    let names: Vec<&str> = made.iter().map(|object| object.name.as_str()).collect();
    assert_eq!(names, ["pds-legacy", "pds-legacy-ipv4-8080", "pds-legacy-ipv4-9090", "pds-legacy-ipv6-8080"]);
    let (service, slices) = (&made[0].object, made[1..].iter().map(|wanted| &wanted.object));
    assert!(service["spec"].get("selector").is_none());
    for slice in slices.clone() {
        assert_eq!(slice["ports"][0]["name"], service["spec"]["ports"][0]["name"], "the port's name is what joins them");
        assert!(slice["endpoints"].as_array().unwrap().iter().all(|endpoint| endpoint["conditions"]["ready"] == true));
    }
    assert_eq!(compare(&backend(), &hosts, Some(service), slices), Verdict::Right);
}

#[rstest]
#[case::nothing(&[("10.0.0.1", 8080)], None, &[], "make")]
#[case::ours_elsewhere(&[("10.0.0.1", 8080)], Some(true), &[("10.0.0.9", true)], "make")]
#[case::theirs_elsewhere(&[("10.0.0.1", 8080)], Some(false), &[("10.0.0.9", false)], "foreign")]
#[case::theirs_the_same(&[("10.0.0.1", 8080)], Some(false), &[("10.0.0.1", false)], "right")]
#[case::theirs_besides_ours(&[("10.0.0.1", 8080)], Some(true), &[("10.0.0.1", true), ("10.0.0.9", false)], "foreign")]
fn what_stands_is_right_or_to_be_made_or_somebody_elses(
    #[case] wanted: &[(&str, u16)],
    #[case] service: Option<bool>,
    #[case] slices: &[(&str, bool)],
    #[case] verdict: &str,
) {
    let labels = |ours: bool| if ours { json!({ "app.kubernetes.io/managed-by": "gapless" }) } else { json!({}) };
    let service = service.map(
        |ours| json!({ "metadata": { "name": "pds-legacy", "labels": labels(ours) }, "spec": { "ports": [{ "port": 8080 }] } }),
    );
    let slices: Vec<Value> = slices.iter().map(|(address, ours)| json!({ "metadata": { "name": format!("s-{address}"), "labels": labels(*ours) }, "ports": [{ "port": 8080 }], "endpoints": [{ "addresses": [address] }] })).collect();
    let found = match compare(&backend(), &hosts(wanted), service.as_ref(), slices.iter()) {
        Verdict::Right => "right",
        Verdict::ToMake => "make",
        Verdict::Foreign(why) => {
            assert!(why.contains("somebody else"), "{why}");
            "foreign"
        }
    };
    assert_eq!(found, verdict);
}

#[test]
fn endpoints_that_are_not_ready_take_no_traffic_and_a_port_is_found_by_its_name() {
    let service =
        json!({ "spec": { "ports": [{ "name": "admin", "port": 81 }, { "name": "web", "port": 8080, "targetPort": "http" }] } });
    let slice = json!({ "ports": [{ "name": "admin", "port": 9001 }, { "name": "web", "port": 9000 }], "endpoints": [
        { "addresses": ["10.0.0.1"] }, { "addresses": ["10.0.0.2"], "conditions": { "ready": false } }, { "addresses": ["10.0.0.3"], "conditions": { "ready": true } }] });
    let wanted = BTreeSet::from(["10.0.0.1:9000".parse().unwrap(), "10.0.0.3:9000".parse().unwrap()]);
    assert_eq!(endpoints(&backend(), Some(&service), std::iter::once(&slice)), Standing::There(wanted));
    assert!(
        matches!(endpoints(&backend(), None, std::iter::empty()), Standing::Absent(what) if what.contains("no Service pds-legacy"))
    );
    let other = json!({ "spec": { "ports": [{ "port": 1 }] } });
    assert!(
        matches!(endpoints(&backend(), Some(&other), std::iter::empty()), Standing::Absent(what) if what.contains("no port 8080"))
    );
}

fn decision(record: &Record, waits: Vec<Wait>, outcome: Option<Outcome>) -> Decision {
    Decision { record: record.clone(), effects: vec![], events: vec![], waits, wake_at: None, due_at: None, outcome }
}

#[test]
fn a_status_keeps_its_moments_and_says_what_a_person_should_know_first() {
    let revision = revision(&["/"]);
    let at = |seconds| Timestamp::from_second(seconds).unwrap();
    let mut record = Record::new(RunId("run".into()), &revision, at(0));
    let name = revision.plan().services.keys().next().unwrap().clone();
    record.services.get_mut(&name).unwrap().stage = Stage::Shifting(1);
    let weight = Weight::new(5).unwrap();
    let wait = |reason| Wait { step: Step::Shift(weight).of(&name), reason, since: None };
    let waits = vec![wait(Reason::Baking { weight, until: at(9) }), wait(Reason::RouteUnknown { why: "gone".into() })];
    let look = |before: &MigrationRunStatus, now, waits, outcome| {
        status::of(&revision, &record, &decision(&record, waits, outcome), before, at(now), 3)
    };
    let first = look(&MigrationRunStatus::default(), 1, waits.clone(), None);
    assert_eq!(first.waiting[0].reason, "RouteUnknown");
    assert!(
        !first.waiting[1].message.contains("1970"),
        "a moment that passes without a write is not in it: {:?}",
        first.waiting[1]
    );
    assert_eq!((first.state.as_deref(), first.progress.as_ref().unwrap().text.as_str()), (Some("Running"), "2/8"));
    assert_eq!(look(&first, 2, waits.clone(), None), first, "the same look twice is the same status");

    let held = look(&first, 3, waits, Some(Outcome::Held));
    let of = |status: &MigrationRunStatus, kind: &str| status.conditions.iter().find(|c| c.kind == kind).unwrap().clone();
    assert_eq!(of(&held, "Stalled").status, ConditionStatus::True);
    assert_eq!(of(&held, "Stalled").last_transition_time, at(3).to_string());
    assert_eq!(of(&held, "Reconciling").status, ConditionStatus::False);
    assert_eq!(of(&held, "Moved").last_transition_time, at(1).to_string(), "what did not change keeps its moment");

    record.ended = Some(Ended { outcome: Outcome::RolledBack, at: at(4) });
    let ended = status::of(&revision, &record, &decision(&record, vec![], None), &held, at(4), 3);
    assert_eq!(ended.state.as_deref(), Some("RolledBack"));
    assert!(["Stalled", "Reconciling", "Completed"].iter().all(|kind| of(&ended, kind).status == ConditionStatus::False));
}

#[test]
fn a_revision_that_was_tampered_with_is_refused() {
    let revision = revision(&["/"]);
    let good = pack(&revision).unwrap();
    assert_eq!(unpack(&good).unwrap(), revision);
    let mut other = good.clone();
    other.spec.digest = "0".repeat(64);
    assert!(unpack(&other).unwrap_err().to_string().contains("its digest is"));
    let mut broken = good.clone();
    broken.spec.packed.truncate(20);
    assert!(unpack(&broken).unwrap_err().to_string().contains("damaged"));
    let mut moved = good;
    moved.metadata.namespace = Some("elsewhere".into());
    assert!(unpack(&moved).unwrap_err().to_string().contains("namespace spine"));
}

#[test]
fn a_plan_of_1200_services_fits_one_revision_and_is_small() {
    let services: Vec<Value> = (0..1200)
        .map(|n| json!({ "name": format!("service-{n}"), "legacy": { "endpoints": [{ "address": format!("10.0.{}.{}", n / 250, n % 250 + 1), "port": 8080 }] },
            "target": { "service": { "name": format!("service-{n}"), "port": 80 } }, "router": { "httpRoute": { "name": format!("service-{n}") } },
            "probes": [{ "name": "alive", "send": { "http": {} } }] }))
        .collect();
    let spec = serde_json::from_value(json!({ "services": services })).unwrap();
    let packed = pack(&check_spec("plan", "spine", &spec).unwrap().revision).unwrap();
    assert!(packed.spec.packed.len() < 100_000, "{} bytes", packed.spec.packed.len());
}

/// What the API server demands of a CRD's schema, checked without one: one `type` each, every list and text bounded.
#[test]
fn every_schema_is_structural_and_bounded() {
    for definition in definitions().unwrap() {
        let definition = serde_json::to_value(&definition).unwrap();
        let schema = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
        for part in ["spec", "status"] {
            if let Some(part_schema) = schema["properties"].get(part) {
                walk(part_schema, &format!("{}.{part}", definition["spec"]["names"]["kind"]));
            }
        }
    }
}
/// Inside of a choice a structural schema may say what is there and what is not, and describe nothing (`apiextensions/v1`,
/// `JSONSchemaProps`: no `type`, `description`, `default`, `additionalProperties`, `nullable` or extension there).
fn only_choices(choice: &Value, path: &str) {
    match choice {
        Value::Array(all) => all.iter().for_each(|one| only_choices(one, path)),
        Value::Object(members) => {
            for (word, inner) in members {
                match word.as_str() {
                    "required" | "enum" | "minProperties" | "maxProperties" => {}
                    "oneOf" | "anyOf" | "allOf" | "not" => only_choices(inner, path),
                    "properties" => inner.as_object().unwrap().values().for_each(|field| only_choices(field, path)),
                    other => panic!("{path} describes something by {other}"),
                }
            }
        }
        other => panic!("{path} is {other}"),
    }
}
fn walk(schema: &Value, path: &str) {
    let members = schema.as_object().unwrap();
    for word in ["allOf", "$ref", "const"] {
        assert!(!members.contains_key(word), "{path} has {word}");
    }
    for word in ["oneOf", "anyOf", "not"] {
        members.get(word).into_iter().for_each(|choice| only_choices(choice, &format!("{path}.{word}")));
    }
    match schema["type"].as_str() {
        Some("string") => {
            assert!(members.contains_key("maxLength") || members.contains_key("enum"), "{path} is a text without a bound")
        }
        Some("array") => assert!(members.contains_key("maxItems"), "{path} is a list without a bound"),
        Some("object") => {
            let open = members.contains_key("properties") || members.contains_key("x-kubernetes-preserve-unknown-fields");
            // What is said by being there has no fields, and the API server prunes whatever somebody writes into it.
            let open = open || path.ends_with(".external");
            assert!(open || members.contains_key("additionalProperties"), "{path} is an object of nothing");
        }
        Some(_) => {}
        None => panic!("{path} has no type"),
    }
    for (name, field) in members.get("properties").and_then(Value::as_object).into_iter().flatten() {
        walk(field, &format!("{path}.{name}"));
    }
    if let Some(items) = members.get("items") {
        walk(items, &format!("{path}[]"));
    }
}

/// A world whose prober is a list of what it was told, with a route's two sides.
#[allow(clippy::type_complexity, reason = "a test's own tuple")]
fn world(target: Value) -> (std::sync::Arc<World>, std::sync::Arc<std::sync::Mutex<Vec<(Side, Targets)>>>, Revision) {
    let spec = json!({ "services": [{ "name": "pds", "legacy": { "endpoints": [{ "address": "10.0.0.1", "port": 8080 }] },
        "target": target, "router": { "httpRoute": { "name": "pds" } },
        "gates": [{ "name": "g", "check": { "http": { "url": "http://x/" } } }] }] });
    let revision = check_spec("plan", "spine", &serde_json::from_value(spec).unwrap()).unwrap().revision;
    let aimed: std::sync::Arc<std::sync::Mutex<Vec<_>>> = std::sync::Arc::default();
    let told = std::sync::Arc::clone(&aimed);
    let aim = Box::new(move |_: &_, side, targets| told.lock().unwrap().push((side, targets)));
    let world = World::new(RunId("run".into()), std::sync::Arc::new(revision.clone()), Wake::default(), aim);
    (std::sync::Arc::new(world), aimed, revision)
}

#[tokio::test]
async fn a_service_that_is_deleted_or_has_no_slices_is_a_side_without_endpoints_and_not_one_that_nobody_knows() {
    let (world, aimed, revision) = world(json!({ "service": { "name": "pds", "port": 80 } }));
    let (name, service) = revision.plan().services.iter().next().unwrap();
    let last = || aimed.lock().unwrap().last().cloned();
    let object =
        json!({ "metadata": { "name": "pds", "resourceVersion": "5" }, "spec": { "ports": [{ "port": 80, "name": "web" }] } });
    let slice = json!({ "metadata": { "name": "pds-1", "resourceVersion": "6", "labels": { "kubernetes.io/service-name": "pds" } },
        "ports": [{ "name": "web", "port": 8080 }], "endpoints": [{ "addresses": ["10.1.0.1"], "conditions": { "ready": true } }] });
    let (mut services, mut slices) = (world.sink(Watched::Services), world.sink(Watched::Slices));
    services.begin();
    services.put(object.clone());
    services.listed();
    services.alive(Timestamp::now());
    assert_eq!(last(), None, "before both lists are complete nobody knows");
    assert!(world.look_at_backend(name, service, Side::Target).is_err());
    slices.begin();
    slices.put(slice.clone());
    slices.listed();
    slices.alive(Timestamp::now());
    let there = Targets::Known(["10.1.0.1:8080".parse().unwrap()].into());
    assert_eq!(last(), Some((Side::Target, there.clone())));
    assert_eq!(world.look_at_backend(name, service, Side::Target), Ok(Backend::Present));

    slices.gone(&slice);
    assert_eq!(last(), Some((Side::Target, Targets::Known([].into()))), "a Service without slices has no endpoints");
    assert_eq!(world.look_at_backend(name, service, Side::Target), Ok(Backend::Present));
    slices.put(slice);
    assert_eq!(last(), Some((Side::Target, there)));

    services.gone(&object);
    assert_eq!(last(), Some((Side::Target, Targets::Known([].into()))), "nobody answers for a Service that is no more");
    assert_eq!(world.look_at_backend(name, service, Side::Target), Ok(Backend::Absent));
    let lost = gapless::kubernetes::api::ApiError::Unclear("no connection".into());
    services.lost(&lost);
    assert_eq!(world.look_at_backend(name, service, Side::Target), Ok(Backend::Absent), "what is known stays known");
    assert_eq!(world.look_at_backend(name, service, Side::Legacy), Ok(Backend::Missing), "plain hosts are ours to describe");
}
