//! What happened, in the forms that people and programs read.

pub mod event;
pub mod findings;
pub mod run;
pub mod status;
