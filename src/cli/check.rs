//! `gapless check`: all findings of a plan at once. Reads files, writes nothing.

use std::{
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use clap::ValueEnum;
use gapless::{
    plan::{self, Code, Severity, document::SIZE_MAX},
    report::findings::{CheckReport, CodeReport, Colour, PlanReport, explain, list},
};

use crate::{
    Exit,
    output::{self, Format, Output},
};

/// Check plans and say everything that is wrong with them at once
///
/// Exit code 0: no errors; 1: at least one; 2: a file could not be read.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The plan files; `-` is standard input
    #[arg(value_name = "FILE", required_unless_present_any = ["list", "explain"])]
    files: Vec<PathBuf>,
    /// Treat warnings as errors
    #[arg(long, value_name = "WHAT")]
    deny: Option<Deny>,
    /// List the codes of findings with a line each
    #[arg(long, conflicts_with_all = ["files", "explain"])]
    list: bool,
    /// Explain a code: why it matters, what to do
    #[arg(long, value_name = "CODE", conflicts_with = "files", value_parser = code)]
    explain: Option<Code>,
    #[command(flatten)]
    output: Output,
}

/// What `--deny` takes.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Deny {
    /// A plan with a warning ends with exit code 1 as well
    Warnings,
}

fn code(name: &str) -> Result<Code, String> {
    let known = Code::ALL.iter().find(|code| code.name() == name);
    known.copied().ok_or_else(|| "no such code; `gapless check --list` prints them".to_owned())
}

pub fn run(args: &Args) -> anyhow::Result<Exit> {
    if args.list {
        match args.output.format {
            Format::Text => output::print(&list())?,
            Format::Json => output::print_json(&CodeReport::all())?,
        }
        return Ok(Exit::Good);
    }
    if let Some(code) = args.explain {
        output::print(&explain(code))?;
        return Ok(Exit::Good);
    }
    check_files(args)
}

fn check_files(args: &Args) -> anyhow::Result<Exit> {
    let colour = if output::wants_colour() { Colour::Terminal } else { Colour::Plain };
    let (mut report, mut text) = (CheckReport { plans: Vec::new() }, String::new());
    let mut unreadable = false;
    for file in &args.files {
        match read(file) {
            Ok(bytes) => {
                let plan = PlanReport::new(file.display().to_string(), plan::read(&bytes));
                text.push_str(&plan.text(&String::from_utf8_lossy(&bytes), colour));
                report.plans.push(plan);
            }
            Err(error) => {
                unreadable = true;
                output::complain(&format!("error: {} cannot be read: {error}", file.display()));
            }
        }
    }
    match args.output.format {
        Format::Text => output::print(&text)?,
        Format::Json => output::print_json(&report)?,
    }
    Ok(if unreadable { Exit::Unusable } else { verdict(&report, args.deny) })
}

fn verdict(report: &CheckReport, deny: Option<Deny>) -> Exit {
    let any = |severity| report.plans.iter().any(|plan| plan.count(severity) > 0);
    match deny {
        _ if any(Severity::Error) => Exit::Finding,
        Some(Deny::Warnings) if any(Severity::Warning) => Exit::Finding,
        _ => Exit::Good,
    }
}

/// The bytes of a file, one more than are ever read as a plan at most: an endless file is a finding, not an endless wait.
pub fn read(file: &Path) -> io::Result<Vec<u8>> {
    let limit = SIZE_MAX as u64 + 1;
    let mut bytes = Vec::new();
    if file.as_os_str() == "-" {
        io::stdin().lock().take(limit).read_to_end(&mut bytes)?;
    } else {
        std::fs::File::open(file)?.take(limit).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}
