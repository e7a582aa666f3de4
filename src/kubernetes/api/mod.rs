//! Requests to the API server: few kinds, few verbs, and every failure told apart by what it means for us.
//!
//! *Guarantees*: every request ends within [`PATIENCE`]; nothing is tried again by itself, the loop does that. *Caveats*:
//! what was not answered may have been done ([`ApiError::Unclear`]).

mod error;
mod kind;
mod selection;

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::{Stream, StreamExt as _};
use hyper::Request;
use kube::{Client, Config, core::WatchEvent};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use tokio::sync::Semaphore;

pub use self::{
    error::ApiError,
    kind::{At, Kind},
    selection::Selection,
};
use self::{error::with_causes, selection::Query};
use super::{
    MANAGER,
    permissions::{Part, Permission, Verb},
};

/// How long one request may take.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// The API server.
#[derive(Clone)]
pub struct Api {
    client: Client,
    /// Nothing else is asked for; `None`: whatever the caller may.
    only: Option<&'static [Permission]>,
    writes: Writes,
    used: Arc<Mutex<BTreeSet<Permission>>>,
    /// Requests that somebody waits for, and those that have time.
    lanes: Arc<[Semaphore; 2]>,
}

/// What becomes of writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Writes {
    /// They are done.
    Done,
    /// The server goes all the way of a write, admission included, and stores nothing (`dryRun=All`).
    Tried,
}

/// How urgent a request is. Each kind has requests of its own under way, so that preparing a hundred services never stands
/// in front of one that has to go back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Urgency {
    Urgent = 0,
    Patient = 1,
}
/// So many urgent requests are under way at once. Each has a connection of its own (HTTP/1.1), and each new connection
/// costs the API server a handshake: more at once make all of them slower.
const URGENT: usize = 12;
/// So many of the others.
const PATIENT: usize = 4;
impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Api")
    }
}

/// A page of a list.
#[derive(Debug, serde::Deserialize)]
pub struct Page<T> {
    /// Of the list.
    pub metadata: PageMeta,
    /// The objects.
    #[serde(default = "Vec::new")]
    pub items: Vec<T>,
}
/// What is said of a page.
#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PageMeta {
    /// The version of the whole list.
    #[serde(default)]
    pub resource_version: String,
    /// Where the next page begins; empty: there is none.
    #[serde(default, rename = "continue")]
    pub next: String,
}

impl Api {
    /// The API server that the environment names: the pod's own cluster, or `KUBECONFIG`.
    ///
    /// # Errors
    /// There is none, or its configuration cannot be read.
    pub async fn from_environment() -> Result<(Self, String), ApiError> {
        let mut config =
            Config::infer().await.map_err(|e| ApiError::Unreadable(format!("no cluster is configured: {}", with_causes(&e))))?;
        config.default_retry = false; // the loop decides anew; repeating an old decision behind its back helps nobody
        config.connect_timeout = Some(PATIENCE);
        config.read_timeout = None; // every request has its own limit, watches have theirs
        let namespace = config.default_namespace.clone();
        let client = super::client::of(config).map_err(|e| ApiError::Unreadable(with_causes(&e)))?;
        Ok((Self::new(client), namespace))
    }

    /// An API server behind this client.
    pub fn new(client: Client) -> Self {
        let lanes = Arc::new([Semaphore::new(URGENT), Semaphore::new(PATIENT)]);
        Self { client, only: None, writes: Writes::Done, used: Arc::default(), lanes }
    }

    /// The same, which asks for nothing but what these permit.
    #[must_use]
    pub fn only(self, permissions: &'static [Permission]) -> Self {
        Self { only: Some(permissions), ..self }
    }

    /// The same, whose writes are tried by the server and change nothing there.
    #[must_use]
    pub fn tried(&self) -> Self {
        Self { writes: Writes::Tried, ..self.clone() }
    }

    /// What goes with every write.
    fn write(&self) -> Query {
        let mut query = Query::default();
        query.add("fieldManager", MANAGER);
        if self.writes == Writes::Tried {
            query.add("dryRun", "All");
        }
        query
    }

    /// What was asked for until now.
    pub fn used(&self) -> BTreeSet<Permission> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether this may be asked for at all.
    fn permit(&self, kind: Kind, part: Part, verb: Verb) -> Result<(), ApiError> {
        let permission = Permission { kind, part, verb };
        if self.only.is_some_and(|only| !only.contains(&permission)) {
            return Err(ApiError::Denied(format!("{permission} is not among the permissions of this program")));
        }
        self.used.lock().unwrap_or_else(PoisonError::into_inner).insert(permission);
        Ok(())
    }

    /// One object.
    ///
    /// # Errors
    /// As [`ApiError`] says.
    pub async fn get<T: DeserializeOwned>(&self, kind: Kind, at: At<'_>) -> Result<T, ApiError> {
        self.permit(kind, Part::Whole, Verb::Get)?;
        self.ask(Urgency::Urgent, "GET", &kind.one(&at), None, &()).await
    }

    /// Objects of a kind, page by page.
    ///
    /// # Errors
    /// As [`ApiError`] says.
    pub async fn page<T: DeserializeOwned>(&self, of: &Selection, next: &str) -> Result<Page<T>, ApiError> {
        self.permit(of.kind, Part::Whole, Verb::List)?;
        let mut query = Query::of(of);
        query.add("limit", "50"); // what is read at once is in memory at once
        if !next.is_empty() {
            query.add("continue", next);
        }
        self.ask(Urgency::Urgent, "GET", &query.on(&of.kind.all(of.namespace.as_deref())), None, &()).await
    }

    /// What happens to objects of a kind after `version`, until the server ends it after `within`.
    ///
    /// # Errors
    /// As [`ApiError`] says.
    pub async fn watch(
        &self,
        of: &Selection,
        version: &str,
        within: Duration,
    ) -> Result<impl Stream<Item = Result<WatchEvent<Value>, ApiError>> + Send + use<>, ApiError> {
        self.permit(of.kind, Part::Whole, Verb::Watch)?;
        let mut query = Query::of(of);
        query.add("watch", "true");
        query.add("allowWatchBookmarks", "true");
        query.add("resourceVersion", version);
        query.add("timeoutSeconds", &within.as_secs().to_string());
        let path = query.on(&of.kind.all(of.namespace.as_deref()));
        let what = format!("watch {}", of.kind.plural);
        let request = build("GET", &path, None, &())?;
        let events = tokio::time::timeout(PATIENCE, self.client.request_events::<Value>(request)).await;
        let events = events.map_err(|_| ApiError::late(&what))?.map_err(|error| ApiError::of(&what, &error))?;
        Ok(events.map(move |event| event.map_err(|error| ApiError::of(&what, &error))))
    }

    /// Makes an object.
    ///
    /// # Errors
    /// As [`ApiError`] says; [`ApiError::Conflict`] if it exists.
    pub async fn create<T: Serialize + Sync, R: DeserializeOwned>(
        &self,
        kind: Kind,
        namespace: Option<&str>,
        object: &T,
    ) -> Result<R, ApiError> {
        self.permit(kind, Part::Whole, Verb::Create)?;
        let mut query = self.write();
        query.add("fieldValidation", "Strict");
        self.ask(Urgency::Urgent, "POST", &query.on(&kind.all(namespace)), Some("application/json"), object).await
    }

    /// Applies an object on the server's side: our fields become ours, and a conflict with another manager is one.
    ///
    /// # Errors
    /// As [`ApiError`] says; [`ApiError::Conflict`] if somebody else manages one of the fields.
    pub async fn apply(&self, kind: Kind, at: At<'_>, object: &Value) -> Result<Value, ApiError> {
        // An object that is not there yet is made by it.
        self.permit(kind, Part::Whole, Verb::Create)?;
        self.permit(kind, Part::Whole, Verb::Patch)?;
        let mut query = self.write();
        query.add("fieldValidation", "Strict");
        self.ask(Urgency::Patient, "PATCH", &query.on(&kind.one(&at)), Some("application/apply-patch+yaml"), object).await
    }

    /// Applies a JSON Patch (RFC 6902).
    ///
    /// # Errors
    /// As [`ApiError`] says; [`ApiError::Refused`] if a test in it fails.
    pub async fn json_patch(&self, kind: Kind, at: At<'_>, patch: &Value) -> Result<Value, ApiError> {
        self.permit(kind, Part::Whole, Verb::Patch)?;
        let query = self.write();
        self.ask(Urgency::Urgent, "PATCH", &query.on(&kind.one(&at)), Some("application/json-patch+json"), patch).await
    }

    /// Merges into an object (RFC 7386).
    ///
    /// # Errors
    /// As [`ApiError`] says.
    pub async fn merge<R: DeserializeOwned>(&self, kind: Kind, at: At<'_>, patch: &Value) -> Result<R, ApiError> {
        self.permit(kind, Part::Whole, Verb::Patch)?;
        let mut query = self.write();
        query.add("fieldValidation", "Strict");
        self.ask(Urgency::Urgent, "PATCH", &query.on(&kind.one(&at)), Some("application/merge-patch+json"), patch).await
    }

    /// The same into its status.
    ///
    /// # Errors
    /// As [`ApiError`] says.
    pub async fn merge_status(&self, kind: Kind, at: At<'_>, patch: &Value) -> Result<Value, ApiError> {
        self.permit(kind, Part::Status, Verb::Patch)?;
        let mut query = self.write();
        query.add("fieldValidation", "Strict");
        let path = format!("{}/status", kind.one(&at));
        self.ask(Urgency::Urgent, "PATCH", &query.on(&path), Some("application/merge-patch+json"), patch).await
    }

    /// Replaces the status of an object, if its version is still the one in `object`.
    ///
    /// # Errors
    /// As [`ApiError`] says; [`ApiError::Conflict`] if its version is another one.
    pub async fn replace_status<T: Serialize + Sync, R: DeserializeOwned>(
        &self,
        kind: Kind,
        at: At<'_>,
        object: &T,
    ) -> Result<R, ApiError> {
        self.permit(kind, Part::Status, Verb::Update)?;
        let mut query = self.write();
        query.add("fieldValidation", "Strict");
        self.ask(Urgency::Urgent, "PUT", &query.on(&format!("{}/status", kind.one(&at))), Some("application/json"), object).await
    }

    async fn ask<B: Serialize + Sync, R: DeserializeOwned>(
        &self,
        urgency: Urgency,
        method: &str,
        path: &str,
        content: Option<&str>,
        body: &B,
    ) -> Result<R, ApiError> {
        let what = format!("{method} {}", path.split('?').next().unwrap_or(path));
        let request = build(method, path, content, body)?;
        // The patience counts from here: waiting for one's turn is no sign of a server that does not answer.
        let _turn = match self.lanes.get(urgency as usize) {
            Some(lane) => lane.acquire().await.ok(),
            None => None,
        };
        let answer = tokio::time::timeout(PATIENCE, self.client.request_text(request)).await;
        let text = answer.map_err(|_| ApiError::late(&what))?.map_err(|error| ApiError::of(&what, &error))?;
        serde_json::from_str(&text).map_err(|error| ApiError::Unreadable(format!("{what}: {error}")))
    }
}

fn build<B: Serialize>(method: &str, path: &str, content: Option<&str>, body: &B) -> Result<Request<Vec<u8>>, ApiError> {
    let broken = |error: String| ApiError::Refused(format!("{method} {path}: {error}"));
    let mut request = Request::builder().method(method).uri(path);
    let mut bytes = Vec::new();
    if let Some(content) = content {
        request = request.header(hyper::header::CONTENT_TYPE, content);
        bytes = serde_json::to_vec(body).map_err(|error| broken(error.to_string()))?;
    }
    request.body(bytes).map_err(|error| broken(error.to_string()))
}
