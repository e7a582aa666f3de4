//! What the verbs for a cluster share: the connection, the caller's identity, a run with its revision.

use std::collections::BTreeMap;

use anyhow::{Context as _, anyhow};
use gapless::{
    adapters::clock,
    engine::{Intent, Record},
    kubernetes::{
        api::{Api, ApiError, At, Kind, Selection},
        crd::{MigrationPlanRevision, MigrationRun, bounded},
        revision::unpack,
        store::read,
    },
    plan::{Revision, ServiceName},
    report::status::{StatusReport, WaitingReport},
};
use serde_json::{Value, json};

/// How long an order may take to be seen by the operator before the caller is told so.
const TAKEN_WITHIN: std::time::Duration = std::time::Duration::from_secs(5);

/// Where in the cluster.
#[derive(Debug, Clone, clap::Args)]
pub struct Scope {
    /// The namespace [default: that of the kubeconfig]
    #[arg(short = 'n', long)]
    pub namespace: Option<String>,
}

/// A cluster and a namespace in it.
pub struct Cluster {
    pub api: Api,
    pub namespace: String,
}

/// A run, and all that it rests on.
pub struct Run {
    pub object: MigrationRun,
    pub revision: Revision,
    pub record: Record,
}

/// A person, as the API server knows them.
pub struct Caller {
    pub name: String,
    pub groups: Vec<String>,
}

impl Cluster {
    /// Connects to the cluster that `KUBECONFIG` names.
    pub async fn connect(scope: &Scope) -> anyhow::Result<Self> {
        let (api, default) = Api::from_environment().await.context("the cluster cannot be reached")?;
        Ok(Self { api, namespace: scope.namespace.clone().unwrap_or(default) })
    }

    pub fn at<'a>(&'a self, name: &'a str) -> At<'a> {
        At { namespace: &self.namespace, name }
    }

    /// The caller, as the API server knows them.
    pub async fn caller(&self) -> anyhow::Result<Caller> {
        let review = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview" });
        let answer: Value = self.api.create(Kind::SELF_REVIEW, None, &review).await.context("who you are cannot be found out")?;
        let user = answer.pointer("/status/userInfo/username").and_then(Value::as_str);
        let name = user.map(|user| bounded(user, 256)).ok_or_else(|| anyhow!("the API server does not say who you are"))?;
        let groups = answer.pointer("/status/userInfo/groups").and_then(Value::as_array).into_iter().flatten();
        Ok(Caller { name, groups: groups.filter_map(Value::as_str).map(str::to_owned).collect() })
    }

    /// A run by name.
    pub async fn run(&self, name: &str) -> anyhow::Result<Run> {
        let object = self.object(name).await?;
        let at = self.at(&object.spec.revision);
        let revision: MigrationPlanRevision =
            self.api.get(Kind::REVISION, at).await.context("the run's revision cannot be read")?;
        let revision = unpack(&revision)?;
        let record = read(&object, &revision)?;
        Ok(Run { object, revision, record })
    }

    /// All objects of a kind in the namespace.
    pub async fn all<T: serde::de::DeserializeOwned>(&self, kind: Kind) -> Result<Vec<T>, ApiError> {
        let of = Selection::all(kind, Some(&self.namespace));
        let (mut all, mut next) = (Vec::new(), String::new());
        loop {
            let page = self.api.page(&of, &next).await?;
            all.extend(page.items);
            next = page.metadata.next;
            if next.is_empty() {
                return Ok(all);
            }
        }
    }

    async fn object(&self, name: &str) -> anyhow::Result<MigrationRun> {
        match self.api.get(Kind::RUN, self.at(name)).await {
            Ok(run) => Ok(run),
            Err(ApiError::NotFound(_)) => {
                Err(anyhow!("there is no run {name} in namespace {}; `gapless status` lists them", self.namespace))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Gives an order, in the caller's name, and says whether the operator has taken it.
    pub async fn order(&self, name: &str, order: Order<'_>) -> anyhow::Result<Taken> {
        if let Some(ended) = self.run(name).await?.record.ended {
            return Err(anyhow!("run {name} has ended ({}): there is nothing to be ordered", ended.outcome));
        }
        let caller = self.caller().await?;
        let by = caller.name;
        let spec = match order {
            Order::Intent(intent) => json!({ "intent": intent, "by": by }),
            Order::Resume(None, intent) => json!({ "intent": intent, "by": by }),
            Order::Resume(Some(upto), intent) => json!({ "intent": intent, "resumes": upto, "by": by }),
            // Merged: those of others stay.
            Order::Retry(attempts) => json!({ "retries": attempts, "by": by }),
            Order::Declare(attempts) => json!({ "declared": attempts, "by": by }),
        };
        let after: MigrationRun = match self.api.merge(Kind::RUN, self.at(name), &json!({ "spec": spec })).await {
            Ok(after) => after,
            Err(ApiError::NotFound(_)) => self.object(name).await?,
            Err(error) => return Err(anyhow!(error).context("the order was not given")),
        };
        let wanted = after.metadata.generation;
        let until = tokio::time::Instant::now() + TAKEN_WITHIN;
        while tokio::time::Instant::now() < until {
            let now = self.object(name).await?;
            if now.status.as_ref().is_some_and(|status| status.observed_generation >= wanted) {
                return Ok(Taken::Yes);
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        Ok(Taken::NotYet)
    }
}

/// What a person orders.
#[derive(Debug, Clone, Copy)]
pub enum Order<'a> {
    /// What the run is to do.
    Intent(Intent),
    /// It goes on, or back, and every hold up to this number is cleared.
    Resume(Option<u64>, Intent),
    /// These services are tried again, each as this attempt.
    Retry(&'a BTreeMap<ServiceName, u32>),
    /// The soak of these services is over, each in this attempt.
    Declare(&'a BTreeMap<ServiceName, u32>),
}

/// Whether the operator has taken an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    Yes,
    NotYet,
}
impl Taken {
    /// The end of the sentence that begins with what was ordered.
    pub fn words(self) -> &'static str {
        match self {
            Self::Yes => "the operator has taken the order",
            Self::NotYet => "the order stands, but the operator has not taken it yet: is it running?",
        }
    }
}

impl Run {
    /// How it stands.
    pub fn report(&self) -> StatusReport {
        let status = self.object.status.as_ref();
        let waiting = status.map(|status| status.waiting.as_slice()).unwrap_or_default();
        let waiting = waiting.iter().map(|one| WaitingReport {
            step: one.step.clone(),
            reason: one.reason.clone(),
            message: one.message.clone(),
            since: one.since.clone(),
            way_out: one.way_out.clone().unwrap_or_default(),
            who: one.who.clone(),
            until: one.until.clone(),
        });
        let outcome = status.and_then(|status| status.outcome);
        let name = self.object.metadata.name.as_deref().unwrap_or_default();
        StatusReport::of(
            name,
            &self.revision,
            &self.record,
            waiting.collect(),
            outcome,
            (&self.object.spec.durations, clock::now()),
        )
    }
}
