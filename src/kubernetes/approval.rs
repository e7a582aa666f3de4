//! What people decided, as objects of the API server: `MigrationApproval`.
//!
//! *Flow*: `gapless approve` makes one, each run whose plan asks for approvals follows those of its namespace, and
//! [`crate::engine::approval`] says which of them count.
//! *Guarantees*: an approval never changes (its definition sees to that); its time is the API server's, not its author's.
//! *Caveats*: the approver is who the object says. Until an admission policy compares that with the caller, whoever may
//! create `MigrationApproval`s can sign in another's name: grant that as you would grant the approval itself.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    api::ApiError,
    crd::MigrationApproval,
    watch::{Sink, name},
};
use crate::{
    adapters::wake::Wake,
    engine::{About, ApprovalSeen, Consent, RunId},
    plan::{Digest, PhaseName, Plan, ServiceName},
};

/// A decision of one person about one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MigrationApprovalSpec {
    /// The run that it is about.
    pub run: RunReference,
    /// The revision that the run executes: a decision about another one does not count.
    #[schemars(length(min = 64, max = 64))]
    pub digest: String,
    /// The attempt of the service that it is about; 0 for the first one, and for phases.
    #[serde(default)]
    pub attempt: u32,
    /// The phase that may begin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<PhaseName>,
    /// The service whose legacy side may end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decommission: Option<ServiceName>,
    /// Yes or no.
    pub decision: Consent,
    /// Who decided, as the API server knows them.
    #[schemars(length(min = 1, max = 256))]
    pub approver: String,
    /// The groups that they are in.
    #[serde(default)]
    #[schemars(length(max = 64))]
    pub groups: Vec<GroupName>,
    /// What they say about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub comment: Option<String>,
}

/// A group of users, as the API server knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct GroupName(#[schemars(length(max = 256))] pub String);

/// A run, for ever: no other bears its uid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunReference {
    /// Its name, for people.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// Its uid.
    #[schemars(length(min = 1, max = 64))]
    pub uid: String,
}

/// Whether anything in the plan waits for people to approve it.
pub fn asks(plan: &Plan) -> bool {
    let ends = |service: &crate::plan::Service| service.decommission.as_ref().is_some_and(|end| end.approval.is_some());
    plan.phases.values().any(|phase| phase.approval.is_some()) || plan.services.values().any(ends)
}

/// An approval as the engine takes it; `None` if it is about nothing, or about two things, or was never stored.
pub fn seen(approval: &MigrationApproval) -> Option<ApprovalSeen> {
    let MigrationApprovalSpec { run, digest, attempt, phase, decommission, decision, approver, groups, .. } = &approval.spec;
    let about = match (phase, decommission) {
        (Some(phase), None) => About::Phase(phase.clone()),
        (None, Some(service)) => About::Decommission(service.clone()),
        _ => return None,
    };
    Some(ApprovalSeen {
        id: approval.metadata.uid.clone()?,
        run: RunId(run.uid.clone()),
        digest: digest.parse::<Digest>().ok()?,
        about,
        attempt: *attempt,
        approver: approver.clone(),
        groups: groups.iter().map(|group| group.0.clone()).collect(),
        answer: *decision,
        at: approval.metadata.creation_timestamp.as_ref()?.0,
    })
}

/// The approvals of one run, as far as we were told. All clones are the same.
#[derive(Debug, Clone)]
pub struct Approvals {
    run: RunId,
    known: Arc<Mutex<BTreeMap<String, ApprovalSeen>>>,
    wake: Wake,
    /// During a list: those that were not put yet.
    missing: BTreeSet<String>,
}

impl Approvals {
    /// None that is known yet.
    pub fn new(run: RunId, wake: Wake) -> Self {
        Self { run, known: Arc::default(), wake, missing: BTreeSet::new() }
    }
    /// All that are known.
    pub fn all(&self) -> Vec<ApprovalSeen> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }
    fn change(&self, change: impl FnOnce(&mut BTreeMap<String, ApprovalSeen>)) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let before = known.len();
        change(&mut known);
        if known.len() != before {
            drop(known);
            self.wake.fire(); // none ever changes: there is one more, or one less
        }
    }
}

impl Sink for Approvals {
    fn begin(&mut self) {
        self.missing = self.known.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect();
    }
    fn put(&mut self, object: Value) {
        self.missing.remove(name(&object));
        let read = serde_json::from_value::<MigrationApproval>(object);
        let approval = read.inspect_err(|error| tracing::warn!(%error, "an approval cannot be read; it does not count")).ok();
        let found = approval.as_ref().and_then(|approval| Some((approval.metadata.name.clone()?, seen(approval)?)));
        if let Some((name, seen)) = found.filter(|(_, seen)| seen.run == self.run) {
            self.change(|known| {
                known.insert(name, seen);
            });
        }
    }
    fn gone(&mut self, object: &Value) {
        self.change(|known| {
            known.remove(name(object));
        });
    }
    fn listed(&mut self) {
        let missing = std::mem::take(&mut self.missing);
        self.change(|known| known.retain(|name, _| !missing.contains(name)));
    }
    fn alive(&mut self, _: Timestamp) {}
    /// What was decided stands, whether or not the API server can be asked now.
    fn lost(&mut self, _: &ApiError) {}
}
