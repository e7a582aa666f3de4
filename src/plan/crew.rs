//! Who does the work where it can be shared. Threads belong to whoever calls; what comes of it is the same with any number of
//! them.

use std::sync::{
    OnceLock,
    atomic::{AtomicUsize, Ordering},
};

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

/// Does so many pieces of work, each by whoever has nothing else to do; what came of them, in their order.
pub fn each<T: Send + Sync>(crew: &dyn Crew, count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let (next, done) = (AtomicUsize::new(0), (0..count).map(|_| OnceLock::new()).collect::<Vec<OnceLock<T>>>());
    crew.work(&|_| {
        while let piece = next.fetch_add(1, Ordering::Relaxed)
            && let Some(own) = done.get(piece)
        {
            drop(own.set(work(piece)));
        }
    });
    // What no worker did is done here.
    done.into_iter().enumerate().map(|(piece, own)| own.into_inner().unwrap_or_else(|| work(piece))).collect()
}

/// Does one thing that takes long, and beside it so many pieces of work, each by whoever has nothing else to do.
pub(super) fn beside<A: Send + Sync, B: Send + Sync>(
    crew: &dyn Crew,
    long: impl Fn() -> A + Sync,
    count: usize,
    work: impl Fn(usize) -> B + Sync,
) -> (A, Vec<B>) {
    let first = OnceLock::new();
    let pieces = each(crew, count.saturating_add(1), |piece| {
        let Some(piece) = piece.checked_sub(1) else {
            drop(first.set(long()));
            return None;
        };
        Some(work(piece))
    });
    (first.into_inner().unwrap_or_else(long), pieces.into_iter().flatten().collect())
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
    fn each_piece_is_done_once_and_keeps_its_place() {
        let crews: [&dyn Crew; 3] = [&Alone, &Lazy(0), &Lazy(1)];
        for crew in crews {
            let count = AtomicUsize::new(0);
            let next = |piece| (piece * piece, count.fetch_add(1, Ordering::SeqCst)).0;
            assert_eq!(each(crew, 5, next), [0, 1, 4, 9, 16]);
            assert_eq!((each(crew, 0, |piece| piece), count.into_inner()), (vec![], 5));
        }
    }

    #[test]
    fn what_is_done_beside_something_long_keeps_its_place() {
        let crews: [&dyn Crew; 3] = [&Alone, &Lazy(0), &Lazy(1)];
        for crew in crews {
            let count = AtomicUsize::new(0);
            let next = |what| (what, count.fetch_add(1, Ordering::SeqCst)).0;
            assert_eq!(beside(crew, || next(7), 3, next), (7, vec![0, 1, 2]));
            assert_eq!((beside(crew, || 7, 0, |piece| piece), count.into_inner()), ((7, vec![]), 4));
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
