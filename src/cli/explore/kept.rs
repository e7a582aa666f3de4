//! Finished pieces of an exploration in a file, so that one that is stopped goes on where it was.
//!
//! *Guarantees*: the file is there as a whole or as it was; a piece counts only if nothing that decides about it has changed:
//! the program, the options, and all of the plan that the piece is made of. What else is in the plan may change.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use gapless::{
    explore::{Options, piece::Piece, report::ShapeReport},
    plan::Digest,
};
use serde::{Deserialize, Serialize};

use crate::output;

/// Finished pieces in a file.
#[derive(Debug)]
pub struct Kept {
    file: Option<PathBuf>,
    content: Content,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Content {
    /// The program that explored: another one may decide otherwise.
    program: String,
    options: String,
    pieces: Vec<Entry>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Entry {
    /// Of all that the piece is made of.
    digest: Digest,
    report: ShapeReport,
}

impl Kept {
    /// What the file has. A file that is torn, or belongs to another program or other options, is refused and stays as it is.
    pub fn load(file: Option<&Path>, options: &Options) -> anyhow::Result<Self> {
        let Some(file) = file else { return Ok(Self { file: None, content: Content::new(String::new(), options) }) };
        let fresh = Content::new(program()?, options);
        let content = match std::fs::read(file) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => fresh,
            Err(error) => return Err(error).with_context(|| format!("{} cannot be read", file.display())),
            Ok(bytes) => {
                let found: Content = serde_json::from_slice(&bytes).with_context(|| {
                    format!("{} is torn, or not what an exploration keeps; remove it or name another file", file.display())
                })?;
                if found.program != fresh.program {
                    bail!(
                        "{} was written by another build of gapless, which may decide otherwise; name another file",
                        file.display()
                    );
                }
                if found.options != fresh.options {
                    bail!("{} belongs to other options; name another file", file.display());
                }
                found
            }
        };
        Ok(Self { file: Some(file.to_owned()), content })
    }

    /// What was found in a piece, if it is finished. The names are those of the plan as it is now.
    pub fn find(&self, piece: &Piece) -> Option<ShapeReport> {
        let found = self.content.pieces.iter().find(|entry| entry.digest == piece.digest())?;
        let services = piece.alike.iter().map(ToString::to_string).collect();
        Some(ShapeReport { name: piece.name.clone(), services, ..found.report.clone() })
    }

    /// Adds a finished piece.
    pub fn keep(&mut self, piece: &Piece, report: &ShapeReport) -> anyhow::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        self.content.pieces.push(Entry { digest: piece.digest(), report: report.clone() });
        output::put(&output::json(&self.content)?, Some(file))
    }
}

impl Content {
    fn new(program: String, options: &Options) -> Self {
        Self { program, options: format!("{options:?}"), pieces: Vec::new() }
    }
}

/// The digest of this very program.
fn program() -> anyhow::Result<String> {
    let bytes = std::env::current_exe().and_then(std::fs::read).context("the running program cannot be read")?;
    Ok(Digest::of(&bytes).to_string())
}
