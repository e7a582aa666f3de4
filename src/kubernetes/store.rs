//! The record in a run's status.
//!
//! *Guarantees*: the status is written by one `PUT` with the object's `resourceVersion`, so two processes never both
//! succeed; one write an edge, and none while nothing changes. A conflict that only somebody's order or label made is
//! taken in here: the record is still the one that was expected, so the write is tried again with the new version. The
//! run's `uid` is compared each time: a run that was made anew under the same name is another one.
//! *Caveats*: the journal is a file of this process, see [`super::journal_file`].
//!
#![doc = include_str!("../../docs/design/record.md")]

use std::{path::PathBuf, sync::Arc};

use serde_json::{Value, json};

use super::{
    api::{Api, ApiError, At, Kind},
    crd::{MigrationRun, MigrationRunStatus},
    journal_file::JournalFile,
    status,
};
use crate::{
    adapters::clock,
    engine::{Decision, JournalHead, Record, RunId, record::unreadable},
    journal::Line,
    plan::Revision,
    ports::{Store, StoreError, Version},
};

/// After so many conflicts in a row about one record something else than orders is being written.
const TRIES: usize = 4;

/// Where a run is.
#[derive(Debug, Clone)]
pub struct RunName {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
}
impl RunName {
    /// As an address.
    pub fn at(&self) -> At<'_> {
        At { namespace: &self.namespace, name: &self.name }
    }
}

/// The store of one run.
#[derive(Debug)]
pub struct KubeStore {
    api: Api,
    run: RunName,
    revision: Arc<Revision>,
    journal: Option<JournalFile>,
    status: MigrationRunStatus,
    generation: i64,
    /// The head of the record that is stored, as far as we know.
    head: JournalHead,
}

/// A run with a new status. It is written as it stands: as a tree of JSON it would take ten times the memory, for each edge.
#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    api_version: String,
    kind: &'static str,
    metadata: Value,
    spec: Value,
    status: &'a MigrationRunStatus,
}

/// What is read of the answer to that.
#[derive(serde::Deserialize)]
struct Answered {
    metadata: AnsweredMeta,
}
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct AnsweredMeta {
    #[serde(default)]
    resource_version: String,
    generation: Option<i64>,
}

impl KubeStore {
    /// A store; `journals` is the directory for journals, if there is one.
    ///
    /// # Errors
    /// The journal cannot be opened.
    pub fn new(api: Api, run: RunName, revision: Arc<Revision>, journals: Option<PathBuf>) -> Result<Self, StoreError> {
        let file = journals.map(|directory| directory.join(format!("{}_{}_{}.jsonl", run.namespace, run.name, run.uid)));
        let open = |path: PathBuf| {
            JournalFile::open(&path).map_err(|error| StoreError::Unavailable(format!("the journal {}: {error}", path.display())))
        };
        let journal = file.map(open).transpose()?;
        let status = MigrationRunStatus::default();
        Ok(Self { api, run, revision, journal, status, generation: 0, head: JournalHead::default() })
    }

    async fn get(&mut self) -> Result<(Record, Version), StoreError> {
        let found: MigrationRun = self.api.get(Kind::RUN, self.run.at()).await.map_err(unavailable)?;
        if found.metadata.uid.as_deref() != Some(&self.run.uid) {
            return Err(StoreError::Broken(format!("run {} was deleted, and made anew as another run", self.run.name)));
        }
        self.generation = found.metadata.generation.unwrap_or_default();
        self.status = found.status.clone().unwrap_or_default();
        let record = read(&found, &self.revision)?;
        let version = found.metadata.resource_version.unwrap_or_default();
        Ok((record, Version(version)))
    }

    /// Writes the status if the object still has this version; gives the new one.
    async fn put(&mut self, status: &MigrationRunStatus, expected: &str) -> Result<Version, ApiError> {
        let object = Written {
            api_version: format!("{}/{}", super::crd::GROUP, super::crd::VERSION),
            kind: "MigrationRun",
            metadata: json!({
                "name": self.run.name, "namespace": self.run.namespace, "resourceVersion": expected, "uid": self.run.uid,
            }),
            // Not looked at when a status is written.
            spec: json!({ "plan": self.revision.plan().name, "revision": "-", "startedBy": "-" }),
            status,
        };
        let Answered { metadata } = self.api.replace_status(Kind::RUN, self.run.at(), &object).await?;
        self.generation = metadata.generation.unwrap_or(self.generation);
        Ok(Version(metadata.resource_version))
    }

    /// Writes, and tries again as long as the record in the API server is still the one that was expected.
    async fn write(&mut self, record: &Record, expected: &Version, decision: &Decision) -> Result<Version, StoreError> {
        let (mut version, before) = (expected.0.clone(), self.head.clone());
        for _ in 0..TRIES {
            let status = status::of(&self.revision, record, decision, &self.status, clock::now(), self.generation);
            match self.put(&status, &version).await {
                Ok(newer) => {
                    self.status = status;
                    self.head = record.journal.clone();
                    return Ok(newer);
                }
                Err(ApiError::Conflict(_)) => {}
                Err(error) => return Err(unavailable(error)),
            }
            let (found, newer) = self.get().await?;
            if found.journal != before {
                return Err(StoreError::Conflict);
            }
            version = newer.0;
        }
        Err(StoreError::Conflict)
    }
}

/// The record in a run's status; a new one if there is none.
///
/// # Errors
/// [`StoreError::Broken`]: it cannot be read by this version, or not at all.
pub fn read(run: &MigrationRun, revision: &Revision) -> Result<Record, StoreError> {
    let name = run.metadata.name.as_deref().unwrap_or_default();
    let Some(record) = run.status.as_ref().and_then(|status| status.record.as_ref()) else {
        let uid = run.metadata.uid.clone().unwrap_or_default();
        let made = run.metadata.creation_timestamp.as_ref().map_or_else(clock::now, |time| time.0);
        let started_by = Some(run.spec.started_by.clone()); // they approve nothing in it
        return Ok(Record { started_by, ..Record::new(RunId(uid), revision, made) });
    };
    let format = record.get("format").and_then(Value::as_u64).unwrap_or_default();
    if let Some(why) = unreadable(format) {
        return Err(StoreError::Broken(format!("run {name} cannot go on: {why}")));
    }
    let record: Result<Record, _> = serde_json::from_value(record.clone());
    record.map_err(|error| StoreError::Broken(format!("the record of run {name} cannot be read: {error}")))
}

fn unavailable(error: ApiError) -> StoreError {
    match error {
        ApiError::Conflict(_) => StoreError::Conflict,
        ApiError::NotFound(what) => StoreError::Broken(what),
        other => StoreError::Unavailable(other.to_string()),
    }
}

impl Store for KubeStore {
    async fn load(&mut self) -> Result<(Record, Version), StoreError> {
        let (record, version) = self.get().await?;
        self.head = record.journal.clone();
        Ok((record, version))
    }

    async fn append(&mut self, line: &Line) -> Result<(), StoreError> {
        tracing::info!(target: "gapless::journal", run = %self.run.name, namespace = %self.run.namespace, seq = line.head.seq, hash = %line.head.hash, events = %line.events, effects = %line.effects, "edge");
        let Some(journal) = &mut self.journal else { return Ok(()) };
        journal.append(line).map_err(|error| StoreError::Unavailable(format!("the journal cannot be written: {error}")))
    }

    async fn commit(&mut self, record: &Record, expected: &Version, decision: &Decision) -> Result<Version, StoreError> {
        self.write(record, expected, decision).await
    }

    async fn publish(&mut self, record: &Record, expected: &Version, decision: &Decision) -> Result<Option<Version>, StoreError> {
        let next = status::of(&self.revision, record, decision, &self.status, clock::now(), self.generation);
        let same = status::same_waits(&next.waiting, &self.status.waiting)
            && next.conditions == self.status.conditions
            && next.observed_generation == self.status.observed_generation
            && next.outcome == self.status.outcome;
        match same {
            true => Ok(None),
            false => self.write(record, expected, decision).await.map(Some),
        }
    }
}
