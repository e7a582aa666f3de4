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

/// What a room must not miss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    Approval,
    NoWayBack,
}

impl Sign {
    /// Half of its width.
    fn half(self) -> f64 {
        match self {
            Self::Approval => 6.0,
            Self::NoWayBack => 4.5,
        }
    }
}

/// A text of the plan as a drawing shows it, which has no letters for code.
pub fn unquoted(text: &str) -> String {
    text.replace('`', "")
}

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
        self.signs(paper, steps, base);
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
                if share < FULL {
                    paper.rect("old", (x, base - FULL), (w, FULL - share), "");
                }
            }
            Kind::Begin | Kind::Back => {}
        }
    }

    /// Approvals and points of no return, beside each other where time is too short for both: one on the other is neither.
    fn signs(&self, paper: &mut Paper, steps: &[&StepLine], base: f64) {
        let mut signs: Vec<(f64, Sign, String)> = Vec::new();
        for step in steps {
            let (x, w) = self.span(step);
            if let Some(approval) = &step.approval {
                let at = if step.kind == Kind::Begin { x + w } else { x };
                signs.push((at, Sign::Approval, format!("approval: {}", unquoted(&approval.asks))));
            }
            if let Some(why) = &step.point_of_no_return {
                signs.push((x, Sign::NoWayBack, format!("no way back: {}", unquoted(why))));
            }
        }
        let mut free = f64::MIN;
        for (at, sign, _) in &mut signs {
            *at = at.max(free + sign.half());
            free = *at + sign.half();
        }
        let mut free = self.right + 6.0;
        for (at, sign, title) in signs.into_iter().rev() {
            let place = at.min(free - sign.half());
            free = place - sign.half();
            let middle = (place, base - FULL / 2.0);
            match sign {
                Sign::Approval => paper.diamond("yes", middle, sign.half(), &title),
                Sign::NoWayBack => paper.cross("no", middle, sign.half(), &title),
            }
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
        paper.path("crowd", &d, &format!("{} of {all} services on target", moved.len()));
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
