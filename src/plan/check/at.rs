//! A place in a document while it is walked: nothing is made of it until somebody asks for its path.

use crate::plan::path::{Path, Segment};

/// A place, with the ones above it.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    above: Option<&'a At<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

impl<'a> At<'a> {
    /// A field of the document.
    pub fn top(field: &'a str) -> Self {
        Self { above: None, step: Step::Key(field) }
    }
    /// The field `name` of what is here.
    pub fn key(&'a self, name: &'a str) -> Self {
        Self { above: Some(self), step: Step::Key(name) }
    }
    /// The element `index` of what is here.
    pub fn index(&'a self, index: usize) -> Self {
        Self { above: Some(self), step: Step::Index(index) }
    }
    /// Its path.
    pub fn path(&self) -> Path {
        let above = self.above.map(At::path).unwrap_or_default();
        above.join(match self.step {
            Step::Key(name) => Segment::Key(name.to_owned()),
            Step::Index(index) => Segment::Index(index),
        })
    }
}
