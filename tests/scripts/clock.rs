//! Wall clocks: how people write a moment or a length, and how a story shows them.

use jiff::{Timestamp, civil, tz::TimeZone};

/// A length as a plan writes it, or several of them after each other: `90s`, `10m`, `2h`, `3d`, `1d 2h`. In milliseconds.
pub fn length(text: &str) -> Option<i64> {
    let mut all = 0;
    for part in text.split_whitespace() {
        let at = part.find(|c: char| !c.is_ascii_digit())?;
        let (number, unit) = part.split_at(at);
        let unit = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return None,
        };
        all += number.parse::<i64>().ok()? * unit;
    }
    (!text.trim().is_empty()).then_some(all)
}

/// The zone of a plan.
pub fn zone(name: Option<&str>) -> TimeZone {
    let zones = jiff::tz::TimeZoneDatabase::bundled();
    name.map_or(TimeZone::UTC, |name| zones.get(name).unwrap())
}

/// `2026-08-28 19:00` by the wall clock; on the night when a clock goes back the earlier one, unless it says `GMT`.
pub fn moment(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let text = text.trim();
    let (text, later) = text.strip_suffix(" again").map_or((text, false), |text| (text, true));
    let at: civil::DateTime = text.replace(' ', "T").parse().ok()?;
    let at = zone.to_ambiguous_timestamp(at);
    if later { at.later().ok() } else { at.earlier().ok() }
}

/// The next time at which a clock on the wall shows `HH:MM`, after `from`.
pub fn next(text: &str, zone: &TimeZone, from: Timestamp) -> Option<Timestamp> {
    let time: civil::Time = text.trim().parse().ok()?;
    let day = from.to_zoned(zone.clone()).date();
    let days = [day, day.tomorrow().ok()?];
    days.into_iter().filter_map(|day| zone.to_ambiguous_timestamp(day.to_datetime(time)).earlier().ok()).find(|at| *at > from)
}

/// `Fri 28 Aug 2026 (BST)`.
pub fn day(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%a %-d %b %Y, %Z").to_string()
}

/// `20:00:05`.
pub fn time(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%H:%M:%S").to_string()
}

/// All moments of a sentence by the wall clock: without their day where that is the day of `now`.
pub fn sentence(text: &str, zone: &TimeZone, now: Timestamp) -> String {
    let mut told = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, from) = rest.split_at(at);
        told.push_str(before);
        let found = from.get(..20).and_then(|text| text.parse::<Timestamp>().ok());
        match found {
            Some(moment) => {
                let (moment, today) = (moment.to_zoned(zone.clone()), now.to_zoned(zone.clone()).date());
                let seconds = if moment.second() == 0 { "" } else { ":%S" };
                let day = if moment.date() == today { "" } else { "%a %-d %b " };
                told.push_str(&moment.strftime(&format!("{day}%H:%M{seconds}")).to_string());
                rest = &from[20..];
            }
            None => {
                let end = from.find(|c: char| !c.is_ascii_digit()).unwrap_or(from.len());
                told.push_str(&from[..end]);
                rest = &from[end..];
            }
        }
    }
    told + rest
}

/// `3 h 20 min`.
pub fn pause(ms: i64) -> String {
    let (days, hours, minutes) = (ms / 86_400_000, ms / 3_600_000 % 24, ms / 60_000 % 60);
    let part = |n: i64, unit: &str| (n > 0).then(|| format!("{n} {unit}"));
    let parts = [part(days, "d"), part(hours, "h"), part(minutes, "min").filter(|_| days == 0)];
    let text = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
    if text.is_empty() { format!("{} s", ms / 1000) } else { text }
}
