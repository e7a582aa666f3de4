//! What happened, in the forms that people and programs read.

#[cfg(feature = "drive")]
pub mod event;
#[cfg(feature = "cli")]
pub mod findings;
#[cfg(feature = "cli")]
pub mod run;
pub mod status;
