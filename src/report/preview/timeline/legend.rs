//! What the signs mean, below the lanes: those that were drawn, as one that nobody finds is a riddle.

use super::paper::{Anchor, Paper, width};

/// A sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    Box(&'static str),
    Low(&'static str),
    Diamond,
    Cross,
    Line(&'static str),
    Cut,
}

impl Sign {
    /// The class of what it stands for.
    fn class(self) -> &'static str {
        match self {
            Self::Box(class) | Self::Low(class) | Self::Line(class) => class,
            Self::Diamond => "yes",
            Self::Cross => "no",
            Self::Cut => "cut",
        }
    }
}

const ENTRIES: [(Sign, &str); 16] = [
    (Sign::Low("prepare"), "prepared"),
    (Sign::Low("work"), "task"),
    (Sign::Box("old"), "share still on legacy"),
    (Sign::Box("new"), "share on target"),
    (Sign::Box("crowd"), "services on target"),
    (Sign::Low("watch"), "watched, the way back open"),
    (Sign::Low("end"), "legacy is ended"),
    (Sign::Diamond, "approval"),
    (Sign::Cross, "no way back from here"),
    (Sign::Line("late"), "latest rollback"),
    (Sign::Line("deadline"), "deadline"),
    (Sign::Line("path"), "critical path: a delay of it delays the end"),
    (Sign::Box("window-bar"), "window"),
    (Sign::Box("end-bar"), "window for the end of legacy"),
    (Sign::Box("freeze"), "freeze"),
    (Sign::Cut, "time cut short"),
];

/// Draws the legend between two places from `top` on; says where it ends.
pub fn draw(paper: &mut Paper, (left, right): (f64, f64), top: f64) -> f64 {
    let (mut x, mut y) = (left, top);
    let drawn: Vec<(Sign, &str)> = ENTRIES.into_iter().filter(|(sign, _)| paper.shows(sign.class())).collect();
    for (sign, text) in drawn {
        let wide = 26.0 + width(text, 11.0) + 14.0;
        if x > left && x + wide > right {
            (x, y) = (left, y + 18.0);
        }
        let middle = y + 7.0;
        match sign {
            Sign::Box(class) => paper.rect(class, (x, y + 1.0), (18.0, 12.0), ""),
            Sign::Low(class) => paper.rect(class, (x, y + 5.0), (18.0, 5.0), ""),
            Sign::Diamond => paper.diamond("yes", (x + 9.0, middle), 6.0, ""),
            Sign::Cross => paper.cross("no", (x + 9.0, middle), 4.5, ""),
            Sign::Line(class) => paper.line(class, (x, middle), (x + 18.0, middle)),
            Sign::Cut => {
                paper.rect("cut", (x, y + 1.0), (18.0, 12.0), "");
                for edge in [x, x + 18.0] {
                    paper.line("cut-edge", (edge, y + 1.0), (edge, y + 13.0));
                }
            }
        }
        paper.text("", Anchor::Start, (x + 24.0, y + 11.0), text);
        x += wide;
    }
    y + 18.0
}
