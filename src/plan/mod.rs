//! What is wanted: the plan document, its checks, and the checked plan. Knows nothing of the rest of the program.

mod check;
pub mod document;
pub mod finding;
pub mod graph;
pub mod model;
pub mod names;
mod not_yet;
pub mod path;
pub mod places;
mod salvage;
pub mod schema;
mod shape;
pub mod spec;

pub use self::{
    document::{Checked, Refused, check_spec, read, write},
    finding::{Code, Finding, Severity},
    model::{
        Check, Digest, Gate, HttpSend, Load, Phase, Place, Plan, Probe, Revision, Router, Service, SideModel, Soak, Watch,
        canonical,
    },
    names::{BadValue, GateName, PhaseName, PlanName, ProbeName, Rate, ServiceName, Side, Span, Weight},
    spec::{EndpointSpec, HttpMethod, OnFailure, RollbackScope, ServiceRef},
};
