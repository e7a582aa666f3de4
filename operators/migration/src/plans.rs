//! What is found in a plan, in its status.
//!
//! *Flow*: plans come one after the other through a queue; each is judged by a process of its own, this very program with
//! the argument [`JUDGE`], which reads the plan and writes what it found. *Guarantees*: no plan, however large or odd,
//! takes memory or a moment from the runs that are driven here, and one that ends its judge ends nothing else; what judging
//! takes (the schema of plans in several forms, 6 MiB) is given back with it.

use std::{process::Stdio, time::Duration};

use anyhow::{Context as _, ensure};
use gapless::{
    kubernetes::{
        api::{Api, At, Kind},
        crd::{Condition, ConditionStatus, FINDINGS_MAX, MigrationPlan, MigrationPlanStatus, PlanFinding, bounded},
    },
    plan::{Finding, check_spec},
};
use jiff::Timestamp;
use serde_json::json;
use tokio::{io::AsyncWriteExt as _, process::Command, sync::mpsc::UnboundedReceiver};

/// The argument that makes this program a judge of one plan.
pub const JUDGE: &str = "judge-plan";
/// How long one plan may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Checks all plans that come, until nobody sends any more.
pub async fn check_all(api: &Api, mut plans: UnboundedReceiver<Box<MigrationPlan>>) {
    while let Some(plan) = plans.recv().await {
        check(api, &plan).await;
    }
}

/// Checks a plan, unless its status speaks of this generation already.
async fn check(api: &Api, plan: &MigrationPlan) {
    let (name, namespace) = (plan.metadata.name.as_deref(), plan.metadata.namespace.as_deref());
    let (Some(name), Some(namespace)) = (name, namespace) else { return };
    let known = plan.status.as_ref().and_then(|status| status.observed_generation);
    if known.is_some() && known == plan.metadata.generation {
        return;
    }
    let judged = tokio::time::timeout(PATIENCE, by_a_judge(plan)).await;
    let status = match judged.unwrap_or_else(|_| Err(anyhow::anyhow!("it took more than {} s", PATIENCE.as_secs()))) {
        Ok(status) => status,
        Err(error) => return tracing::warn!(plan = name, namespace, error = format!("{error:#}"), "a plan could not be checked"),
    };
    if let Err(error) = api.merge_status(Kind::PLAN, At { namespace, name }, &json!({ "status": status })).await {
        tracing::warn!(plan = name, namespace, %error, "what was found in a plan could not be written");
    }
}

async fn by_a_judge(plan: &MigrationPlan) -> anyhow::Result<MigrationPlanStatus> {
    let program = std::env::current_exe().context("this program's own file")?;
    let mut judge = Command::new(program);
    let judge = judge.arg(JUDGE).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
    let mut judge = judge.spawn().context("a judge cannot be started")?;
    if let Some(mut asks) = judge.stdin.take() {
        asks.write_all(&serde_json::to_vec(plan)?).await.context("the judge does not read the plan")?;
    }
    let said = judge.wait_with_output().await.context("the judge")?;
    ensure!(said.status.success(), "the judge ended with {}", said.status);
    serde_json::from_slice(&said.stdout).context("what the judge said")
}

/// Judges the plan that is read, and writes what was found.
///
/// # Errors
/// It is no plan, or nobody listens.
pub fn judge_one(mut from: impl std::io::Read, to: impl std::io::Write) -> anyhow::Result<()> {
    let mut text = Vec::new();
    from.read_to_end(&mut text).context("reading the plan")?;
    let plan: MigrationPlan = serde_json::from_slice(&text).context("the plan cannot be read")?;
    let (name, namespace) = (plan.metadata.name.as_deref(), plan.metadata.namespace.as_deref());
    let status = judge(&plan, name.unwrap_or_default(), namespace.unwrap_or_default(), Timestamp::now());
    serde_json::to_writer(to, &status).context("writing what was found")
}

fn judge(plan: &MigrationPlan, name: &str, namespace: &str, now: Timestamp) -> MigrationPlanStatus {
    let (digest, mut findings, services) = match check_spec(name, namespace, &plan.spec) {
        Ok(checked) => {
            let services = checked.revision.plan().services.len();
            (Some(checked.revision.digest().to_string()), checked.warnings, services)
        }
        Err(refused) => (None, refused.findings, refused.services),
    };
    let errors = findings.iter().filter(|finding| finding.is_error()).count();
    findings.sort_by_key(|finding| !finding.is_error());
    let (status, reason, message) = match (errors, findings.len()) {
        (0, 0) => (ConditionStatus::True, "NoFindings", "the plan can be started".to_owned()),
        (0, warnings) => (ConditionStatus::True, "Warnings", format!("the plan can be started; {warnings} warnings")),
        (errors, _) => (ConditionStatus::False, "Errors", format!("{errors} errors: `gapless check` explains them")),
    };
    let before =
        plan.status.iter().flat_map(|status| &status.conditions).find(|known| known.kind == "Ready" && known.status == status);
    let ready = Condition {
        kind: "Ready".into(),
        status,
        reason: reason.into(),
        message,
        last_transition_time: before.map_or_else(|| now.to_string(), |known| known.last_transition_time.clone()),
        observed_generation: plan.metadata.generation,
    };
    MigrationPlanStatus {
        observed_generation: plan.metadata.generation,
        digest,
        findings: findings.iter().take(FINDINGS_MAX).map(finding).collect(),
        services: u32::try_from(services).unwrap_or(u32::MAX),
        conditions: vec![ready],
    }
}

fn finding(found: &Finding) -> PlanFinding {
    PlanFinding {
        code: bounded(&found.code.to_string(), 64),
        severity: bounded(&found.severity.to_string(), 16),
        path: bounded(&found.path.to_string(), 512),
        message: bounded(&found.message, 1024),
        help: (!found.help.is_empty()).then(|| bounded(&found.help, 1024)),
    }
}
