//! `gapless start`: a run of a plan, in the cluster.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use gapless::{
    kubernetes::{
        api::{ApiError, Kind},
        crd::{MigrationPlan, MigrationPlanRevision, MigrationRun, MigrationRunSpec, labels},
        revision::{pack, unpack},
    },
    plan::{self, Revision},
    report::findings::{Colour, PlanReport},
};
use serde::Serialize;

use crate::{
    Exit, check,
    cluster::{Cluster, Scope},
    measured,
    output::{self, Format, Output},
    runtime,
};

/// Start a run of a plan in the cluster
///
/// The plan is checked first; a plan with errors is not started. The run executes the plan as it is now: later edits of
/// the plan change nothing in it.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A MigrationPlan in the cluster, or a plan file (a path with `/` or `.`, or `-` for standard input)
    plan: String,
    /// The name of the run [default: made from the plan's name]
    #[arg(long)]
    name: Option<String>,
    /// A state directory or a journal of a run that was made, as in a rehearsal: what was measured there counts instead of the
    /// plan's word, for the latest rollback and for what fits into a window
    #[arg(long, value_name = "JOURNAL")]
    durations: Option<PathBuf>,
    #[command(flatten)]
    scope: Scope,
    #[command(flatten)]
    output: Output,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Started<'a> {
    run: &'a str,
    namespace: &'a str,
    revision: &'a str,
    digest: &'a str,
    started_by: &'a str,
}

pub fn run(args: &Args) -> anyhow::Result<Exit> {
    runtime::block_on(start(args))?
}

async fn start(args: &Args) -> anyhow::Result<Exit> {
    let mut cluster = Cluster::connect(&args.scope).await?;
    let checked = if is_file(&args.plan) { from_file(args)? } else { from_cluster(&cluster, &args.plan).await? };
    let Some(revision) = checked else { return Ok(Exit::Finding) };
    let parts = plan::not_run_yet(revision.plan());
    if !parts.is_empty() {
        parts.iter().for_each(|part| output::complain(&format!("error: {}", part.message)));
        output::complain("this version cannot run all of this plan; nothing was written");
        return Ok(Exit::Finding);
    }
    let durations = args.durations.as_deref().map(|path| measured::of(path, &revision)).transpose()?.unwrap_or_default();
    let namespace = &revision.plan().namespace;
    if args.scope.namespace.as_ref().is_some_and(|wanted| wanted != namespace) {
        return Err(anyhow!("the plan is for namespace {namespace}, and `-n` names another one"));
    }
    cluster.namespace.clone_from(namespace);
    let started_by = cluster.caller().await?.name;
    let object = pack(&revision)?;
    let name = keep(&cluster, &object, &revision).await?;
    let spec = MigrationRunSpec::start(&revision.plan().name, &name, &started_by, durations);
    let run = make(&cluster, args.name.as_deref(), spec).await?;
    let digest = revision.digest().as_str();
    let started = Started { run: &run, namespace: &cluster.namespace, revision: &name, digest, started_by: &started_by };
    match args.output.format {
        Format::Json => output::print_json(&started)?,
        Format::Text => output::print(&format!(
            "run {run} of plan {} started by {started_by}, revision {}\nfollow it: gapless watch {run} -n {}\n",
            revision.plan().name,
            revision.digest().short(),
            cluster.namespace
        ))?,
    }
    Ok(Exit::Good)
}

fn is_file(plan: &str) -> bool {
    plan == "-" || plan.contains(['/', '.'])
}

/// The plan of a file, or `None` after its findings were printed.
fn from_file(args: &Args) -> anyhow::Result<Option<Revision>> {
    let bytes = check::read(Path::new(&args.plan)).with_context(|| format!("{} cannot be read", args.plan))?;
    let text = String::from_utf8_lossy(&bytes);
    let result = plan::read_by(&check::readers(), &bytes);
    let revision = result.as_ref().ok().map(|checked| checked.revision.clone());
    let report = PlanReport::new(args.plan.clone(), result);
    if !report.findings.is_empty() {
        output::complain(report.text(&text, Colour::Plain).trim_end());
    }
    Ok(revision)
}

/// A plan of the cluster, or `None` after its findings were printed.
async fn from_cluster(cluster: &Cluster, name: &str) -> anyhow::Result<Option<Revision>> {
    let plan: MigrationPlan = match cluster.api.get(Kind::PLAN, cluster.at(name)).await {
        Ok(plan) => plan,
        Err(ApiError::NotFound(_)) => {
            return Err(anyhow!(
                "there is no plan {name} in namespace {}; a file is named by a path such as ./{name}.yaml",
                cluster.namespace
            ));
        }
        Err(error) => return Err(error.into()),
    };
    let (revision, findings) = match plan::check_spec(name, &cluster.namespace, &plan.spec) {
        Ok(checked) => (Some(checked.revision), checked.warnings),
        Err(refused) => (None, refused.findings),
    };
    for finding in findings {
        output::complain(&finding.to_string());
    }
    Ok(revision)
}

/// Makes the revision's object; one that is there already has to be the same.
async fn keep(cluster: &Cluster, object: &MigrationPlanRevision, revision: &Revision) -> anyhow::Result<String> {
    let name = object.metadata.name.clone().unwrap_or_default();
    match cluster.api.create::<_, serde_json::Value>(Kind::REVISION, Some(&cluster.namespace), object).await {
        Ok(_) => Ok(name),
        Err(ApiError::Conflict(_)) => {
            let found: MigrationPlanRevision = cluster.api.get(Kind::REVISION, cluster.at(&name)).await?;
            if unpack(&found)?.digest() != revision.digest() {
                return Err(anyhow!("there is a revision {name} that is not this plan"));
            }
            Ok(name)
        }
        Err(error) => Err(anyhow!(error).context("the revision was not written")),
    }
}

async fn make(cluster: &Cluster, name: Option<&str>, spec: MigrationRunSpec) -> anyhow::Result<String> {
    let plan = spec.plan.clone();
    let mut run = MigrationRun::new(&cluster.namespace, name.unwrap_or_default(), spec);
    run.metadata.labels = Some(labels());
    if name.is_none() {
        run.metadata.name = None;
        run.metadata.generate_name = Some(format!("{plan}-"));
    }
    let made: MigrationRun =
        cluster.api.create(Kind::RUN, Some(&cluster.namespace), &run).await.context("the run was not made")?;
    made.metadata.name.ok_or_else(|| anyhow!("the API server gave the run no name"))
}
