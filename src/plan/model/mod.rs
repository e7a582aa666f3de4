//! The checked plan: every default filled in, every reference known to exist, every order fixed.
//!
//! A [`Plan`] is only made by [`super::check`], so whoever holds one may rely on: each need, phase and probe that is
//! named exists; neither needs nor phases have a cycle; shift steps rise and end at 100; every gate refers to a probe of
//! its own service. Everything is kept in sorted maps, so that the order of the file never decides anything.

mod calendar;
mod data;
mod estate;
mod gate;
mod index;
mod people;
mod phase;
mod plan;
mod probe;
mod revision;
mod router;
mod service;
mod side;
mod task;

pub use self::{
    calendar::{Freeze, Limits, Window, WindowPurpose},
    data::{Data, Reverse, Switch},
    estate::{Bridge, Connection, ConnectionTo, DnsRoute, Group, LegacySystem, ManagedBridge},
    gate::{Check, Gate, Number, Watch},
    index::Index,
    people::{Approval, Role},
    phase::{After, Phase},
    plan::Plan,
    probe::{HttpSend, Probe},
    revision::{Digest, Revision},
    router::{RouteRef, Router},
    service::{DEFAULT_FAILURES, Decommission, Load, Mirror, Need, Service, Soak},
    side::{Place, SideModel},
    task::{Act, Evidence, PhaseTask, ServiceTask, Task, Undo},
};
