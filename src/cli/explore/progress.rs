//! How far an exploration is, for whoever waits in front of a terminal: states, states a second, and about how long it will
//! still take.

use std::{
    io::IsTerminal as _,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use gapless::explore::{Options, explore, piece::Piece, report::ShapeReport};
use indicatif::{ProgressBar, ProgressStyle};

use crate::threads::Threads;

/// How far an exploration is.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    forecast: Mutex<Forecast>,
    /// When something was told last, in tenths of a second.
    told: AtomicU64,
}

impl Progress {
    /// Of these pieces. Says nothing where nobody looks.
    pub fn new(pieces: &[Piece], options: &Options, threads: Threads) -> Self {
        let (mut bar, mut forecast) = (ProgressBar::hidden(), Forecast::default());
        if std::io::stderr().is_terminal() {
            let style = ProgressStyle::with_template("{spinner} {pos}/{len} pieces, {elapsed}, {msg}");
            bar = ProgressBar::new(pieces.len() as u64).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.enable_steady_tick(Duration::from_millis(200));
            bar.set_message("looks how much there is");
            forecast = Forecast::scout(pieces, options, threads);
        }
        bar.reset_elapsed();
        Self { bar, forecast: Mutex::new(forecast), told: AtomicU64::new(0) }
    }

    /// So many states of this piece were seen.
    pub fn tell(&self, piece: &Piece, states: u64) {
        if self.bar.is_hidden() {
            return;
        }
        let elapsed = self.bar.elapsed();
        let now = u64::try_from(elapsed.as_millis() / 100).unwrap_or(u64::MAX);
        if self.told.swap(now, Ordering::Relaxed) == now {
            return;
        }
        let forecast = self.forecast.lock().unwrap_or_else(PoisonError::into_inner);
        let all = forecast.seen() + states;
        let rate = all as f64 / elapsed.as_secs_f64().max(0.001);
        let left = forecast.left(states).map(|left| length(left / rate.max(1.0)));
        let left = left.map_or_else(String::new, |left| format!(", about {left} left"));
        self.bar.set_message(format!("{all} states, {rate:.0}/s{left}: {}", piece.name));
    }

    /// A piece is done, by exploring it or because it was kept.
    pub fn done(&self, report: &ShapeReport) {
        self.forecast.lock().unwrap_or_else(PoisonError::into_inner).done(report.states);
        self.bar.inc(1);
    }

    /// All are.
    pub fn end(&self) {
        self.bar.finish_and_clear();
    }
}

/// How many states the pieces will have, as far as that can be told before.
#[derive(Debug, Default)]
struct Forecast {
    /// For each piece, in the order in which they are explored; empty: nobody can tell.
    expected: Vec<f64>,
    done: Vec<u64>,
}

/// A look at a piece before it is explored ends after so many states.
const SCOUTED: u64 = 300_000;

impl Forecast {
    /// Explores each piece without faults and with one. Each further fault may strike wherever one could, in either order:
    /// it multiplies the states by about the same number again, divided by how many there are then.
    fn scout(pieces: &[Piece], options: &Options, threads: Threads) -> Self {
        let total = options.budget.total();
        if total < 2 || options.without.is_some() {
            return Self::default();
        }
        let states = |piece, faults| {
            let options = Options { budget: options.budget.up_to(faults), most: options.most.min(SCOUTED), ..*options };
            explore(piece, &options, &threads, &|_| {}).states as f64
        };
        let expected = pieces.iter().map(|piece| {
            let (none, one) = (states(piece, 0), states(piece, 1));
            (2..=total).fold(one, |all, faults| all * (one / none) / f64::from(faults)).min(options.most as f64)
        });
        Self { expected: expected.collect(), done: Vec::new() }
    }

    fn done(&mut self, states: u64) {
        self.done.push(states);
    }

    /// States of the pieces that are done.
    fn seen(&self) -> u64 {
        self.done.iter().sum()
    }

    /// States that are still to be seen, so many of the next piece being seen already. What was expected of those that are
    /// done, and what they had, corrects the rest.
    fn left(&self, seen: u64) -> Option<f64> {
        let (behind, ahead) = self.expected.split_at_checked(self.done.len())?;
        let (next, later) = ahead.split_first()?;
        let expected: f64 = behind.iter().sum();
        let correction = if expected > 0.0 { self.seen() as f64 / expected } else { 1.0 };
        Some((next * correction - seen as f64).max(0.0) + later.iter().sum::<f64>() * correction)
    }
}

/// `1 h 02 min`, `3 min`, `20 s`.
fn length(seconds: f64) -> String {
    let seconds = seconds.round() as u64;
    match (seconds / 3600, seconds / 60 % 60) {
        (0, 0) => format!("{seconds} s"),
        (0, minutes) => format!("{minutes} min"),
        (hours, minutes) => format!("{hours} h {minutes:02} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_corrected_by_what_was_seen() {
        let mut forecast = Forecast { expected: vec![100.0, 200.0, 300.0], done: Vec::new() };
        assert_eq!(forecast.left(0), Some(600.0));
        assert_eq!(forecast.left(150), Some(500.0), "more than expected is nothing left");
        forecast.done(200);
        assert_eq!((forecast.left(100), forecast.seen()), (Some(900.0), 200), "twice as many as expected");
        forecast.done(400);
        forecast.done(600);
        assert_eq!(forecast.left(0), None);
        assert_eq!(Forecast::default().left(7), None, "nobody can tell");
    }

    #[test]
    fn lengths_read_well() {
        assert_eq!([4.4, 59.6, 3_700.0].map(length), ["4 s", "1 min", "1 h 01 min"]);
    }
}
