//! Kubernetes: the custom resources, `HTTPRoute`s, legacy hosts as backends, and the record in a run's status.
//!
//! *Flow*: [`crd`] are the types, [`revision`] packs a plan, [`route`] reads an `HTTPRoute` and [`patch`] builds the one
//! patch that moves it. *Caveats*: nothing here decides; what waits, and why, is the engine's.

pub mod crd;
pub mod patch;
pub mod revision;
pub mod route;

/// Our name as a field manager, as the manager of EndpointSlices and in labels.
pub const MANAGER: &str = "gapless";
