//! `gapless preview`: the dry run of a plan. Reads a file, and asks nobody unless it is told to try the plan in a cluster.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::ValueEnum;
use gapless::{
    kubernetes::{
        api::Api,
        trial::{self, Account},
    },
    plan::{self, Checked, Moment, Plan, Revision, Span, WindowPurpose, Zone, finding::Severity},
    preview::{Looks, Options, back_from, preview_by, report::ClusterReport},
    report::{
        findings::{Colour, PlanReport},
        preview as show,
    },
};
use jiff::Timestamp;

use crate::{Exit, check, output, runtime};

/// Show what a run of a plan would do, when, and until when it can be undone
///
/// Runs the same decisions as a real run in a world where all goes well and every step takes what the plan expects. Exit
/// code 0: the run ends, inside its windows and its deadline; 1: it does not, the plan has errors, or with `--cluster` something
/// was seen that would fail there; 2: wrong usage, or the cluster cannot be asked.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The plan file, in YAML or JSON; `-` is standard input
    file: PathBuf,
    /// When the run starts: a moment on the plan's clock (2026-08-28T20:00), or with its offset (2026-08-28T20:00:00Z); when the
    /// first window opens if not given, else now
    #[arg(long, value_name = "MOMENT")]
    start: Option<String>,
    /// How long people take to answer when they are asked for an approval
    #[arg(long, value_name = "DURATION", default_value = "0s")]
    people_take: Span,
    /// Show what going back just before this step is over would do, and how long it takes
    #[arg(long, value_name = "STEP")]
    at: Option<String>,
    /// Try every effect of a run in the cluster of the kubeconfig, to target and back, without changing anything there: the API
    /// server is asked what it would say, what stands there now is compared, and who may do what is asked
    #[arg(long, conflicts_with = "at")]
    cluster: bool,
    /// With `--cluster`: the account of the operator that would drive the run; looked for if not given
    #[arg(long, value_name = "NAMESPACE/NAME", requires = "cluster")]
    operator: Option<Account>,
    /// The form of the result
    #[arg(short = 'o', long = "output", value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Write the result to this file instead of standard output; it is there as a whole or not at all
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
}

/// The form of the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people at a terminal
    Text,
    /// For programs, by the contract of `gapless schema preview`
    Json,
    /// Tables that can be printed and signed
    Markdown,
    /// A Gantt chart in Mermaid's language
    Mermaid,
    /// A timeline as a picture
    Svg,
    /// The timeline, when people are needed, and every step as one page
    Html,
}

pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let bytes = check::read(&args.file).with_context(|| format!("{} cannot be read", args.file.display()))?;
    let checked = match plan::read_by(&check::readers(), &bytes) {
        Ok(checked) => checked,
        refused => {
            let report = PlanReport::new(args.file.display().to_string(), refused);
            output::complain(&report.text(&String::from_utf8_lossy(&bytes), Colour::Plain));
            return Ok(Exit::Finding);
        }
    };
    let Checked { revision, warnings, .. } = checked;
    let options = Options { start: start(revision.plan(), args.start.as_deref())?, people: args.people_take };
    if let Some(step) = &args.at {
        let back = match back_from(&revision, options, step) {
            Ok(back) => back,
            Err(near) if near.is_empty() => {
                bail!("the run has no step `{step}`; `gapless preview {}` prints them all", args.file.display())
            }
            Err(near) => bail!("the run has no step `{step}`; nearest are {}", near.join(", ")),
        };
        let text = match args.format {
            Format::Text => show::back(&back),
            Format::Json => output::json(&back)?,
            _ => bail!("`--at` is shown as text or JSON"),
        };
        output::put(&text, args.to.as_deref())?;
        return Ok(if back.fits_window == Some(false) { Exit::Finding } else { Exit::Good });
    }
    let findings = warnings.into_iter().filter(|finding| finding.severity != Severity::Note).collect();
    if args.cluster && !matches!(args.format, Format::Text | Format::Json) {
        bail!("`--cluster` is shown as text or JSON");
    }
    let mut preview = preview_by(&check::readers(), &revision, options, findings, Looks::Following);
    if args.cluster {
        preview.cluster = Some(runtime::block_on(try_out(&revision, args.operator.as_ref()))??);
    }
    let text = match args.format {
        Format::Text => show::text(&preview),
        Format::Json => output::json(&preview)?,
        Format::Markdown => show::markdown(&preview),
        Format::Mermaid => show::mermaid(&preview),
        Format::Svg => show::svg(&preview),
        Format::Html => show::html(&preview),
    };
    output::put(&text, args.to.as_deref())?;
    let late = preview.finish.is_none() || preview.fits_window == Some(false) || preview.deadline.is_some_and(|d| !d.fits);
    let fails = preview.cluster.is_some_and(|cluster| !cluster.works);
    Ok(if late || fails { Exit::Finding } else { Exit::Good })
}

/// Tries the run in the cluster that the environment names.
async fn try_out(revision: &Revision, operator: Option<&Account>) -> anyhow::Result<ClusterReport> {
    let (api, _) = Api::from_environment().await.context("the cluster cannot be reached")?;
    trial::try_out(&api, revision, operator).await.context("the cluster cannot be asked")
}

/// When the run starts.
fn start(plan: &Plan, given: Option<&str>) -> anyhow::Result<Timestamp> {
    let Some(text) = given else {
        let shifts = plan.windows.values().filter(|window| window.purpose == WindowPurpose::Shift);
        let first = shifts.map(|window| window.opens).min();
        let minute = |now: Timestamp| Timestamp::from_second(now.as_second().div_euclid(60) * 60).unwrap_or(now);
        return Ok(first.unwrap_or_else(|| minute(Timestamp::now())));
    };
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    let moment: Moment = text.parse().with_context(|| {
        format!("`--start {text}` is no moment; write 2026-08-28T20:00 for the plan's clock, or 2026-08-28T20:00:00Z")
    })?;
    let zone = Zone::named(plan.time_zone.as_deref().unwrap_or("UTC")).context("the plan's zone is not known")?;
    zone.resolve(moment).map_err(|why| anyhow::anyhow!("`--start {text}`: {why}"))
}
