//! From moments to places on the paper. Long stretches in which nothing begins or ends are cut short, so that an hour of a
//! weekend can be seen beside a soak of 45 days; each cut is drawn as one.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::{
    plan::WindowPurpose,
    preview::{
        Preview,
        report::{Kind, StepLine, WindowLine},
    },
};

/// A stretch between two cuts, or a cut.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Piece {
    /// From this moment, in milliseconds since 1970.
    pub from: i64,
    /// To this.
    pub until: i64,
    /// From this place.
    pub left: f64,
    /// To this.
    pub right: f64,
    /// Whether time runs as elsewhere in it.
    pub pace: Pace,
}

/// How fast time runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// As elsewhere.
    Even,
    /// Cut short.
    Cut,
}

/// At most so many cuts: more of them than that are harder to read than small steps.
const CUTS: usize = 12;
/// A stretch is cut if it takes more than this part of what is not cut.
const PART: i64 = 6;
/// All cuts together may take this part of the width.
const ROOM: f64 = 0.45;
/// A cut has to be this wide to be seen as one, in pixels.
const SLIM: f64 = 14.0;
/// Shorter stretches are never cut.
const SHORTEST: i64 = 30 * 60 * 1000;

/// From one moment at which anything happens to the next.
#[derive(Debug, Clone, Copy)]
struct Gap {
    from: i64,
    until: i64,
    pace: Pace,
    /// Neither does traffic move nor anybody work.
    quiet: bool,
    season: Season,
}

/// What the calendar says of a stretch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Season {
    /// A freeze holds.
    Frozen,
    /// A window for the end of legacy is open.
    Ending,
    Plain,
}

impl Gap {
    fn length(&self) -> i64 {
        self.until - self.from
    }
}

/// Where each moment of a preview is.
#[derive(Debug, Clone)]
pub struct Scale {
    /// From the first moment to the last.
    pub pieces: Vec<Piece>,
}

impl Scale {
    /// The scale of a preview between two places; a cut is so wide.
    pub fn of(preview: &Preview, left: f64, right: f64, cut: f64) -> Self {
        let mut gaps = gaps(preview);
        cut_quiet(&mut gaps, ((right - left) * ROOM / SLIM).floor());
        // What is left may still be one long piece of work beside many short ones.
        for _ in 0..CUTS {
            let total: i64 = gaps.iter().filter(|gap| gap.pace == Pace::Even).map(Gap::length).sum();
            let idle = |gap: &&mut Gap| {
                let much = if gap.quiet { total / PART } else { total / 2 };
                gap.pace == Pace::Even && gap.length() > SHORTEST.max(much)
            };
            let Some(gap) = gaps.iter_mut().filter(idle).max_by_key(|gap| gap.length()) else { break };
            gap.pace = Pace::Cut;
        }
        let cuts = merged(&gaps).iter().filter(|piece| piece.pace == Pace::Cut).count();
        Self::laid_out(&gaps, left, right, cut.min((right - left) * ROOM / real(i64::try_from(cuts).unwrap_or(0)).max(1.0)))
    }

    fn laid_out(gaps: &[Gap], left: f64, right: f64, cut: f64) -> Self {
        let mut pieces = merged(gaps);
        let cuts = pieces.iter().filter(|piece| piece.pace == Pace::Cut).count();
        let even: i64 = pieces.iter().filter(|piece| piece.pace == Pace::Even).map(|piece| piece.until - piece.from).sum();
        let room = (right - left - real(i64::try_from(cuts).unwrap_or(0)) * cut).max(1.0);
        let mut at = left;
        for piece in &mut pieces {
            let length = real(piece.until - piece.from);
            piece.left = at;
            at += if piece.pace == Pace::Cut { cut } else { room * length / real(even.max(1)) };
            piece.right = at;
        }
        Self { pieces }
    }

    /// Where a moment is; what lies outside is at the edge.
    pub fn x(&self, at: Timestamp) -> f64 {
        let at = at.as_millisecond();
        let place = self.pieces.partition_point(|piece| piece.until < at);
        match self.pieces.get(place).or(self.pieces.last()) {
            None => 0.0,
            Some(piece) => {
                let part = real(at - piece.from) / real((piece.until - piece.from).max(1));
                piece.left + (piece.right - piece.left) * part.clamp(0.0, 1.0)
            }
        }
    }
}

/// Milliseconds of a preview are far below 2^53.
#[allow(clippy::cast_precision_loss, reason = "see above")]
pub fn real(number: i64) -> f64 {
    number as f64
}

/// Cuts the stretches in which nobody works that are long beside those in which somebody does; if those are too many to be drawn,
/// only the longer ones.
fn cut_quiet(gaps: &mut [Gap], most: f64) {
    let work: i64 = gaps.iter().filter(|gap| !gap.quiet).map(Gap::length).sum();
    let longest = gaps.iter().map(Gap::length).max().unwrap_or(0);
    let mut least = SHORTEST.max(work / PART);
    while least < longest {
        for gap in gaps.iter_mut() {
            gap.pace = if gap.quiet && gap.length() > least { Pace::Cut } else { Pace::Even };
        }
        widen(gaps);
        let cuts = merged(gaps).iter().filter(|piece| piece.pace == Pace::Cut).count();
        if real(i64::try_from(cuts).unwrap_or(i64::MAX)) <= most {
            return;
        }
        least = least.saturating_mul(2);
    }
    for gap in gaps {
        gap.pace = Pace::Even;
    }
}

/// What is quiet beside a cut goes with it: the two hours that a window keeps for the way back would stand between two days of
/// which neither has room for its name.
fn widen(gaps: &mut [Gap]) {
    let count = gaps.len();
    let mut spread = |places: &mut dyn Iterator<Item = usize>| {
        let mut beside = Pace::Even;
        for place in places {
            let Some(gap) = gaps.get_mut(place) else { continue };
            if beside == Pace::Cut && gap.quiet && gap.length() > SHORTEST {
                gap.pace = Pace::Cut;
            }
            beside = gap.pace;
        }
    };
    spread(&mut (0..count));
    spread(&mut (0..count).rev());
}

/// Neighbours of the same pace are one piece, but a freeze stays one of its own: it has to be seen. So does a window for the end of
/// legacy: the day on which what cannot be undone is done would be a hair's breadth beside weeks of soak. They have no place yet.
fn merged(gaps: &[Gap]) -> Vec<Piece> {
    let mut pieces: Vec<(Piece, Season)> = Vec::new();
    for gap in gaps {
        let same = |last: &Piece, season: Season| last.pace == gap.pace && (gap.pace == Pace::Even || season == gap.season);
        match pieces.last_mut().filter(|(last, season)| same(last, *season)) {
            Some((last, _)) => last.until = gap.until,
            None => {
                let piece = Piece { from: gap.from, until: gap.until, left: 0.0, right: 0.0, pace: gap.pace };
                pieces.push((piece, gap.season));
            }
        }
    }
    pieces.into_iter().map(|(piece, _)| piece).collect()
}

/// Whatever happens at a moment.
fn moments(preview: &Preview) -> Vec<i64> {
    let mut moments: BTreeSet<i64> = BTreeSet::from([preview.start.as_millisecond()]);
    for step in &preview.steps {
        // Soaks and the end of legacy go on for days by themselves; they would take room from what a room looks at.
        if matches!(step.kind, Kind::Soak | Kind::End) {
            continue;
        }
        moments.insert(step.start.as_millisecond());
        moments.extend(step.end.map(Timestamp::as_millisecond));
    }
    moments.extend(preview.finish.map(Timestamp::as_millisecond));
    for window in &preview.windows {
        moments.extend([window.opens, window.closes].map(Timestamp::as_millisecond));
        moments.extend(window.latest_rollback.map(Timestamp::as_millisecond));
    }
    for freeze in &preview.freezes {
        moments.extend([freeze.from, freeze.until].map(Timestamp::as_millisecond));
    }
    moments.extend(preview.deadline.as_ref().map(|deadline| deadline.at.as_millisecond()));
    if let (1, Some(only)) = (moments.len(), moments.first().copied()) {
        moments.insert(only + 60_000);
    }
    moments.into_iter().collect()
}

fn gaps(preview: &Preview) -> Vec<Gap> {
    let moments = moments(preview);
    let busy = busy(preview);
    let gap = |(from, until): (&i64, &i64)| {
        let next = busy.get(busy.partition_point(|(_, end)| end <= from));
        let within = |begin: Timestamp, end: Timestamp| begin.as_millisecond() <= *from && *until <= end.as_millisecond();
        let ends = |window: &&WindowLine| window.purpose == WindowPurpose::Decommission;
        Gap {
            from: *from,
            until: *until,
            pace: Pace::Even,
            quiet: next.is_none_or(|(begin, _)| begin >= until),
            season: if preview.freezes.iter().any(|freeze| within(freeze.from, freeze.until)) {
                Season::Frozen
            } else if preview.windows.iter().filter(ends).any(|window| within(window.opens, window.closes)) {
                Season::Ending
            } else {
                Season::Plain
            },
        }
    };
    moments.iter().zip(moments.iter().skip(1)).map(gap).collect()
}

/// When traffic moves or somebody works, as few stretches as say it.
fn busy(preview: &Preview) -> Vec<(i64, i64)> {
    let works = |step: &&StepLine| matches!(step.kind, Kind::Shift | Kind::Task | Kind::Confirm | Kind::Back);
    let of = |step: &StepLine| Some((step.start.as_millisecond(), step.end?.as_millisecond()));
    let mut spans: Vec<(i64, i64)> = preview.steps.iter().filter(works).filter_map(of).collect();
    spans.sort_unstable();
    let mut merged: Vec<(i64, i64)> = Vec::new();
    for (from, until) in spans {
        match merged.last_mut().filter(|last| from <= last.1) {
            Some(last) => last.1 = last.1.max(until),
            None => merged.push((from, until)),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_for_the_end_of_legacy_is_a_cut_of_its_own() {
        let gap = |from, until, season| Gap { from, until, pace: Pace::Cut, quiet: true, season };
        let gaps = [gap(0, 10, Season::Plain), gap(10, 990, Season::Plain), gap(990, 995, Season::Ending)];
        let cuts: Vec<(i64, i64)> = merged(&gaps).iter().map(|piece| (piece.from, piece.until)).collect();
        assert_eq!(cuts, [(0, 990), (990, 995)]);
    }

    #[test]
    fn cuts_are_of_one_width_and_time_runs_evenly_elsewhere() {
        let gap = |from, until, pace| Gap { from, until, pace, quiet: true, season: Season::Plain };
        let gaps = [(0, 10, Pace::Even), (10, 1000, Pace::Cut), (1000, 1010, Pace::Even), (1010, 1030, Pace::Even)];
        let gaps = gaps.map(|(from, until, pace)| gap(from, until, pace));
        let scale = Scale::laid_out(&gaps, 0.0, 120.0, 40.0);
        let sides: Vec<(f64, f64)> = scale.pieces.iter().map(|piece| (piece.left, piece.right)).collect();
        assert_eq!(sides, [(0.0, 20.0), (20.0, 60.0), (60.0, 120.0)]);
        let x = |ms| scale.x(Timestamp::from_millisecond(ms).unwrap());
        assert_eq!([x(-5), x(5), x(10), x(505), x(1015), x(9999)], [0.0, 10.0, 20.0, 40.0, 90.0, 120.0]);
    }
}
