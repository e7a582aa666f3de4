//! The steps that a run goes through by what the plan lists ([`crate::plan::agenda`]), and which of them are behind a service.

use crate::plan::{Plan, Service, ServiceName, Span, Weight};

use super::{record::ServiceState, step::Step};

pub use crate::plan::agenda::{
    Back, Item, Moment, bridges_of, is_of_shift, named, of_bridge, of_phase, of_service, of_whole_phase,
};

/// The weights on a service's way: its group's, if it is in one.
pub fn weights<'a>(plan: &'a Plan, name: &ServiceName, service: &'a Service) -> &'a [Weight] {
    plan.group_of(name).map_or(&service.steps, |(_, group)| &group.steps)
}

/// How long a weight of a service is watched: its group's bake, if it is in one.
pub fn bake(plan: &Plan, name: &ServiceName, service: &Service) -> Span {
    plan.group_of(name).map_or(service.bake, |(_, group)| group.bake)
}

/// The steps of a service on its way to the target and to its end, in order.
pub fn steps(plan: &Plan, name: &ServiceName, service: &Service) -> Vec<Step> {
    let items = of_service(service);
    let at = |from: Moment, upto: Moment| {
        let within = items.iter().filter(move |item| (from..=upto).contains(&item.moment));
        within.map(|item| Step::Task(item.name.clone())).collect::<Vec<_>>()
    };
    let mut steps = at(Moment::BeforePrepare, Moment::BeforePrepare);
    steps.push(Step::Prepare);
    steps.extend(at(Moment::Prepare, Moment::BeforeShift));
    if service.data.is_some() {
        steps.push(Step::CatchUp);
    }
    steps.extend(at(Moment::Fence, Moment::Promote));
    steps.extend(weights(plan, name, service).iter().map(|weight| Step::Shift(*weight)));
    steps.push(Step::Confirm);
    steps.extend(at(Moment::AfterShift, Moment::AfterShift));
    steps.push(Step::Soak);
    steps.extend(at(Moment::AfterSoak, Moment::AfterSoak));
    if service.decommission.is_some() {
        steps.extend(at(Moment::ScreamTest, Moment::ScreamTest));
        steps.push(Step::Drain);
        steps.extend(at(Moment::BeforeDecommission, Moment::BeforeDecommission));
        steps.push(Step::Decommission);
    }
    steps
}

/// Whether a step of a service is behind it. On the way back none is.
pub fn is_behind(step: &Step, (plan, name, service): (&Plan, &ServiceName, &Service), state: &ServiceState) -> bool {
    use super::{record::Stage, task::TaskStage};
    let moved = state.stage == Stage::Soaking || state.stage.is_past_soak();
    if state.direction == super::record::Direction::Backward {
        return false;
    }
    match step {
        Step::Task(name) => state.tasks.get(name).is_some_and(|task| task.stage == TaskStage::Done),
        Step::Prepare | Step::CatchUp => moved || matches!(state.stage, Stage::Shifting(_)),
        Step::Shift(weight) => match state.stage {
            Stage::Shifting(index) => {
                weights(plan, name, service).iter().position(|w| w == weight).is_some_and(|at| at < usize::from(index))
            }
            _ => moved,
        },
        Step::Confirm => moved,
        Step::Soak => state.stage.is_past_soak(),
        Step::Drain => state.stage.is_final(),
        Step::Decommission => state.stage == Stage::Decommissioned,
        Step::ScreamTest => {
            let over = service.decommission.as_ref().is_none_or(|end| end.scream_test.is_none());
            over || state.stage.is_final()
        }
        Step::Return | Step::Undo(_) | Step::Begin | Step::Stable | Step::Raise | Step::Lower => false,
    }
}
