//! What a run executes, and the digest by which it is known.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Index, Plan};
use crate::plan::{canonical::canonical, names::BadValue};

/// The SHA-256 of something canonical, as 64 lower-case hex digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct Digest(String);

impl Digest {
    /// The digest of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        use sha2::Digest as _;
        use std::fmt::Write as _;
        let mut text = String::with_capacity(64);
        for byte in sha2::Sha256::digest(bytes) {
            let _ = write!(text, "{byte:02x}"); // writing to a String cannot fail
        }
        Self(text)
    }
    /// All 64 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// The first twelve digits, for people.
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }
}
impl std::str::FromStr for Digest {
    type Err = BadValue;
    fn from_str(text: &str) -> Result<Self, BadValue> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() == 64 && text.bytes().all(is_digit) {
            return Ok(Self(text.to_owned()));
        }
        Err(BadValue(format!("`{text}` is no digest: 64 hexadecimal digits")))
    }
}
impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.short())
    }
}

/// What a run executes: the plan with every default filled in, and the digest over its canonical form.
#[derive(Debug, Clone, PartialEq)]
pub struct Revision {
    plan: Plan,
    digest: Digest,
}

impl Revision {
    /// The revision of a plan. The digest is taken over the plan as compact JSON with sorted keys.
    pub fn of(mut plan: Plan) -> Self {
        plan.index = Index::default(); // what was looked up while it was made may have changed
        let digest = Digest::of(canonical(&plan).as_bytes());
        Self { plan, digest }
    }
    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }
    /// Its digest: equal if and only if the plans behave the same.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }
}
