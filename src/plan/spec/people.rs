//! Who may say yes: roles and approvals.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::plan::names::{RoleName, Span};

/// A role: whoever the API server authenticated as one of these users, or as a member of one of these groups.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RoleSpec {
    /// The name that approvals and tasks refer to.
    pub name: RoleName,
    /// Users, by the name that the API server knows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(min = 1, max = 253)))]
    pub users: Vec<String>,
    /// Groups, by the name that the API server knows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(min = 1, max = 253)))]
    pub groups: Vec<String>,
    /// Roles whose members may stand in for this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub deputies: Vec<RoleName>,
}

/// A decision that people make before something happens. Nobody approves a run that they started.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-complete" = ["allOf"]))]
pub struct ApprovalSpec {
    /// How many people of which roles say yes; all of them must. One person counts once, for one role.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 16))]
    pub all_of: Vec<QuorumSpec>,
    /// For how long a yes counts until it is used. Default: 4h.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_for: Option<Span>,
    /// The question that they answer. Default: one that names the phase or the service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub asks: Option<String>,
}

/// So many people of one role.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct QuorumSpec {
    /// The role.
    pub role: RoleName,
    /// How many different people of it. Default: 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 32))]
    pub count: Option<u32>,
}
