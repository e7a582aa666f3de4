//! Reading the places of a text, and what a plan file may not contain.
//!
//! *Flow*: saphyr's events (or, for JSON, those of [`super::json`]), in one pass, build a tree of [places](super::places) for
//! each document.
//! *Guarantees*: depth, number of values and length of texts are bounded, and counted as if every alias were written out;
//! the text is read once; any text gives an answer.

mod surveyor;
#[cfg(test)]
mod tests;

use saphyr_parser::Parser;

use super::{
    finding::Finding,
    json,
    places::Places,
    watched::{Ahead, Watched},
};

pub(super) use self::surveyor::{Kind, Stop, Surveyor};

/// The deepest nesting that is read.
pub const DEPTH_MAX: usize = 64;
/// The most keys and values that are read of one file, every alias counted as what it stands for.
pub const VALUES_MAX: usize = if cfg!(test) { 200_000 } else { 8_000_000 };
/// The most text that all values of one file may hold, in bytes, every alias counted as what it stands for.
pub const TEXT_MAX: usize = 2 * super::document::SIZE_MAX;
/// The most documents that are read of one file.
pub const DOCUMENTS_MAX: usize = 1_000;

/// One document of a file, as far as its places go.
#[derive(Debug)]
pub(crate) struct Surveyed {
    pub places: Places,
    /// What is wrong with it, with paths from its top.
    pub findings: Vec<Finding>,
    /// Whether all of it was read.
    pub whole: bool,
    /// Whether what stands there is what is read: there is no tag.
    pub plain: bool,
    /// Whether there is a value at all.
    pub empty: bool,
    /// Whether an object takes over the fields of another one by `<<`.
    pub merges: bool,
    /// The line on which it begins.
    pub line: u32,
}

/// What reading the places of a text gave.
pub(crate) struct Survey {
    /// The documents up to the first place that cannot be read.
    pub documents: Vec<Surveyed>,
    /// Why the rest was not read.
    pub stopped: Option<Finding>,
    /// Whether the text is a JSON text, all of it.
    pub json: bool,
}

/// Reads the places of `text`.
pub(crate) fn survey(text: &str) -> Survey {
    if text.trim_ascii_start().starts_with(['{', '[']) {
        let mut surveyor = Surveyor::default();
        match json::survey(text, &mut surveyor) {
            Ok(()) => return Survey { json: true, ..surveyor.end(Ok(())) },
            Err(json::Left::Stopped(stop)) => return surveyor.end(Err(stop)),
            Err(json::Left::NotJson) => {}
        }
    }
    let (mut surveyor, ahead) = (Surveyor::default(), Ahead::default());
    let ended = surveyor.run(&mut Parser::new(Watched::new(text, &ahead)), &ahead);
    surveyor.end(ended)
}
