//! A model of everything outside the engine, pure and with a virtual clock.
//!
//! *Flow*: a [`Model`] is made once of a revision: names become small numbers. A [`World`] is a small value over it: what a
//! sensor can see ([`Facts`]), effects on their way ([`Flight`]), what the judge remembers. It gives an `Observed`
//! ([`Facts::observe`]) and takes effects ([`World::perform`]), exactly as the product's sensor and actuators do; time passes
//! by jumps ([`World::next`], [`World::advance`]); faults and people are data ([`Happening`]). [`Sim`] puts it together:
//!
//! ```
//! # use gapless::{plan, world::Sim};
//! # let text = include_str!("../../plans/quickstart.yaml");
//! let revision = plan::read(text).unwrap().revision;
//! let mut run = Sim::ideal(&revision, "2026-08-28T20:00:00Z".parse().unwrap());
//! while let Some(look) = run.step() {
//!     for event in &look.decision.events {
//!         println!("{:.0} {event}", look.at);
//!     }
//! }
//! assert_eq!(run.record.ended.unwrap().outcome.to_string(), "Completed");
//! ```
//!
//! *Guarantees*: the same calls give the same world, to the byte. Nothing here asks what the engine thinks: [`judge`] goes by
//! what happened.
//!
//! *Assumptions*: probes are asked at fixed periods and answered in an instant; a side's health is seen as it is.
//!
//! *Caveats*: leases are not modelled: a second leader is a fault of the explorer's. What joins is one more field of
//! [`facts::ServiceFacts`] or [`Facts`], one more [`flight::Act`], one more [`Occurrence`], one more [`Happening`].

mod arrival;
pub mod budget;
mod clock;
pub mod connections;
pub mod facts;
pub mod fault;
pub mod flight;
pub mod history;
pub mod ideal;
pub mod judge;
pub mod model;
pub mod pair;
pub mod people;
mod refill;
pub mod replication;
pub mod rounds;
mod sim;
mod state;
pub mod task;

pub(crate) use self::refill::refill;
pub use self::{
    clock::Moment,
    facts::Facts,
    fault::Happening,
    flight::Flight,
    history::History,
    judge::Breach,
    model::{Delays, Ix, Model},
    pair::Pair,
    rounds::Tone,
    sim::{Edge, Keep, Look, Rival, Sim},
    state::{Arrival, Occurrence, World},
};
