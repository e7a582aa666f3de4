//! Where verbs put what they have to say.
//!
//! A pipe whose reader has gone (`gapless check plan.yaml | head -1`) is no failure: what is left unsaid is dropped, and
//! the verb ends with the exit code that its work earned.

use std::{
    fmt,
    io::{self, IsTerminal as _, Write as _},
    path::Path,
};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::Exit;

/// The shared `-o`: flatten it into a verb's arguments with `#[command(flatten)]`.
#[derive(Debug, Clone, Copy, Args)]
pub struct Output {
    /// The form of the result: text for people, or JSON by the contract that `gapless schema VERB` prints.
    #[arg(short = 'o', long = "output", value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

/// The form of a verb's result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// Writes `text` to standard output as it is.
pub fn print(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    forgive_closed_pipe(out.write_all(text.as_bytes()).and_then(|()| out.flush())).context("standard output cannot be written")
}

/// Writes `value` to standard output as indented JSON and a line end.
pub fn print_json<T: Serialize>(value: &T) -> anyhow::Result<()> {
    print(&json(value)?)
}

/// `value` as indented JSON and a line end.
pub fn json<T: Serialize>(value: &T) -> anyhow::Result<String> {
    let mut text = serde_json::to_string_pretty(value).context("the result cannot be put into JSON")?;
    text.push('\n');
    Ok(text)
}

/// Writes `text` to standard output, or to a file: under a name of its own first, so that the file is there as a whole or as it
/// was.
pub fn put(text: &str, to: Option<&Path>) -> anyhow::Result<()> {
    let Some(file) = to else { return print(text) };
    let name = file.file_name().with_context(|| format!("{} is no file name", file.display()))?;
    let draft = file.with_file_name(format!(".{}.{}.draft", name.to_string_lossy(), std::process::id()));
    let written = std::fs::File::create(&draft)
        .and_then(|mut open| open.write_all(text.as_bytes()).and_then(|()| open.sync_all()))
        .and_then(|()| std::fs::rename(&draft, file));
    if written.is_err() {
        let _ = std::fs::remove_file(&draft);
    }
    written.with_context(|| format!("{} cannot be written", file.display()))
}

/// Writes a line to standard error. If even that is closed there is nobody left to tell.
pub fn complain(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Says all that speaks against what was asked for.
pub fn refuse<T: fmt::Display>(reasons: &[T]) -> Exit {
    reasons.iter().for_each(|why| complain(&format!("error: {why}")));
    Exit::Finding
}

/// Whether standard output is a terminal that wants colours (<https://no-color.org>).
pub fn wants_colour() -> bool {
    let unset = |name| std::env::var_os(name).is_none_or(|value| value.is_empty());
    io::stdout().is_terminal() && unset("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

fn forgive_closed_pipe(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}
