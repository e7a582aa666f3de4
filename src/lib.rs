#![forbid(unsafe_code)]
#![warn(missing_docs)]
//! gapless moves live services from legacy hosts to the cloud, and a critical service never gaps.
//!
//! Start with [`design`], then [`engine::decide`].

#[cfg(feature = "drive")]
pub mod adapters;
#[cfg(doc)]
pub mod design;
#[cfg(feature = "drive")]
pub mod drive;
pub mod engine;
pub mod explore;
pub mod journal;
#[cfg(feature = "kubernetes")]
pub mod kubernetes;
#[cfg(feature = "lab")]
pub mod lab;
pub mod plan;
#[cfg(feature = "drive")]
pub mod ports;
pub mod preview;
pub mod rehearse;
pub mod replay;
pub mod report;
pub mod world;
