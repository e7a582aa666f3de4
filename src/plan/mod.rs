//! What is wanted: the plan document, its checks, and the checked plan. Knows nothing of the rest of the program.

pub mod agenda;
mod canonical;
mod check;
mod code;
pub mod crew;
mod deed;
pub mod document;
mod explained;
pub mod finding;
pub mod graph;
mod json;
pub mod kept;
mod kind;
mod label;
pub mod model;
pub mod moment;
pub mod names;
mod not_yet;
pub mod path;
pub mod places;
mod portions;
pub mod reference;
pub mod reserved;
mod salvage;
mod scalar;
pub mod schedule;
pub mod schema;
mod shape;
pub mod spec;
pub mod survey;
mod values;
pub mod variables;
mod watched;
mod written;

pub use self::{
    canonical::canonical,
    crew::{Alone, Crew},
    deed::Deed,
    document::{Checked, Contents, InFile, Refused, check_spec, explain_all, read, read_all, read_all_by, read_by, write},
    finding::{Code, Finding, Severity},
    kept::Kept,
    kind::PassedOver,
    model::{
        Act, After, Approval, Bridge, Check, Connection, ConnectionTo, Data, Decommission, Digest, DnsRoute, Evidence, Freeze,
        Gate, Group, HttpSend, LegacySystem, Limits, Load, ManagedBridge, Mirror, Need, Number, Phase, PhaseTask, Place, Plan,
        Probe, Reverse, Revision, Role, RouteRef, Router, Service, ServiceTask, SideModel, Soak, Switch, Task, Undo, Watch,
        Window, WindowPurpose,
    },
    moment::{Moment, Zone},
    names::{
        BadValue, BridgeName, ConnectionName, FreezeName, GateName, GroupName, PhaseName, PlanName, ProbeName, Rate, RoleName,
        ServiceName, Side, Span, SystemName, TaskName, Weight, WindowName,
    },
    not_yet::not_run_yet,
    spec::{
        DnsType, EndpointSpec, HttpMethod, MirrorMethods, OnFailure, PhaseMoment, RollbackScope, ServiceMoment, ServiceRef, Tier,
        UndoWhen, Workload, WorkloadKind,
    },
};
