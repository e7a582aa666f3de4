//! The model of everything outside: whole runs in virtual time, and its judge.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod any_plan;
mod case;
mod chance;
mod connections;
mod found;
mod in_reverse;
mod judge;
mod left;
#[path = "../engine/plans.rs"]
#[allow(dead_code)]
mod models;
mod pairs;
mod plans;
mod random;
mod random_plans;
mod replication;
mod runs;
