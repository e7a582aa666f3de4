//! Why the program is as it is: the pages of `docs/design`, so that they are read where the code is.

#[doc = include_str!("../docs/design/decide.md")]
pub mod decide {}
#[doc = include_str!("../docs/design/invariants.md")]
pub mod invariants {}
#[doc = include_str!("../docs/design/webhook.md")]
pub mod webhook {}
#[doc = include_str!("../docs/design/record.md")]
pub mod record {}
#[doc = include_str!("../docs/design/route.md")]
pub mod route {}
#[doc = include_str!("../docs/design/test-cluster.md")]
pub mod test_cluster {}
#[doc = include_str!("../docs/design/world.md")]
pub mod world {}
#[doc = include_str!("../docs/design/explore.md")]
pub mod explore {}
#[doc = include_str!("../docs/design/counterexamples.md")]
pub mod counterexamples {}
#[doc = include_str!("../docs/design/rehearse.md")]
pub mod rehearse {}
#[doc = include_str!("../docs/design/schedule.md")]
pub mod schedule {}
#[doc = include_str!("../docs/design/failure-modes.md")]
pub mod failure_modes {}
#[doc = include_str!("../docs/design/strangers-test.md")]
pub mod strangers_test {}
#[doc = include_str!("../docs/design/preview.md")]
pub mod preview {}
#[doc = include_str!("../docs/design/check.md")]
pub mod check {}
#[doc = include_str!("../docs/design/mutants.md")]
pub mod mutants {}
#[doc = include_str!("../docs/design/replay.md")]
pub mod replay {}
