//! The threads of a verb whose work can be shared.

use gapless::plan::Crew;

/// So many threads that work side by side, the caller's included.
#[derive(Debug, Clone, Copy)]
pub struct Threads(usize);

impl Threads {
    /// So many, or as many as there are cores.
    pub fn new(wanted: Option<u16>) -> Self {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        Self(wanted.map_or_else(cores, usize::from).max(1))
    }
}

impl Crew for Threads {
    fn size(&self) -> usize {
        self.0
    }
    fn work(&self, work: &(dyn Fn(usize) + Sync)) {
        std::thread::scope(|scope| {
            for number in 1..self.0 {
                scope.spawn(move || work(number));
            }
            work(0);
        });
    }
}
