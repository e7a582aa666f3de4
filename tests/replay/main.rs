//! Journals give the same decisions again; and where they do not, the first difference is named.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod differences;
mod journal;
#[path = "../world/plans.rs"]
#[allow(dead_code)]
mod plans;
mod random;
mod sizes;
