//! `gapless approve`: what a person decided, under the name by which the API server knows them.

use anyhow::{Context as _, anyhow};
use gapless::{
    engine::{About, ApprovalSeen, Consent, approval},
    kubernetes::{
        api::{ApiError, Kind},
        approval::{GroupName, MigrationApprovalSpec, RunReference, seen},
        crd::{MigrationApproval, bounded, labels},
    },
    plan::{Approval, PhaseName, ServiceName},
};
use serde::Serialize;

use crate::{
    Exit,
    cluster::{Caller, Cluster, Run, Scope},
    output::{self, Format, Output},
    runtime,
};

/// Approve what a run waits for, or refuse it
///
/// The decision is made in the name by which the cluster knows you, counts once and for this run only. Whoever started the
/// run cannot approve anything in it. Exit code 0: it was written down; 1: it would not count, and nothing was written.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run
    run: String,
    #[command(flatten)]
    about: Asked,
    /// Say no instead: it stands until enough others have approved after it
    #[arg(long)]
    refuse: bool,
    /// Why, for those who read it later
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,
    #[command(flatten)]
    scope: Scope,
    #[command(flatten)]
    output: Output,
}

/// What it is about: one of the two.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Asked {
    /// The phase that may begin
    #[arg(long)]
    phase: Option<PhaseName>,
    /// The service whose legacy side may end
    #[arg(long, value_name = "SERVICE")]
    decommission: Option<ServiceName>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    approval: &'a str,
    run: &'a str,
    about: &'a About,
    decision: Consent,
    approver: &'a str,
    /// How the question stands with it; absent if you may not read the decisions of others.
    #[serde(skip_serializing_if = "Option::is_none")]
    standing: Option<String>,
}

pub fn run(args: &Args) -> anyhow::Result<Exit> {
    runtime::block_on(approve(args))?
}

async fn approve(args: &Args) -> anyhow::Result<Exit> {
    let cluster = Cluster::connect(&args.scope).await?;
    let run = cluster.run(&args.run).await?;
    let caller = cluster.caller().await?;
    let about = match (&args.about.phase, &args.about.decommission) {
        (Some(phase), _) => About::Phase(phase.clone()),
        (None, Some(service)) => About::Decommission(service.clone()),
        (None, None) => return Err(anyhow!("name what you approve: --phase or --decommission")),
    };
    let Some(asked) = asked(&run, &about) else {
        output::complain(&format!("error: nothing in run {} waits for an approval of {about}", args.run));
        return Ok(Exit::Finding);
    };
    if let Some(why) = would_not_count(&run, &about, asked, &caller) {
        output::complain(&format!("error: {why}; nothing was written"));
        return Ok(Exit::Finding);
    }
    let object = object(args, &cluster, &run, &about, &caller);
    let made: MigrationApproval =
        cluster.api.create(Kind::APPROVAL, Some(&cluster.namespace), &object).await.context("the decision was not written")?;
    say(args, &cluster, &run, (&about, asked), &made).await
}

/// What the plan asks for.
fn asked<'r>(run: &'r Run, about: &About) -> Option<&'r Approval> {
    let plan = run.revision.plan();
    match about {
        About::Phase(phase) => plan.phases.get(phase)?.approval.as_ref(),
        About::Decommission(service) => plan.services.get(service)?.decommission.as_ref()?.approval.as_ref(),
    }
}

fn attempt(run: &Run, about: &About) -> u32 {
    match about {
        About::Phase(_) => 0,
        About::Decommission(service) => run.record.services.get(service).map_or(0, |state| state.attempt),
    }
}

/// Why a decision of this person would not count.
fn would_not_count(run: &Run, about: &About, asked: &Approval, caller: &Caller) -> Option<String> {
    if let Some(ended) = &run.record.ended {
        return Some(format!("the run has ended ({})", ended.outcome));
    }
    let given = match about {
        About::Phase(phase) => run.record.phases.get(phase).is_some_and(|state| state.approved_at.is_some()),
        About::Decommission(service) => run.record.services.get(service).is_some_and(|state| state.end_approved_at.is_some()),
    };
    if given {
        return Some(format!("{about} is approved already"));
    }
    if run.object.spec.started_by == caller.name {
        return Some(format!("{} started the run and cannot approve anything in it", caller.name));
    }
    let roles: Vec<String> = asked.all_of.keys().map(ToString::to_string).collect();
    (!approval::may_answer(run.revision.plan(), asked, &caller.name, &caller.groups))
        .then(|| format!("{} is in none of the roles that are asked ({}), nor a deputy of one", caller.name, roles.join(", ")))
}

fn object(args: &Args, cluster: &Cluster, run: &Run, about: &About, caller: &Caller) -> MigrationApproval {
    let meta = &run.object.metadata;
    let (phase, decommission) = match about {
        About::Phase(phase) => (Some(phase.clone()), None),
        About::Decommission(service) => (None, Some(service.clone())),
    };
    let spec = MigrationApprovalSpec {
        run: RunReference { name: args.run.clone(), uid: meta.uid.clone().unwrap_or_default() },
        digest: run.revision.digest().to_string(),
        attempt: attempt(run, about),
        phase,
        decommission,
        decision: if args.refuse { Consent::Refused } else { Consent::Approved },
        approver: caller.name.clone(),
        groups: caller.groups.iter().take(64).map(|group| GroupName(bounded(group, 256))).collect(),
        comment: args.comment.as_ref().map(|text| bounded(text, 1024)),
    };
    let mut object = MigrationApproval::new(&cluster.namespace, "", spec);
    object.metadata.name = None;
    object.metadata.generate_name = Some(format!("{}-", args.run));
    object.metadata.labels = Some(labels());
    object
}

/// Says what was written, and how the question stands now.
async fn say(
    args: &Args,
    cluster: &Cluster,
    run: &Run,
    (about, asked): (&About, &Approval),
    made: &MigrationApproval,
) -> anyhow::Result<Exit> {
    let standing = match decisions(cluster).await {
        Ok(all) => Some(standing(run, about, asked, &all)),
        Err(_) => None, // who may decide need not be allowed to read what others decided
    };
    let name = made.metadata.name.as_deref().unwrap_or_default();
    let MigrationApprovalSpec { decision, approver, .. } = &made.spec;
    match args.output.format {
        Format::Json => {
            let decision = *decision;
            output::print_json(&Written { approval: name, run: &args.run, about, decision, approver, standing })?;
        }
        Format::Text => {
            let said = if args.refuse { "refused" } else { "approved" };
            let standing = standing.map_or_else(String::new, |text| format!("; {text}"));
            output::print(&format!("{about} of run {} {said} by {approver}{standing}\n", args.run))?;
        }
    }
    Ok(Exit::Good)
}

async fn decisions(cluster: &Cluster) -> Result<Vec<ApprovalSeen>, ApiError> {
    let all: Vec<MigrationApproval> = cluster.all(Kind::APPROVAL).await?;
    Ok(all.iter().filter_map(seen).collect())
}

fn standing(run: &Run, about: &About, asked: &Approval, all: &[ApprovalSeen]) -> String {
    let question = approval::Question { record: &run.record, about, attempt: attempt(run, about), approval: asked };
    let now = gapless::adapters::clock::now();
    match approval::standing(run.revision.plan(), question, all, now) {
        approval::Standing::Enough { .. } => "that is all it asks for".to_owned(),
        approval::Standing::Missing(missing) => missing,
        approval::Standing::Refused(by) => format!("{by} has refused it"),
    }
}
