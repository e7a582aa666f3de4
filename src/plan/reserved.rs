//! Names that no plan may give, for they are those of what is part of a service's steps: state is kept by name, and one of two that
//! share a name would count for the other. A fence that counts as done because a task is called so protects nobody.

use super::names::TaskName;

/// Tasks that are part of a service's steps, whether or not its plan asks for them.
pub const TASKS: [&str; 11] = [
    "warm",
    "lower-ttl",
    "restore-ttl",
    "mirror",
    "mirror-end",
    "fence",
    "promote",
    "reverse-fence",
    "reverse-promote",
    "scream-test",
    "switch-off",
];

/// Gates of a single writer, one for each proof. Its `reconcile` gates are looked at beside them.
pub const PROOFS: [&str; 8] = [
    "lag",
    "catch-up",
    "fence-proof",
    "promote-proof",
    "unfence-proof",
    "reverse-lag",
    "reverse-fence-proof",
    "reverse-promote-proof",
];

/// The task that suspends a batch job.
pub fn quiesce(cron: &str) -> TaskName {
    TaskName::built_in(&format!("quiesce-{cron}"))
}

/// The task that lets it run again.
pub fn resume(cron: &str) -> TaskName {
    TaskName::built_in(&format!("resume-{cron}"))
}
