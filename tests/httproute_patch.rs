//! The patch of an `HTTPRoute`, applied by a reference implementation of JSON Patch: what it changes, what it refuses, and
//! that it leaves everything else alone.
#![cfg(feature = "kubernetes")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use gapless::{
    engine::{Accepted, Owner, Programmed, RunId},
    kubernetes::{
        patch::{release, shift},
        route::{BackendName, OWNER, OWNER_NAME, RuleName, owner, programmed, rule},
    },
    plan::Weight,
};
use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

fn ours() -> Owner {
    Owner { run: RunId("11111111-2222".into()), name: "spine/first".into() }
}
fn weight(percent: u64) -> Weight {
    Weight::new(percent).unwrap()
}
fn name(section: Option<&str>) -> RuleName {
    RuleName {
        section: section.map(Into::into),
        legacy: BackendName { name: "pds-legacy".into(), port: 8080 },
        target: BackendName { name: "pds".into(), port: 80 },
    }
}
fn backend(name: &str, port: u16, weight: u64) -> Value {
    json!({ "group": "", "kind": "Service", "name": name, "port": port, "weight": weight })
}
fn route(rules: Value) -> Value {
    json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
        "metadata": { "name": "pds", "namespace": "spine", "resourceVersion": "7", "generation": 3 },
        "spec": { "parentRefs": [{ "name": "front" }], "rules": rules },
    })
}
fn plain() -> Value {
    route(json!([{ "matches": [{ "path": { "type": "PathPrefix", "value": "/" } }],
                   "backendRefs": [backend("pds-legacy", 8080, 100), backend("pds", 80, 0)] }]))
}
fn apply(document: &Value, patch: &Value) -> Result<Value, json_patch::PatchError> {
    let mut after = document.clone();
    let patch: json_patch::Patch = serde_json::from_value(patch.clone()).unwrap();
    json_patch::patch(&mut after, &patch).map(|()| after)
}

#[test]
fn one_patch_sets_weights_mark_and_owner() {
    let after = apply(&plain(), &shift(&plain(), &name(None), weight(25), "run-pds-1", &ours()).unwrap()).unwrap();
    let found = rule(&after, &name(None)).unwrap();
    assert_eq!(found.accepted(), Accepted::Split(weight(25)));
    assert_eq!(found.mark(), Some("run-pds-1"));
    assert_eq!(owner(&after), Some(ours()));
}

/// The same again, from the state that the first one made: only the weights and the mark change.
#[test]
fn a_second_shift_rests_on_our_claim_and_not_on_the_whole_object() {
    let mut first = apply(&plain(), &shift(&plain(), &name(None), weight(1), "run-pds-1", &ours()).unwrap()).unwrap();
    let patch = shift(&first, &name(None), weight(50), "run-pds-2", &ours()).unwrap();
    first["metadata"]["resourceVersion"] = json!("99"); // a controller wrote the status meanwhile
    let second = apply(&first, &patch).unwrap();
    assert_eq!(rule(&second, &name(None)).unwrap().accepted(), Accepted::Split(weight(50)));
    assert_eq!(rule(&second, &name(None)).unwrap().mark(), Some("run-pds-2"));
}

#[rstest]
#[case::weight_by_hand("/spec/rules/0/backendRefs/0/weight", json!(42))]
#[case::other_backend("/spec/rules/0/backendRefs/1/name", json!("other"))]
#[case::other_rule("/spec/rules/0/matches/0/path/value", json!("/other"))]
#[case::other_owner("/metadata/annotations/gapless.dev~1owner", json!("somebody-else"))]
#[case::mark_by_hand("/spec/rules/0/filters/0/responseHeaderModifier/set/0/value", json!("edited"))]
fn a_change_meanwhile_makes_the_patch_fail_as_a_whole(#[case] at: &str, #[case] to: Value) {
    let seen = apply(&plain(), &shift(&plain(), &name(None), weight(1), "run-pds-1", &ours()).unwrap()).unwrap();
    let patch = shift(&seen, &name(None), weight(5), "run-pds-2", &ours()).unwrap();
    let mut now = seen.clone();
    *now.pointer_mut(at).unwrap() = to;
    let before = now.clone();
    assert!(apply(&now, &patch).is_err(), "{patch:#}");
    assert_eq!(now, before);
}

#[test]
fn the_first_claim_rests_on_the_object_that_was_seen() {
    let patch = shift(&plain(), &name(None), weight(1), "m", &ours()).unwrap();
    let mut raced = plain();
    raced["metadata"]["resourceVersion"] = json!("8");
    raced["metadata"]["annotations"] = json!({ OWNER: "somebody-else" });
    assert!(apply(&raced, &patch).is_err());
}

#[rstest]
#[case::owned(json!({ OWNER: "x", OWNER_NAME: "spine/other" }), json!([{ "backendRefs": [backend("pds-legacy", 8080, 1), backend("pds", 80, 0)] }]), None, "driven by run spine/other (x)")]
#[case::no_rule(json!({}), json!([]), None, "has no rule")]
#[case::many_rules(json!({}), json!([{}, {}]), None, "sectionName")]
#[case::no_such_rule(json!({}), json!([{ "name": "a" }]), Some("b"), "no rule named b")]
#[case::no_target(json!({}), json!([{ "backendRefs": [backend("pds-legacy", 8080, 1)] }]), None, "does not list the backend pds:80")]
#[case::other_port(json!({}), json!([{ "backendRefs": [backend("pds-legacy", 8080, 1), backend("pds", 81, 1)] }]), None, "does not list the backend pds:80")]
#[case::twice(json!({}), json!([{ "backendRefs": [backend("pds-legacy", 8080, 1), backend("pds", 80, 1), backend("pds", 80, 1)] }]), None, "lists the backend pds:80 twice")]
#[case::other_namespace(json!({}), json!([{ "backendRefs": [backend("pds-legacy", 8080, 1), { "name": "pds", "namespace": "x", "port": 80 }] }]), None, "does not list")]
fn what_does_not_fit_is_refused_with_a_sentence(
    #[case] annotations: Value,
    #[case] rules: Value,
    #[case] section: Option<&str>,
    #[case] says: &str,
) {
    let mut document = route(rules);
    document["metadata"]["annotations"] = annotations;
    let refused = shift(&document, &name(section), weight(1), "m", &ours()).unwrap_err();
    assert!(refused.0.contains(says), "{refused}");
}

#[rstest]
#[case::defaults(json!([{ "name": "pds-legacy", "port": 8080 }, { "name": "pds", "port": 80 }]), Ok(50))]
#[case::scaled(json!([backend("pds-legacy", 8080, 3000), backend("pds", 80, 1000)]), Ok(25))]
#[case::one(json!([backend("pds-legacy", 8080, 1), backend("pds", 80, 0)]), Ok(0))]
#[case::uneven(json!([backend("pds-legacy", 8080, 2), backend("pds", 80, 1)]), Err("weights 2 to legacy and 1 to target"))]
#[case::all_zero(json!([backend("pds-legacy", 8080, 0), backend("pds", 80, 0)]), Err("both weights are 0"))]
#[case::foreign(json!([backend("pds-legacy", 8080, 99), backend("pds", 80, 0), backend("canary", 80, 1)]), Err("backend canary has weight 1"))]
#[case::foreign_at_zero(json!([backend("canary", 80, 0), backend("pds-legacy", 8080, 99), backend("pds", 80, 1)]), Ok(1))]
fn weights_are_whole_percentages_or_something_else(#[case] backends: Value, #[case] wanted: Result<u64, &str>) {
    let document = route(json!([{ "backendRefs": backends }]));
    match (rule(&document, &name(None)).unwrap().accepted(), wanted) {
        (Accepted::Split(found), Ok(wanted)) => assert_eq!(found, weight(wanted)),
        (Accepted::Other(found), Err(says)) => assert!(found.contains(says), "{found}"),
        (found, wanted) => panic!("{found:?} is not {wanted:?}"),
    }
}

#[test]
fn sixteen_headers_leave_no_room() {
    let set: Vec<Value> = (0..16).map(|n| json!({ "name": format!("x-{n}"), "value": "v" })).collect();
    let mut document = plain();
    document["spec"]["rules"][0]["filters"] =
        json!([{ "type": "ResponseHeaderModifier", "responseHeaderModifier": { "set": set } }]);
    assert!(shift(&document, &name(None), weight(1), "m", &ours()).unwrap_err().0.contains("no room"));
}

fn status(conditions: Value) -> Value {
    let mut document = plain();
    document["status"] = json!({ "parents": [{ "parentRef": { "group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "front", "namespace": "spine" },
        "controllerName": "c", "conditions": conditions }] });
    document
}
fn condition(kind: &str, status: &str, generation: i64, reason: &str) -> Value {
    json!({ "type": kind, "status": status, "observedGeneration": generation, "reason": reason, "message": "Fall Back: rule 0 is invalid" })
}

#[rstest]
#[case::none(json!([]), "pending")]
#[case::both(json!([condition("Accepted", "True", 3, "Accepted"), condition("ResolvedRefs", "True", 3, "ResolvedRefs")]), "yes")]
#[case::older(json!([condition("Accepted", "True", 2, "Accepted"), condition("ResolvedRefs", "True", 3, "ResolvedRefs")]), "pending")]
#[case::not_told_of_refs(json!([condition("Accepted", "True", 3, "Accepted")]), "pending")]
#[case::refused(json!([condition("Accepted", "False", 3, "NotAllowedByListeners"), condition("ResolvedRefs", "True", 3, "")]), "refused")]
#[case::still_thinking(json!([condition("Accepted", "False", 3, "Pending"), condition("ResolvedRefs", "True", 3, "")]), "pending")]
#[case::no_backend(json!([condition("Accepted", "True", 3, ""), condition("ResolvedRefs", "False", 3, "BackendNotFound")]), "refused")]
#[case::falls_back(json!([condition("Accepted", "True", 2, ""), condition("PartiallyInvalid", "True", 3, "UnsupportedValue"), condition("ResolvedRefs", "True", 3, "")]), "refused")]
#[case::partly_invalid_before(json!([condition("Accepted", "True", 3, ""), condition("PartiallyInvalid", "True", 2, ""), condition("ResolvedRefs", "True", 3, "")]), "yes")]
fn a_condition_counts_with_its_generation_only(#[case] conditions: Value, #[case] wanted: &str) {
    let found = match programmed(&status(conditions)) {
        Programmed::Yes => "yes",
        Programmed::Pending => "pending",
        Programmed::Refused(why) => {
            assert!(why.contains(": "), "{why}");
            "refused"
        }
        Programmed::Untold => "untold",
    };
    assert_eq!(found, wanted);
}

#[test]
fn a_route_without_any_status_is_pending_and_so_is_a_second_parent_without_one() {
    assert_eq!(programmed(&plain()), Programmed::Pending);
    let good = json!([condition("Accepted", "True", 3, ""), condition("ResolvedRefs", "True", 3, "")]);
    let mut two = status(good);
    two["spec"]["parentRefs"] = json!([{ "name": "front" }, { "name": "back" }]);
    assert_eq!(programmed(&two), Programmed::Pending);
}

/// Two services of one run on two rules of one route: the first that ends leaves the claim to the other.
#[test]
fn the_claim_stays_as_long_as_another_rule_is_driven() {
    let one = json!({ "name": "a", "backendRefs": [backend("pds-legacy", 8080, 100), backend("pds", 80, 0)] });
    let two = json!({ "name": "b", "backendRefs": [backend("pds-legacy", 8080, 100), backend("pds", 80, 0)] });
    let (a, b) = (name(Some("a")), name(Some("b")));
    let bare = route(json!([one, two]));
    let first = apply(&bare, &shift(&bare, &a, weight(100), "run-a-1", &ours()).unwrap()).unwrap();
    let both = apply(&first, &shift(&first, &b, weight(50), "run-b-1", &ours()).unwrap()).unwrap();
    let half = apply(&both, &release(&both, &a, &ours().run).unwrap().unwrap()).unwrap();
    assert_eq!(owner(&half), Some(ours()));
    assert_eq!((rule(&half, &a).unwrap().mark(), rule(&half, &b).unwrap().mark()), (None, Some("run-b-1")));
    assert_eq!(release(&half, &a, &ours().run).unwrap(), None, "it has nothing more to give up");
    let free = apply(&half, &release(&half, &b, &ours().run).unwrap().unwrap()).unwrap();
    assert_eq!((owner(&free), rule(&free, &b).unwrap().mark()), (None, None));
}

// ---- properties: whatever the route is, only the named places change

fn header(tag: &'static str) -> impl Strategy<Value = Value> {
    (0..9u8).prop_map(move |n| json!({ "name": format!("{tag}-{n}"), "value": format!("{n}") }))
}
fn filter() -> impl Strategy<Value = Value> {
    prop_oneof![
        header("x-req").prop_map(|h| json!({ "type": "RequestHeaderModifier", "requestHeaderModifier": { "set": [h] } })),
        Just(json!({ "type": "RequestMirror", "requestMirror": { "backendRef": { "name": "shadow", "port": 1 } } })),
    ]
}
fn modifier() -> impl Strategy<Value = Option<Value>> {
    let members = (
        proptest::option::of(proptest::collection::vec(header("x-set"), 1..4)),
        proptest::option::of(proptest::collection::vec(header("x-add"), 1..3)),
        proptest::bool::ANY,
    );
    proptest::option::of(members).prop_map(|found| {
        let (set, add, remove) = found?;
        let mut content = serde_json::Map::new();
        if let Some(set) = set {
            content.insert("set".into(), json!(set));
        }
        if let Some(add) = add {
            content.insert("add".into(), json!(add));
        }
        if remove || content.is_empty() {
            content.insert("remove".into(), json!(["server"]));
        }
        Some(json!({ "type": "ResponseHeaderModifier", "responseHeaderModifier": content }))
    })
}
fn any_rule(name: String) -> impl Strategy<Value = Value> {
    let filters = (proptest::collection::vec(filter(), 0..3), modifier(), 0..3usize);
    let foreign = proptest::collection::vec(0..3u64, 0..3);
    (filters, foreign, 0..=100u64, proptest::bool::ANY, proptest::bool::ANY).prop_map(move |((mut filters, own, at), foreign, w, weighted, filtered)| {
        let mut backends: Vec<Value> = foreign.iter().enumerate().map(|(n, w)| backend(&format!("other-{n}"), 9, *w)).collect();
        let (mut legacy, mut target) = (backend("pds-legacy", 8080, 100 - w), backend("pds", 80, w));
        if !weighted {
            legacy.as_object_mut().unwrap().remove("weight");
            target.as_object_mut().unwrap().remove("weight");
        }
        legacy["filters"] = json!([{ "type": "RequestHeaderModifier" }]);
        backends.insert(0, legacy);
        backends.push(target);
        if let Some(own) = own {
            filters.insert(at.min(filters.len()), own);
        }
        let mut rule = json!({ "name": name, "timeouts": { "request": "1s" }, "matches": [{ "path": { "value": "/a~b" } }], "backendRefs": backends });
        if filtered || !filters.is_empty() {
            rule["filters"] = json!(filters);
        }
        rule
    })
}
fn any_route() -> impl Strategy<Value = Value> {
    let annotations = proptest::option::of(proptest::collection::btree_map("[a-z]{1,3}/[a-z]{1,3}", "[a-z]{0,4}", 0..3));
    (any_rule("first".into()), any_rule("second".into()), annotations).prop_map(|(one, two, annotations)| {
        let mut document = route(json!([one, two]));
        if let Some(annotations) = annotations {
            document["metadata"]["annotations"] = json!(annotations);
        }
        document["unknown"] = json!({ "of": ["a", "later", "version"] });
        document
    })
}

/// The document without what is ours: nothing else may ever differ.
fn foreign(document: &Value, of: &str) -> Value {
    let mut rest = document.clone();
    for rule in rest["spec"]["rules"].as_array_mut().unwrap() {
        if rule["name"] != of {
            continue;
        }
        for backend in rule["backendRefs"].as_array_mut().unwrap() {
            if backend["name"] == "pds" || backend["name"] == "pds-legacy" {
                backend.as_object_mut().unwrap().remove("weight");
            }
        }
        if let Some(filters) = rule.get_mut("filters").and_then(Value::as_array_mut) {
            for filter in filters.iter_mut().filter(|f| f["type"] == "ResponseHeaderModifier") {
                let content = filter["responseHeaderModifier"].as_object_mut().unwrap();
                if let Some(set) = content.get_mut("set").and_then(Value::as_array_mut) {
                    set.retain(|entry| entry["name"] != "x-gapless-mark");
                    if set.is_empty() {
                        content.remove("set");
                    }
                }
            }
            filters.retain(|f| f["responseHeaderModifier"] != json!({}));
            if filters.is_empty() {
                rule.as_object_mut().unwrap().remove("filters");
            }
        }
    }
    let metadata = rest["metadata"].as_object_mut().unwrap();
    if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
        annotations.retain(|key, _| key != OWNER && key != OWNER_NAME);
        if annotations.is_empty() {
            metadata.remove("annotations");
        }
    }
    rest
}

proptest! {
    #[test]
    fn nothing_foreign_changes_and_the_weights_are_as_ordered(document in any_route(), percent in 0..=100u64, again in 0..=100u64) {
        let name = name(Some("second"));
        let first = apply(&document, &shift(&document, &name, weight(percent), "a-pds-1", &ours()).unwrap()).unwrap();
        let second = apply(&first, &shift(&first, &name, weight(again), "a-pds-2", &ours()).unwrap()).unwrap();
        for (after, percent, mark) in [(&first, percent, "a-pds-1"), (&second, again, "a-pds-2")] {
            prop_assert_eq!(foreign(after, "second"), foreign(&document, "second"));
            prop_assert_eq!(&after["spec"]["rules"][0], &document["spec"]["rules"][0]);
            let found = rule(after, &name).unwrap();
            prop_assert_eq!(found.mark(), Some(mark));
            let of = |wanted: &str| found.backends().iter().find(|b| b["name"] == wanted).unwrap()["weight"].as_u64().unwrap();
            prop_assert_eq!(of("pds"), percent);
            prop_assert_eq!(of("pds-legacy"), 100 - percent);
        }
    }

    #[test]
    fn giving_up_takes_away_all_that_was_ours_and_keeps_the_weights(document in any_route(), percent in 0..=100u64) {
        let name = name(Some("second"));
        let ours = ours();
        let shifted = apply(&document, &shift(&document, &name, weight(percent), "a-pds-1", &ours).unwrap()).unwrap();
        let given_up = apply(&shifted, &release(&shifted, &name, &ours.run).unwrap().unwrap()).unwrap();
        prop_assert_eq!(owner(&given_up), None);
        prop_assert_eq!(rule(&given_up, &name).unwrap().mark(), None);
        prop_assert_eq!(rule(&given_up, &name).unwrap().accepted(), rule(&shifted, &name).unwrap().accepted());
        prop_assert_eq!(foreign(&given_up, "second"), foreign(&document, "second"));
        let kept = document["spec"]["rules"][1].get("filters").filter(|f| !f.as_array().unwrap().is_empty());
        prop_assert_eq!(given_up["spec"]["rules"][1].get("filters"), kept);
        prop_assert_eq!(release(&given_up, &name, &ours.run).unwrap(), None);
    }
}
