//! The JSON schema of our types, in the one form that an editor, `check` and a CRD can all use.
//!
//! schemars writes an enum as `oneOf` and an optional field as `anyOf` with `null`. Kubernetes refuses both as not
//! structural, and a validator can say no more about them than "none of these". Here they become what they mean: one
//! object with exactly one of several members, a plain list of words, a field that may be left out (but not be null).

mod words;

use serde_json::{Map, Value, json};

use schemars::{JsonSchema, generate::SchemaSettings};

use self::words::{describe, meanings, reflow, say_complete, say_unions};

/// In a schema, the fields that an object must have once the plan's defaults have been merged in. Never printed.
const COMPLETE: &str = "x-complete";
/// In a schema, that an object is never merged with one of the plan's defaults, but taken as a whole. Never printed.
pub(crate) const WHOLE: &str = "x-whole";
/// In a schema, which fields of an object exclude or need each other: value validations that go into the object's own schema
/// where nobody says it better ([`Either`]). Never printed.
const EITHER: &str = "x-either";

/// In a schema, what each word of an enumeration means: added to the description for those who see no type. Never printed.
const MEANS: &str = "x-means";

/// Whether a schema says which fields of an object exclude or need each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Either {
    /// It does, in words as well: for the API server, for editors and for `kubectl explain`.
    Said,
    /// It does not: `check` looks at these itself, and has words for each.
    Left,
}

/// What a schema says of fields that it does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// They are refused (`additionalProperties: false`).
    Refused,
    /// Nothing is said, as a CRD must: the API server refuses or prunes them by `fieldValidation`.
    Unsaid,
}

/// The schema of `T` without references and unions; unknown fields are refused. Which fields exclude or need each other is left
/// to `check`, which has words for it.
pub fn file<T: JsonSchema>() -> Value {
    of::<T>(Unknown::Refused, Either::Left)
}

/// The most services that a plan file may list. An object of the API server takes fewer: see `too-large`.
pub const SERVICES_MAX: usize = 100_000;

/// The most services that an object of the API server may list: the bound of the schema, see `PLAN.md`, "Sizes".
pub const OBJECT_SERVICES_MAX: usize = 1_200;

/// The schema of a plan file, for editors: that of the object, with as many services as a file may list.
pub fn plan_file() -> Value {
    with_many_services(of::<super::spec::Document>(Unknown::Refused, Either::Said))
}

fn with_many_services(mut schema: Value) -> Value {
    if let Some(most) = schema.pointer_mut("/properties/spec/properties/services/maxItems") {
        *most = SERVICES_MAX.into();
    }
    schema
}

/// The schemas that a plan is checked by. All are made of one that is generated, for that takes a third of the time of a small plan.
pub(crate) struct Shapes {
    /// Of a plan file.
    pub plan: Value,
    /// Of a service that has the plan's defaults merged in: it must have what it could have had from them.
    pub complete: Value,
    /// Of a service, with [`WHOLE`] where it is said.
    pub merging: Value,
}

impl Shapes {
    pub fn new() -> Self {
        let mut plan = generated::<super::spec::Document>();
        let service = plan.pointer("/properties/spec/properties/services/items").cloned().unwrap_or_default();
        let (mut complete, mut merging) = (service.clone(), service);
        complete_within(&mut complete);
        structural(&mut complete, Unknown::Refused, Either::Left);
        rewrite(&mut merging, Unknown::Refused);
        structural(&mut plan, Unknown::Refused, Either::Left);
        Self { plan: with_many_services(plan), complete, merging }
    }
}

/// The schema of `T` as the structural schema that a `CustomResourceDefinition` takes (`openAPIV3Schema`).
pub fn crd<T: JsonSchema>() -> Value {
    of::<T>(Unknown::Unsaid, Either::Said)
}

/// The schema of `T` as it is printed: what `-o json` of a verb promises.
pub fn printed<T: JsonSchema>() -> Value {
    SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>().to_value()
}

fn of<T: JsonSchema>(unknown: Unknown, either: Either) -> Value {
    let mut schema = generated::<T>();
    structural(&mut schema, unknown, either);
    schema
}

fn generated<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|s| {
        s.inline_subschemas = true;
        s.meta_schema = None;
    });
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

/// Visits every map of a schema.
fn each_map(schema: &mut Value, see: &mut dyn FnMut(&mut Map<String, Value>)) {
    match schema {
        Value::Object(map) => {
            see(map);
            map.values_mut().for_each(|inner| each_map(inner, see));
        }
        Value::Array(items) => items.iter_mut().for_each(|inner| each_map(inner, see)),
        _ => {}
    }
}

/// Adds what must be there after merging to what must be there.
fn complete_within(schema: &mut Value) {
    each_map(schema, &mut |map| {
        if let Some(Value::Array(more)) = map.remove(COMPLETE) {
            match map.get_mut("required").and_then(Value::as_array_mut) {
                Some(required) => required.extend(more),
                None => drop(map.insert("required".into(), Value::Array(more))),
            }
        }
    });
}

/// Rewrites a schema, and all schemas within it, into structural form.
fn structural(schema: &mut Value, unknown: Unknown, either: Either) {
    rewrite(schema, unknown);
    each_map(schema, &mut |map| {
        if either == Either::Said {
            reflow(map);
            say_complete(map);
        }
        map.remove(COMPLETE);
        map.remove(WHOLE);
        let means = map.remove(MEANS).and_then(|means| means.as_str().map(str::to_owned));
        describe(map, means.filter(|_| either == Either::Said));
        if let (Some(Value::Object(validations)), Either::Said) = (map.remove(EITHER), either) {
            map.extend(validations);
        }
        if either == Either::Said {
            say_unions(map);
        }
    });
}

fn rewrite(schema: &mut Value, unknown: Unknown) {
    let Value::Object(map) = schema else { return };
    drop_null(map);
    merge_union(map);
    map.remove("title");
    if let Some(word) = map.remove("const") {
        map.insert("enum".into(), json!([word]));
    }
    if unknown == Unknown::Unsaid {
        if map.get("additionalProperties") == Some(&Value::Bool(false)) {
            map.remove("additionalProperties");
        }
        // schemars' own formats; the bounds beside them say the same in words that everybody knows.
        if map.get("format").and_then(Value::as_str).is_some_and(|f| f.starts_with("uint")) {
            map.remove("format");
        }
    }
    for (key, value) in map.iter_mut() {
        match (key.as_str(), value) {
            ("properties" | "patternProperties", Value::Object(fields)) => {
                fields.values_mut().for_each(|field| rewrite(field, unknown));
            }
            ("items" | "additionalProperties" | "not", inner) => rewrite(inner, unknown),
            ("allOf" | "anyOf" | "oneOf" | "prefixItems", Value::Array(all)) => {
                all.iter_mut().for_each(|inner| rewrite(inner, unknown));
            }
            _ => {}
        }
    }
}

/// `X or null` becomes `X`: an optional field is left out, never null, because the API server says the same.
fn drop_null(map: &mut Map<String, Value>) {
    let is_null = |schema: &Value| schema.get("type").and_then(Value::as_str) == Some("null");
    if let Some(Value::Array(types)) = map.get_mut("type") {
        types.retain(|t| t != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            map.insert("type".into(), only);
        }
    }
    let Some(Value::Array(any)) = map.get_mut("anyOf") else { return };
    any.retain(|schema| !is_null(schema));
    if any.len() == 1
        && let Some(Value::Object(only)) = any.pop()
    {
        map.remove("anyOf");
        adopt(map, only);
    }
}

/// Takes over the members of `other` that `map` does not have: what is said of a field goes before what is said of its type.
fn adopt(map: &mut Map<String, Value>, other: Map<String, Value>) {
    for (key, value) in other {
        map.entry(key).or_insert(value);
    }
}

/// `oneOf` of words becomes one `enum`; `oneOf` of objects with one required member each becomes one object that has
/// exactly one of them.
fn merge_union(map: &mut Map<String, Value>) {
    let Some(Value::Array(variants)) = map.get("oneOf") else { return };
    let said = meanings(variants);
    let merged = words(variants).or_else(|| single_members(variants));
    if let Some(merged) = merged {
        map.remove("oneOf");
        adopt(map, merged);
        map.extend(said.map(|said| (MEANS.to_owned(), Value::String(said))));
    }
}

fn words(variants: &[Value]) -> Option<Map<String, Value>> {
    let mut all = Vec::new();
    for variant in variants {
        match (variant.get("const"), variant.get("enum")) {
            (Some(word @ Value::String(_)), _) => all.push(word.clone()),
            (None, Some(Value::Array(several))) => all.extend(several.iter().cloned()),
            _ => return None,
        }
    }
    json!({ "type": "string", "enum": all }).as_object().cloned()
}

fn single_members(variants: &[Value]) -> Option<Map<String, Value>> {
    let mut properties = Map::new();
    for variant in variants {
        let members = variant.get("properties")?.as_object()?;
        let (name, member) = members.iter().next().filter(|_| members.len() == 1)?;
        let mut member = member.clone();
        if let (Value::Object(member), Some(description)) = (&mut member, variant.get("description")) {
            member.insert("description".into(), description.clone());
        }
        properties.insert(name.clone(), member);
    }
    let shape = json!({ "type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": false });
    let mut merged = shape.as_object().cloned()?;
    merged.insert("properties".into(), Value::Object(properties));
    Some(merged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::spec::{Document, MigrationPlanSpec};

    fn walk(schema: &Value, path: &str, see: &mut dyn FnMut(&str, &Map<String, Value>)) {
        let Some(map) = schema.as_object() else { return };
        see(path, map);
        for (name, field) in map.get("properties").and_then(Value::as_object).into_iter().flatten() {
            walk(field, &format!("{path}.{name}"), see);
        }
        for inner in ["items", "additionalProperties"] {
            if let Some(schema) = map.get(inner) {
                walk(schema, &format!("{path}[]"), see);
            }
        }
    }

    /// Kubernetes' rule for a branch: nothing but value validations, of fields that are known outside of it
    /// (<https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/>, "structural schema").
    fn only_validates(branch: &Value, owner: &Map<String, Value>, path: &str) {
        let known = |name: &str| owner.get("properties").is_some_and(|fields| fields.get(name).is_some());
        for (word, said) in branch.as_object().unwrap() {
            match word.as_str() {
                "required" => {
                    assert!(said.as_array().unwrap().iter().all(|name| known(name.as_str().unwrap())), "{path}: {said}")
                }
                "properties" => {
                    let mut fields = said.as_object().unwrap().iter();
                    assert!(
                        fields.all(|(name, field)| known(name) && field.as_object().unwrap().keys().all(|key| key == "enum"))
                    );
                }
                "not" => only_validates(said, owner, path),
                word => assert_eq!(word, "maxProperties", "{path} has {word} in a branch"),
            }
        }
    }

    #[test]
    fn a_crd_schema_is_structural_and_bounded() {
        let schema = crd::<MigrationPlanSpec>();
        let mut leaves = 0;
        walk(&schema, "spec", &mut |path, map| {
            for word in ["allOf", "not", "$ref", "$defs", "$schema", "const", "title", EITHER, MEANS, WHOLE, COMPLETE] {
                assert!(!map.contains_key(word), "{path} has {word}, which is not structural");
            }
            for branch in ["oneOf", "anyOf"].into_iter().filter_map(|word| map.get(word)?.as_array()).flatten() {
                only_validates(branch, map, path);
            }
            let kind = map.get("type").and_then(Value::as_str);
            assert!(kind.is_some(), "{path} has no single type");
            assert_ne!(map.get("additionalProperties"), Some(&json!(false)), "{path}: a CRD may not say so");
            match kind {
                Some("string") => assert!(map.contains_key("maxLength") || map.contains_key("enum"), "{path} has no bound"),
                Some("array") => assert!(map.contains_key("maxItems"), "{path} has no bound"),
                _ => {}
            }
            leaves += 1;
        });
        assert!(leaves > 60, "the walk saw only {leaves} schemas");
    }

    #[test]
    fn a_union_is_an_object_with_exactly_one_member() {
        let schema = file::<Document>();
        let router = schema.pointer("/properties/spec/properties/services/items/properties/router").unwrap();
        assert_eq!(router["minProperties"], 1);
        assert_eq!(router["maxProperties"], 1);
        assert_eq!(router["additionalProperties"], false);
        assert!(router["properties"]["webhook"]["properties"]["url"].is_object());
        let mode = schema.pointer("/properties/spec/properties/services/items/properties/onFailure").unwrap();
        assert_eq!(mode["enum"], json!(["Rollback", "Hold"]));
    }

    /// What excludes each other is left to the words of `check` in its own schema, and said in words in the others.
    #[test]
    fn what_a_program_is_told_of_a_union_people_are_told_as_well() {
        let undo = |schema: &Value| {
            schema.pointer("/properties/services/items/properties/tasks/items/properties/undo").cloned().unwrap()
        };
        let server = undo(&crd::<MigrationPlanSpec>());
        assert!(server["description"].as_str().unwrap().ends_with("Exactly one of: `none`, `impossible`, `do`."), "{server}");
        let when = server["properties"]["when"]["description"].as_str().unwrap();
        assert!(when.contains("`AfterTraffic`: Once the traffic is back."), "{when}");
        let own = undo(&file::<MigrationPlanSpec>());
        assert!(own.get("oneOf").is_none() && !own["description"].as_str().unwrap().contains("Exactly one of"), "{own}");
    }

    #[test]
    fn a_service_in_a_plan_is_what_it_is_by_itself() {
        let shapes = Shapes::new();
        let service = |mut schema: Value| {
            structural(&mut schema, Unknown::Refused, Either::Left);
            schema
        };
        let alone = generated::<crate::plan::spec::ServiceSpec>();
        let mut complete = alone.clone();
        complete_within(&mut complete);
        assert_eq!(service(complete), shapes.complete);
        assert_eq!(service(alone), service(shapes.merging));
        assert!(shapes.plan.pointer("/properties/spec/properties/services/items/properties/router").is_some());
    }

    #[test]
    fn a_file_may_list_more_services_than_an_object() {
        let most = |schema: Value| schema.pointer("/properties/spec/properties/services/maxItems").and_then(Value::as_u64);
        assert_eq!(most(file::<Document>()), Some(OBJECT_SERVICES_MAX as u64), "the constant says what the type says");
        assert_eq!(most(plan_file()), Some(SERVICES_MAX as u64));
    }

    #[test]
    fn every_object_of_a_file_refuses_unknown_fields() {
        walk(&file::<Document>(), "", &mut |path, map| {
            if map.contains_key("properties") {
                assert_eq!(map.get("additionalProperties"), Some(&json!(false)), "{path} takes unknown fields");
            }
        });
    }
}
