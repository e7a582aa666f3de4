//! A dry run for people: text, Markdown, Mermaid, a picture and a page.

mod cluster;
mod html;
mod markdown;
mod mermaid;
mod people;
mod text;
pub mod timeline;
mod words;

pub use self::{
    cluster::cluster,
    html::html,
    markdown::markdown,
    mermaid::mermaid,
    text::{back, text},
    timeline::svg,
};

use crate::{
    plan::WindowPurpose,
    preview::{
        report::{ApprovalLine, Preview, ServiceLine, StepLine, WindowLine},
        times::{Clock, millis},
    },
};

/// A length of time as people say it: at most two units, `2d 4h`, `10m 5s`, `300ms`.
pub fn length(ms: u64) -> String {
    const UNITS: [(&str, u64); 4] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000)];
    let Some(first) = UNITS.iter().position(|(_, size)| ms >= *size) else { return format!("{ms}ms") };
    let mut left = ms;
    let mut parts = Vec::new();
    for (unit, size) in UNITS.iter().skip(first).take(2) {
        if left >= *size {
            parts.push(format!("{}{unit}", left / size));
        }
        left %= size;
    }
    parts.join(" ")
}

/// How long a step takes, as people say it.
fn takes(step: &StepLine) -> String {
    match step.millis() {
        None => "never ends".to_owned(),
        Some(0) => "at once".to_owned(),
        Some(ms) => length(ms),
    }
}

/// The step of its own from which there is no way back for a service, without its name.
fn own_last_step(service: &ServiceLine) -> Option<&str> {
    service.point_of_no_return.as_deref()?.strip_prefix(service.name.as_str())?.strip_prefix('/')
}

/// Whether it fits, in a word with its figure.
fn spare(ms: i64) -> String {
    let size = length(ms.unsigned_abs());
    if ms >= 0 { format!("{size} to spare") } else { format!("{size} too late") }
}

/// `1 step`, `2 steps`.
fn count(number: usize, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}

/// `14 services, 192 steps`.
fn size(preview: &Preview) -> String {
    format!("{}, {}", count(preview.services.len(), "service"), count(preview.steps.len(), "step"))
}

/// Who has to say yes: `2 duty-manager and 1 clinical-safety`.
fn roles(approval: &ApprovalLine) -> String {
    let roles: Vec<String> = approval.all_of.iter().map(|(role, count)| format!("{count} {role}")).collect();
    roles.join(" and ")
}

/// When it starts, when all is on target, when it is over: one sentence each.
fn course(preview: &Preview) -> Vec<String> {
    let clock = Clock::named(preview.time_zone.as_deref());
    let at = |at| format!("{} {}", clock.dated(at), clock.abbreviation(at));
    let took = |at| length(millis(preview.start, at));
    let moved = match preview.moved {
        Some(end) => format!("all traffic on target {}, after {}", at(end), took(end)),
        None => "not all traffic gets to target".to_owned(),
    };
    let over = match preview.finish {
        Some(end) => format!("over {}, after {} ({})", at(end), took(end), preview.outcome),
        None => "never over: see what it waits for".to_owned(),
    };
    vec![format!("starts {}", at(preview.start)), moved, over]
}

/// The same in one line.
fn summary(preview: &Preview) -> String {
    course(preview).join("; ")
}

/// How what happens in a window fits into it.
fn window_fit(window: &WindowLine) -> String {
    match (window.last_end, window.spare_ms) {
        (Some(_), Some(ms)) if window.fits => {
            // Nothing that a window for the end of legacy governs is taken back by it.
            let back = if window.purpose == WindowPurpose::Shift { ", the way back too" } else { "" };
            format!("all fits{back}: {}", spare(ms))
        }
        _ if !window.left.is_empty() => format!("does not fit: {}", left(&window.left)),
        (Some(_), Some(ms)) => format!("does not fit: {}", spare(ms.min(-1))),
        _ => "nothing happens in it".to_owned(),
    }
}

/// Who does not get through, by name as far as a line has room for them.
fn left(names: &[String]) -> String {
    match names {
        [one] => format!("{one} does not get through"),
        [first, others @ ..] if names.len() > 4 => format!("{first} and {} others do not get through", others.len()),
        _ => format!("{} do not get through", names.join(", ")),
    }
}

/// What a room has to know before all else, as sentences.
fn headline(preview: &Preview) -> Vec<String> {
    let clock = Clock::named(preview.time_zone.as_deref());
    let mut lines = course(preview);
    for window in &preview.windows {
        let span = format!("{} to {}", clock.long(window.opens), clock.long(window.closes));
        let what = match window.purpose {
            WindowPurpose::Shift => "moves",
            WindowPurpose::Decommission => "the end of legacy",
        };
        lines.push(format!("window {} for {what}, {span}: {}", window.name, window_fit(window)));
    }
    for freeze in &preview.freezes {
        let (from, until) = (clock.long(freeze.from), clock.long(freeze.until));
        lines.push(format!("freeze {}, {from} to {until}: {}", freeze.name, freeze.reason));
    }
    if let Some(deadline) = &preview.deadline {
        let word = if deadline.fits { "is met" } else { "is missed" };
        lines.push(format!("deadline {} {word}", clock.dated(deadline.at)));
    }
    lines.push(match preview.at_once {
        1 => "one service in motion at a time".to_owned(),
        many => format!("at most {many} services in motion at once"),
    });
    lines
}
