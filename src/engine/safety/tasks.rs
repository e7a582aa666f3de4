//! The invariants of what is done beside the traffic: one writer, legacy that stays, points of no return, one order of things.

use jiff::Timestamp;

use super::Judge;
use crate::{
    engine::{
        agenda::named,
        backward,
        gate::{self, Verdict},
        invariant::Invariant,
        observed::Accepted,
        record::{Direction, ServiceState},
        step::Subject,
        task::{Deed, TaskKey, TaskStage, TaskWay},
        writer,
    },
    plan::{Data, Gate, Reverse, Service, ServiceName, TaskName, Weight},
};

impl Judge<'_> {
    /// What a task may do.
    pub(super) fn task(&mut self, task: &TaskKey, deed: &Deed) {
        let Subject::Service(name) = &task.of else { return };
        let Some(service) = self.plan.services.get(name) else { return };
        if matches!(deed, Deed::SwitchOff | Deed::Deny) {
            self.legacy_stays(name, service, deed);
        }
        if let (Some(data), TaskWay::Do) = (&service.data, task.way) {
            self.promotes(name, data, &task.task);
        }
        if task.way == TaskWay::Undo
            && task.task == named::fence()
            && self.stage_of(name, &named::promote()).is_some_and(TaskStage::has_begun)
        {
            self.found(Invariant::OneWriter, name, "legacy would be made writable while target may be".to_owned());
        }
    }

    fn stage_of(&self, name: &ServiceName, task: &TaskName) -> Option<TaskStage> {
        self.after.services.get(name)?.tasks.get(task).map(|t| t.stage)
    }

    /// `one-writer`: a side is promoted only once the other is proven read-only and nothing is left to be copied, by answers
    /// that were asked for after the fence. So is it when the order was lost and is given again.
    fn promotes(&mut self, name: &ServiceName, data: &Data, task: &TaskName) {
        let (fence, proofs): (TaskName, [(&str, &Gate); 2]) = match (&data.reverse, task) {
            (_, task) if *task == named::promote() => (named::fence(), [("fence-proof", &data.fence.proof), ("lag", &data.lag)]),
            (Reverse::By { lag, fence, .. }, task) if *task == named::reverse_promote() => {
                (named::reverse_fence(), [("reverse-fence-proof", &fence.proof), ("reverse-lag", lag)])
            }
            _ => return,
        };
        let fenced = self.after.services.get(name).and_then(|s| s.tasks.get(&fence)).filter(|t| t.stage == TaskStage::Done);
        let Some(since) = fenced.map(|t| if t.at > self.now { Timestamp::MIN } else { writer::behind(t.at) }) else {
            return self.found(Invariant::OneWriter, name, format!("{task} would begin before {fence} was seen to be done"));
        };
        for (gate_name, rule) in proofs {
            let key = gate_name.parse().ok().map(|gate| (Subject::from(name), gate));
            let seen = key.and_then(|key| self.seen.other_gates.get(&key));
            if gate::judge(rule, seen, since, self.now) != Verdict::Pass {
                self.found(
                    Invariant::OneWriter,
                    name,
                    format!("{task} would begin though gate {gate_name} has not passed since {fence}"),
                );
            }
        }
    }

    /// Whether target was seen to be made the writer: from there the way on is the shorter one, whatever becomes of legacy.
    pub(super) fn is_promoted(&self, name: &ServiceName, service: &Service) -> bool {
        service.data.is_some() && self.stage_of(name, &named::promote()) == Some(TaskStage::Done)
    }

    /// `one-writer`, for traffic: it goes to the side that may write.
    pub(super) fn writes(&mut self, name: &ServiceName, service: &Service, weight: Weight) {
        if service.data.is_none() {
            return;
        }
        let promoted = self.stage_of(name, &named::promote());
        if weight > Weight::ZERO && promoted != Some(TaskStage::Done) {
            self.found(Invariant::OneWriter, name, format!("{weight} would go to a target that is not the writer"));
        }
        if weight < Weight::FULL && promoted.is_some_and(TaskStage::has_begun) {
            self.found(Invariant::OneWriter, name, "traffic would go back to a legacy that is not the writer".to_owned());
        }
    }

    /// `legacy-stays`: nobody who lives on the legacy system, no group and nothing needed may still come back to it.
    fn legacy_stays(&mut self, name: &ServiceName, service: &Service, deed: &Deed) {
        let past = |other: &ServiceName| {
            self.after.services.get(other).is_some_and(|s| s.stage.is_past_soak() && s.direction == Direction::Forward)
        };
        let plan = self.plan;
        let tenants = || service.legacy.system.iter().flat_map(|system| plan.tenants(system));
        let group = self.plan.group_of(name).into_iter().flat_map(|(_, group)| &group.services);
        let counted = tenants().chain(group).chain(service.before()).chain([name]);
        if let Some(other) = counted.into_iter().find(|other| !past(other)).cloned() {
            return self.found(
                Invariant::LegacyStays,
                name,
                format!("its legacy side would end while {other} may come back to it"),
            );
        }
        let there = |other: &ServiceName| {
            self.route(other).is_some_and(|route| matches!(route.accepted, Accepted::Split(weight) if weight < Weight::FULL))
        };
        if let Some(other) = tenants().chain([name]).find(|other| there(other)).cloned() {
            let detail = format!("its legacy side would end with traffic of {other} there");
            return self.found(Invariant::LegacyStays, name, detail);
        }
        let approval = service.decommission.as_ref().and_then(|end| end.approval.as_ref());
        if approval.is_some() && self.after.services.get(name).is_none_or(|s| s.end_approved_at.is_none()) {
            return self.found(Invariant::LegacyStays, name, "its legacy side would end without an approval".to_owned());
        }
        let carries = self.route(name).and_then(|r| r.legacy_active).filter(|active| *active > 0);
        if let (Deed::SwitchOff, Some(active), None) = (deed, carries, service.drain_deadline) {
            let detail = format!("its legacy side would be switched off with {active} connections");
            self.found(Invariant::LegacyStays, name, detail);
        }
    }

    /// `way-back`: what has begun that cannot be taken back is not gone back from. What was ordered and then withdrawn never began.
    pub(super) fn no_return(&mut self, name: &ServiceName, service: &Service, was: &ServiceState, is: &ServiceState) {
        if was.direction == Direction::Forward
            && is.direction == Direction::Backward
            && let Some(reason) = backward::no_return(service, was)
            && backward::no_return(service, is).is_some()
        {
            self.found(Invariant::WayBack, name, format!("it would go back though {reason}"));
        }
    }
}
