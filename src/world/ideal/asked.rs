//! What a decision waits for in the ideal world is asked: people, and rounds of gates.

use jiff::Timestamp;

use super::{
    Due, Ideal, after,
    people::seats,
    rounds::{before_by_one, following, others_of_subject},
};
use crate::{
    engine::{About, ApprovalSeen, Consent, Record, Step, Subject, agenda},
    plan::{GateName, schedule::window},
};

impl Ideal<'_> {
    /// Whoever has to say yes is asked once for each attempt.
    pub(super) fn ask(&mut self, record: &Record, of: &Subject, step: &Step, now: Timestamp) {
        let (about, attempt, approval) = match (of, step) {
            (Subject::Phase(name), _) => {
                (About::Phase(name.clone()), 0, self.plan.phases.get(name).and_then(|p| p.approval.as_ref()))
            }
            (Subject::Service(name), Step::Decommission) => {
                let end = self.plan.services.get(name).and_then(|s| s.decommission.as_ref());
                let attempt = record.services.get(name).map_or(0, |s| s.attempt);
                (About::Decommission(name.clone()), attempt, end.and_then(|end| end.approval.as_ref()))
            }
            _ => return,
        };
        let Some(approval) = approval else { return };
        if !self.asked.insert((about.clone(), attempt)) {
            return;
        }
        let at = after(now, self.people);
        let seats = seats(self.plan, approval).into_iter().enumerate();
        let answers = seats.map(|(seat, (approver, groups))| ApprovalSeen {
            id: format!("answer-{}-{seat}", self.asked.len()),
            run: record.run.clone(),
            digest: self.digest.clone(),
            about: about.clone(),
            attempt,
            approver,
            groups,
            answer: Consent::Approved,
            at,
        });
        let answers = answers.collect();
        self.later(at, Due::Says(answers));
    }

    /// A gate is waited for: so many more of its rounds are to come.
    pub(super) fn await_rounds(&mut self, of: &Subject, name: &GateName, missing: u32, now: Timestamp) {
        let plan = self.plan;
        let service = of.service().and_then(|service| plan.services.get(service));
        let own = service.and_then(|service| service.gates.get(name)).map(|gate| {
            let since = of.service().and_then(|service| self.exact.get(service));
            (gate, since.copied())
        });
        // A service may wait for a gate of a bridge that it counts on.
        let bridges = service.into_iter().flat_map(|service| agenda::bridges_of(plan, service)).cloned().map(Subject::Bridge);
        let others = [of.clone()].into_iter().chain(bridges).flat_map(|of| {
            let since = self.exact_others.get(&of).copied();
            others_of_subject(plan, &of)
                .filter(|(other, _)| other == name)
                .map(move |(_, gate)| (gate, since))
                .collect::<Vec<_>>()
        });
        let at = own.into_iter().chain(others).map(|(gate, since)| {
            let counts_from = since.map_or(now, |since| after(since, window(gate)));
            let next = following(gate, self.start, now.max(before_by_one(counts_from)));
            after(next, gate.every.times(missing.saturating_sub(1)))
        });
        let before = self.rounds.get(of).copied();
        if let Some(at) = at.chain(before).min() {
            if let Some(before) = self.rounds.insert(of.clone(), at) {
                self.rounds_by_moment.remove(&(before, of.clone()));
            }
            self.rounds_by_moment.insert((at, of.clone()));
        }
    }
}
