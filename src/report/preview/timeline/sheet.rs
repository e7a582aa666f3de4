//! The whole drawing: heading, hours, lanes, what crosses them, legend.

use std::{collections::BTreeMap, fmt::Write as _};

use super::{
    Heading, Layout, Names, STYLE,
    axis::{self, Hours},
    bars::{BOLD, FULL, Pen, unquoted},
    lane::{Lane, approval, lanes},
    legend,
    paper::{Anchor, Paper, escape, fitted, width},
    scale::Scale,
};
use crate::{
    plan::WindowPurpose,
    preview::{
        Preview,
        report::{Kind, StepLine, WindowLine},
        times::Clock,
    },
    report::preview::{headline, size, summary, window_fit},
};

/// A lane with its place.
struct Placed<'p> {
    lane: Lane<'p>,
    top: f64,
    /// What its bars stand on.
    base: f64,
}

/// Draws a preview.
pub fn draw(preview: &Preview, layout: Layout) -> String {
    let clock = Clock::named(preview.time_zone.as_deref());
    let scale = Scale::of(preview, layout.left(), layout.right(), layout.cut());
    let heading = match (layout.heading, layout.names) {
        (Heading::Shown, _) => 58.0,
        (Heading::Left, Names::Beside) => 4.0,
        (Heading::Left, Names::Above) => 18.0,
    };
    let (placed, bottom) = place(preview, layout, heading + axis::HEIGHT + 4.0);
    let pen = Pen { scale: &scale, clock: &clock, right: layout.right() };
    let mut paper = Paper::default();
    strips(&mut paper, layout, &placed);
    calendar(&mut paper, preview, &scale, (heading + axis::HEIGHT, bottom));
    let hours = axis::draw(&mut paper, &scale, &clock, (heading, bottom), layout.right());
    names_of_clocks(&mut paper, preview, layout, &clock, (heading, hours));
    for one in &placed {
        lane(&mut paper, layout, &pen, one);
    }
    across(&mut paper, preview, &pen, &placed, (heading + axis::HEIGHT, bottom));
    if layout.heading == Heading::Shown {
        title(&mut paper, preview, layout);
    }
    let end = legend::draw(&mut paper, (8.0, layout.right()), bottom + 14.0);
    framed(preview, layout, end + 4.0, &paper.into_text())
}

/// The element around it, with what a screen reader says of it.
fn framed(preview: &Preview, layout: Layout, height: f64, inside: &str) -> String {
    let (width, id) = (layout.width, if layout.names == Names::Beside { "wide" } else { "narrow" });
    let mut out = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" class="gl {id}" width="{width:.0}" height="{height:.0}" viewBox="0 0 {width:.0} {height:.0}" role="img" aria-labelledby="{id}-t {id}-d">"#
    );
    let _ = write!(
        out,
        "\n<title id=\"{id}-t\">Dry run of {}</title>\n<desc id=\"{id}-d\">{}</desc>\n",
        escape(&preview.plan),
        escape(&headline(preview).join("; "))
    );
    if layout.heading == Heading::Shown {
        let _ = writeln!(out, "<style>{STYLE}</style>");
    }
    let _ = write!(out, "<rect class=\"paper\" width=\"{width:.0}\" height=\"{height:.0}\"/>\n{inside}</svg>\n");
    out
}

/// Where each lane is, and where the last one ends.
fn place(preview: &Preview, layout: Layout, top: f64) -> (Vec<Placed<'_>>, f64) {
    let above = if layout.names == Names::Above { 14.0 } else { 0.0 };
    let mut at = top;
    let place = |lane| {
        let high = match &lane {
            Lane::Window(_) => 36.0 + above,
            Lane::Freeze(_) | Lane::Deadline(_) => 18.0 + above,
            Lane::Bridge(..) | Lane::Service(..) => 22.0 + above,
            Lane::Phase(_, steps) if steps.iter().any(|step| step.kind == Kind::Task || step.approval.is_some()) => 38.0,
            Lane::Phase(..) => 20.0,
            Lane::Crowd(..) => 56.0 + above,
        };
        let one = Placed { lane, top: at, base: at + high - 4.0 };
        at += high;
        one
    };
    let placed = lanes(preview).into_iter().map(place).collect();
    (placed, at + 4.0)
}

/// A strip behind each phase.
fn strips(paper: &mut Paper, layout: Layout, placed: &[Placed<'_>]) {
    for one in placed.iter().filter(|one| matches!(one.lane, Lane::Phase(..))) {
        paper.rect("strip", (0.0, one.top), (layout.width, one.base - one.top + 4.0), "");
    }
}

/// Windows and freezes behind all lanes.
fn calendar(paper: &mut Paper, preview: &Preview, scale: &Scale, (top, bottom): (f64, f64)) {
    let mut band = |class, from, until, title: &str| {
        let (left, right) = (scale.x(from), scale.x(until));
        paper.rect(class, (left, top), (right - left, bottom - top), title);
    };
    for window in &preview.windows {
        band(tint(window), window.opens, window.closes, &window.name);
    }
    for freeze in &preview.freezes {
        band("freeze", freeze.from, freeze.until, &format!("freeze {}: {}", freeze.name, freeze.reason));
    }
}

fn tint(window: &WindowLine) -> &'static str {
    match window.purpose {
        WindowPurpose::Shift => "window",
        WindowPurpose::Decommission => "end-window",
    }
}

fn names_of_clocks(paper: &mut Paper, preview: &Preview, layout: Layout, clock: &Clock, (top, hours): (f64, Hours)) {
    let zone = clock.abbreviation(preview.start);
    let local = preview.time_zone.as_ref().map_or(zone.clone(), |name| format!("{name} ({zone})"));
    let twice = hours == Hours::Shown && !clock.is_utc();
    match layout.names {
        Names::Beside => {
            paper.text("", Anchor::End, (layout.left() - 26.0, top + 26.0), &local);
            paper.text("soft", Anchor::End, (layout.left() - 26.0, top + 40.0), if twice { "UTC" } else { "" });
        }
        Names::Above => {
            let below = if twice { ", UTC below" } else { "" };
            paper.text("soft", Anchor::Start, (layout.left(), top - 6.0), &format!("{local}{below}"));
        }
    }
}

fn title(paper: &mut Paper, preview: &Preview, layout: Layout) {
    paper.text("title", Anchor::Start, (8.0, 24.0), &preview.plan);
    let digest = preview.digest.get(..12).unwrap_or(&preview.digest);
    let what = format!("dry run of revision {digest}: {}", size(preview));
    // Bold letters of 17 pixels are as wide as others of 20.
    paper.text("soft", Anchor::Start, (18.0 + width(&preview.plan, 20.0), 24.0), &what);
    paper.text("lead", Anchor::Start, (8.0, 44.0), &fitted(&summary(preview), layout.width - 16.0, 12.5));
}

/// The name of a lane, shorter by what else stands in its line; says where it ends.
fn label(paper: &mut Paper, layout: Layout, one: &Placed<'_>, name: &str, taken: f64) -> f64 {
    let (y, room) = match layout.names {
        Names::Beside => (one.base - 3.0, layout.left() - 24.0),
        Names::Above => (one.top + 12.0, layout.width - 12.0),
    };
    let name = fitted(name, room - taken, 11.0);
    paper.text("", Anchor::Start, (8.0, y), &name);
    8.0 + width(&name, 11.0)
}

/// One lane with its name.
fn lane(paper: &mut Paper, layout: Layout, pen: &Pen<'_>, one: &Placed<'_>) {
    let label = |paper: &mut Paper, name: &str| {
        label(paper, layout, one, name, 0.0);
    };
    match &one.lane {
        Lane::Window(window) => window_bar(paper, layout, pen, (window, one)),
        Lane::Freeze(freeze) => {
            label(paper, &format!("freeze {}", freeze.name));
            pen.beside(paper, "freeze-text", (pen.scale.x(freeze.from) + 3.0, one.base - 1.0), &freeze.reason);
        }
        Lane::Deadline(deadline) => {
            label(paper, "deadline");
            let (class, word) = if deadline.fits { ("good", "is met") } else { ("bad", "is MISSED") };
            let text = format!("{} {word}", pen.clock.long(deadline.at));
            let x = pen.scale.x(deadline.at);
            if x - 5.0 - width(&text, BOLD) >= layout.left() {
                paper.text(class, Anchor::End, (x - 5.0, one.base - 1.0), &text);
            } else {
                pen.beside(paper, class, (x + 5.0, one.base - 1.0), &text);
            }
        }
        Lane::Bridge(name, steps) => {
            label(paper, name);
            pen.steps(paper, steps, one.base);
        }
        Lane::Phase(phase, steps) => {
            phase_strip(paper, layout, pen, one, &phase.name, steps);
        }
        Lane::Service(service, steps) => {
            label(paper, &service.name);
            pen.steps(paper, steps, one.base);
        }
        Lane::Crowd(moved, all) => {
            label(paper, &format!("{all} services on target"));
            pen.crowd(paper, moved, *all, (one.base, 46.0));
        }
    }
}

/// A window's bar, its verdict above and its latest rollback inside, or beside its name where the bar is too short for it.
fn window_bar(paper: &mut Paper, layout: Layout, pen: &Pen<'_>, (window, one): (&WindowLine, &Placed<'_>)) {
    let (left, right) = (pen.scale.x(window.opens), pen.scale.x(window.closes));
    let (base, name) = (one.base, format!("window {}", window.name));
    let class = if window.purpose == WindowPurpose::Shift { "window-bar" } else { "end-bar" };
    paper.rect(class, (left, base - FULL), (right - left, FULL), "");
    let verdict = window_fit(window);
    let class = if window.fits { "good" } else { "bad" };
    pen.beside(paper, if window.is_used() { class } else { "soft" }, (left, base - FULL - 4.0), &verdict);
    let Some(at) = window.latest_rollback else {
        label(paper, layout, one, &name, 0.0);
        return;
    };
    let text = format!("latest rollback {}", pen.clock.long(at));
    let (x, long) = (pen.scale.x(at), width(&text, BOLD));
    if layout.names == Names::Above {
        let free = 10.0 + label(paper, layout, one, &name, long + 10.0);
        pen.beside_after(paper, "late", (x.max(free), one.top + 12.0), &text, free);
        return;
    }
    label(paper, layout, one, &name, 0.0);
    if x - long > left {
        paper.text("late", Anchor::End, (x - 4.0, base - 3.0), &text);
    } else if x.max(right) + 4.0 + long > pen.right && left - 4.0 - long >= layout.left() {
        paper.text("late", Anchor::End, (left - 4.0, base - 3.0), &text); // beside the bar, and not over it
    } else {
        pen.beside(paper, "late", (x.max(right) + 4.0, base - 3.0), &text);
    }
}

/// A phase: its name, what it asks whom, its own tasks.
fn phase_strip(paper: &mut Paper, layout: Layout, pen: &Pen<'_>, one: &Placed<'_>, name: &str, steps: &[&StepLine]) {
    paper.text("bold", Anchor::Start, (8.0, one.top + 14.0), &fitted(&format!("phase {name}"), 150.0, BOLD));
    pen.steps(paper, steps, one.base);
    if let Some((step, who)) = approval(steps) {
        let asks = unquoted(step.approval.as_ref().map(|approval| approval.asks.as_str()).unwrap_or_default());
        let at = step.end.unwrap_or(step.start);
        let x = pen.scale.x(at);
        if layout.names == Names::Beside {
            // Far down a long drawing nobody sees the hours any more.
            let when = format!("{} {}", pen.clock.day(at), pen.clock.minute(at));
            paper.text("soft", Anchor::Start, (8.0, one.base - 3.0), &when);
        }
        let free = match layout.names {
            Names::Beside => layout.left(),
            Names::Above => 18.0 + width(&format!("phase {name}"), BOLD),
        };
        pen.beside_after(paper, "yes", (x.max(free), one.top + 14.0), &format!("{who}: {asks}"), free);
    }
}

/// What crosses the lanes: latest rollbacks, the deadline, the critical path.
fn across(paper: &mut Paper, preview: &Preview, pen: &Pen<'_>, placed: &[Placed<'_>], (top, bottom): (f64, f64)) {
    for at in preview.windows.iter().filter_map(|window| window.latest_rollback) {
        paper.line("late", (pen.scale.x(at), top), (pen.scale.x(at), bottom));
    }
    if let Some(deadline) = &preview.deadline {
        paper.line("deadline", (pen.scale.x(deadline.at), top), (pen.scale.x(deadline.at), bottom));
    }
    let bases = bases(placed);
    let steps: BTreeMap<&str, _> = preview.steps.iter().map(|step| (step.id.as_str(), step)).collect();
    let whole = preview.critical_path.starts_with(&preview.target_path);
    for path in [Some(&preview.target_path).filter(|_| !whole), Some(&preview.critical_path)].into_iter().flatten() {
        let mut d = String::new();
        for step in path.iter().filter_map(|id| steps.get(id.as_str())) {
            let owner = step.id.split_once('/').map_or(step.id.as_str(), |(owner, _)| owner);
            let Some(base) = bases.get(owner) else { continue };
            let (x, end) = (pen.scale.x(step.start), pen.scale.x(step.end.unwrap_or(step.start)));
            let y = base + 1.5;
            let _ = if d.is_empty() { write!(d, "M{x:.1} {y:.1}H{end:.1}") } else { write!(d, "V{y:.1}H{end:.1}") };
        }
        if !d.is_empty() {
            paper.path("path", &d, "");
        }
    }
}

/// The base of the lane of each bridge, phase and service.
fn bases(placed: &[Placed<'_>]) -> BTreeMap<String, f64> {
    let mut bases = BTreeMap::new();
    let mut phase = None;
    for one in placed {
        match &one.lane {
            Lane::Bridge(name, _) => drop(bases.insert((*name).to_owned(), one.base)),
            Lane::Phase(line, _) => {
                phase = Some(*line);
                bases.insert(format!("phase {}", line.name), one.base);
            }
            Lane::Service(line, _) => drop(bases.insert(line.name.clone(), one.base)),
            Lane::Crowd(..) => {
                bases.extend(phase.into_iter().flat_map(|line| &line.services).map(|name| (name.clone(), one.base)));
            }
            Lane::Window(_) | Lane::Freeze(_) | Lane::Deadline(_) => {}
        }
    }
    bases
}
