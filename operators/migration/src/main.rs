//! The gapless operator.
fn main() {}
