//! `gapless explain`: why a run does not go on, who can change that, and until when going back is safe.

use gapless::report::status::{StatusReport, WaitingReport};

use crate::{
    Exit,
    cluster::Cluster,
    directory,
    output::{self, Format, Output},
    runtime,
    which::{Place, Which},
};

/// Say of everything that waits in a run: what, since when, and who or what ends it
///
/// The first line says until when all that is in motion can still be taken back inside its window. Exit code 0: the run goes
/// on or is completed; 1: it holds, went back or failed.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    output: Output,
}

pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let report = match args.which.place() {
        Place::Directory(state) => directory::status(state)?,
        Place::Cluster(scope, run) => {
            runtime::block_on(async { anyhow::Ok(Cluster::connect(scope).await?.run(run).await?.report()) })??
        }
    };
    match args.output.format {
        Format::Json => output::print_json(&report)?,
        Format::Text => output::print(&text(&report))?,
    }
    Ok(crate::status::exit(&report))
}

fn text(report: &StatusReport) -> String {
    let mut text = format!("{}\n{}\n", crate::status::headline(report), safe_until(report));
    if report.waiting.is_empty() {
        text.push_str(match report.outcome {
            Some(_) => "nothing waits: the run is over\n",
            None => "nothing waits\n",
        });
    }
    for waiting in &report.waiting {
        text.push_str(&paragraph(waiting));
    }
    text
}

fn safe_until(report: &StatusReport) -> String {
    match &report.latest_rollback {
        None => "going back: no window or freeze bounds it".to_owned(),
        Some(latest) => {
            let window = latest.window.as_ref().map_or_else(|| "a freeze".to_owned(), |window| format!("window {window}"));
            format!("going back: safe until {} ({}), the latest rollback of {window}", latest.local, latest.at)
        }
    }
}

fn paragraph(waiting: &WaitingReport) -> String {
    let WaitingReport { step, message, since, way_out, .. } = waiting;
    let since = since.as_ref().map_or_else(String::new, |since| format!("\n  since  {since}"));
    format!("\n{step}\n  why    {message}{since}\n  who    {way_out}\n")
}
