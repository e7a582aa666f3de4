//! The time, for everything in one process.
//!
//! *Flow*: [`now`] reads the machine's wall clock and a clock that never jumps, and gives a time that follows the wall
//! clock as long as the two agree.
//! *Guarantees*: the time never goes backwards, and no length of time measured with it is off by more than a tenth, even
//! while somebody sets the wall clock: a bake of ten minutes watches for nine at least. A wall clock that was set is
//! approached at that rate. Time in which the machine was suspended counts.
//! *Assumptions*: whoever compares moments within the process takes all of them from here. Sensors do.
//! *Caveats*: what moments mean across a restart is up to the wall clock: it is taken as it is when a process starts.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};

use crate::ports::Clock;

/// The machine's clock as a port. All of them are the same one.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

/// A sleeper looks again at least so often: timers stand still while a machine is suspended, the time does not.
const NAP: Duration = Duration::from_secs(5);
/// A wall clock that is off by more than this was set, and people are told.
const JUMP: SignedDuration = SignedDuration::from_secs(2);

static STEADY: Mutex<Option<Steady>> = Mutex::new(None);

/// Now: see the module for what it guarantees.
pub fn now() -> Timestamp {
    let mut steady = STEADY.lock().unwrap_or_else(PoisonError::into_inner);
    // Both clocks are read under the lock: a reading that waited for it would be older than the one before.
    let (ticks, wall) = (since_boot(), Timestamp::now());
    match steady.as_mut() {
        Some(steady) => steady.read(ticks, wall),
        None => steady.insert(Steady { ticks, time: wall, warned: false }).time,
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        now()
    }
    async fn sleep_until(&self, moment: Timestamp) {
        while let Ok(left) = Duration::try_from(moment.duration_since(now()))
            && !left.is_zero()
        {
            tokio::time::sleep(left.min(NAP)).await;
        }
    }
}

/// A time that follows the wall clock without its jumps.
struct Steady {
    /// The reading of the clock that never jumps at which it was `time`.
    ticks: Duration,
    time: Timestamp,
    /// Whether the jump that is being worked off was told.
    warned: bool,
}

impl Steady {
    fn read(&mut self, ticks: Duration, wall: Timestamp) -> Timestamp {
        let passed = SignedDuration::try_from(ticks.saturating_sub(self.ticks)).unwrap_or(SignedDuration::MAX);
        let Ok(by_ticks) = self.time.checked_add(passed) else { return self.time };
        let off = wall.duration_since(by_ticks);
        let most = passed / 10;
        let time = by_ticks.checked_add(off.clamp(-most, most)).unwrap_or(by_ticks);
        let jumped = off.abs() > JUMP;
        if jumped && !self.warned {
            tracing::warn!(
                seconds = off.as_secs(),
                "the machine's clock was set; gapless approaches it slowly, and never goes back"
            );
        }
        *self = Self { ticks, time, warned: jumped };
        time
    }
}

/// Time since the machine started, suspended time included.
#[cfg(target_os = "linux")]
fn since_boot() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// Time since the first call; elsewhere than on Linux suspended time may be missing from it.
#[cfg(not(target_os = "linux"))]
fn since_boot() -> Duration {
    static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    START.get_or_init(std::time::Instant::now).elapsed()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn steady() -> Steady {
        Steady { ticks: Duration::from_secs(100), time: at(1_000), warned: false }
    }

    #[test]
    fn small_corrections_of_the_wall_clock_are_followed_at_once() {
        let mut steady = steady();
        assert_eq!(steady.read(Duration::from_secs(110), at(1_011)), at(1_011));
        assert_eq!(steady.read(Duration::from_secs(120), at(1_020)), at(1_020));
    }

    #[test]
    fn a_leap_forward_shortens_nothing_by_more_than_a_tenth() {
        let mut steady = steady();
        assert_eq!(steady.read(Duration::from_secs(110), at(1_010 + 3_600)), at(1_011));
        assert!(steady.warned);
    }

    #[test]
    fn a_leap_back_never_turns_time_back_and_is_worked_off() {
        let mut steady = steady();
        let mut last = at(1_000);
        for second in 1..=400 {
            let time = steady.read(Duration::from_secs(100 + second), at(1_000 - 30 + i64::try_from(second).unwrap()));
            assert!(time > last, "at second {second}");
            last = time;
        }
        assert_eq!(last, at(1_370));
        assert!(!steady.warned);
    }

    #[test]
    fn reading_twice_at_the_same_instant_gives_the_same() {
        let mut steady = steady();
        let first = steady.read(Duration::from_secs(101), at(5_000));
        assert_eq!(steady.read(Duration::from_secs(101), at(1)), first);
    }

    #[tokio::test]
    async fn a_sleeper_wakes_when_the_moment_has_come_and_not_before() {
        let start = now();
        SystemClock.sleep_until(start - SignedDuration::from_secs(9)).await;
        let moment = start + SignedDuration::from_millis(30);
        SystemClock.sleep_until(moment).await;
        let late = now().duration_since(moment);
        assert!(!late.is_negative() && late < SignedDuration::from_secs(5), "{late:?}");
    }
}
