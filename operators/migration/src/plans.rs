//! What is found in a plan, in its status.

use gapless::{
    kubernetes::{
        api::{Api, At, Kind},
        crd::{Condition, ConditionStatus, FINDINGS_MAX, MigrationPlan, MigrationPlanStatus, PlanFinding, bounded},
    },
    plan::{Finding, check_spec},
};
use jiff::Timestamp;
use serde_json::json;

/// Checks a plan, unless its status speaks of this generation already.
pub async fn check(api: &Api, plan: &MigrationPlan) {
    let (name, namespace) = (plan.metadata.name.as_deref(), plan.metadata.namespace.as_deref());
    let (Some(name), Some(namespace)) = (name, namespace) else { return };
    let known = plan.status.as_ref().and_then(|status| status.observed_generation);
    if known.is_some() && known == plan.metadata.generation {
        return;
    }
    let status = judge(plan, name, namespace, Timestamp::now());
    if let Err(error) = api.merge_status(Kind::PLAN, At { namespace, name }, &json!({ "status": status })).await {
        tracing::warn!(plan = name, namespace, %error, "what was found in a plan could not be written");
    }
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
