//! Who may say yes: roles, and what has to be approved by how many of whom.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::plan::names::{RoleName, Span};

/// A role: whoever the API server authenticated as one of these users, or as a member of one of these groups.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Role {
    /// Users, by the name that the API server knows.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub users: BTreeSet<String>,
    /// Groups.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub groups: BTreeSet<String>,
    /// Roles whose members may stand in for this one.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub deputies: BTreeSet<RoleName>,
}

/// A decision that people have to make before something happens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Approval {
    /// How many people of each role. One person counts once in one approval, for one role.
    pub all_of: BTreeMap<RoleName, u32>,
    /// For how long a yes counts until it is used.
    pub valid_for: Span,
    /// The question they answer.
    pub asks: String,
}
