//! What the signs mean, below the lanes.

use super::paper::{Anchor, Paper, width};

/// A sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    Box(&'static str),
    Low(&'static str),
    Diamond,
    Cross,
    Line(&'static str),
}

const ENTRIES: [(Sign, &str); 11] = [
    (Sign::Low("prepare"), "prepared"),
    (Sign::Low("work"), "task"),
    (Sign::Box("old"), "share still on legacy"),
    (Sign::Box("new"), "share on target"),
    (Sign::Low("watch"), "watched, the way back open"),
    (Sign::Low("end"), "legacy is ended"),
    (Sign::Diamond, "approval"),
    (Sign::Cross, "no way back from here"),
    (Sign::Line("late"), "latest rollback"),
    (Sign::Line("path"), "critical path: a delay of it delays the end"),
    (Sign::Box("freeze"), "freeze"),
];

/// Draws the legend between two places from `top` on; says where it ends.
pub fn draw(paper: &mut Paper, (left, right): (f64, f64), top: f64) -> f64 {
    let (mut x, mut y) = (left, top);
    for (sign, text) in ENTRIES {
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
        }
        paper.text("", Anchor::Start, (x + 24.0, y + 11.0), text);
        x += wide;
    }
    y + 18.0
}
