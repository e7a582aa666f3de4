//! The end of a legacy side.

use super::{Found, Memory};
use crate::{
    engine::{About, Invariant},
    world::{
        connections::{Open, Told},
        facts::Facts,
        model::{Ix, Model, ServiceModel},
        people::Yes,
        task::{Access, Change, Way},
    },
};

/// What a task breaks that is ordered by these facts: nobody's legacy ends while it has traffic or connections, or unasked.
pub(super) fn ordered(model: &Model, memory: &Memory, known: [&Facts; 2], ix: Ix, (task, way): (u16, Way)) -> Option<Found> {
    let (task, service) = (model.tasks().get(usize::from(task))?, model.service(ix)?);
    if !matches!(task.change(way), Change::Ends | Change::Denies(Access::Closed)) {
        return None;
    }
    let breach = |detail: String| Some(Found::new(Invariant::LegacyStays, detail));
    let there = |facts: &Facts, ix| facts.service(ix).is_some_and(|s| s.route.in_force == 100 && s.route.accepted == 100);
    let away = |ix: Ix| known.iter().any(|facts| there(facts, ix));
    // Where a hand has put the traffic of its group or of what it needs, on systems of their own, is no reason for it to go back.
    let company = service.company.iter().filter(|other| !memory.of(**other).touched);
    if let Some(late) = std::iter::once(&ix).chain(&service.tenants).chain(company).copied().find(|other| !away(*other)) {
        let name = model.service(late).map(|s| s.name.to_string()).unwrap_or_default();
        return breach(format!("its legacy side ends while {name} has traffic there"));
    }
    let [looked, _] = known;
    if task.change(way) == Change::Ends && cuts(model, looked, ix, service) {
        return breach("its legacy side is switched off while it has connections".to_owned());
    }
    let about = About::Decommission(service.name.clone());
    let asked = (0..).zip(model.questions()).find(|(_, question)| question.about == about).map(|(number, _)| number)?;
    let mut said = known.iter().flat_map(|facts| &facts.people.said);
    let approved = said.any(|said| said.question == asked && said.answer == Yes::Yes);
    if approved { None } else { breach("its legacy side ends and nobody approved that".to_owned()) }
}

/// Whether switching legacy off cuts connections that can be known of: the router counts them, or the plan says how old they
/// become. Those that are there at the deadline of the drain the plan gives up. A denied address cuts none: it keeps new ones out.
fn cuts(model: &Model, looked: &Facts, ix: Ix, service: &ServiceModel) -> bool {
    let kept = service.connections.and_then(|place| model.connections().get(usize::from(place)));
    let (Some(kept), Some(own), Some(facts)) = (kept, looked.connections(model, ix), looked.service(ix)) else { return false };
    let known = match own.open {
        Open::None => false,
        Open::Renewed => true,
        Open::Until(last) => last > looked.now,
        Open::ForGood => kept.router == Told::Counted,
    };
    let waited = looked.now.since(facts.route.in_force_since);
    known && kept.deadline.is_none_or(|deadline| waited < deadline)
}
