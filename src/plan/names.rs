//! Names and small values of a plan, each a type that cannot hold a bad one.
//!
//! Every type here is written and read as the plain string or number that people write in YAML, and carries the JSON
//! schema that the CRD and the editor see, so that file, API object and program refuse the same values.

use std::{borrow::Borrow, fmt, str::FromStr, time::Duration};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::label::Label;

/// Why a text is not a value of the type it was meant to be. Complete sentences, shown to people as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadValue(pub String);

impl fmt::Display for BadValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl std::error::Error for BadValue {}

/// The longest name: a DNS label, RFC 1123 section 2.1, as Kubernetes uses it for object names that become hosts.
pub const LABEL_MAX: usize = 63;
pub(crate) const LABEL_PATTERN: &str = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$";

fn label(kind: &str, text: &str) -> Result<Label, BadValue> {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let edge = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let bytes = text.as_bytes();
    if bytes.len() <= LABEL_MAX && edge(bytes.first()) && edge(bytes.last()) && bytes.iter().copied().all(inner) {
        return Ok(text.into());
    }
    Err(BadValue(format!(
        "`{text}` is not a {kind} name: 1 to {LABEL_MAX} lower-case letters, digits and '-', beginning and ending with a letter or digit"
    )))
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(Label);

        impl $type {
            /// The name as people write it.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }
        impl FromStr for $type {
            type Err = BadValue;
            fn from_str(text: &str) -> Result<Self, BadValue> {
                label($kind, text).map(Self)
            }
        }
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(self.as_str(), f)
            }
        }
        impl Borrow<str> for $type {
            fn borrow(&self) -> &str {
                self.as_str()
            }
        }
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(self.as_str())
            }
        }
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                String::deserialize(d)?.parse().map_err(D::Error::custom)
            }
        }
        impl JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }
            fn inline_schema() -> bool {
                true
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "pattern": LABEL_PATTERN, "maxLength": LABEL_MAX })
            }
        }
    };
}

name!(
    /// A plan's name: the object's name in Kubernetes.
    PlanName, "plan");
name!(
    /// A service's name, unique in its plan.
    ServiceName, "service");
name!(
    /// A phase's name, unique in its plan.
    PhaseName, "phase");
name!(
    /// A gate's name, unique in its service.
    GateName, "gate");
name!(
    /// A probe's name, unique in its service.
    ProbeName, "probe");
name!(
    /// An outside system's name, unique in its plan.
    ConnectionName, "connection");
name!(
    /// A window's name, unique in its plan.
    WindowName, "window");
name!(
    /// A freeze's name, unique in its plan.
    FreezeName, "freeze");
name!(
    /// A role's name, unique in its plan.
    RoleName, "role");
name!(
    /// A legacy system's name, unique in its plan.
    SystemName, "legacy system");
name!(
    /// A bridge's name, unique in its plan.
    BridgeName, "bridge");
name!(
    /// A group's name, unique in its plan.
    GroupName, "group");
name!(
    /// A task's name, unique in its service or phase.
    TaskName, "task");

impl TaskName {
    /// The name of a task that is part of a step's own mechanism. What no name may hold is replaced, and the end of a long one
    /// is cut off.
    pub fn built_in(text: &str) -> Self {
        if let Ok(name) = label("task", text) {
            return Self(name);
        }
        let clean = |c: char| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' };
        let name: String = text.to_ascii_lowercase().chars().map(clean).take(LABEL_MAX).collect();
        Self(Label::from(name.trim_matches('-')))
    }
}

/// The share of a service's traffic that its target carries, in whole percent: 0 to 100. The legacy side has the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Weight(u8);

impl Weight {
    /// All traffic on legacy.
    pub const ZERO: Self = Self(0);
    /// All traffic on target.
    pub const FULL: Self = Self(100);

    /// A weight, if `percent` is at most 100.
    pub fn new(percent: u64) -> Result<Self, BadValue> {
        match u8::try_from(percent) {
            Ok(p) if p <= 100 => Ok(Self(p)),
            _ => Err(BadValue(format!("{percent} is not a weight: whole percentages from 0 to 100"))),
        }
    }
    /// The target's share in percent.
    pub fn percent(self) -> u8 {
        self.0
    }
    /// The share in percent that `side` has at this weight.
    pub fn of(self, side: Side) -> u8 {
        match side {
            Side::Target => self.0,
            Side::Legacy => 100 - self.0,
        }
    }
}
impl fmt::Display for Weight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", self.0)
    }
}
impl<'de> Deserialize<'de> for Weight {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Self::new(u64::deserialize(d)?).map_err(D::Error::custom)
    }
}
impl JsonSchema for Weight {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Weight".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 0, "maximum": 100 })
    }
}

/// One of the two places where a service can run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Side {
    /// Where the service runs before it moves.
    Legacy,
    /// Where it is to run.
    Target,
}
impl Side {
    /// Both sides, legacy first.
    pub const BOTH: [Self; 2] = [Self::Legacy, Self::Target];
}
impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Legacy => "legacy",
            Self::Target => "target",
        })
    }
}

/// A length of time as people write it: `800ms`, `90s`, `10m`, `2h`, `45d`, or several in a row (`1h30m`). A day is 24 h.
/// Resolution one millisecond, at most ten years.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(Duration);

pub(crate) const SPAN_PATTERN: &str = "^([0-9]+(ms|s|m|h|d))+$";
const SPAN_MAX_MS: u64 = 3_660 * 86_400_000;
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(Duration::ZERO);

    /// So many milliseconds.
    pub const fn from_millis(ms: u64) -> Self {
        Self(Duration::from_millis(ms))
    }
    /// So many seconds.
    pub const fn from_secs(s: u64) -> Self {
        Self(Duration::from_secs(s))
    }
    /// The same as the standard library's type.
    pub fn get(self) -> Duration {
        self.0
    }
    /// The two one after the other; longer than any can be written at most.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
    /// So many of it one after the other.
    #[must_use]
    pub fn times(self, count: u32) -> Self {
        Self(self.0.saturating_mul(count))
    }
    /// What remains of it when `other` is over; nothing if `other` is longer.
    #[must_use]
    pub fn less(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
    /// The same for arithmetic with moments; the bound of ten years keeps it in range.
    pub fn signed(self) -> jiff::SignedDuration {
        jiff::SignedDuration::from_millis(i64::try_from(self.0.as_millis()).unwrap_or(i64::MAX))
    }
}
impl std::iter::Sum for Span {
    fn sum<I: Iterator<Item = Self>>(spans: I) -> Self {
        spans.fold(Self::ZERO, Self::plus)
    }
}
impl FromStr for Span {
    type Err = BadValue;
    fn from_str(text: &str) -> Result<Self, BadValue> {
        let bad = || {
            BadValue(format!(
                "`{text}` is not a duration: write whole numbers with ms, s, m, h or d, such as 800ms, 90s, 10m, 1h30m, 45d; at most ten years"
            ))
        };
        let (mut rest, mut total) = (text, 0u64);
        while !rest.is_empty() {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let (number, tail) = rest.split_at(digits);
            let letters = tail.bytes().take_while(u8::is_ascii_alphabetic).count();
            let (unit, tail) = tail.split_at(letters);
            let ms = UNITS.iter().find(|(u, _)| *u == unit).map(|(_, ms)| *ms).ok_or_else(bad)?;
            let part = number.parse::<u64>().ok().and_then(|n| n.checked_mul(ms)).ok_or_else(bad)?;
            total = total.checked_add(part).filter(|t| *t <= SPAN_MAX_MS).ok_or_else(bad)?;
            rest = tail;
        }
        if text.is_empty() { Err(bad()) } else { Ok(Self::from_millis(total)) }
    }
}
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut ms = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        if ms == 0 {
            return f.write_str("0s");
        }
        for (unit, size) in UNITS {
            if ms >= size {
                write!(f, "{}{unit}", ms / size)?;
                ms %= size;
            }
        }
        Ok(())
    }
}
impl Serialize for Span {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(D::Error::custom)
    }
}
impl JsonSchema for Span {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Span".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": SPAN_PATTERN, "maxLength": 32 })
    }
}

/// Requests a second, as people write it: `450/s`. Whole numbers, 1 to 100 million.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate(u32);

const RATE_MAX: u32 = 100_000_000;
pub(crate) const RATE_PATTERN: &str = "^[0-9]+/s$";

impl Rate {
    /// Requests in one second.
    pub fn per_second(self) -> u32 {
        self.0
    }
}
impl FromStr for Rate {
    type Err = BadValue;
    fn from_str(text: &str) -> Result<Self, BadValue> {
        let number = text.strip_suffix("/s").filter(|n| n.bytes().all(|b| b.is_ascii_digit()));
        match number.and_then(|n| n.parse().ok()) {
            Some(n) if (1..=RATE_MAX).contains(&n) => Ok(Self(n)),
            _ => Err(BadValue(format!(
                "`{text}` is not a rate: a whole number of requests a second such as 450/s, from 1/s to {RATE_MAX}/s"
            ))),
        }
    }
}
impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s", self.0)
    }
}
impl Serialize for Rate {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(D::Error::custom)
    }
}
impl JsonSchema for Rate {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Rate".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": RATE_PATTERN, "maxLength": 16 })
    }
}
