//! What is wrong with a plan whose every default is filled in: time, people, groups, tasks, data, ends.
//!
//! *Flow*: each file judges the whole plan in one respect and gives findings whose paths call the elements of lists by their
//! names (`spec.services.pds.gates.p99`); the caller leads them back to the text.
//! *Guarantees*: total, near-linear in the plan's size; the same plan has the same findings. *Assumptions*: names that the plan
//! refers to may be missing, for it may be all that could be read of a broken document: what is missing is passed over.

mod acts;
mod calendar;
mod counts;
mod ends;
mod groups;
mod guards;
mod people;
mod unused;

use crate::plan::{finding::Finding, model::Plan, path::Path};

/// Whether a plan has all that its document says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// All of it.
    Whole,
    /// What could be read.
    Part,
}

/// All findings of a plan. Of a part nothing is said that the rest could refute.
pub(super) fn check(plan: &Plan, extent: Extent) -> Vec<Finding> {
    let mut found = Vec::new();
    for judge in [guards::check, counts::check, groups::check, acts::check, ends::check, people::check, calendar::check] {
        judge(plan, &mut found);
    }
    if extent == Extent::Whole {
        unused::check(plan, &mut found);
    }
    found
}

/// The element `name` of a list of the plan.
fn of(list: &str, name: impl AsRef<str>) -> Path {
    Path::top().key("spec").key(list).key(name.as_ref())
}

/// Names as people list them: the first few, and how many more.
fn listed<T: std::fmt::Display>(names: impl IntoIterator<Item = T>) -> String {
    const SHOWN: usize = 6;
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.get(..SHOWN) {
        Some(first) if names.len() > SHOWN => format!("{} and {} more", first.join(", "), names.len() - SHOWN),
        _ => names.join(", "),
    }
}
