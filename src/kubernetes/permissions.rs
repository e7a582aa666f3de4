//! The permissions that the operator uses: the one list of them.
//!
//! *Guarantees*: the operator's [`super::api::Api`] does not even send a request that is not in [`OPERATOR`], so that the
//! list cannot be too short without a test noticing; the chart grants these and nothing else (a test compares the two);
//! and each is used (a test in the cluster sees to that), so that the list is not too long either.

use std::fmt;

use super::api::Kind;

/// A verb of Kubernetes' authorization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "Kubernetes' own words")]
pub enum Verb {
    Get,
    List,
    Watch,
    Create,
    Update,
    Patch,
}
impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Watch => "watch",
            Self::Create => "create",
            Self::Update => "update",
            Self::Patch => "patch",
        })
    }
}

/// Which part of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// The object itself.
    Whole,
    /// Its status.
    Status,
}

/// One permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Permission {
    /// For which kind.
    pub kind: Kind,
    /// For which part of it.
    pub part: Part,
    /// To do what.
    pub verb: Verb,
}
impl fmt::Display for Permission {
    /// `group/resource verb`, as `kubectl auth can-i` has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = if self.part == Part::Status { "/status" } else { "" };
        write!(f, "{}/{}{part} {}", self.kind.group, self.kind.plural, self.verb)
    }
}

const fn whole(kind: Kind, verb: Verb) -> Permission {
    Permission { kind, part: Part::Whole, verb }
}
const fn status(kind: Kind, verb: Verb) -> Permission {
    Permission { kind, part: Part::Status, verb }
}

/// All that the operator uses.
pub const OPERATOR: &[Permission] = &[
    // Runs: found, held on to by a finalizer, and written by compare-and-swap.
    whole(Kind::RUN, Verb::Get),
    whole(Kind::RUN, Verb::List),
    whole(Kind::RUN, Verb::Watch),
    whole(Kind::RUN, Verb::Patch),
    status(Kind::RUN, Verb::Update),
    status(Kind::RUN, Verb::Patch),
    // Plans: checked when they change.
    whole(Kind::PLAN, Verb::List),
    whole(Kind::PLAN, Verb::Watch),
    status(Kind::PLAN, Verb::Patch),
    whole(Kind::REVISION, Verb::Get),
    // What people decided: watched where a plan asks for it.
    whole(Kind::APPROVAL, Verb::List),
    whole(Kind::APPROVAL, Verb::Watch),
    // Routes: watched, and moved by one patch.
    whole(Kind::HTTP_ROUTE, Verb::Get),
    whole(Kind::HTTP_ROUTE, Verb::List),
    whole(Kind::HTTP_ROUTE, Verb::Watch),
    whole(Kind::HTTP_ROUTE, Verb::Patch),
    whole(Kind::GATEWAY, Verb::Get),
    // Backends: watched; those for plain hosts are applied, which makes them if they are not there.
    whole(Kind::SERVICE, Verb::List),
    whole(Kind::SERVICE, Verb::Watch),
    whole(Kind::SERVICE, Verb::Create),
    whole(Kind::SERVICE, Verb::Patch),
    whole(Kind::ENDPOINT_SLICE, Verb::List),
    whole(Kind::ENDPOINT_SLICE, Verb::Watch),
    whole(Kind::ENDPOINT_SLICE, Verb::Create),
    whole(Kind::ENDPOINT_SLICE, Verb::Patch),
    // Milestones.
    whole(Kind::EVENT, Verb::Create),
];
