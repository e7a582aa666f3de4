//! Moments as people write them, on the clock of the plan's zone, and what they are in UTC.
//!
//! *Guarantees*: a moment that the zone's clock skips or shows twice is told apart from all others, never guessed. The zone data
//! is compiled in, so the same plan means the same on every machine of one version. *Caveats*: governments change their
//! clocks; a plan that is checked by a version with newer zone data may get another digest, which is right: it means
//! another moment.

use std::{fmt, str::FromStr, sync::LazyLock};

use jiff::{
    Timestamp,
    civil::DateTime,
    tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase},
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::names::BadValue;

/// The zone of a plan that names none.
pub const UTC: &str = "UTC";
pub(crate) const MOMENT_PATTERN: &str = "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?$";

/// A moment on a wall clock: `2026-08-28T20:00`, with seconds if need be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(DateTime);

impl Moment {
    /// What the wall clock shows.
    pub fn get(self) -> DateTime {
        self.0
    }
    /// What the clock of `zone` shows at `at`, in whole seconds.
    pub fn at(at: Timestamp, zone: &Zone) -> Self {
        let shown = zone.0.to_datetime(at);
        Self(shown.with().subsec_nanosecond(0).build().unwrap_or(shown))
    }
}
impl FromStr for Moment {
    type Err = BadValue;
    fn from_str(text: &str) -> Result<Self, BadValue> {
        let bad = || {
            BadValue(format!(
                "`{text}` is not a moment: write the date and the time on the clock of `timeZone`, such as 2026-08-28T20:00"
            ))
        };
        let digits = |range: std::ops::Range<usize>| text.get(range).is_some_and(|t| t.bytes().all(|b| b.is_ascii_digit()));
        let mark = |at: usize, byte: u8| text.as_bytes().get(at) == Some(&byte);
        let date = digits(0..4) && mark(4, b'-') && digits(5..7) && mark(7, b'-') && digits(8..10);
        let time = mark(10, b'T') && digits(11..13) && mark(13, b':') && digits(14..16);
        let seconds = text.len() == 16 || (text.len() == 19 && mark(16, b':') && digits(17..19));
        // jiff would take second 60 for 59; nobody's window opens in a leap second.
        if !(date && time && seconds) || text.get(17..19) == Some("60") {
            return Err(bad());
        }
        text.parse::<DateTime>().map(Self).map_err(|_| bad())
    }
}
impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let t = self.0;
        write!(f, "{:04}-{:02}-{:02}T{:02}:{:02}", t.year(), t.month(), t.day(), t.hour(), t.minute())?;
        if t.second() == 0 { Ok(()) } else { write!(f, ":{:02}", t.second()) }
    }
}
impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(D::Error::custom)
    }
}
impl JsonSchema for Moment {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Moment".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": MOMENT_PATTERN, "maxLength": 19 })
    }
}

/// A zone of the IANA time zone database, or UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

impl Zone {
    /// Its rules, for whoever shows moments on its clock.
    pub fn rules(&self) -> &TimeZone {
        &self.0
    }
    /// Coordinated universal time.
    pub const fn utc() -> Self {
        Self(TimeZone::UTC)
    }
    /// The zone of this name; `None` if there is none. Letters may be of either case.
    pub fn named(name: &str) -> Option<Self> {
        if name.eq_ignore_ascii_case(UTC) {
            return Some(Self::utc());
        }
        ZONES.get(name).ok().map(Self)
    }
    /// The names of all zones.
    pub fn names() -> Vec<String> {
        ZONES.available().map(|name| name.as_str().to_owned()).chain([UTC.to_owned()]).collect()
    }
    /// The name as the database writes it.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or(UTC)
    }
    /// What `moment` is in UTC.
    pub fn resolve(&self, moment: Moment) -> Result<Timestamp, NoMoment> {
        let ambiguous = self.0.to_ambiguous_timestamp(moment.0);
        match ambiguous.offset() {
            AmbiguousOffset::Unambiguous { .. } => ambiguous.unambiguous().map_err(|_| NoMoment::OutOfRange),
            AmbiguousOffset::Gap { before, after } => {
                let skipped = i64::from(after.seconds()) - i64::from(before.seconds());
                Err(NoMoment::Skipped { seconds: skipped })
            }
            AmbiguousOffset::Fold { .. } => {
                let first = self.0.to_ambiguous_timestamp(moment.0).earlier().map_err(|_| NoMoment::OutOfRange)?;
                let second = self.0.to_ambiguous_timestamp(moment.0).later().map_err(|_| NoMoment::OutOfRange)?;
                Err(NoMoment::Twice { first, second })
            }
        }
    }
}
impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a wall clock does not say which moment is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoMoment {
    /// The clock skips it: it goes forward by so many seconds.
    Skipped {
        /// How far the clock goes forward.
        seconds: i64,
    },
    /// The clock shows it twice.
    Twice {
        /// For the first time.
        first: Timestamp,
        /// For the second time.
        second: Timestamp,
    },
    /// It is before the year -9999 or after 9999 in UTC.
    OutOfRange,
}
impl fmt::Display for NoMoment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Skipped { seconds } => write!(f, "the clock goes forward by {} minutes and skips it", seconds / 60),
            Self::Twice { first, second } => write!(f, "the clock goes back and shows it twice, at {first} and at {second}"),
            Self::OutOfRange => f.write_str("it is out of the range of years that can be counted"),
        }
    }
}
impl std::error::Error for NoMoment {}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(zone: &str, moment: &str) -> Result<String, NoMoment> {
        Zone::named(zone).unwrap().resolve(moment.parse().unwrap()).map(|at| at.to_string())
    }

    #[test]
    fn moments_are_read_and_written_as_people_write_them() {
        for text in ["2026-08-28T20:00", "2026-08-28T20:00:07", "2024-02-29T00:00"] {
            assert_eq!(text.parse::<Moment>().unwrap().to_string(), text);
        }
        assert_eq!("2026-08-28T20:00:00".parse::<Moment>().unwrap().to_string(), "2026-08-28T20:00");
        for text in [
            "",
            "2026-08-28",
            "2026-08-28 20:00",
            "2026-08-28T20:00Z",
            "2026-02-29T00:00",
            "2026-08-28T24:00",
            "2026-08-28T20:00:60",
        ] {
            assert!(text.parse::<Moment>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_zone_has_its_own_moments() {
        assert_eq!(resolve("Europe/London", "2026-08-28T20:00").unwrap(), "2026-08-28T19:00:00Z");
        assert_eq!(resolve("Europe/London", "2026-12-18T17:00").unwrap(), "2026-12-18T17:00:00Z");
        assert_eq!(resolve("UTC", "2026-08-28T20:00").unwrap(), "2026-08-28T20:00:00Z");
        // Clocks in Britain go forward on 29 March 2026 at 01:00 and back on 25 October 2026 at 02:00.
        assert_eq!(resolve("Europe/London", "2026-03-29T01:30"), Err(NoMoment::Skipped { seconds: 3600 }));
        assert!(matches!(resolve("Europe/London", "2026-10-25T01:30"), Err(NoMoment::Twice { .. })));
        assert_eq!(resolve("Europe/London", "2026-10-25T02:00").unwrap(), "2026-10-25T02:00:00Z");
        // Half an hour, on Lord Howe Island.
        assert_eq!(resolve("Australia/Lord_Howe", "2026-10-04T02:15"), Err(NoMoment::Skipped { seconds: 1800 }));
        assert_eq!(Zone::named("Europe/Londn"), None);
        assert_eq!(Zone::named("europe/london").unwrap().name(), "Europe/London");
        assert!(Zone::names().len() > 400);
    }

    #[test]
    fn what_a_clock_shows_leads_back() {
        let london = Zone::named("Europe/London").unwrap();
        let at: Timestamp = "2026-08-28T19:00:00Z".parse().unwrap();
        assert_eq!(Moment::at(at, &london).to_string(), "2026-08-28T20:00");
        assert_eq!(london.resolve(Moment::at(at, &london)), Ok(at));
    }
}
