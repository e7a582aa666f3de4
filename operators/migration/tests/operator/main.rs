//! The Kubernetes side against a real API server, a real Gateway and real hosts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

mod crds;
mod record;
mod routes;
mod runs;
mod support;
#[path = "../../../../tests/common/unions.rs"]
mod unions;
