//! The gapless command line.
fn main() {}
