//! Who said yes to what, and whether that is enough.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::record::{Record, RunId};
use crate::plan::{Approval, Digest, PhaseName, Plan, Role, RoleName, ServiceName};

/// A decision that a person made, under the identity that was authenticated. It never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApprovalSeen {
    /// The decision's own identity: it is used once.
    pub id: String,
    /// The run it is for.
    pub run: RunId,
    /// The revision it is for.
    pub digest: Digest,
    /// What it is about.
    pub about: About,
    /// The attempt it is for; 0 for the first.
    pub attempt: u32,
    /// Who.
    pub approver: String,
    /// The groups they are in.
    pub groups: Vec<String>,
    /// What they said.
    pub answer: Consent,
    /// When.
    pub at: Timestamp,
}

/// What a decision is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum About {
    /// That a phase begins.
    Phase(PhaseName),
    /// That a service's legacy side ends.
    Decommission(ServiceName),
}

impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Phase(phase) => write!(f, "phase {phase}"),
            Self::Decommission(service) => write!(f, "the end of {service}'s legacy side"),
        }
    }
}

/// What somebody said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub enum Consent {
    /// Yes.
    Approved,
    /// No: what it is about does not happen until enough others have said yes after it.
    Refused,
}

/// How a question stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Enough people said yes: the decisions that count, and who made them.
    Enough {
        /// Their identities, to be used once.
        ids: Vec<String>,
        /// Who.
        by: Vec<String>,
    },
    /// Somebody said no, and not enough have said yes since.
    Refused(String),
    /// So many are missing; the text says of which roles.
    Missing(String),
}

/// What a question is about, and what binds an answer to it.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The run.
    pub record: &'a Record,
    /// What it is about.
    pub about: &'a About,
    /// The attempt.
    pub attempt: u32,
    /// Who has to say yes.
    pub approval: &'a Approval,
}

/// **Who may say yes.** An answer counts if it is for this run, revision, question and attempt, was not used before, is no
/// older than the plan allows, and is not of the person who started the run. A refusal stands until enough have said yes
/// after it.
pub fn standing(plan: &Plan, question: Question<'_>, seen: &[ApprovalSeen], now: Timestamp) -> Standing {
    let Question { record, about, attempt, approval } = question;
    let ours = |a: &&ApprovalSeen| {
        a.run == record.run && a.digest == record.digest && a.about == *about && a.attempt == attempt && a.at <= now
    };
    let counts = |a: &&ApprovalSeen| {
        !record.approvals_used.contains(&a.id)
            && record.started_by.as_deref() != Some(&a.approver)
            && now.duration_since(a.at) <= approval.valid_for.signed()
    };
    let of_role = |a: &ApprovalSeen| may_answer(plan, approval, &a.approver, &a.groups);
    let refusal = seen.iter().filter(ours).filter(|a| a.answer == Consent::Refused && of_role(a)).max_by_key(|a| a.at);
    let after = refusal.map_or(Timestamp::MIN, |a| a.at);
    let mut yes: Vec<&ApprovalSeen> = Vec::new();
    for answer in seen.iter().filter(ours).filter(counts).filter(|a| a.answer == Consent::Approved && a.at > after) {
        if !yes.iter().any(|other| other.approver == answer.approver) {
            yes.push(answer); // one person counts once
        }
    }
    yes.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
    match seat(plan, approval, &yes) {
        Ok(seated) => Standing::Enough {
            ids: seated.iter().map(|a| a.id.clone()).collect(),
            by: seated.iter().map(|a| a.approver.clone()).collect(),
        },
        Err(missing) => match refusal {
            Some(refusal) => Standing::Refused(refusal.approver.clone()),
            None => Standing::Missing(missing),
        },
    }
}

/// Whether this person is of one of the roles that are asked, or may stand in for one.
pub fn may_answer(plan: &Plan, approval: &Approval, approver: &str, groups: &[String]) -> bool {
    approval.all_of.keys().any(|role| is_of(plan, role, approver, groups))
}

fn may_stand_for(plan: &Plan, role: &RoleName, answer: &ApprovalSeen) -> bool {
    is_of(plan, role, &answer.approver, &answer.groups)
}

/// Whether this person is of the role, or of one that may stand in for it.
fn is_of(plan: &Plan, role: &RoleName, approver: &str, groups: &[String]) -> bool {
    let is = |role: &Role| role.users.contains(approver) || groups.iter().any(|g| role.groups.contains(g));
    plan.roles.get(role).is_some_and(|own| is(own) || own.deputies.iter().filter_map(|deputy| plan.roles.get(deputy)).any(is))
}

/// Gives each seat that the approval asks for to a person, each person at most one: a matching of people and seats, by
/// augmenting paths (Kuhn 1955; Cormen et al., Introduction to Algorithms, section 25.1 of the fourth edition).
fn seat<'a>(plan: &Plan, approval: &Approval, yes: &[&'a ApprovalSeen]) -> Result<Vec<&'a ApprovalSeen>, String> {
    let seats: Vec<&RoleName> = approval
        .all_of
        .iter()
        .flat_map(|(role, count)| std::iter::repeat_n(role, usize::try_from(*count).unwrap_or(0)))
        .collect();
    let mut taken: BTreeMap<usize, usize> = BTreeMap::new(); // person -> seat
    let mut empty: BTreeMap<&RoleName, u32> = BTreeMap::new();
    for (seat, role) in seats.iter().enumerate() {
        let mut tried = BTreeSet::new();
        if !augment(plan, &seats, yes, seat, &mut taken, &mut tried) {
            *empty.entry(role).or_default() += 1;
        }
    }
    if empty.is_empty() {
        return Ok(taken.keys().filter_map(|person| yes.get(*person).copied()).collect());
    }
    let texts = empty.iter().map(|(role, count)| format!("{count} more of {role}"));
    Err(format!("it needs {}", texts.collect::<Vec<_>>().join(" and ")))
}

/// Finds a person for `seat`, if need be by moving others to another seat that they may take.
fn augment(
    plan: &Plan,
    seats: &[&RoleName],
    yes: &[&ApprovalSeen],
    seat: usize,
    taken: &mut BTreeMap<usize, usize>,
    tried: &mut BTreeSet<usize>,
) -> bool {
    let Some(role) = seats.get(seat) else { return false };
    for (person, answer) in yes.iter().enumerate() {
        if !may_stand_for(plan, role, answer) || !tried.insert(person) {
            continue;
        }
        let free = match taken.get(&person).copied() {
            None => true,
            Some(other) => augment(plan, seats, yes, other, taken, tried),
        };
        if free {
            taken.insert(person, seat);
            return true;
        }
    }
    false
}
