//! The judge sees what a missing rule does to a world.
