//! How long the way back takes.

use std::collections::BTreeMap;

use super::Expected;
use crate::plan::{
    names::{GroupName, ServiceName, Span},
    spec::UndoWhen,
};

/// What goes back as one: a group in lock step, or a service alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Unit<'a> {
    Group(&'a GroupName),
    Service(&'a ServiceName),
}

#[derive(Debug, Default)]
struct Way<'a> {
    /// Until the traffic of the unit is back, from when it may begin.
    traffic: Span,
    /// What has to be taken back after that.
    rest: Span,
    /// When it may begin: the traffic of all that needs it is back.
    begins: Span,
    /// The units that it needs, and that wait for it.
    needs: Vec<Unit<'a>>,
    /// How many of those that need it are not back yet.
    dependents: usize,
}

/// How long it takes to take these services back, as 95th percentile: the longest way along the reverse critical path,
/// which is the needs among them backwards. `None`: nothing goes back, so nothing has to end in time.
///
/// Traffic of a service begins to go back when the traffic of all that needs it is back (`order`); what is taken back after
/// the traffic keeps nobody waiting, but has to end as well. A group goes back in lock step, so it takes as long as its
/// slowest member. Tasks of a phase are taken back with any of its services. Give all that would go back: the services in motion, and their rollback closures.
pub fn undo_time<'a>(expected: &Expected<'a>, services: impl IntoIterator<Item = &'a ServiceName>) -> Option<Span> {
    let mut ways = ways(expected, services);
    if ways.is_empty() {
        return None;
    }
    let mut ready: Vec<Unit<'a>> = ways.iter().filter(|(_, way)| way.dependents == 0).map(|(unit, _)| *unit).collect();
    let mut longest = Span::ZERO;
    while let Some(way) = ready.pop().and_then(|unit| ways.remove(&unit)) {
        let back = way.begins.plus(way.traffic);
        longest = longest.max(back.plus(way.rest));
        for unit in &way.needs {
            let Some(needed) = ways.get_mut(unit) else { continue };
            needed.begins = needed.begins.max(back);
            needed.dependents = needed.dependents.saturating_sub(1);
            if needed.dependents == 0 {
                ready.push(*unit);
            }
        }
    }
    // A cycle cannot be: a checked plan has none but inside groups. If one were, its members go one after the other.
    Some(ways.values().fold(longest, |sum, way| sum.plus(way.traffic).plus(way.rest)))
}

fn ways<'a>(expected: &Expected<'a>, services: impl IntoIterator<Item = &'a ServiceName>) -> BTreeMap<Unit<'a>, Way<'a>> {
    let plan = expected.plan();
    let unit = |name: &'a ServiceName| plan.group_of(name).map_or(Unit::Service(name), |(group, _)| Unit::Group(group));
    let mut ways: BTreeMap<Unit<'a>, Way<'a>> = BTreeMap::new();
    for name in services {
        let Some(service) = plan.services.get(name) else { continue };
        let own = unit(name);
        let way = ways.entry(own).or_default();
        way.traffic = way.traffic.max(expected.traffic_back(name, service));
        way.rest =
            way.rest.max(expected.rest_back(name, service).plus(expected.phase_undo(&service.phase, UndoWhen::AfterTraffic)));
        way.begins = way.begins.max(expected.phase_undo(&service.phase, UndoWhen::BeforeTraffic));
        way.needs.extend(service.before().map(unit).filter(|needed| *needed != own));
    }
    let needed: Vec<Vec<Unit<'a>>> = ways
        .values_mut()
        .map(|way| {
            way.needs.sort_unstable();
            way.needs.dedup();
            way.needs.clone()
        })
        .collect();
    for unit in needed.iter().flatten() {
        if let Some(way) = ways.get_mut(unit) {
            way.dependents += 1;
        }
    }
    ways
}
