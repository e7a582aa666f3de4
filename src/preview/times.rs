//! Moments as people of the plan's zone read them.

use jiff::{
    SignedDuration, Timestamp,
    civil::{DateTime, Time},
    tz::{Offset, TimeZone},
};

use crate::plan::{Plan, moment::Zone};

/// The clock of a plan's people.
#[derive(Debug, Clone)]
pub struct Clock(TimeZone);

impl Clock {
    /// The zone of this plan; UTC if it names none that is known.
    pub fn of(plan: &Plan) -> Self {
        Self::named(plan.time_zone.as_deref())
    }
    /// The zone of this name; UTC if there is none.
    pub fn named(zone: Option<&str>) -> Self {
        Self(zone.and_then(Zone::named).map_or(TimeZone::UTC, |zone| zone.rules().clone()))
    }
    /// Whether it is that of UTC: then nothing has to be said twice.
    pub fn is_utc(&self) -> bool {
        self.0 == TimeZone::UTC
    }
    /// What the clock shows, and by how much it is ahead of UTC. Texts are made of it by hand: every step has several, and a
    /// pattern is read anew for each.
    fn shown(&self, at: Timestamp) -> (DateTime, Offset) {
        let offset = self.0.to_offset(at);
        (offset.to_datetime(at), offset)
    }
    /// `2026-08-28T21:00:00+01:00`.
    pub fn rfc3339(&self, at: Timestamp) -> String {
        let (t, offset) = self.shown(at);
        let minutes = offset.seconds().abs() / 60;
        let mut text = String::with_capacity(25);
        for (before, number) in [
            ("", i32::from(t.year()) / 100),
            ("", i32::from(t.year()) % 100),
            ("-", t.month().into()),
            ("-", t.day().into()),
            ("T", t.hour().into()),
            (":", t.minute().into()),
            (":", t.second().into()),
            (if offset.is_negative() { "-" } else { "+" }, minutes / 60),
            (":", minutes % 60),
        ] {
            text.push_str(before);
            two_digits(&mut text, number);
        }
        text
    }
    /// `Fri 28 Aug 21:00:10`.
    pub fn long(&self, at: Timestamp) -> String {
        format!("{} {}", self.day(at), self.second(at))
    }
    /// `Fri 28 Aug 2026 21:00:10`: plans go on into the next year.
    pub fn dated(&self, at: Timestamp) -> String {
        at.to_zoned(self.0.clone()).strftime("%a %d %b %Y %H:%M:%S").to_string()
    }
    /// `Fri 28 Aug 21:00 BST`.
    pub fn to_the_minute(&self, at: Timestamp) -> String {
        at.to_zoned(self.0.clone()).strftime("%a %-d %b %H:%M %Z").to_string()
    }
    /// `Fri 28 Aug`.
    pub fn day(&self, at: Timestamp) -> String {
        const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
        const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let (t, _) = self.shown(at);
        let name = |names: &[&'static str], at: i8| usize::try_from(at).ok().and_then(|at| names.get(at).copied()).unwrap_or("");
        let (day, month) = (name(&DAYS, t.weekday().to_monday_zero_offset()), name(&MONTHS, t.month() - 1));
        format!("{day} {:02} {month}", t.day())
    }
    /// `21:00`.
    pub fn minute(&self, at: Timestamp) -> String {
        let (t, _) = self.shown(at);
        format!("{:02}:{:02}", t.hour(), t.minute())
    }
    /// `21:00:10`.
    pub fn second(&self, at: Timestamp) -> String {
        let (t, _) = self.shown(at);
        format!("{:02}:{:02}:{:02}", t.hour(), t.minute(), t.second())
    }
    /// `BST` at this moment.
    pub fn abbreviation(&self, at: Timestamp) -> String {
        at.to_zoned(self.0.clone()).strftime("%Z").to_string()
    }
    /// `28 Aug`.
    pub fn date(&self, at: Timestamp) -> String {
        at.to_zoned(self.0.clone()).strftime("%d %b").to_string()
    }
    /// The moments inside `from..until` that are so many minutes apart on this clock, counted from the local midnight before
    /// `from`. Where the clock jumps, those that it leaves out are left out. At most 400.
    pub fn ticks(&self, from: Timestamp, until: Timestamp, minutes: i64) -> Vec<Timestamp> {
        let midnight = from.to_zoned(self.0.clone()).date().to_datetime(Time::midnight());
        let mut ticks: Vec<Timestamp> = Vec::new();
        let mut count = 0;
        while ticks.len() < 400 {
            let local = midnight.checked_add(SignedDuration::from_mins(minutes.max(1).saturating_mul(count)));
            let Some(at) = local.ok().and_then(|local| local.to_zoned(self.0.clone()).ok()) else { break };
            let at = at.timestamp();
            if at >= until {
                break;
            }
            if at >= from && ticks.last().is_none_or(|last| *last < at) {
                ticks.push(at);
            }
            count += 1;
        }
        ticks
    }
}

/// The last two digits of a number that is not negative.
fn two_digits(text: &mut String, number: i32) {
    for digit in [number / 10 % 10, number % 10] {
        text.push(u32::try_from(digit).ok().and_then(|digit| char::from_digit(digit, 10)).unwrap_or('0'));
    }
}

/// The time between two moments in milliseconds, never negative.
pub fn millis(from: Timestamp, until: Timestamp) -> u64 {
    u64::try_from(until.as_millisecond().saturating_sub(from.as_millisecond())).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_those_of_the_patterns() {
        for zone in ["Europe/London", "America/St_Johns", "Pacific/Auckland", "UTC"] {
            let clock = Clock::named(Some(zone));
            for second in (0..400).map(|day| 1_785_000_000 + day * 86_461) {
                let at = Timestamp::from_second(second).unwrap();
                let by = |pattern: &str| at.to_zoned(clock.0.clone()).strftime(pattern).to_string();
                assert_eq!(clock.rfc3339(at), by("%Y-%m-%dT%H:%M:%S%:z"));
                assert_eq!(clock.long(at), by("%a %d %b %H:%M:%S"));
                assert_eq!(clock.minute(at), by("%H:%M"));
            }
        }
    }

    #[test]
    fn ticks_stand_on_the_local_clock_on_both_sides_of_a_change_of_it() {
        let clock = Clock::named(Some("Europe/London"));
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let ticks = clock.ticks(at("2026-10-24T22:30:00Z"), at("2026-10-25T13:00:00Z"), 360);
        let shown: Vec<String> = ticks.iter().map(|tick| clock.rfc3339(*tick)).collect();
        let wanted = ["2026-10-25T00:00:00+01:00", "2026-10-25T06:00:00+00:00", "2026-10-25T12:00:00+00:00"];
        assert_eq!(shown, wanted);
    }
}
