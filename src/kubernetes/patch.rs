//! The one JSON Patch (RFC 6902) by which a weight is set, and the one by which a route is given up.
//!
//! Pure. *Guarantees*: a patch names only the two weights of the service's own backends, our entry among the response
//! headers of their rule, and our two annotations; everything else stays byte for byte what it is. Whatever the patch rests
//! on is tested in the patch itself, so that it applies as a whole to the route as it was seen, or not at all. The weights
//! are whole percentages that sum to 100, so they are never all zero (data planes refuse that, keep the old ones, and the
//! status does not show it).
//! *Caveats*: JSON Patch cannot test that something is absent; where that matters (the first claim, the first filter) the
//! patch tests the object's `resourceVersion`, and may be refused for an unrelated write.

use serde_json::{Value, json};

use super::route::{Misfit, OWNER, OWNER_NAME, Rule, RuleName, is_mark, list, owner, rule};
use crate::{
    adapters::effective::MARK,
    engine::{Owner, RunId},
    plan::{Side, Weight},
};

/// The response header filter's type and member in Gateway API.
const MODIFIER: &str = "ResponseHeaderModifier";
/// The most entries that Gateway API allows in one header list.
const HEADERS_MAX: usize = 16;

/// The operations of one patch: the tests first, then the changes.
#[derive(Debug, Default)]
struct Patch {
    tests: Vec<Value>,
    changes: Vec<Value>,
    whole: bool,
}

impl Patch {
    fn test(&mut self, path: String, value: &Value) {
        self.tests.push(json!({ "op": "test", "path": path, "value": value }));
    }
    fn add(&mut self, path: String, value: Value) {
        self.changes.push(json!({ "op": "add", "path": path, "value": value }));
    }
    fn remove(&mut self, path: String) {
        self.changes.push(json!({ "op": "remove", "path": path }));
    }
    /// The patch rests on something being absent: the object must be the very one that was seen.
    fn only_if_unchanged(&mut self) {
        self.whole = true;
    }
    fn finish(mut self, route: &Value) -> Result<Value, Misfit> {
        if self.whole {
            let version = route.pointer("/metadata/resourceVersion");
            let version = version.filter(|v| v.is_string()).ok_or_else(|| Misfit("the route has no resourceVersion".into()))?;
            self.tests.insert(0, json!({ "op": "test", "path": "/metadata/resourceVersion", "value": version }));
        }
        self.tests.append(&mut self.changes);
        Ok(Value::Array(self.tests))
    }
}

/// One segment of a JSON Pointer (RFC 6901).
fn segment(text: &str) -> String {
    text.replace('~', "~0").replace('/', "~1")
}

/// The patch that gives target the share `weight` of the rule's traffic, lets its answers bear `mark`, and makes the
/// route `owner`'s if it is nobody's.
///
/// # Errors
/// The rule is not as the plan describes it, another run drives the route, or there is no room for our header.
pub fn shift(route: &Value, name: &RuleName, weight: Weight, mark: &str, by: &Owner) -> Result<Value, Misfit> {
    let rule = rule(route, name)?;
    let mut patch = Patch::default();
    identity(&mut patch, &rule);
    claim(&mut patch, route, by)?;
    for (side, index) in [(Side::Legacy, rule.legacy), (Side::Target, rule.target)] {
        let at = format!("/spec/rules/{}/backendRefs/{index}", rule.index);
        patch.test(at.clone(), rule.backends().get(index).unwrap_or(&Value::Null));
        patch.add(format!("{at}/weight"), json!(weight.of(side)));
    }
    set_mark(&mut patch, &rule, mark)?;
    patch.finish(route)
}

/// The patch by which `run` gives a rule of its route up: our header goes, and with the last of them in the route its
/// annotations; the weights stay. `None`: nothing is to be done.
///
/// # Errors
/// The route cannot be read.
pub fn release(route: &Value, name: &RuleName, run: &RunId) -> Result<Option<Value>, Misfit> {
    if owner(route).is_none_or(|owner| owner.run != *run) {
        return Ok(None);
    }
    let own = rule(route, name).ok();
    let mut patch = Patch::default();
    patch.test(format!("/metadata/annotations/{}", segment(OWNER)), &json!(run.0));
    if !others_are_driven(route, own.map(|rule| rule.index)) {
        patch.remove(format!("/metadata/annotations/{}", segment(OWNER)));
        if route.pointer("/metadata/annotations").is_some_and(|all| all.get(OWNER_NAME).is_some()) {
            patch.remove(format!("/metadata/annotations/{}", segment(OWNER_NAME)));
        }
    }
    // A rule that somebody removed or renamed has nothing of ours any more; the claim is given up all the same.
    if let Some(rule) = own {
        identity(&mut patch, &rule);
        drop_mark(&mut patch, &rule);
    }
    if patch.changes.is_empty() {
        return Ok(None);
    }
    patch.finish(route).map(Some)
}

/// Whether another rule of the route bears a mark: another service of the run is moved by it, and the claim has to stay.
fn others_are_driven(route: &Value, own: Option<usize>) -> bool {
    let rules = route.pointer("/spec/rules").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let marked = |rule: &Value| {
        let modifiers = list(rule, "filters").iter().filter_map(|filter| filter.get("responseHeaderModifier"));
        modifiers.into_iter().any(|modifier| list(modifier, "set").iter().any(is_mark))
    };
    rules.iter().enumerate().any(|(index, rule)| Some(index) != own && marked(rule))
}

/// Tests that the rule at this index is the one that was seen.
fn identity(patch: &mut Patch, rule: &Rule<'_>) {
    for key in ["name", "matches"] {
        if let Some(seen) = rule.value.get(key) {
            patch.test(format!("/spec/rules/{}/{key}", rule.index), seen);
        }
    }
}

fn claim(patch: &mut Patch, route: &Value, by: &Owner) -> Result<(), Misfit> {
    let key = |name: &str| format!("/metadata/annotations/{}", segment(name));
    match owner(route) {
        Some(found) if found.run == by.run => patch.test(key(OWNER), &json!(found.run.0)),
        Some(found) => return Err(Misfit(format!("the route is driven by run {found}"))),
        None => {
            patch.only_if_unchanged();
            if route.pointer("/metadata/annotations").is_some_and(Value::is_object) {
                patch.add(key(OWNER), json!(by.run.0));
                patch.add(key(OWNER_NAME), json!(by.name));
            } else {
                patch.add("/metadata/annotations".into(), json!({ OWNER: by.run.0, OWNER_NAME: by.name }));
            }
        }
    }
    Ok(())
}

/// The rule's response header filter: its index and its content. Gateway API allows one a rule.
fn modifier<'a>(rule: &Rule<'a>) -> Option<(usize, &'a Value)> {
    let filters = list(rule.value, "filters").iter().enumerate();
    filters.filter_map(|(at, filter)| Some((at, filter.get("responseHeaderModifier")?))).next()
}

fn set_mark(patch: &mut Patch, rule: &Rule<'_>, mark: &str) -> Result<(), Misfit> {
    let filters = format!("/spec/rules/{}/filters", rule.index);
    let entry = json!({ "name": MARK, "value": mark });
    let filter = || json!({ "type": MODIFIER, "responseHeaderModifier": { "set": [entry.clone()] } });
    let Some((at, content)) = modifier(rule) else {
        match rule.value.get("filters").filter(|found| found.is_array()) {
            Some(seen) => {
                patch.test(filters.clone(), seen);
                patch.add(format!("{filters}/-"), filter());
            }
            None => {
                patch.only_if_unchanged();
                patch.add(filters, json!([filter()]));
            }
        }
        return Ok(());
    };
    let content_at = format!("{filters}/{at}/responseHeaderModifier");
    let set = list(content, "set");
    if let Some((index, seen)) = set.iter().enumerate().find(|(_, entry)| is_mark(entry)) {
        patch.test(format!("{content_at}/set/{index}"), seen);
        patch.add(format!("{content_at}/set/{index}/value"), json!(mark));
    } else if set.len() >= HEADERS_MAX {
        return Err(Misfit(format!("the rule sets {} response headers already, and there is no room for {MARK}", set.len())));
    } else {
        patch.test(content_at.clone(), content);
        match content.get("set").is_some_and(Value::is_array) {
            true => patch.add(format!("{content_at}/set/-"), entry),
            false => patch.add(format!("{content_at}/set"), json!([entry])),
        }
    }
    Ok(())
}

/// Takes our header away, and with it a list, a filter and a list of filters that would be left empty.
fn drop_mark(patch: &mut Patch, rule: &Rule<'_>) {
    let Some((at, content)) = modifier(rule) else { return };
    let set = list(content, "set");
    let Some(index) = set.iter().position(is_mark) else { return };
    let filters = format!("/spec/rules/{}/filters", rule.index);
    patch.test(filters.clone(), rule.value.get("filters").unwrap_or(&Value::Null));
    let others = content.as_object().is_some_and(|members| members.keys().any(|key| key != "set"));
    let path = match (set.len() > 1, others, list(rule.value, "filters").len() > 1) {
        (true, _, _) => format!("{filters}/{at}/responseHeaderModifier/set/{index}"),
        (false, true, _) => format!("{filters}/{at}/responseHeaderModifier/set"),
        (false, false, true) => format!("{filters}/{at}"),
        (false, false, false) => filters,
    };
    patch.remove(path);
}
