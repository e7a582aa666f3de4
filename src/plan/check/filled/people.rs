//! Approvals: whether enough people can give them, and whether any of them could be missing.

use std::collections::{BTreeMap, BTreeSet};

use super::{listed, of};
use crate::plan::{
    finding::{Code, Finding},
    model::{Act, Approval, Plan, Undo},
    names::RoleName,
    path::Path,
};

pub(super) fn check(plan: &Plan, found: &mut Vec<Finding>) {
    let people = People::of(plan);
    for (name, phase) in &plan.phases {
        if let Some(approval) = &phase.approval {
            let path = of("phases", name.as_str()).key("approval");
            let what = format!("the approval of phase `{name}`");
            people.judge(approval, &what, &path, found);
        }
    }
    for (name, service) in &plan.services {
        if let Some(approval) = service.decommission.as_ref().and_then(|end| end.approval.as_ref()) {
            let path = of("services", name.as_str()).key("decommission").key("approval");
            let what = format!("the approval of the end of `{name}`");
            people.judge(approval, &what, &path, found);
        }
    }
    people.nobody(plan, found);
}

/// Who can act for a role.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Members<'a> {
    /// A group among them: how many people that is, nobody here knows.
    Many,
    /// These, by name.
    Named(BTreeSet<&'a str>),
}

struct People<'a> {
    roles: BTreeMap<&'a RoleName, Members<'a>>,
}

impl<'a> People<'a> {
    fn of(plan: &'a Plan) -> Self {
        Self { roles: plan.roles.keys().map(|name| (name, members(plan, name))).collect() }
    }

    fn judge(&self, approval: &Approval, what: &str, path: &Path, found: &mut Vec<Finding>) {
        if approval.all_of.keys().any(|role| !self.roles.contains_key(role)) {
            return; // a role that is not there is another finding
        }
        let wanted: u32 = approval.all_of.values().sum();
        let given = self.reach(approval, None);
        let roles = listed(approval.all_of.keys());
        if given < wanted {
            let named = self.named(approval);
            let have = match named.len() {
                0 => "nobody is in".to_owned(),
                count => format!("only {count} {} in", if count == 1 { "person is" } else { "people are" }),
            };
            let message = format!("{what} asks for {wanted} people, each for one role, and {have} {roles}");
            let help = "lower `count`, add users, or add a group or a deputy to the role";
            return found.push(Finding::error(Code::QuorumUnreachable, path.key("allOf"), message, help));
        }
        let alone = self.named(approval).into_iter().find(|person| self.reach(approval, Some(person)) < wanted);
        if let Some(person) = alone {
            let message = format!(
                "{what} cannot be given without `{}`: nobody approves a run that they started, and nobody is always there",
                person.escape_debug()
            );
            let of = approval
                .all_of
                .keys()
                .filter(|role| matches!(self.roles.get(*role), Some(Members::Named(people)) if people.contains(person)));
            let help = format!("add a user, a group or a deputy to {}", listed(of));
            found.push(Finding::warning(Code::SelfApproval, path.key("allOf"), message, help));
        }
    }

    /// How many of the wanted approvals can be given if each person gives one, without `absent`: a largest matching of
    /// people and places (Kuhn's augmenting paths). Roles with a group have people enough.
    fn reach(&self, approval: &Approval, absent: Option<&str>) -> u32 {
        let mut enough = 0;
        let mut places: Vec<&BTreeSet<&str>> = Vec::new();
        for (role, count) in &approval.all_of {
            match self.roles.get(role) {
                Some(Members::Many) => enough += count,
                Some(Members::Named(people)) => (0..*count).for_each(|_| places.push(people)),
                None => {}
            }
        }
        let mut taken: BTreeMap<&str, usize> = BTreeMap::new();
        let mut given = 0;
        for place in 0..places.len() {
            let mut tried = BTreeSet::new();
            if let Some(absent) = absent {
                tried.insert(absent);
            }
            given += u32::from(seat(place, &places, &mut taken, &mut tried));
        }
        enough + given
    }

    /// All who are named and can give a part of it.
    fn named(&self, approval: &Approval) -> BTreeSet<&'a str> {
        let roles = approval.all_of.keys().filter_map(|role| self.roles.get(role));
        let named = roles.filter_map(|members| match members {
            Members::Named(people) => Some(people),
            Members::Many => None,
        });
        named.flatten().copied().collect()
    }

    /// Tasks of roles that nobody is in.
    fn nobody(&self, plan: &Plan, found: &mut Vec<Finding>) {
        let mut judge = |act: &Act, path: Path| {
            let Some(role) = owner(act) else { return };
            if self.roles.get(role) == Some(&Members::Named(BTreeSet::new())) {
                let message = format!("a person of role `{role}` is to do this, and nobody is in that role");
                let help = "add users, a group or a deputy to the role, or name another owner";
                let finding = Finding::error(Code::QuorumUnreachable, path.key("manual").key("owner"), message, help);
                found.push(finding.with(of("roles", role.as_str()).key("name"), "the role"));
            }
        };
        for (name, phase) in &plan.phases {
            for (task_name, task) in &phase.tasks {
                let path = of("phases", name.as_str()).key("tasks").key(task_name.as_str());
                acts(&task.act, &task.undo, &path).into_iter().for_each(|(act, path)| judge(act, path));
            }
        }
        for (name, service) in &plan.services {
            for (task_name, task) in &service.tasks {
                let path = of("services", name.as_str()).key("tasks").key(task_name.as_str());
                acts(&task.act, &task.undo, &path).into_iter().for_each(|(act, path)| judge(act, path));
            }
        }
    }
}

fn acts<'t>(act: &'t Act, undo: &'t Undo, path: &Path) -> Vec<(&'t Act, Path)> {
    let mut acts = vec![(act, path.key("do"))];
    if let Undo::Do { act, .. } = undo {
        acts.push((act, path.key("undo").key("do")));
    }
    acts
}

fn owner(act: &Act) -> Option<&RoleName> {
    match act {
        Act::Manual { owner, .. } => Some(owner),
        _ => None,
    }
}

/// Finds a person for a place, moving others to other places if need be.
fn seat<'a>(
    place: usize,
    places: &[&BTreeSet<&'a str>],
    taken: &mut BTreeMap<&'a str, usize>,
    tried: &mut BTreeSet<&'a str>,
) -> bool {
    let Some(people) = places.get(place) else { return false };
    for person in people.iter().copied() {
        if !tried.insert(person) {
            continue;
        }
        let free = match taken.get(person).copied() {
            None => true,
            Some(other) => seat(other, places, taken, tried),
        };
        if free {
            taken.insert(person, place);
            return true;
        }
    }
    false
}

/// A role's own people and those of its deputies.
fn members<'a>(plan: &'a Plan, name: &'a RoleName) -> Members<'a> {
    let (mut todo, mut seen, mut people) = (vec![name], BTreeSet::new(), BTreeSet::new());
    while let Some(next) = todo.pop() {
        let Some(role) = plan.roles.get(next).filter(|_| seen.insert(next)) else { continue };
        if !role.groups.is_empty() {
            return Members::Many;
        }
        people.extend(role.users.iter().map(String::as_str));
        todo.extend(&role.deputies);
    }
    Members::Named(people)
}
