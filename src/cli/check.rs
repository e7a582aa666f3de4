//! `gapless check`: all findings of plans at once. Reads files, writes nothing.
//!
//! `--explain` means one of two things, told apart by its value: the name of a code explains that code; a file, or nothing
//! with files elsewhere on the line, explains those plans. A file that is called like a code is written `./cycle`.

use std::{
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use clap::ValueEnum;
use gapless::{
    plan::{self, Code, Revision, Severity, document::SIZE_MAX},
    report::{
        findings::{CheckReport, CodeReport, Colour, FileReport, PlanReport, Source, explain, list},
        sarif::Sarif,
    },
};

use crate::{Exit, output, threads::Threads};

/// Check plans and say everything that is wrong with them at once
///
/// A file may hold several plans, in documents after each other or as items of a `List`; objects of other kinds are passed
/// over by name. Exit code 0: no errors; 1: at least one; 2: a file could not be read.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The plan files, in YAML or JSON; `-` is standard input
    #[arg(value_name = "FILE", required_unless_present_any = ["list", "explain"])]
    files: Vec<PathBuf>,
    /// Treat warnings as errors
    #[arg(long, value_name = "WHAT")]
    deny: Option<Deny>,
    /// List the codes of findings with a line each
    #[arg(long, conflicts_with_all = ["files", "explain"])]
    list: bool,
    /// Explain a code: why it matters, a wrong plan and the same plan mended; or a plan: print it with every default written
    /// out, and where each came from
    #[arg(long, value_name = "CODE or FILE", num_args = 0..=1)]
    explain: Option<Option<String>>,
    /// The form of the result: text for people, JSON by the contract of `gapless schema check`, or SARIF for code hosting
    #[arg(short = 'o', long = "output", value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// The form of the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs
    Json,
    /// SARIF 2.1.0, for code hosting
    Sarif,
}

/// What `--deny` takes.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Deny {
    /// A plan with a warning ends with exit code 1 as well
    Warnings,
}

/// What is asked for.
#[derive(Debug)]
enum Ask {
    List,
    Explain(Code),
    ExplainPlans(Vec<PathBuf>),
    Check(Vec<PathBuf>),
}

pub fn run(args: &Args) -> anyhow::Result<Exit> {
    match (ask(args)?, args.format) {
        (Ask::List | Ask::Explain(_), Format::Sarif) => bail!("`-o sarif` is for the findings of plans"),
        (Ask::List, Format::Text) => output::print(&list())?,
        (Ask::List, Format::Json) => output::print_json(&CodeReport::all())?,
        (Ask::Explain(code), Format::Text) => output::print(&explain(code, colour()))?,
        (Ask::Explain(code), Format::Json) => output::print_json(&CodeReport::of(code))?,
        (Ask::ExplainPlans(files), Format::Text) => return explain_files(&files),
        (Ask::ExplainPlans(_), _) => bail!("an explained plan is YAML: leave out `-o`"),
        (Ask::Check(files), format) => return check_files(&files, args.deny, format),
    }
    Ok(Exit::Good)
}

fn ask(args: &Args) -> anyhow::Result<Ask> {
    let value = match &args.explain {
        None if args.list => return Ok(Ask::List),
        None => return Ok(Ask::Check(args.files.clone())),
        Some(value) => value.as_deref(),
    };
    match (value, value.and_then(Code::named)) {
        (_, Some(code)) if args.files.is_empty() => Ok(Ask::Explain(code)),
        (Some(name), Some(_)) => {
            bail!("`--explain {name}` explains a code and takes no files; a file of that name is `./{name}`")
        }
        (Some(name), None) if !Path::new(name).exists() => {
            let near = gapless::plan::finding::nearest(name, Code::ALL.iter().map(|code| code.name()));
            let near = near
                .map_or_else(|| "`gapless check --list` prints the codes".to_owned(), |near| format!("did you mean `{near}`?"));
            bail!("there is neither a code nor a file `{name}`; {near}")
        }
        (None, _) if args.files.is_empty() => {
            bail!("`--explain` takes a code or a file; `gapless check --list` prints the codes")
        }
        (name, _) => Ok(Ask::ExplainPlans(name.map(PathBuf::from).into_iter().chain(args.files.iter().cloned()).collect())),
    }
}

/// Prints plans with every default written out; of plans with errors, the findings.
fn explain_files(files: &[PathBuf]) -> anyhow::Result<Exit> {
    let mut exit = Exit::Good;
    let mut text = String::new();
    for file in files {
        let name = file.display().to_string();
        let bytes = match read(file) {
            Ok(bytes) => bytes,
            Err(error) => {
                output::complain(&format!("error: {name} cannot be read: {error}"));
                exit = Exit::Unusable;
                continue;
            }
        };
        let mut contents = plan::explain_all(&bytes);
        for explained in contents.plans.iter().filter_map(|plan| plan.explained.as_deref()) {
            let between = if text.is_empty() { "" } else { "---\n" };
            text.push_str(&format!("{between}{explained}"));
        }
        contents.plans.retain(|plan| plan.result.is_err());
        if !contents.plans.is_empty() {
            let shown = String::from_utf8_lossy(&bytes);
            output::complain(FileReport::new(&name, contents).text(&Source::new(&shown), Colour::Plain).trim_end());
            exit = if exit == Exit::Good { Exit::Finding } else { exit };
        }
    }
    output::print(&text)?;
    Ok(exit)
}

fn colour() -> Colour {
    if output::wants_colour() { Colour::Terminal } else { Colour::Plain }
}

fn check_files(files: &[PathBuf], deny: Option<Deny>, format: Format) -> anyhow::Result<Exit> {
    let (mut report, mut sarif, mut text) = (CheckReport::default(), Sarif::default(), String::new());
    let mut unreadable = false;
    for file in files {
        let name = file.display().to_string();
        match read(file) {
            Ok(bytes) => {
                let found = FileReport::new(&name, plan::read_all_by(&readers(), &bytes));
                let shown = String::from_utf8_lossy(&bytes);
                let source = Source::new(&shown);
                match format {
                    Format::Text => text.push_str(&found.text(&source, colour())),
                    Format::Sarif => found.plans.iter().for_each(|plan| sarif.add(plan, &source)),
                    Format::Json => {}
                }
                report.add(found);
            }
            Err(error) => {
                unreadable = true;
                sarif.add_unreadable(&name, &error.to_string());
                output::complain(&format!("error: {name} cannot be read: {error}"));
            }
        }
    }
    match format {
        Format::Text => output::print(&text)?,
        Format::Json => output::print_json(&report)?,
        Format::Sarif => output::print_json(&sarif.log())?,
    }
    Ok(if unreadable { Exit::Unusable } else { verdict(&report, deny) })
}

fn verdict(report: &CheckReport, deny: Option<Deny>) -> Exit {
    match deny {
        _ if report.has(Severity::Error) => Exit::Finding,
        Some(Deny::Warnings) if report.has(Severity::Warning) => Exit::Finding,
        _ => Exit::Good,
    }
}

/// Who reads a plan file: its work can be shared by two, and threads beyond those would only be started.
pub fn readers() -> Threads {
    Threads::new(Some(2))
}

/// The plan, or `None` after its findings were printed.
pub fn plan(file: &Path) -> anyhow::Result<Option<Revision>> {
    let bytes = read(file).with_context(|| format!("{} cannot be read", file.display()))?;
    match plan::read_by(&readers(), &bytes) {
        Ok(checked) => Ok(Some(checked.revision)),
        refused => {
            let report = PlanReport::new(file.display().to_string(), refused);
            output::complain(&report.text(&String::from_utf8_lossy(&bytes), Colour::Plain));
            Ok(None)
        }
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
