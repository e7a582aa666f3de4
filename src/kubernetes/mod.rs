//! Kubernetes: the custom resources, `HTTPRoute`s, legacy hosts as backends, and the record in a run's status.
//!
//! *Flow*: [`crd`] are the types and [`revision`] packs a plan. [`watch`] follows objects, [`mirror`] keeps what a run
//! cares about, [`world`] puts it together with what real answers show; [`sensor`] reads it, [`actuator`] writes.
//! [`trial`] asks the API server what it would say of a run. Pure and tested without a cluster: [`route`] reads an `HTTPRoute`, [`patch`] builds the one patch that moves it,
//! [`gateway`] finds where its answers can be asked for, [`backend`] describes legacy hosts.
//! *Caveats*: nothing here decides; what waits, and why, is the engine's.

pub mod actuator;
pub mod api;
pub mod approval;
pub mod backend;
pub mod client;
pub mod crd;
pub mod definitions;
pub mod gateway;
pub mod journal_file;
pub mod mirror;
pub mod patch;
pub mod permissions;
pub mod revision;
pub mod route;
pub mod sensor;
pub mod status;
pub mod store;
pub mod trial;
pub mod watch;
pub mod world;

/// Our name as a field manager, as the manager of EndpointSlices and in labels.
pub const MANAGER: &str = "gapless";
