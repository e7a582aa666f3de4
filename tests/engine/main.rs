//! The engine as a whole: stories, properties over random worlds, and each invariant with its rule taken away.

mod gates;
mod negative;
mod plans;
mod properties;
mod sim;
mod stories;
