//! The engine as a whole: stories, properties over random worlds, and each invariant with its rule taken away.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs, reason = "tests may")]

mod again;
mod approvals;
mod beside;
mod bridges;
mod ends;
mod forged;
mod gates;
mod groups;
mod held;
mod legacy;
mod lingering;
mod lost_promotions;
mod negative;
mod permuted;
mod plans;
mod properties;
mod record;
mod retries;
mod sim;
mod size;
mod soaks;
mod stale;
#[cfg(feature = "kubernetes")]
mod stored;
mod stories;
mod ways_back;
mod wide;
mod windows;
mod withhold;
mod words;
mod writers;
