//! Who does the work where it can be shared. Threads belong to whoever calls; what comes of it is the same with any number of
//! them.

use std::sync::OnceLock;

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

/// Does both, side by side if there are workers for it.
pub(super) fn both<A: Send + Sync, B: Send + Sync>(
    crew: &dyn Crew,
    one: impl Fn() -> A + Sync,
    other: impl Fn() -> B + Sync,
) -> (A, B) {
    let (first, second) = (OnceLock::new(), OnceLock::new());
    if crew.size() > 1 {
        crew.work(&|number| match number {
            0 => drop(first.set(one())),
            1 => drop(second.set(other())),
            _ => {}
        });
    }
    // What no worker did is done here.
    (first.into_inner().unwrap_or_else(&one), second.into_inner().unwrap_or_else(&other))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Says that it is two, and lets only one of them work.
    struct Lazy(usize);
    impl Crew for Lazy {
        fn size(&self) -> usize {
            2
        }
        fn work(&self, work: &(dyn Fn(usize) + Sync)) {
            work(self.0);
        }
    }

    #[test]
    fn both_are_done_once_whoever_does_them() {
        let count = std::sync::atomic::AtomicUsize::new(0);
        let crews: [&dyn Crew; 3] = [&Alone, &Lazy(0), &Lazy(1)];
        for crew in crews {
            let next = || count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            let (one, other) = both(crew, || ("one", next()), || ("other", next()));
            assert_eq!((one.0, other.0), ("one", "other"));
        }
        assert_eq!(count.into_inner(), 6);
    }
}
