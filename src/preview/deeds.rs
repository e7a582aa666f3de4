//! What tasks do, in words: those of services, phases and bridges, each looked up by its step.

use std::{borrow::Cow, collections::BTreeMap};

use crate::{
    engine::{
        Deed, Step, StepId, Subject,
        agenda::{self, Back, Item, named},
    },
    plan::{Act, Plan, ServiceName, TaskName},
};

/// The tasks of a plan.
pub struct Deeds<'p>(BTreeMap<Subject, Cow<'p, [Item]>>);

impl<'p> Deeds<'p> {
    /// All of them, read once.
    pub fn of(plan: &'p Plan) -> Self {
        let services = plan.services.iter();
        let services = services.map(|(name, service)| (Subject::from(name), Cow::Borrowed(agenda::of_service(service))));
        let phases = plan.phases.iter();
        let phases = phases.map(|(name, phase)| (Subject::Phase(name.clone()), agenda::of_whole_phase(phase).into()));
        let bridges = plan.bridges.iter().filter_map(|(name, bridge)| {
            let (up, down) = agenda::of_bridge(bridge.managed.as_ref()?);
            Some((Subject::Bridge(name.clone()), vec![up, down].into()))
        });
        Self(services.chain(phases).chain(bridges).collect())
    }

    /// The tasks of one service.
    pub fn of_service(&self, name: &ServiceName) -> &[Item] {
        self.0.get(&Subject::from(name)).map(|items| &**items).unwrap_or_default()
    }

    /// What a step of a task does or takes back.
    fn deed(&self, id: &StepId) -> Option<&Deed> {
        let item = |name: &TaskName| self.0.get(&id.of)?.iter().find(|item| item.name == *name);
        match &id.step {
            Step::Task(name) => Some(&item(name)?.deed),
            Step::Undo(name) => match &item(name)?.back {
                Back::By { deed, .. } => Some(deed),
                Back::Nothing | Back::Impossible(_) => None,
            },
            _ => None,
        }
    }

    /// The person whose task a step is, and what they are to do.
    pub fn person(&self, id: &StepId) -> Option<(&str, &str)> {
        match self.deed(id)? {
            Deed::Act(Act::Manual { owner, instructions, .. }) => Some((owner.as_str(), instructions.as_str())),
            _ => None,
        }
    }

    /// Why there is no way back once this step has begun.
    pub fn no_return(&self, id: &StepId) -> Option<&str> {
        let off = named::switch_off();
        let name = match &id.step {
            Step::Task(name) => name,
            Step::Decommission => &off,
            _ => return None,
        };
        let item = self.0.get(&id.of)?.iter().find(|item| item.name == *name)?;
        match &item.back {
            Back::Impossible(why) => Some(why),
            Back::Nothing | Back::By { .. } => None,
        }
    }

    /// The step from which there is no way back for a service.
    pub fn final_step(&self, name: &ServiceName) -> Option<StepId> {
        let item = self.of_service(name).iter().find(|item| matches!(item.back, Back::Impossible(_)))?;
        let step = if item.name == named::switch_off() { Step::Decommission } else { Step::Task(item.name.clone()) };
        Some(step.of(name))
    }

    /// What happens at a step, as a sentence without a full stop.
    pub fn action(&self, id: &StepId) -> String {
        match &id.step {
            Step::Prepare => "both sides are found, ready and large enough".to_owned(),
            Step::Task(name) => self.task(id, of_mechanism(name)),
            Step::Undo(_) => format!("taken back: {}", self.task(id, "")),
            Step::CatchUp => "target catches up with what legacy writes".to_owned(),
            Step::Shift(weight) => format!("{weight} of the traffic to target, watched"),
            Step::Confirm => "all traffic is on target, legacy is seen to carry none".to_owned(),
            Step::Soak => "watched, with the way back open".to_owned(),
            Step::ScreamTest => "its legacy addresses are denied to everybody, to see whether anybody misses them".to_owned(),
            Step::Drain => "open connections of legacy are waited for".to_owned(),
            Step::Decommission => "its legacy side is switched off for good".to_owned(),
            Step::Return => "all traffic goes back to legacy".to_owned(),
            Step::Begin => "the phase may begin".to_owned(),
            Step::Stable => "what came before stays as it is for long enough".to_owned(),
            Step::Raise => "the bridge is put up".to_owned(),
            Step::Lower => "the bridge is taken down".to_owned(),
        }
    }

    fn task(&self, id: &StepId, means: &str) -> String {
        let does = self.deed(id).map_or_else(|| "nothing more is known of it".to_owned(), sentence);
        if means.is_empty() { does } else { format!("{means}: {does}") }
    }
}

/// What a task means that is part of a step's own mechanism, where its deed alone does not say it.
fn of_mechanism(name: &TaskName) -> &'static str {
    let known = [
        (named::fence(), "legacy is made read-only"),
        (named::promote(), "target is made writable"),
        (named::up(), "the bridge is put up"),
        (named::down(), "the bridge is taken down"),
        (named::warm(), "target is warmed"),
    ];
    known.iter().find(|(other, _)| other == name).map_or("", |(_, means)| means)
}

fn sentence(deed: &Deed) -> String {
    match deed {
        Deed::Act(act) => of_act(act),
        Deed::ResumeCron(name, side) => format!("CronJob {name} runs again, on the {side} side"),
        Deed::LowerTtl(ttl) => format!("the time to live of its DNS records is lowered to {ttl}"),
        Deed::RestoreTtl => "its DNS records get the time to live back that they had".to_owned(),
        Deed::StartMirror(share) => format!("{share} of its requests are copied to target as well"),
        Deed::StopMirror => "its requests are copied no more".to_owned(),
        Deed::Deny => "its legacy addresses are denied to everybody".to_owned(),
        Deed::Allow => "its legacy addresses are open again".to_owned(),
        Deed::SwitchOff => "its legacy side is switched off for good".to_owned(),
        Deed::Withdraw => "what was ordered before is not begun any more".to_owned(),
    }
}

fn of_act(act: &Act) -> String {
    match act {
        Act::Manual { owner, instructions, .. } => format!("{owner} does by hand: {instructions}"),
        Act::Job(cron) => format!("a job like CronJob {cron} runs"),
        Act::Http { method, url, .. } => format!("{} {url}", format!("{method:?}").to_uppercase()),
        Act::Wait(span) => format!("{span} pass"),
        Act::Silence { matchers, length, .. } => format!("alerts with {} are silenced for {length}", matchers.join(", ")),
        Act::Notify { connection, message } => format!("{connection} is told: {message}"),
        Act::QuiesceCron(name) => format!("CronJob {name} is suspended"),
    }
}
