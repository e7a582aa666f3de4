//! Moments in a record: whole milliseconds since 1970, in UTC, as a number. What a run has once (when it started, a latch, its end)
//! is written as text all the same; there are thousands of the others. `date -d @1787947213.001` shows one.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// The moment without what is shorter than a millisecond. What a decision records is rounded so, down and never up: a moment
/// that lies ahead would be taken for that of another clock.
pub fn whole(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}

/// A moment as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Millis(pub Timestamp);

impl Serialize for Millis {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.0.as_millisecond())
    }
}
impl<'de> Deserialize<'de> for Millis {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let millis = i64::deserialize(deserializer)?;
        Timestamp::from_millisecond(millis).map(Self).map_err(|_| D::Error::custom(format!("{millis} is no moment")))
    }
}

/// For `#[serde(with = "millis")]`.
///
/// # Errors
/// The serialiser's own.
pub fn serialize<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    Millis(*at).serialize(serializer)
}

/// For `#[serde(with = "millis")]`.
///
/// # Errors
/// It is no moment.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    Ok(Millis::deserialize(deserializer)?.0)
}

/// The same for a moment that may be missing.
pub mod option {
    use super::{Deserialize as _, Deserializer, Millis, Serialize as _, Serializer, Timestamp};

    /// For `#[serde(with = "millis::option")]`.
    ///
    /// # Errors
    /// The serialiser's own.
    #[allow(clippy::ref_option, reason = "serde wants a reference")]
    pub fn serialize<S: Serializer>(at: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
        at.map(Millis).serialize(serializer)
    }

    /// For `#[serde(with = "millis::option")]`.
    ///
    /// # Errors
    /// It is no moment.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
        Ok(Option::<Millis>::deserialize(deserializer)?.map(|at| at.0))
    }
}

/// The same for the moments of a map.
pub mod map {
    use std::collections::BTreeMap;

    use super::{Deserialize, Deserializer, Millis, Serialize, Serializer, Timestamp};

    /// For `#[serde(with = "millis::map")]`.
    ///
    /// # Errors
    /// The serialiser's own.
    pub fn serialize<K: Serialize, S: Serializer>(map: &BTreeMap<K, Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(map.iter().map(|(key, at)| (key, Millis(*at))))
    }

    /// For `#[serde(with = "millis::map")]`.
    ///
    /// # Errors
    /// A value is no moment.
    pub fn deserialize<'de, K, D>(deserializer: D) -> Result<BTreeMap<K, Timestamp>, D::Error>
    where
        K: Deserialize<'de> + Ord,
        D: Deserializer<'de>,
    {
        let map = BTreeMap::<K, Millis>::deserialize(deserializer)?;
        Ok(map.into_iter().map(|(key, at)| (key, at.0)).collect())
    }
}
