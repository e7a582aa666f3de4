//! Who does the work of a search. Threads belong to whoever calls; the search is the same with any number of them.

/// Workers that do the same work side by side.
pub trait Crew: Sync {
    /// How many there are, at least one.
    fn size(&self) -> usize;
    /// Lets each of them do this once, with its number, and waits for all.
    fn work(&self, work: &(dyn Fn(usize) + Sync));
}

/// One worker: the caller.
#[derive(Debug, Clone, Copy)]
pub struct Alone;

impl Crew for Alone {
    fn size(&self) -> usize {
        1
    }
    fn work(&self, work: &(dyn Fn(usize) + Sync)) {
        work(0);
    }
}
