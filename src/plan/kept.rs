//! What follows from a part of a plan and is asked for over and over: found when it is asked for first, and kept.
//!
//! *Guarantees*: it holds no truth of its own. Equal parts are equal whatever was asked of them, and a clone begins without it.
//! *Assumptions*: the part does not change once something was asked of it.

use std::{fmt, sync::OnceLock};

/// A place for what is found once.
pub struct Kept<T>(OnceLock<T>);

impl<T> Kept<T> {
    /// What is kept; found by this if nobody has asked before.
    pub fn get_or_find(&self, find: impl FnOnce() -> T) -> &T {
        self.0.get_or_init(find)
    }
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self(OnceLock::new())
    }
}
impl<T> Clone for Kept<T> {
    fn clone(&self) -> Self {
        Self::default()
    }
}
impl<T> PartialEq for Kept<T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
impl<T> fmt::Debug for Kept<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kept")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_found_once_and_makes_no_difference() {
        let (asked, fresh) = (Kept::default(), Kept::default());
        assert_eq!((asked.get_or_find(|| 1), asked.get_or_find(|| 2)), (&1, &1));
        assert!(asked == fresh, "whoever was asked equals who was not");
        assert_eq!(asked.clone().get_or_find(|| 3), &3, "a clone finds it anew");
    }
}
