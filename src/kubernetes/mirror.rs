//! What the API server has of the objects that a run cares about, as far as we were told.
//!
//! *Guarantees*: only wanted objects are kept, without what nobody reads (managed fields, the copy that `kubectl apply`
//! leaves), so that memory follows the plan and not the cluster. An older version of an object never replaces a newer one.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{
    api::ApiError,
    backend::SERVICE_NAME,
    watch::{is_newer, name},
};
use crate::engine::Unknown;

/// Which objects are kept, and what of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// By their own name; whole.
    Routes,
    /// By their own name; their ports.
    Services,
    /// By the name of the Service they belong to; their endpoints.
    Slices,
}

/// An object as it is kept: as text, a tenth of what it takes as a tree. It is read again when it changed, or is to be
/// patched, and not at each look.
#[derive(Debug)]
struct Kept {
    name: String,
    version: String,
    text: Box<str>,
}

/// A mirror.
#[derive(Debug)]
pub struct Mirror {
    keep: Keep,
    wanted: BTreeSet<String>,
    /// By the name by which they are wanted; there are few of each, mostly one.
    objects: BTreeMap<String, Vec<Kept>>,
    /// During a list: the objects that were not put yet.
    missing: Option<BTreeSet<(String, String)>>,
    listed: bool,
    alive: Option<Timestamp>,
    lost: Option<Unknown>,
}

impl Mirror {
    /// An empty one, for objects with these names.
    pub fn new(keep: Keep, wanted: BTreeSet<String>) -> Self {
        Self { keep, wanted, objects: BTreeMap::new(), missing: None, listed: false, alive: None, lost: None }
    }
    /// The names by which objects are kept.
    pub fn wanted(&self) -> &BTreeSet<String> {
        &self.wanted
    }
    /// The objects that are wanted by this name.
    pub fn of(&self, key: &str) -> Vec<Value> {
        self.objects.get(key).into_iter().flatten().filter_map(|kept| serde_json::from_str(&kept.text).ok()).collect()
    }
    /// The object of this name, where there is one a name.
    pub fn get(&self, key: &str) -> Option<Value> {
        self.of(key).into_iter().next()
    }
    /// All names under which something is kept.
    pub fn keys(&self) -> Vec<String> {
        self.objects.iter().filter(|(_, kept)| !kept.is_empty()).map(|(key, _)| key.clone()).collect()
    }
    /// Whether a whole list was seen once: what is not here then did not exist.
    pub fn is_listed(&self) -> bool {
        self.listed
    }
    /// Up to when nothing was missed; or why nobody knows.
    pub fn alive(&self) -> Result<Timestamp, Unknown> {
        match (&self.lost, self.alive) {
            (Some(lost), _) => Err(lost.clone()),
            (None, Some(alive)) if self.listed => Ok(alive),
            _ => Err(Unknown::NotYet),
        }
    }

    /// The name by which an object is wanted.
    fn key<'a>(&self, object: &'a Value) -> &'a str {
        match self.keep {
            Keep::Routes | Keep::Services => name(object),
            Keep::Slices => {
                let labels = object.pointer("/metadata/labels");
                labels.and_then(|labels| labels.get(SERVICE_NAME)).and_then(Value::as_str).unwrap_or_default()
            }
        }
    }

    /// Takes an object in. Gives the names for which something changed.
    pub fn put(&mut self, object: Value) -> Vec<String> {
        let (key, own) = (self.key(&object).to_owned(), name(&object).to_owned());
        let mut changed = self.forget(&own, Some(&key)); // a slice may have been given to another Service
        if !self.wanted.contains(&key) {
            return changed;
        }
        if let Some(missing) = &mut self.missing {
            missing.remove(&(key.clone(), own.clone()));
        }
        let version = object.pointer("/metadata/resourceVersion").and_then(Value::as_str).unwrap_or_default().to_owned();
        let all = self.objects.entry(key.clone()).or_default();
        let known = all.iter_mut().find(|kept| kept.name == own);
        if known.as_ref().is_some_and(|known| !is_newer(&known.version, &version)) {
            return changed;
        }
        let text = trim(self.keep, object).to_string().into_boxed_str();
        match known {
            Some(known) if known.text == text => return changed,
            Some(known) => (known.version, known.text) = (version, text),
            None => {
                all.reserve_exact(1);
                all.push(Kept { name: own, version, text });
            }
        }
        changed.push(key);
        changed
    }
    /// An object is no more. Gives the names for which something changed.
    pub fn gone(&mut self, object: &Value) -> Vec<String> {
        self.forget(name(object), None)
    }
    /// Forgets an object under all names but one.
    fn forget(&mut self, own: &str, but: Option<&str>) -> Vec<String> {
        let others = self.objects.iter_mut().filter(|(key, _)| Some(key.as_str()) != but);
        others.filter_map(|(key, all)| remove(all, own).then(|| key.clone())).collect()
    }
    /// A list begins.
    pub fn begin(&mut self) {
        let all = self.objects.iter().flat_map(|(key, all)| all.iter().map(|kept| (key.clone(), kept.name.clone())));
        self.missing = Some(all.collect());
    }
    /// A list is complete. Says whether something is gone, or this was the first.
    pub fn listed(&mut self) -> bool {
        let missing = self.missing.take().unwrap_or_default();
        for (key, own) in &missing {
            let _ = self.objects.get_mut(key).is_some_and(|all| remove(all, own)); // what is not there need not go
        }
        let first = !std::mem::replace(&mut self.listed, true);
        first || !missing.is_empty()
    }
    /// Nothing was missed up to this moment. Says whether something had been.
    pub fn is_alive(&mut self, at: Timestamp) -> bool {
        self.alive = Some(self.alive.map_or(at, |before| before.max(at)));
        self.listed && self.lost.take().is_some()
    }
    /// Something may be missed. Says whether that is new.
    pub fn is_lost(&mut self, why: &ApiError) -> bool {
        self.lost.replace(why.unknown()).is_none()
    }
}

/// Says whether it was there.
fn remove(all: &mut Vec<Kept>, name: &str) -> bool {
    let before = all.len();
    all.retain(|kept| kept.name != name);
    all.len() < before
}

/// The object without what nobody reads.
fn trim(keep: Keep, mut object: Value) -> Value {
    let take = |object: &mut Value, key: &str| object.get_mut(key).map(Value::take).unwrap_or_default();
    let mut metadata = take(&mut object, "metadata");
    if let Some(metadata) = metadata.as_object_mut() {
        metadata.shift_remove("managedFields");
        if let Some(Value::Object(annotations)) = metadata.get_mut("annotations") {
            annotations.shift_remove("kubectl.kubernetes.io/last-applied-configuration");
        }
    }
    let mut kept = Map::new();
    kept.insert("metadata".into(), metadata);
    match keep {
        Keep::Routes => {
            kept.insert("spec".into(), take(&mut object, "spec"));
            kept.insert("status".into(), take(&mut object, "status"));
        }
        Keep::Services => {
            let mut spec = Map::new();
            spec.insert("ports".into(), object.get_mut("spec").map(|spec| take(spec, "ports")).unwrap_or_default());
            kept.insert("spec".into(), Value::Object(spec));
        }
        Keep::Slices => {
            kept.insert("ports".into(), take(&mut object, "ports"));
            let mut endpoints = take(&mut object, "endpoints");
            for endpoint in endpoints.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
                endpoint.retain(|key, _| key == "addresses" || key == "conditions");
            }
            kept.insert("endpoints".into(), endpoints);
        }
    }
    Value::Object(kept)
}
