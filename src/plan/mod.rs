//! What is wanted: the plan document, its checks, and the checked plan. Knows nothing of the rest of the program.

pub mod model;
pub mod names;
pub mod schema;
pub mod spec;

pub use self::{
    model::{
        Check, Digest, Gate, HttpSend, Load, Phase, Place, Plan, Probe, Revision, Router, Service, SideModel, Soak, Watch,
        canonical,
    },
    names::{BadValue, GateName, PhaseName, PlanName, ProbeName, Rate, ServiceName, Side, Span, Weight},
    spec::{EndpointSpec, HttpMethod, OnFailure, RollbackScope, ServiceRef},
};
