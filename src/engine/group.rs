//! Groups: services that shift in lock step and go back in lock step. What takes a group back: [`super::rollback`].

use super::{
    draft::Draft,
    reason::Reason,
    record::{Direction, ServiceState, Stage},
};
use crate::plan::{Group, Plan, Service, ServiceName};

/// The other members of a service's group, in order.
pub fn others<'a>(draft: &Draft<'a, '_>, name: &ServiceName) -> Vec<(&'a ServiceName, &'a Service)> {
    let plan = draft.plan;
    let Some((_, group)) = plan.group_of(name) else { return Vec::new() };
    members(draft, group).into_iter().filter(|(member, _)| *member != name).collect()
}

fn members<'a>(draft: &Draft<'a, '_>, group: &'a Group) -> Vec<(&'a ServiceName, &'a Service)> {
    group.services.iter().filter_map(|member| draft.plan.services.get_key_value(member)).collect()
}

/// **Lock step.** No member orders its next weight before all others have confirmed the one it has; one that has gone ahead by
/// one step, as after a crash between two writes, counts; one that goes back does not. `ready` says whether a member could go on now.
pub fn waits_for(
    draft: &mut Draft,
    name: &ServiceName,
    index: Option<u8>,
    ready: impl Fn(&mut Draft, &ServiceName, &Service, &ServiceState) -> bool,
) -> Option<Reason> {
    for (member, service) in others(draft, name) {
        let state = draft.state(member);
        let come_as_far = match (state.stage, index) {
            _ if state.direction == Direction::Backward => false,
            (Stage::Waiting, None) => ready(draft, member, service, &state),
            (Stage::Shifting(at), Some(index)) if at == index => ready(draft, member, service, &state),
            (Stage::Shifting(at), index) => index.is_none_or(|index| at > index),
            (stage, _) => stage > Stage::Waiting && stage != Stage::Returning && stage != Stage::Returned,
        };
        if !come_as_far {
            return Some(Reason::Group { service: member.clone() });
        }
    }
    None
}

/// The services that come before this one and are not of its own group: those move with it.
pub fn needs_outside<'a>(plan: &'a Plan, name: &ServiceName, service: &'a Service) -> impl Iterator<Item = &'a ServiceName> {
    let group = plan.group_of(name).map(|(_, group)| group);
    service.before().filter(move |need| group.is_none_or(|g| !g.services.contains(*need)))
}
