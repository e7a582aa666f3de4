//! `gapless status`: how a run stands, or which runs there are.

use std::path::PathBuf;

use gapless::{
    kubernetes::{api::Kind, crd::MigrationRun},
    report::status::{StatusReport, Way},
};

use crate::{
    Exit,
    cluster::{Cluster, Scope},
    directory,
    output::{self, Format, Output},
    runtime,
};

/// Say how a run stands, or list the runs of a namespace
///
/// Exit code 0: it goes on or is completed; 1: it holds, went back or failed.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run; without it all runs of the namespace are listed
    run: Option<String>,
    /// The state directory of a run without a cluster
    #[arg(long, value_name = "DIR", conflicts_with_all = ["run", "namespace"])]
    state: Option<PathBuf>,
    #[command(flatten)]
    scope: Scope,
    #[command(flatten)]
    output: Output,
}

pub fn run(args: &Args) -> anyhow::Result<Exit> {
    if let Some(state) = &args.state {
        return show(&directory::status(state)?, args.output.format);
    }
    runtime::block_on(async {
        let cluster = Cluster::connect(&args.scope).await?;
        match &args.run {
            Some(name) => {
                let report = cluster.run(name).await?.report();
                show(&report, args.output.format)
            }
            None => list(&cluster, args.output.format).await,
        }
    })?
}

/// Prints how a run stands, and gives the exit code that says the same.
pub fn show(report: &StatusReport, format: Format) -> anyhow::Result<Exit> {
    match format {
        Format::Json => output::print_json(report)?,
        Format::Text => output::print(&text(report))?,
    }
    Ok(exit(report))
}

/// The exit code that says how a run stands.
pub fn exit(report: &StatusReport) -> Exit {
    use gapless::engine::Outcome::{Completed, Failed, Held, RolledBack};
    match report.outcome {
        None | Some(Completed) => Exit::Good,
        Some(RolledBack | Held | Failed) => Exit::Finding,
    }
}

/// How a run stands, in one line.
pub fn headline(report: &StatusReport) -> String {
    let state = match (report.outcome, report.direction) {
        (Some(outcome), _) => outcome.to_string(),
        (None, Way::Forward) => "running".into(),
        (None, Way::Backward) => "going back".into(),
    };
    let steps = format!("{} of {} steps", report.progress.confirmed, report.progress.total);
    format!("run {} of plan {}: {state}, {steps}", report.run, report.plan)
}

fn text(report: &StatusReport) -> String {
    let mut text = format!("{}\n\n", headline(report));
    let mut table = crate::table::plain(&["SERVICE", "PHASE", "STAGE", "ON TARGET", "WHY"]);
    for service in &report.services {
        let why = service.why.clone().unwrap_or_default();
        table.add_row([
            service.name.clone(),
            service.phase.clone(),
            service.stage.to_owned(),
            format!("{} %", service.weight),
            why,
        ]);
    }
    text.push_str(&format!("{table}\n"));
    if !report.waiting.is_empty() {
        text.push_str("\nwaiting:\n");
    }
    for waiting in &report.waiting {
        text.push_str(&format!("  {}: {}\n", waiting.step, waiting.message));
    }
    text
}

async fn list(cluster: &Cluster, format: Format) -> anyhow::Result<Exit> {
    let runs: Vec<MigrationRun> = cluster.all(Kind::RUN).await?;
    if format == Format::Json {
        let names: Vec<_> = runs.iter().map(|run| serde_json::json!({ "run": run.metadata.name, "plan": run.spec.plan, "outcome": run.status.as_ref().and_then(|s| s.outcome) })).collect();
        output::print_json(&serde_json::json!({ "runs": names }))?;
        return Ok(Exit::Good);
    }
    let mut table = crate::table::plain(&["RUN", "PLAN", "STATE", "STEPS", "STARTED BY"]);
    for run in &runs {
        let status = run.status.as_ref();
        let state = status.and_then(|status| status.state.clone()).unwrap_or_else(|| "not seen by an operator yet".into());
        let steps = status.and_then(|status| status.progress.as_ref()).map(|progress| progress.text.clone()).unwrap_or_default();
        table.add_row([
            run.metadata.name.clone().unwrap_or_default(),
            run.spec.plan.to_string(),
            state,
            steps,
            run.spec.started_by.clone(),
        ]);
    }
    output::print(&format!("{table}\n"))?;
    Ok(Exit::Good)
}
