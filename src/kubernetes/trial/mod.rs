//! What a run would do in a cluster, tried without doing it: `gapless preview --cluster`.
//!
//! *Flow*: [`live`] reads what stands there now and [`standing`] says what of it a run could not begin with; [`effects`] builds each
//! write of a run, to target and back, by the functions that the actuator uses, and the API server tries it (`dryRun=All`:
//! admission included, nothing is stored); [`rights`] asks who may do what.
//! *Guarantees*: nothing is written. What cannot be known is a finding and never a good sign.
//! *Caveats*: each write is tried on the route as it is now, with all writes before it in the same patch, so that the state that
//! the API server judges is the one that a run would make. The status of a run cannot be tried before there is a run: for it
//! only the right is asked. What the data plane makes of a route is seen by its status alone.

mod effects;
mod live;
mod rights;
mod standing;
mod writes;

use std::fmt;

use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};

use super::api::{Api, ApiError, Kind};
use crate::{
    plan::{Finding, Revision, Severity, not_run_yet},
    preview::report::{ClusterCode, ClusterFinding, ClusterReport, LiveService},
};

/// So many services are tried at once.
const AT_ONCE: usize = 8;

/// A service account of the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}
impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}
impl std::str::FromStr for Account {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let good = |part: &str| {
            let byte = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
            !part.is_empty() && part.len() <= 253 && part.bytes().all(byte)
        };
        match text.split_once('/') {
            Some((namespace, name)) if good(namespace) && good(name) => {
                Ok(Self { namespace: namespace.to_owned(), name: name.to_owned() })
            }
            _ => Err("an account is written NAMESPACE/NAME, as in gapless-system/gapless-operator".to_owned()),
        }
    }
}

/// Tries a run of this revision. `operator` is the account that would drive it; `None`: it is looked for.
///
/// # Errors
/// The cluster cannot be asked at all.
pub async fn try_out(api: &Api, revision: &Revision, operator: Option<&Account>) -> Result<ClusterReport, ApiError> {
    let plan = revision.plan();
    let caller = caller(api).await?;
    let live = live::Live::look(api, plan).await;
    let tried = api.tried();
    let mut findings: Vec<ClusterFinding> = not_run_yet(plan).iter().map(not_yet).collect();
    findings.extend(live.unreadable());
    let start = effects::start(&tried, revision, &caller, &mut findings).await;
    let one = |(name, service)| {
        let (live, tried) = (&live, &tried);
        async move {
            let (mut line, mut found, way) = standing::of(live, name, service);
            line.effects = effects::of_service(tried, live, (plan, name, service), way, &mut found).await;
            (line, found)
        }
    };
    let all: Vec<(LiveService, Vec<ClusterFinding>)> = stream::iter(&plan.services).map(one).buffered(AT_ONCE).collect().await;
    let (mut services, mut of_services) = (Vec::new(), Vec::new());
    for (line, found) in all {
        services.push(line);
        of_services.extend(found);
    }
    findings.extend(of_services);
    let (operator, rights) = rights::ask(api, plan, &live, operator, &caller, &mut findings).await;
    findings.sort();
    findings.dedup();
    let works = findings.iter().all(|finding| finding.severity != Severity::Error);
    let operator = operator.map(|account| account.to_string());
    Ok(ClusterReport { namespace: plan.namespace.clone(), caller, operator, works, start, services, rights, findings })
}

/// The caller, as the API server knows them. The first request: without its answer nothing else is asked.
async fn caller(api: &Api) -> Result<String, ApiError> {
    let review = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview" });
    let answer: Value = api.create(Kind::SELF_REVIEW, None, &review).await?;
    let user = answer.pointer("/status/userInfo/username").and_then(Value::as_str);
    user.map(str::to_owned).ok_or_else(|| ApiError::Unreadable("the API server does not say who you are".into()))
}

fn error(code: ClusterCode, place: impl Into<String>, message: impl Into<String>, help: impl Into<String>) -> ClusterFinding {
    let (place, message, help) = (place.into(), message.into(), help.into());
    ClusterFinding { severity: Severity::Error, code, place, message, help }
}

fn warning(code: ClusterCode, place: impl Into<String>, message: impl Into<String>, help: impl Into<String>) -> ClusterFinding {
    ClusterFinding { severity: Severity::Warning, ..error(code, place, message, help) }
}

/// A run is refused at its start whose plan has such a part.
fn not_yet(part: &Finding) -> ClusterFinding {
    error(
        ClusterCode::NotYet,
        format!("plan, {}", part.path),
        part.message.clone(),
        "leave it out, or wait for a version that runs it",
    )
}
