//! What all lanes know together, under one lock that is only held for moments.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::Arc,
};

use jiff::Timestamp;

use super::{
    LaneId, Targets,
    lane::{Lane, Member, News, Ring, RoundId},
    shot::Shot,
};
use crate::{
    engine::{
        Backend, GateSeen, Observed, Query, Sample, SideSeen, Unknown,
        gate::{ROUNDS_MIN, window},
    },
    plan::{Check, Gate, GateName, Plan, ServiceName, Side},
};

/// What a round is aimed at.
pub(super) enum Aim {
    /// Nothing is to be sent now.
    Nothing,
    /// Nothing is to be sent, and that is news.
    News,
    /// These.
    Round(RoundId, Arc<[SocketAddr]>),
}

#[derive(Debug, Default)]
pub(super) struct Table {
    services: BTreeMap<ServiceName, Entry>,
    rounds: RoundId,
}

#[derive(Debug, Default)]
struct Entry {
    targets: BTreeMap<Side, Spot>,
    asked: BTreeSet<Side>,
    lanes: BTreeMap<LaneId, Lane>,
    gates: BTreeMap<GateName, Listening>,
}

/// Where a side is, in the form that a round needs.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Spot {
    Known(Arc<[SocketAddr]>),
    Unknown(Unknown),
}

/// A gate and the lane it listens to.
#[derive(Debug)]
struct Listening {
    to: LaneId,
    ring: Ring,
    since: Timestamp,
}

/// An HTTP check has an address of its own; its single "endpoint" needs a name in the lane only.
const NOWHERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED), 0);

impl Table {
    /// The endpoints of a side; says whether that is news.
    pub fn aim(&mut self, service: &ServiceName, side: Side, targets: Targets) -> bool {
        let entry = self.services.entry(service.clone()).or_default();
        let spot = match targets {
            Targets::Known(endpoints) => Spot::Known(endpoints.into_iter().collect()),
            Targets::Unknown(why) => Spot::Unknown(why),
        };
        if entry.targets.get(&side) == Some(&spot) {
            return false;
        }
        if let Spot::Known(endpoints) = &spot {
            let lanes = entry.lanes.iter_mut().filter(|(id, _)| id.side() == Some(side));
            lanes.for_each(|(_, lane)| lane.retain(|endpoint| endpoints.contains(endpoint)));
        }
        entry.targets.insert(side, spot);
        entry.asked.contains(&side)
    }

    /// Keeps what `queries` ask for and drops all else.
    pub fn watch(&mut self, plan: &Plan, queries: &BTreeSet<Query>, lanes: &BTreeSet<(ServiceName, LaneId)>, now: Timestamp) {
        for (name, entry) in &mut self.services {
            let asked = |side: &Side| queries.contains(&Query::Side(name.clone(), *side));
            entry.asked = Side::BOTH.into_iter().filter(asked).collect();
            entry.lanes.retain(|id, _| lanes.contains(&(name.clone(), id.clone())));
            entry.gates.retain(|gate, _| queries.contains(&Query::Gate(name.clone(), gate.clone())));
        }
        for (name, id) in lanes {
            self.services.entry(name.clone()).or_default().lanes.entry(id.clone()).or_default();
        }
        for query in queries {
            let Query::Gate(name, gate_name) = query else { continue };
            let Some(gate) = plan.services.get(name).and_then(|s| s.gates.get(gate_name)) else { continue };
            let Some(to) = source(gate_name, gate) else { continue };
            let entry = self.services.entry(name.clone()).or_default();
            entry.gates.entry(gate_name.clone()).or_insert_with(|| Listening { to, ring: Ring::new(needs(gate)), since: now });
        }
    }

    /// Begins a round of a lane.
    pub fn begin(&mut self, service: &ServiceName, id: &LaneId, now: Timestamp) -> Aim {
        self.rounds += 1;
        let round = self.rounds;
        let Some(entry) = self.services.get_mut(service) else { return Aim::Nothing };
        let Some(lane) = entry.lanes.get_mut(id) else { return Aim::Nothing };
        let news = match id.side().map(|side| (side, entry.targets.get(&side))) {
            None => return lane.begin(round, now, 1).map_or(Aim::Nothing, |round| Aim::Round(round, [NOWHERE].into())),
            Some((side, Some(Spot::Known(endpoints)))) if endpoints.is_empty() => {
                lane.empty(now, format!("{side} has no endpoints"))
            }
            Some((_, Some(Spot::Known(endpoints)))) => {
                let begun = lane.begin(round, now, endpoints.len());
                return begun.map_or(Aim::Nothing, |round| Aim::Round(round, Arc::clone(endpoints)));
            }
            Some((_, Some(Spot::Unknown(why)))) => lane.untargeted(now, why.clone()),
            Some((_, None)) => lane.untargeted(now, Unknown::NotYet),
        };
        entry.publish(id, &news);
        Aim::News
    }

    /// An endpoint's answer; says whether it is news.
    pub fn answer(
        &mut self,
        service: &ServiceName,
        id: &LaneId,
        round: RoundId,
        from: SocketAddr,
        shot: Shot,
        now: Timestamp,
    ) -> bool {
        let Some(entry) = self.services.get_mut(service) else { return false };
        let member = match id.side().and_then(|side| entry.targets.get(&side)) {
            Some(Spot::Known(endpoints)) if !endpoints.contains(&from) => Member::Gone,
            _ => Member::Current,
        };
        let Some(lane) = entry.lanes.get_mut(id) else { return false };
        let news = lane.answer(round, from, member, shot, now);
        entry.publish(id, &news);
        news.health || !news.rounds.is_empty()
    }

    /// Copies out what was asked for.
    pub fn fill(&self, seen: &mut Observed, now: Timestamp) {
        for (name, entry) in &self.services {
            for side in &entry.asked {
                seen.sides.entry(name.clone()).or_default().set(*side, entry.side(*side, now));
            }
            if !entry.gates.is_empty() {
                let gates = entry
                    .gates
                    .iter()
                    .map(|(gate, l)| (gate.clone(), GateSeen { watched_since: Some(l.since), rounds: l.ring.to_vec() }));
                seen.gates.entry(name.clone()).or_default().extend(gates);
            }
        }
    }
}

impl Entry {
    fn publish(&mut self, id: &LaneId, news: &News) {
        for gate in self.gates.values_mut().filter(|gate| gate.to == *id) {
            news.rounds.iter().for_each(|round| gate.ring.insert(round.clone()));
        }
    }

    /// An endpoint is healthy if the last answer to each of the service's probes was good; the side is as old as the oldest
    /// of these looks, and as dead as the deadest.
    fn side(&self, side: Side, now: Timestamp) -> Sample<SideSeen> {
        let unknown = |why| Sample { value: Err(why), taken_at: now };
        let endpoints = match self.targets.get(&side) {
            Some(Spot::Known(endpoints)) => endpoints,
            Some(Spot::Unknown(why)) => return unknown(why.clone()),
            None => return unknown(Unknown::NotYet),
        };
        let lanes: Vec<&Lane> = self.lanes.iter().filter(|(id, _)| id.side() == Some(side)).map(|(_, lane)| lane).collect();
        let Some(oldest) = lanes.iter().map(|lane| lane.completed).min().flatten() else { return unknown(Unknown::NotYet) };
        if let Some(why) = lanes.iter().find_map(|lane| lane.unsent.clone()) {
            return Sample { value: Err(why), taken_at: oldest };
        }
        let healthy = endpoints.iter().filter(|endpoint| lanes.iter().all(|lane| lane.is_healthy(endpoint))).count();
        let value = SideSeen {
            endpoints: u32::try_from(endpoints.len()).unwrap_or(u32::MAX),
            healthy: u32::try_from(healthy).unwrap_or(u32::MAX),
            dead_rounds: lanes.iter().map(|lane| lane.dead_rounds).max().unwrap_or(0),
            backend: Backend::Present,
        };
        Sample { value: Ok(value), taken_at: oldest }
    }
}

/// The lane that answers for a gate; `None`: another adapter does.
pub(super) fn source(name: &GateName, gate: &Gate) -> Option<LaneId> {
    match &gate.check {
        Check::Probe(probe) => Some(LaneId::Probe(Side::Target, probe.clone())),
        Check::Http(_) => Some(LaneId::Check(name.clone())),
        Check::Prometheus { .. } => None,
    }
}

/// As many rounds as a verdict can need, and as many more without an answer as there may be among them.
fn needs(gate: &Gate) -> usize {
    let (_, of) = window(gate);
    usize::try_from(of.max(gate.failures).saturating_add(ROUNDS_MIN)).unwrap_or(usize::MAX)
}
