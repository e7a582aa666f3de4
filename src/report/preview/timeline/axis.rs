//! The hours: days and hours of the plan's clock, and those of UTC below.

use jiff::Timestamp;

use super::{
    paper::{Anchor, Paper, width},
    scale::{Pace, Piece, Scale, real},
};
use crate::preview::times::Clock;

/// How high the three lines of the axis are.
pub const HEIGHT: f64 = 46.0;

/// Steps between two ticks that people can count in, in minutes.
const STEPS: [i64; 15] = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10_080, 40_320];

/// A moment with a line and a label.
#[derive(Debug, Clone, Copy)]
struct Tick {
    at: Timestamp,
    x: f64,
    days: bool,
}

/// Whether hours are shown, or days only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hours {
    /// On both clocks.
    Shown,
    /// A day is a day on both.
    Left,
}

/// A line of labels, with what is taken of it.
#[derive(Debug, Default)]
struct Row(Vec<(f64, f64)>);

impl Row {
    /// Whether a label has room between these places, so far apart from others; if so, it takes it.
    fn take(&mut self, (from, until): (f64, f64), apart: f64) -> bool {
        let free = self.0.iter().all(|(left, right)| until + apart <= *left || *right + apart <= from);
        if free {
            self.0.push((from, until));
        }
        free
    }
}

/// Draws the axis at `top`, and its lines down to `bottom`.
pub fn draw(paper: &mut Paper, scale: &Scale, clock: &Clock, (top, bottom): (f64, f64), right: f64) -> Hours {
    let (mut day_row, mut hour_row) = (Row::default(), Row::default());
    // First of all how long the cuts are: an hour is known from its neighbours, a cut without its length says nothing.
    for piece in scale.pieces.iter().filter(|piece| piece.pace == Pace::Cut) {
        cut(paper, piece, (top, bottom), (&mut hour_row, right));
    }
    let mut hours = Hours::Left;
    for piece in scale.pieces.iter().filter(|piece| piece.pace == Pace::Even) {
        let ticks = ticks(scale, clock, piece);
        if ticks.iter().any(|tick| !tick.days) {
            hours = Hours::Shown;
        }
        for tick in &ticks {
            hour(paper, clock, tick, (top, bottom), (&mut hour_row, right));
        }
        let every = if ticks.iter().any(|tick| tick.days) { Days::First } else { Days::Each };
        days(paper, scale, clock, (piece, every), top, (&mut day_row, right));
    }
    hours
}

/// Which days are named above the hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Days {
    /// Each that begins.
    Each,
    /// That of the beginning: the others stand below it.
    First,
}

/// A stretch that is cut short, with how long it is.
fn cut(paper: &mut Paper, piece: &Piece, (top, bottom): (f64, f64), (row, right): (&mut Row, f64)) {
    let hours = (piece.until - piece.from) / 3_600_000;
    let long = match hours {
        0 => format!("{}m", (piece.until - piece.from) / 60_000),
        1..48 => format!("{hours}h"),
        _ => format!("{}d", (hours + 12) / 24),
    };
    let half = width(&long, 11.0) / 2.0;
    let middle = f64::midpoint(piece.left, piece.right).min(right + 4.0 - half);
    paper.rect("cut", (piece.left, top + HEIGHT), (piece.right - piece.left, bottom - top - HEIGHT), "");
    paper.line("cut-edge", (piece.left, top + HEIGHT), (piece.left, bottom));
    paper.line("cut-edge", (piece.right, top + HEIGHT), (piece.right, bottom));
    if row.take((middle - half, middle + half), 3.0) {
        paper.text("soft", Anchor::Middle, (middle, top + 24.0), "⋯");
        paper.text("soft", Anchor::Middle, (middle, top + 38.0), &long);
    }
}

/// A line, the hour on the plan's clock, and the one in UTC.
fn hour(paper: &mut Paper, clock: &Clock, tick: &Tick, (top, bottom): (f64, f64), (row, right): (&mut Row, f64)) {
    let midnight = clock.minute(tick.at) == "00:00";
    paper.line(if midnight { "day" } else { "grid" }, (tick.x, top + HEIGHT), (tick.x, bottom));
    let local = if tick.days { clock.date(tick.at) } else { clock.minute(tick.at) };
    let utc = if tick.days { String::new() } else { tick.at.strftime("%H:%M").to_string() };
    let half = width(&local, 11.0).max(width(&utc, 11.0)) / 2.0;
    let middle = tick.x.max(half + 1.0);
    if middle + half > right + 6.0 || !row.take((middle - half, middle + half), 7.0) {
        return;
    }
    paper.text("", Anchor::Middle, (middle, top + 26.0), &local);
    if !clock.is_utc() {
        paper.text("soft", Anchor::Middle, (middle, top + 40.0), &utc);
    }
}

/// The day at the beginning of a stretch, and each that begins in it.
fn days(
    paper: &mut Paper,
    scale: &Scale,
    clock: &Clock,
    (piece, which): (&Piece, Days),
    top: f64,
    (row, right): (&mut Row, f64),
) {
    let Ok(from) = Timestamp::from_millisecond(piece.from) else { return };
    let Ok(until) = Timestamp::from_millisecond(piece.until) else { return };
    let begin = if which == Days::Each { clock.ticks(from, until, 1440) } else { Vec::new() };
    for at in [from].into_iter().chain(begin) {
        let (x, day) = (scale.x(at), clock.day(at));
        // It is bold, and so wider than it would be.
        let ends = x + 1.15 * width(&day, 11.0);
        if ends <= right + 2.0 && row.take((x, ends), 6.0) {
            paper.text("bold", Anchor::Start, (x, top + 11.0), &day);
        }
    }
}

/// The smallest step whose labels do not touch.
fn ticks(scale: &Scale, clock: &Clock, piece: &Piece) -> Vec<Tick> {
    let Ok(from) = Timestamp::from_millisecond(piece.from) else { return Vec::new() };
    let Ok(until) = Timestamp::from_millisecond(piece.until) else { return Vec::new() };
    let per_minute = (piece.right - piece.left) * 60_000.0 / real((piece.until - piece.from).max(1));
    let step = STEPS.into_iter().find(|step| real(*step) * per_minute >= if *step >= 1440 { 56.0 } else { 42.0 });
    let Some(step) = step else { return Vec::new() };
    let tick = |at| Tick { at, x: scale.x(at), days: step >= 1440 };
    // A stretch after a cut begins at an odd minute, whose label would touch that of the cut.
    let first = (step < 1440 && scale.pieces.first() == Some(piece)).then_some(from);
    let inner = clock.ticks(from, until, step);
    first.into_iter().filter(|first| !inner.contains(first)).chain(inner.iter().copied()).map(tick).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_takes_only_what_no_other_has() {
        let mut row = Row::default();
        assert!(row.take((40.0, 60.0), 7.0));
        assert!(!row.take((20.0, 34.0), 7.0) && !row.take((45.0, 50.0), 7.0) && !row.take((66.0, 90.0), 7.0));
        assert!(row.take((20.0, 33.0), 7.0) && row.take((63.0, 90.0), 3.0));
    }
}
