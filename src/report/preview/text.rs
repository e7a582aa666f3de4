//! The dry run as text for a terminal.

use std::fmt::Write as _;

use super::{headline, length, own_last_step, people::calls, roles, size, takes, words::WORDS};
use crate::preview::{
    Back, Preview,
    back::Fate,
    report::{Kind, ServiceLine, StepLine},
    times::{Clock, millis},
};

/// The whole preview as text.
pub fn text(preview: &Preview) -> String {
    let clock = Clock::named(preview.time_zone.as_deref());
    let digest = preview.digest.get(..12).unwrap_or(&preview.digest);
    let mut out = format!("{} (revision {digest}): {}\n", preview.plan, size(preview));
    for line in headline(preview) {
        let _ = writeln!(out, "  {line}");
    }
    for stuck in &preview.stuck {
        let _ = writeln!(out, "  STOPS at {}: {}", stuck.step, stuck.reason);
    }
    out.push_str(&people(&clock, preview));
    out.push_str(&timeline(&clock, &preview.steps, preview.start));
    if preview.critical_path.starts_with(&preview.target_path) {
        chain(&mut out, "critical path: a delay of one of these delays the end", &preview.critical_path);
    } else {
        chain(
            &mut out,
            "critical path until all traffic is on target: a delay of one of these delays that",
            &preview.target_path,
        );
        chain(&mut out, "critical path of the end", &preview.critical_path);
    }
    out.push_str(&radius(preview));
    out.push_str(&preview.cluster.as_ref().map_or_else(String::new, super::cluster));
    out.push_str("\nwords\n");
    for (word, meaning) in WORDS {
        let _ = writeln!(out, "  {word:<17} {meaning}");
    }
    let zone = match preview.time_zone.as_deref() {
        Some(zone) => format!("times are those of {zone} ({} at the start)", clock.abbreviation(preview.start)),
        None => "times are UTC".to_owned(),
    };
    let _ = writeln!(out, "\n* on a critical path   ! no way back from here on   {zone}");
    out
}

fn chain(out: &mut String, what: &str, steps: &[String]) {
    let _ = writeln!(out, "\n{what}");
    for chunk in steps.chunks(4) {
        let _ = writeln!(out, "  {}", chunk.join(" > "));
    }
}

/// When somebody has to be there.
fn people(clock: &Clock, preview: &Preview) -> String {
    let mut out = String::new();
    let calls = calls(preview, |step| step.approval.is_some() || step.by.is_some());
    let wide = calls.iter().map(|call| call.name().len()).max().unwrap_or(0).min(44);
    for call in &calls {
        let asked = call.asked().map(|(who, asks)| {
            let asks = if asks.is_empty() { asks } else { format!(": \"{asks}\"") };
            format!("yes from {who}{asks}")
        });
        let done = call.first.by.as_ref().map(|by| format!("by hand, {}: {}", by.owner, by.instructions));
        let what: Vec<String> = asked.into_iter().chain(done).collect();
        let _ = writeln!(out, "  {}  {:<wide$}  {}", clock.long(call.first.start), call.name(), what.join("; "));
        for line in wrapped(&call.services, 100).iter().filter(|_| call.services.len() > 1) {
            let _ = writeln!(out, "{:23}{line}", "");
        }
    }
    if out.is_empty() { out } else { format!("\nwhen people are needed\n{out}") }
}

/// Names in lines of about this width.
fn wrapped(names: &[&str], width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for name in names {
        match lines.last_mut().filter(|line| line.len() + name.len() < width) {
            Some(line) => {
                line.push_str(", ");
                line.push_str(name);
            }
            None => lines.push((*name).to_owned()),
        }
    }
    lines
}

/// One line a step, under the day on which it begins. The latest rollback is told where it changes; a preparation that takes no
/// time is not told.
fn timeline(clock: &Clock, steps: &[StepLine], start: jiff::Timestamp) -> String {
    let mut out = String::new();
    let mut day = String::new();
    let mut latest = None;
    let shown: Vec<&StepLine> = steps.iter().filter(|step| step.kind != Kind::Prepare || step.millis() != Some(0)).collect();
    let wide = shown.iter().map(|step| step.id.len()).max().unwrap_or(0).min(44);
    for step in shown {
        let today = clock.day(step.start);
        if today != day {
            let after = match millis(start, step.start) {
                0 => String::new(),
                ms => format!(", {} after the start", length(ms)),
            };
            let _ = writeln!(out, "\n{today}{after}");
            day = today;
        }
        let mark = if step.point_of_no_return.is_some() {
            '!'
        } else if step.critical {
            '*'
        } else {
            ' '
        };
        let takes = takes(step);
        let remarks = remarks(clock, step, &mut latest);
        let line = format!("{mark} {}  {:>9}  {:<wide$}  {remarks}", clock.second(step.start), takes, step.id);
        let _ = writeln!(out, "{}", line.trim_end());
    }
    out
}

/// What is to be said of a step beyond its name and time.
fn remarks(clock: &Clock, step: &StepLine, latest: &mut Option<jiff::Timestamp>) -> String {
    let mut parts = Vec::new();
    if step.by.is_some() {
        parts.push("by hand, see above".to_owned());
    } else if matches!(step.kind, Kind::Task | Kind::Back | Kind::Begin) {
        parts.push(step.action.clone());
    }
    if let Some(approval) = &step.approval {
        parts.push(format!("after a yes from {}", roles(approval)));
    }
    parts.extend(step.waited_for.iter().map(|what| format!("waited for {what}")));
    if let Some(at) = step.latest_rollback.filter(|_| step.latest_rollback != *latest) {
        parts.push(format!("latest rollback {}", clock.long(at)));
        *latest = Some(at);
    }
    if let Some(requests) = step.requests_at_risk {
        parts.push(format!("{requests} requests at risk"));
    }
    parts.extend(step.point_of_no_return.iter().map(|why| format!("NO WAY BACK: {why}")));
    parts.join("; ")
}

/// What goes back with what, and how long that takes; services next to each other of which the same is true share a line.
fn radius(preview: &Preview) -> String {
    let lines: Vec<(&str, String)> = preview.services.iter().map(|service| (service.name.as_str(), fate(service))).collect();
    let mut out = String::from("\nif a service goes back\n");
    for same in lines.chunk_by(|one, next| one.1 == next.1) {
        let (Some((first, fate)), Some((last, _))) = (same.first(), same.last()) else { continue };
        let name = match same.len() {
            1 => (*first).to_owned(),
            2 => format!("{first}, {last}"),
            many => format!("{first} to {last} ({many})"),
        };
        let _ = writeln!(out, "  {name:<20} {fate}");
    }
    out
}

/// What is said of one service that goes back.
fn fate(service: &ServiceLine) -> String {
    let others = match service.blast_radius.as_slice() {
        [] => "alone".to_owned(),
        some if some.len() <= 6 => format!("with {}", some.join(", ")),
        many => format!("with {} others", many.len()),
    };
    let detection = service
        .detection_ms
        .map_or_else(|| "nothing watches it".to_owned(), |ms| format!("a failure is noticed in {}", length(ms)));
    let risk = service.requests_at_risk.map_or(String::new(), |n| format!(", with {n} requests at risk at 100 %"));
    let last = service.point_of_no_return.as_ref().map_or(String::new(), |step| {
        format!("; no way back from {}", own_last_step(service).map_or_else(|| step.clone(), |own| format!("its {own}")))
    });
    format!("takes {}, {others}; {detection}{risk}{last}", length(service.undo_ms))
}

/// What going back from a step would do.
pub fn back(back: &Back) -> String {
    let clock = Clock::named(back.time_zone.as_deref());
    let mut out = format!("{}: everything ordered back just before {} is over\n", back.plan, back.step);
    let _ = writeln!(out, "  ordered {} {}", clock.long(back.at), clock.abbreviation(back.at));
    match (back.traffic_back, back.traffic_ms) {
        (Some(at), Some(ms)) => {
            let _ = writeln!(out, "  all traffic that goes back is back {}, after {}", clock.long(at), length(ms));
        }
        _ => out.push_str("  no traffic has to go back\n"),
    }
    if let (Some(at), Some(ms)) = (back.over, back.takes_ms) {
        let _ = writeln!(out, "  all is taken back {}, after {} ({})", clock.long(at), length(ms), back.outcome);
    }
    match back.fits_window {
        Some(true) => out.push_str("  that is before the window closes\n"),
        Some(false) => out.push_str("  that is AFTER the window closes\n"),
        None => {}
    }
    out.push('\n');
    for service in &back.services {
        let fate = match service.fate {
            Fate::Returns => "goes back",
            Fate::Stays => "STAYS",
        };
        let why = service.why.as_ref().map_or(String::new(), |why| format!(": {why}"));
        let _ = writeln!(out, "  {:<20} from {:>3} %  {fate}{why}", service.name, service.weight);
    }
    out.push_str(&timeline(&clock, &back.steps, back.at));
    out
}
