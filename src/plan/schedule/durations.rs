//! How long pieces of work took where somebody measured, as in a rehearsal: it replaces what the plan expects.

use std::{collections::BTreeMap, sync::Arc};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::work::Work;
use crate::plan::names::Span;

/// Measured durations as 95th percentiles, each under the name of its work: `pds/effective`, `pds/reindex/undo`, `bridge
/// peering/up` (see [`Work`]). Cheap to clone. A name that the plan does not have says nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(from = "BTreeMap<String, Span>", into = "BTreeMap<String, Span>")]
#[schemars(with = "BTreeMap<String, Span>")]
pub struct Durations(Arc<BTreeMap<String, Span>>);

impl Durations {
    /// Whether nothing was measured.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// How long this takes; `None` if nobody measured.
    pub fn of(&self, work: Work<'_>) -> Option<Span> {
        if self.is_empty() { None } else { self.0.get(&work.to_string()).copied() }
    }
}

impl From<BTreeMap<String, Span>> for Durations {
    fn from(known: BTreeMap<String, Span>) -> Self {
        Self(Arc::new(known))
    }
}
impl From<Durations> for BTreeMap<String, Span> {
    fn from(durations: Durations) -> Self {
        Arc::unwrap_or_clone(durations.0)
    }
}
impl<'w> FromIterator<(Work<'w>, Span)> for Durations {
    fn from_iter<I: IntoIterator<Item = (Work<'w>, Span)>>(known: I) -> Self {
        known.into_iter().map(|(work, span)| (work.to_string(), span)).collect::<BTreeMap<_, _>>().into()
    }
}
