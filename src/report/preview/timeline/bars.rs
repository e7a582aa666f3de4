//! What stands in a lane: bars whose height is the share on target, and the signs of what a room must not miss.

use jiff::Timestamp;

use super::{
    paper::{Anchor, Paper, fitted, width},
    scale::{Scale, real},
};
use crate::{
    preview::{
        report::{Kind, StepLine},
        times::Clock,
    },
    report::preview::takes,
};

/// How high a bar is whose service has all its traffic on target.
pub const FULL: f64 = 14.0;

/// Bold letters of 11 pixels are as wide as others of this size.
pub const BOLD: f64 = 12.5;

/// What is drawn with.
pub struct Pen<'a> {
    /// Where moments are.
    pub scale: &'a Scale,
    /// How they are read.
    pub clock: &'a Clock,
    /// Where the paper ends.
    pub right: f64,
}

impl Pen<'_> {
    /// From where to where a step goes; one that never ends goes to the edge.
    fn span(&self, step: &StepLine) -> (f64, f64) {
        let from = self.scale.x(step.start);
        (from, step.end.map_or(self.right, |end| self.scale.x(end)) - from)
    }

    /// What a step says when it is pointed at.
    fn title(&self, step: &StepLine) -> String {
        let name = step.id.split_once('/').map_or(step.id.as_str(), |(_, name)| name);
        format!("{name}, {}, {}", self.clock.long(step.start), takes(step))
    }

    /// The steps of one lane whose bars stand on `base`.
    pub fn steps(&self, paper: &mut Paper, steps: &[&StepLine], base: f64) {
        for step in steps {
            self.step(paper, step, base);
        }
        for step in steps {
            self.signs(paper, step, base);
        }
    }

    fn step(&self, paper: &mut Paper, step: &StepLine, base: f64) {
        let (x, w) = self.span(step);
        let mut bar = |class, up: f64, high| paper.rect(class, (x, base - up - high), (w, high), &self.title(step));
        match step.kind {
            Kind::Prepare | Kind::CatchUp => bar("prepare", 5.0, 3.0),
            Kind::Task => bar("work", 0.0, 8.0),
            Kind::Soak => bar("watch", 4.0, 5.0),
            Kind::End => bar("end", 3.0, 8.0),
            Kind::Confirm => bar("new", 0.0, FULL),
            Kind::Shift => {
                let share = FULL * f64::from(step.weight.unwrap_or(0)) / 100.0;
                bar("new", 0.0, share.max(1.0));
                paper.rect("old", (x, base - FULL), (w, (FULL - share).max(0.0)), "");
            }
            Kind::Begin | Kind::Back => {}
        }
    }

    fn signs(&self, paper: &mut Paper, step: &StepLine, base: f64) {
        let (x, w) = self.span(step);
        let middle = base - FULL / 2.0;
        if let Some(approval) = &step.approval {
            let at = if step.kind == Kind::Begin { x + w } else { x };
            let title = format!("approval: {}", approval.asks);
            paper.diamond("yes", (at, middle), 6.0, &title);
        }
        if let Some(why) = &step.point_of_no_return {
            paper.cross("no", (x, middle), 4.5, &format!("no way back: {why}"));
        }
    }

    /// How many services of a crowd have moved, as a staircase that stands on `base` and is `high` at its end.
    pub fn crowd(&self, paper: &mut Paper, moved: &[Timestamp], all: usize, (base, high): (f64, f64)) {
        let Some(first) = moved.first() else { return };
        let mut d = format!("M{:.1} {base:.1}", self.scale.x(*first));
        let mut last = f64::MIN;
        for (index, at) in moved.iter().enumerate() {
            let x = self.scale.x(*at);
            if x - last < 0.5 && index + 1 < moved.len() {
                continue;
            }
            last = x;
            let part = real(i64::try_from(index + 1).unwrap_or(0)) / real(i64::try_from(all.max(1)).unwrap_or(1));
            d.push_str(&format!("H{x:.1}V{:.1}", base - high * part));
        }
        d.push_str(&format!("H{:.1}V{base:.1}z", self.right));
        paper.path("watch", &d, &format!("{} of {all} services on target", moved.len()));
    }

    /// A text beside a place: to the right of it where it fits, else so that it ends at the edge.
    pub fn beside(&self, paper: &mut Paper, class: &str, (x, y): (f64, f64), text: &str) {
        self.beside_after(paper, class, (x, y), text, 6.0);
    }

    /// The same, where something else stands before `free`.
    pub fn beside_after(&self, paper: &mut Paper, class: &str, (x, y): (f64, f64), text: &str, free: f64) {
        if width(text, BOLD) <= self.right - x {
            paper.text(class, Anchor::Start, (x, y), text);
        } else if width(text, BOLD) <= self.right - free {
            paper.text(class, Anchor::End, (self.right, y), text);
        } else {
            paper.text(class, Anchor::Start, (free, y), &fitted(text, self.right - free, BOLD));
        }
    }
}
