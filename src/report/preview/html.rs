//! The dry run as one page: the timeline, when people are needed, what going back costs, every step. Nothing is fetched and no
//! script runs, so it can be mailed, printed and opened in a room without a network.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::{
    count, length, own_last_step,
    people::{Call, calls},
    size, takes,
    timeline::{self, Heading, Layout, paper::escape},
    window_fit,
    words::WORDS,
};
use crate::preview::{
    Preview,
    report::{Kind, ServiceLine, StepLine, WindowLine},
    times::{Clock, millis},
};

/// So many windows have a card each at the top of the page.
const FEW: usize = 4;

/// So many services of which the same is true are named one by one.
const SAME: usize = 6;

const STYLE: &str = include_str!("page.css");

/// The whole preview as a page.
pub fn html(preview: &Preview) -> String {
    let clock = Clock::named(preview.time_zone.as_deref());
    let name = escape(&preview.plan);
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, \
         initial-scale=1\">\n<title>{name}: dry run</title>\n<style>{STYLE}{}</style>\n</head>\n<body>\n<main>\n",
        timeline::STYLE
    );
    let _ = write!(
        out,
        "<h1>{name}</h1>\n<p class=\"soft\">Dry run of revision <code>{}</code>: {}. All goes well in it: every piece of work takes \
         as long as the plan expects of it in 95 of 100 cases{}.</p>\n",
        preview.digest.get(..12).unwrap_or(&preview.digest),
        size(preview),
        answers(preview)
    );
    facts(&mut out, preview, &clock);
    stops(&mut out, preview);
    for layout in [Layout { heading: Heading::Left, ..Layout::WIDE }, Layout::NARROW] {
        let tag = if layout == Layout::NARROW { "" } else { "<figure>\n" };
        let _ = write!(out, "{tag}{}", timeline::drawn(preview, layout));
    }
    let _ = write!(out, "</figure>\n<p class=\"soft\">{}</p>\n", escape(&zone(preview, &clock)));
    windows(&mut out, preview, &clock);
    people(&mut out, preview, &clock);
    way_back(&mut out, preview);
    paths(&mut out, preview);
    every_step(&mut out, preview, &clock);
    findings(&mut out, preview);
    words(&mut out);
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

/// How soon people are taken to answer, as all times after that rest on it. A phase begins as soon as they have.
fn answers(preview: &Preview) -> String {
    let asked = preview.steps.iter().filter(|step| step.kind == Kind::Begin && step.approval.is_some());
    match asked.filter_map(StepLine::millis).min() {
        None => String::new(),
        Some(0) => ", and people answer as soon as they are asked".to_owned(),
        Some(ms) => format!(", and people answer {} after they are asked", length(ms)),
    }
}

fn zone(preview: &Preview, clock: &Clock) -> String {
    match preview.time_zone.as_deref() {
        Some(zone) => {
            format!("Times are those of {zone} ({} at the start) unless they say UTC.", clock.abbreviation(preview.start))
        }
        None => "All times are UTC.".to_owned(),
    }
}

/// A moment on both clocks.
fn both(clock: &Clock, at: Timestamp) -> String {
    let (own, utc) = (format!("{} {}", clock.dated(at), clock.abbreviation(at)), at.strftime("%a %d %b %H:%M:%S"));
    if clock.is_utc() { own } else { format!("{own} <span>{utc} UTC</span>") }
}

/// What a room has to know before all else.
fn facts(out: &mut String, preview: &Preview, clock: &Clock) {
    out.push_str("<dl class=\"facts\">\n");
    let mut fact = |class: &str, name: &str, value: &str| {
        let _ = writeln!(out, "<div class=\"{class}\"><dt>{}</dt><dd>{value}</dd></div>", escape(name));
    };
    let took = |at| length(millis(preview.start, at));
    fact("", "starts", &both(clock, preview.start));
    match preview.moved {
        Some(at) => fact("is-good", &format!("all traffic on target, after {}", took(at)), &both(clock, at)),
        None => fact("is-bad", "all traffic on target", "never: see below what it waits for"),
    }
    match preview.finish {
        Some(at) => fact("is-good", &format!("over ({}), after {}", preview.outcome, took(at)), &both(clock, at)),
        None => fact("is-bad", "over", "never: see below what it waits for"),
    }
    if preview.windows.len() > FEW {
        let used: Vec<&WindowLine> = preview.windows.iter().filter(|window| window.is_used()).collect();
        let missed = used.iter().filter(|window| !window.fits).count();
        let tightest = used.iter().min_by_key(|window| (window.fits, window.spare_ms));
        let tightest =
            tightest.map_or(String::new(), |window| format!("tightest: {}, {}", escape(&window.name), window_fit(window)));
        let (class, word) =
            if missed == 0 { ("is-good", "all fits".to_owned()) } else { ("is-bad", format!("{missed} of them do not fit")) };
        let name = format!("{}, {} used", count(preview.windows.len(), "window"), used.len());
        fact(class, &name, &format!("{word} <span>{tightest}</span>"));
    }
    for window in preview.windows.iter().filter(|_| preview.windows.len() <= FEW) {
        let span = format!("{} to {}", clock.long(window.opens), clock.long(window.closes));
        let latest = window.latest_rollback.map(|at| format!(" <span>latest rollback {}</span>", clock.long(at)));
        let value = format!("{} <span>{span}</span>{}", window_fit(window), latest.unwrap_or_default());
        fact(verdict(window), &format!("window {}", window.name), &value);
    }
    for freeze in &preview.freezes {
        let span = format!("{} to {}", clock.long(freeze.from), clock.long(freeze.until));
        fact("", &format!("freeze {}", freeze.name), &format!("{span} <span>{}</span>", escape(&freeze.reason)));
    }
    if let Some(deadline) = &preview.deadline {
        let (class, word) = if deadline.fits { ("is-good", "is met") } else { ("is-bad", "is missed") };
        fact(class, &format!("deadline {word}"), &both(clock, deadline.at));
    }
    fact("", "in motion at once", &format!("at most {} of {}", preview.at_once, count(preview.services.len(), "service")));
    out.push_str("</dl>\n");
}

/// The class of a window: nothing happens in it, what happens fits, it does not.
fn verdict(window: &WindowLine) -> &'static str {
    match window.fits {
        _ if !window.is_used() => "",
        true => "is-good",
        false => "is-bad",
    }
}

/// Each window in a line of its own, where they are too many for the top of the page.
fn windows(out: &mut String, preview: &Preview, clock: &Clock) {
    if preview.windows.len() <= FEW {
        return;
    }
    out.push_str("<h2>Windows</h2>\n");
    let row = |window: &WindowLine| {
        let class = verdict(window).trim_start_matches("is-");
        let cells = vec![
            format!("<b>{}</b>", escape(&window.name)),
            clock.long(window.opens),
            clock.long(window.closes),
            window.latest_rollback.map_or(String::new(), |at| clock.long(at)),
            format!("<b class=\"{class}\">{}</b>", window_fit(window)),
        ];
        ("", cells)
    };
    let columns = [("window", ""), ("opens", "t"), ("closes", "t"), ("latest rollback", "t late"), ("what happens in it", "")];
    table(out, &columns, preview.windows.iter().map(row));
}

fn stops(out: &mut String, preview: &Preview) {
    if preview.stuck.is_empty() {
        return;
    }
    out.push_str("<h2 class=\"bad\">Where it stops</h2>\n<ul>\n");
    // What stops ten services is one thing to mend.
    let mut reasons: Vec<(&str, Vec<String>)> = Vec::new();
    for stuck in &preview.stuck {
        let step = format!("<code>{}</code>", escape(&stuck.step));
        match reasons.iter_mut().find(|(reason, _)| *reason == stuck.reason) {
            Some((_, steps)) => steps.push(step),
            None => reasons.push((&stuck.reason, vec![step])),
        }
    }
    for (reason, steps) in reasons {
        let _ = writeln!(out, "<li>{}: {}</li>", steps.join(", "), escape(reason));
    }
    out.push_str("</ul>\n");
}

/// A text with what stands in backticks set as code.
fn prose(text: &str) -> String {
    let parts: Vec<String> = text.split('`').map(escape).collect();
    if parts.len().is_multiple_of(2) {
        return escape(text);
    }
    let set = |(place, part): (usize, String)| if place % 2 == 1 { format!("<code>{part}</code>") } else { part };
    parts.into_iter().enumerate().map(set).collect()
}

/// A table: its columns with a class each, its rows of cells that are markup already. A column without any cell is left out.
fn table(out: &mut String, columns: &[(&str, &str)], rows: impl Iterator<Item = (&'static str, Vec<String>)>) {
    let rows: Vec<(&str, Vec<String>)> = rows.collect();
    let filled = |place: usize| rows.iter().any(|(_, cells)| cells.get(place).is_some_and(|cell| !cell.is_empty()));
    let filled: Vec<bool> = (0..columns.len()).map(filled).collect();
    out.push_str("<table class=\"cards\">\n<thead><tr>");
    for ((name, class), _) in columns.iter().zip(&filled).filter(|(_, filled)| **filled) {
        let _ = write!(out, "<th scope=\"col\" class=\"{class}\">{name}</th>");
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for (class, cells) in rows {
        let _ = write!(out, "<tr class=\"{class}\">");
        for (((name, class), cell), _) in columns.iter().zip(cells).zip(&filled).filter(|(_, filled)| **filled) {
            let said = if class.is_empty() { String::new() } else { format!(" data-is=\"{name}\"") };
            let _ = write!(out, "<td class=\"{class}\"{said}>{cell}</td>");
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody>\n</table>\n");
}

/// When somebody has to be there, and what cannot be taken back.
fn people(out: &mut String, preview: &Preview, clock: &Clock) {
    let calls = calls(preview, |step| step.approval.is_some() || step.by.is_some() || step.point_of_no_return.is_some());
    if calls.is_empty() {
        return;
    }
    out.push_str("<h2>When people are needed, and what cannot be taken back</h2>\n");
    let row = |call: &Call<'_>| {
        let (step, mut what) = (call.first, Vec::new());
        if let Some((who, asks)) = call.asked() {
            what.push(format!("<b class=\"yes\">approval by {}</b> {}", escape(&who), prose(&asks)));
        }
        if let Some(by) = &step.by {
            what.push(format!("<b>by hand, {}</b> {}", escape(&by.owner), prose(&by.instructions)));
        }
        if let Some(why) = &step.point_of_no_return {
            what.push(format!("<b class=\"bad\">no way back from here</b> {}", prose(&call.said(why))));
        }
        what.extend(call.names().map(|names| format!("<span class=\"soft\">{}</span>", escape(&names))));
        let utc = step.start.strftime("%a %d %b %H:%M:%S").to_string();
        ("", vec![clock.long(step.start), utc, format!("<code>{}</code>", escape(&call.name())), what.join("<br>")])
    };
    let columns = [("when", "t"), ("UTC", "t"), ("step", ""), ("what", "")];
    table(out, &columns, calls.iter().map(row));
}

/// What going back means for each service; those next to each other of which the same is true share a line.
fn way_back(out: &mut String, preview: &Preview) {
    out.push_str("<h2>If a service goes back</h2>\n");
    out.push_str(
        "<p class=\"soft\">How long it takes to take it back, with all that goes with it, and how soon after the first ",
    );
    out.push_str("bad answer that begins.</p>\n");
    let columns = [
        ("service", ""),
        ("takes", "n"),
        ("noticed in", "n"),
        ("requests at risk", "n"),
        ("goes with it", "w"),
        ("no way back from", "w"),
    ];
    let told = |service: &ServiceLine| {
        let others = match service.blast_radius.as_slice() {
            some if some.len() <= 12 => some.join(", "),
            many => format!("{} and {} others", many.get(..10).unwrap_or(many).join(", "), many.len() - 10),
        };
        [
            length(service.undo_ms),
            service.detection_ms.map_or_else(|| "never".to_owned(), length),
            service.requests_at_risk.map_or(String::new(), |number| number.to_string()),
            escape(&others),
            own_last_step(service)
                .or(service.point_of_no_return.as_deref())
                .map_or(String::new(), |step| format!("<code>{}</code>", escape(step))),
        ]
    };
    let lines: Vec<(&str, [String; 5])> = preview.services.iter().map(|service| (service.name.as_str(), told(service))).collect();
    let row = |same: &[(&str, [String; 5])]| {
        let names: Vec<String> = same.iter().map(|(name, _)| format!("<b>{}</b>", escape(name))).collect();
        let names = match names.as_slice() {
            [first, .., last] if names.len() > SAME => format!("{first} to {last} ({})", names.len()),
            few => few.join(", "),
        };
        ("", [names].into_iter().chain(same.first().into_iter().flat_map(|(_, told)| told.clone())).collect())
    };
    table(out, &columns, lines.chunk_by(|one, next| one.1 == next.1).map(row));
}

fn paths(out: &mut String, preview: &Preview) {
    out.push_str("<h2>Critical path</h2>\n");
    if preview.critical_path.starts_with(&preview.target_path) {
        path(out, "A delay of one of these delays the end.", &preview.critical_path);
    } else {
        path(out, "A delay of one of these delays the moment at which all traffic is on target.", &preview.target_path);
        path(out, "A delay of one of these delays the end.", &preview.critical_path);
    }
}

/// A path, what it does at one service in a line.
fn path(out: &mut String, what: &str, steps: &[String]) {
    let _ = write!(out, "<p class=\"soft\">{what}</p>\n<ol class=\"path\">\n");
    let parts: Vec<(&str, &str)> = steps.iter().map(|step| step.split_once('/').unwrap_or(("", step))).collect();
    for own in parts.chunk_by(|(one, _), (next, _)| one == next) {
        let owner = own.first().map_or("", |(owner, _)| owner);
        let names: Vec<String> = own.iter().map(|(_, name)| format!("<code>{}</code>", escape(name))).collect();
        let _ = writeln!(out, "<li><b>{}</b> {}</li>", escape(owner), names.join(" \u{203a} "));
    }
    out.push_str("</ol>\n");
}

/// Every step, the days folded.
fn every_step(out: &mut String, preview: &Preview, clock: &Clock) {
    out.push_str("<h2>Every step</h2>\n");
    out.push_str("<p class=\"soft critical\">Steps with this edge are on a critical path.</p>\n");
    let columns = [
        ("begins", "t"),
        ("UTC", "t"),
        ("takes", "n"),
        ("step", ""),
        ("what", ""),
        ("latest rollback", "t late"),
        ("requests at risk", "n"),
    ];
    for day in preview.steps.chunk_by(|one, next| clock.day(one.start) == clock.day(next.start)) {
        let Some(first) = day.first() else { continue };
        let _ = writeln!(out, "<details><summary>{}: {}</summary>", clock.day(first.start), count(day.len(), "step"));
        let row = |step: &StepLine| (if step.critical { "critical" } else { "" }, cells(step, clock));
        table(out, &columns, day.iter().map(row));
        out.push_str("</details>\n");
    }
}

fn cells(step: &StepLine, clock: &Clock) -> Vec<String> {
    let mut what = escape(&step.action);
    if !step.gates.is_empty() && matches!(step.kind, Kind::Shift | Kind::Begin | Kind::Task | Kind::Confirm) {
        let _ = write!(what, " <span class=\"soft\">gates {}</span>", escape(&step.gates.join(", ")));
    }
    if let Some(why) = &step.waited_for {
        let _ = write!(what, " <span class=\"soft\">waited for {}</span>", escape(why));
    }
    if step.point_of_no_return.is_some() {
        what.push_str(" <b class=\"bad\">no way back from here</b>");
    }
    vec![
        clock.second(step.start),
        step.start.strftime("%H:%M:%S").to_string(),
        takes(step),
        format!("<code>{}</code>", escape(&step.id)),
        what,
        step.latest_rollback.map_or(String::new(), |at| clock.long(at)),
        step.requests_at_risk.map_or(String::new(), |number| number.to_string()),
    ]
}

fn words(out: &mut String) {
    out.push_str("<h2>Words</h2>\n<dl class=\"words\">\n");
    for (word, meaning) in WORDS {
        let _ = writeln!(out, "<dt>{word}</dt><dd>{meaning}</dd>");
    }
    out.push_str("</dl>\n");
}

fn findings(out: &mut String, preview: &Preview) {
    if preview.findings.is_empty() {
        return;
    }
    out.push_str("<h2>What <code>gapless check</code> says of the plan</h2>\n<ul>\n");
    for finding in &preview.findings {
        let _ = writeln!(out, "<li><code>{}</code>: {}</li>", finding.code.name(), escape(&finding.message));
    }
    out.push_str("</ul>\n");
}
