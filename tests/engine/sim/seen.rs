//! What a sensor sees of this world.

use std::collections::BTreeMap;

use gapless::{
    engine::{
        Accepted, Answer, ClaimsSeen, Effective, GateSeen, Observed, Programmed, Query, Round, RouteSeen, Sample, SideSeen,
        SidesSeen, TaskSeen, Unknown, queries,
    },
    plan::{GateName, Side},
};
use jiff::SignedDuration;

use super::Sim;

impl Sim {
    /// What is seen: what was asked for, as a sensor tells it, and nothing else.
    pub fn observed(&self) -> Observed {
        let mut seen = Observed { orders: self.orders.clone(), durations: self.durations.clone(), ..Observed::default() };
        for (name, route) in &self.routes {
            let effective = route.seen_since.filter(|_| route.in_force == (route.weight, route.mark.clone()));
            let value = RouteSeen {
                version: route.version.to_string(),
                owner: route.owner.clone(),
                accepted: Accepted::Split(route.weight),
                mark: route.mark.clone(),
                programmed: if effective.is_some() { Programmed::Yes } else { Programmed::Pending },
                effective: effective.map(|since| Effective { weight: route.weight, since }),
                legacy_active: self.active.get(name).copied(),
            };
            let value = if route.reachable { Ok(value) } else { Err(Unknown::Unreachable("the router does not answer".into())) };
            let value = if route.gone { Err(Unknown::NotFound("the route".into())) } else { value };
            seen.routes.insert(name.clone(), Sample { value, taken_at: self.now });
        }
        for (name, health) in &self.health {
            let mut sides = SidesSeen::default();
            for (side, healthy, index) in [(Side::Legacy, health.legacy, 0), (Side::Target, health.target, 1)] {
                let (dead_rounds, backend) = (health.dead_rounds[index], health.backends[index]);
                let value = SideSeen { endpoints: 2, healthy, dead_rounds, backend };
                sides.set(side, Sample { value: Ok(value), taken_at: self.now });
            }
            seen.sides.insert(name.clone(), sides);
        }
        for (name, rounds) in &self.rounds {
            let gate: GateName = "answers".parse().unwrap();
            seen.gates.insert(
                name.clone(),
                BTreeMap::from([(gate, GateSeen { watched_since: Some(self.looking_since), rounds: rounds.clone() })]),
            );
        }
        seen.approvals = self.approvals.clone();
        let asked = queries(&self.revision, &self.record);
        seen.sides.retain(|name, _| asked.contains(&Query::Side(name.clone(), Side::Legacy)));
        for (name, gates) in &mut seen.gates {
            gates.retain(|gate, _| asked.contains(&Query::Gate(name.clone(), gate.clone())));
        }
        asked.into_iter().for_each(|query| self.answer(&mut seen, query));
        seen
    }

    /// What is asked for beside routes and sides.
    fn answer(&self, seen: &mut Observed, query: Query) {
        match query {
            Query::Task(key) => {
                let value = match self.tasks.get(&key) {
                    None => TaskSeen::Absent,
                    Some(_) if self.failing.contains(key.task.as_str()) => TaskSeen::Failed("exit 1".into()),
                    Some(at) if *at <= self.now && !self.hanging.contains(key.task.as_str()) => {
                        let settles_at = at.checked_add(SignedDuration::from_millis(self.settles_ms)).unwrap();
                        TaskSeen::Done { at: *at, settles_at: Some(settles_at).filter(|_| self.settles_ms > 0) }
                    }
                    Some(_) => TaskSeen::Running,
                };
                seen.tasks.insert(key, Sample { value: Ok(value), taken_at: self.now });
            }
            Query::OtherGate(subject, gate) => {
                let answer = match (self.bad.contains(gate.as_str()), self.silent.contains(gate.as_str())) {
                    (_, true) => Answer::Unknown(Unknown::Unreachable("nobody there".into())),
                    (true, _) => Answer::Bad("7 is more than 0".into()),
                    _ => Answer::Good,
                };
                let sent = |ms| self.now.checked_sub(SignedDuration::from_millis(ms)).unwrap().max(self.looking_since);
                let round = |ms| Round { sent_at: sent(ms), done_at: sent(ms), answer: answer.clone() };
                let rounds = (0..12).rev().map(|i| round(i * 10)).collect();
                seen.other_gates.insert((subject, gate), GateSeen { watched_since: Some(self.looking_since), rounds });
            }
            Query::Claims(bridge) => {
                let value = ClaimsSeen { ours: self.claimed, others: self.claims.clone() };
                seen.claims.insert(bridge, Sample { value: Ok(value), taken_at: self.now });
            }
            _ => {}
        }
    }
}
