//! The embedded default: two small estates, a router, a load and faults, all with real sockets on loopback.
//!
//! *Flow*: [`estate`] is what moves, [`router`] is what moves its traffic (over the same `webhook` contract as any other
//! router), [`load`] is who would notice, and [`demo`] puts them around a real run of the real program.
//! *Guarantees*: everything listens on 127.0.0.1 only, on ports that the operating system chooses, and is gone when its
//! handle is dropped.
//! *Assumptions*: it runs inside a tokio runtime with timers and I/O.
//! *Caveats*: a lab shows how a move behaves; how much a machine can carry is measured elsewhere.

pub mod demo;
pub mod estate;
pub mod load;
pub mod router;
mod server;
pub mod tally;

/// The response header by which an endpoint, or the router in its stead, says which side a request was sent to.
pub const SIDE_HEADER: &str = "x-gapless-side";
/// The response header with the name of the endpoint that answered.
pub const ENDPOINT_HEADER: &str = "x-gapless-endpoint";
