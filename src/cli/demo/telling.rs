//! The demo in words: the account at the end, for people who have never seen gapless.

use std::fmt::Write as _;

use gapless::lab::demo::{JournalState, Kind, Moment, SERVICES, Scene, Summary, Teller};
use jiff::Timestamp;

/// Requests so far, in a line.
pub fn totals(scene: &Scene<'_>) -> String {
    let requests: u64 = scene.totals.values().map(|t| t.requests).sum();
    let failed: u64 = scene.totals.values().map(|t| t.failed).sum();
    format!("{} requests, {} failed", number(requests), number(failed))
}

/// The whole account. Writing to a String cannot fail.
pub fn text(summary: &Summary) -> String {
    let mut text = verdict(summary);
    let _ = write!(text, "\n  {}\n", fill(&summary.why, 2));
    figures(&mut text, summary);
    table(&mut text, summary);
    course(&mut text, summary);
    journal(&mut text, summary);
    text
}

fn verdict(summary: &Summary) -> String {
    let faults: Vec<String> = summary.faults.iter().map(ToString::to_string).collect();
    let with = if faults.is_empty() { String::new() } else { format!(" with {}", faults.join(", ")) };
    let mut text = if summary.outcome == summary.expected {
        format!("\n{}{with}, as it should: {}.\n", summary.outcome, summary.because)
    } else {
        format!("\n{}{with}, but it should have been {}.\n", summary.outcome, summary.expected)
    };
    if summary.apart.lost > 0 {
        let _ = writeln!(text, "{} requests were lost to the move. There should be none.", number(summary.apart.lost));
    }
    fill(&text, 0)
}

fn figures(text: &mut String, summary: &Summary) {
    let _ = write!(text, "\n  requests     {}\n  failed       {}", number(summary.requests), number(summary.failed));
    if summary.failed > 0 {
        let (by, lost) = (number(summary.apart.by_fault), number(summary.apart.lost));
        let _ = write!(text, ": {by} by the side that was faulty itself, {lost} lost to the move");
    }
    let _ = write!(text, "\n  longest gap  {} ms", number(summary.longest_gap));
    if let Some(ms) = summary.detection_ms {
        let _ =
            write!(text, "\n  detection    {} ms from the first bad answer until no traffic met the fault any more", number(ms));
    }
    let l = &summary.latency;
    let _ = writeln!(
        text,
        "\n  latency      half within {:.1} ms, 99 of 100 within {:.1} ms, the slowest {:.1} ms; from when each was due",
        l.p50_ms, l.p99_ms, l.max_ms
    );
}

fn table(text: &mut String, summary: &Summary) {
    let _ = writeln!(text, "\n  {:<10} {:<8} {:>9} {:>7}", "service", "side", "requests", "failed");
    for row in &summary.services {
        let side = row.side.map_or_else(|| "unknown".to_owned(), |side| side.to_string());
        let _ = writeln!(text, "  {:<10} {:<8} {:>9} {:>7}", row.name.as_str(), side, number(row.requests), number(row.failed));
    }
}

/// The weights of each service in a line, then whatever was not the ordinary course.
fn course(text: &mut String, summary: &Summary) {
    let seconds = |at: Timestamp| at.duration_since(summary.started_at).as_secs_f64();
    let _ = writeln!(text, "\n  Share of target, and the second from when real traffic had it");
    let in_order: Vec<_> = SERVICES.iter().filter_map(|name| summary.weights.get_key_value(*name)).collect();
    for (service, weights) in in_order {
        let steps: Vec<String> = weights.iter().map(|w| format!("{} at {:.1}", w.weight, seconds(w.at))).collect();
        let steps = if steps.is_empty() { "stayed on legacy".to_owned() } else { steps.join(", ") };
        let _ = writeln!(text, "  {:<10} {steps}", service.as_str());
    }
    let notable = |m: &&Moment| m.by == Teller::Lab || m.kind != Kind::Course;
    let _ = writeln!(text, "\n  What happened, in seconds");
    for moment in summary.timeline.iter().filter(notable) {
        let _ = writeln!(text, "  {:>6.2}  {}", seconds(moment.at), fill(&moment.text, 10));
    }
}

fn journal(text: &mut String, summary: &Summary) {
    let _ = match &summary.journal_state {
        JournalState::Verified { lines } => writeln!(
            text,
            "\n  Every decision, with the facts it rested on: {}\n  {lines} lines; each follows from the one before, and the record from the last.",
            summary.journal.display()
        ),
        JournalState::Broken(why) => writeln!(text, "\n  The journal does not hold: {why}"),
    };
}

/// With thousands apart.
pub fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Breaks lines between words at 110 columns; lines after the first are indented.
fn fill(text: &str, indent: usize) -> String {
    const WIDTH: usize = 110;
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        for word in paragraph.split(' ') {
            let used = indent + line.chars().count() + 1 + word.chars().count();
            if !line.is_empty() && used > WIDTH {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    lines.join(&format!("\n{}", " ".repeat(indent)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_lines() {
        assert_eq!([0, 999, 1000, 1_234_567].map(number), ["0", "999", "1,000", "1,234,567"]);
        let filled = fill(&"word ".repeat(40), 4);
        assert!(filled.lines().count() == 2 && filled.lines().all(|l| l.len() <= 110), "{filled}");
        assert!(filled.lines().nth(1).is_some_and(|l| l.starts_with("    word")));
    }
}
