//! Who answers in the ideal world, and how long work takes there.

use std::borrow::Cow;

use crate::{
    engine::{Deed, Subject, TaskKey, TaskWay, agenda},
    plan::{Act, Approval, Plan, Reverse, Role, RoleName, Span},
};

/// One person for each seat of an approval: the users that its roles name, and others of their groups.
pub fn seats(plan: &Plan, approval: &Approval) -> Vec<(String, Vec<String>)> {
    let of_role = |(name, count): (&RoleName, &u32)| {
        let role = plan.roles.get(name).cloned().unwrap_or_else(Role::default);
        let groups: Vec<String> = role.groups.iter().cloned().collect();
        let others = (1u32..).map(|number| format!("{name}-{number}"));
        let people = role.users.into_iter().chain(others).take(usize::try_from(*count).unwrap_or(0));
        people.map(|who| (who, groups.clone())).collect::<Vec<_>>()
    };
    approval.all_of.iter().flat_map(of_role).collect()
}

/// How long one doing of a task takes, as the plan expects.
pub fn duration(plan: &Plan, task: &TaskKey, deed: &Deed) -> Span {
    if let Deed::Act(Act::Wait(span)) = deed {
        return *span;
    }
    let of_item = |item: &agenda::Item| match (&item.back, task.way) {
        (agenda::Back::By { expect, .. }, TaskWay::Undo) => *expect,
        _ => item.expect,
    };
    let items: Cow<'_, [agenda::Item]> = match &task.of {
        Subject::Service(name) => plan.services.get(name).map(agenda::of_service).unwrap_or_default().into(),
        Subject::Phase(name) => plan.phases.get(name).map(agenda::of_whole_phase).unwrap_or_default().into(),
        Subject::Bridge(name) => {
            let managed = plan.bridges.get(name).and_then(|b| b.managed.as_ref());
            managed.map(agenda::of_bridge).map(|(up, down)| vec![up, down]).unwrap_or_default().into()
        }
    };
    let reverse = || {
        let data = plan.services.get(task.of.service()?)?.data.as_deref()?;
        let Reverse::By { fence, promote, .. } = &data.reverse else { return None };
        Some(if task.task == agenda::named::reverse_fence() { fence.expect } else { promote.expect })
    };
    items.iter().find(|item| item.name == task.task).map(of_item).or_else(reverse).unwrap_or(Span::from_secs(5))
}
