//! What happened, in the forms that people and programs read.

#[cfg(feature = "cli")]
mod codes;
#[cfg(feature = "drive")]
pub mod event;
#[cfg(feature = "cli")]
pub mod findings;
pub mod preview;
#[cfg(feature = "cli")]
mod render;
#[cfg(feature = "cli")]
pub mod run;
#[cfg(feature = "cli")]
pub mod sarif;
pub mod status;
