//! What happened, in the forms that people and programs read.

pub mod findings;
pub mod status;
