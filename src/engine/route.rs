//! What a route's sample means for the newest order of its service. The only place that tells an order not yet taken
//! over from one that somebody undid.

use jiff::Timestamp;

use super::{
    draft::WaitsFor,
    observed::{Accepted, Observed, Programmed, RouteSeen},
    reason::{Fact, Reason},
    record::{Order, Overtaken, RunId, ServiceState},
};
use crate::plan::{ServiceName, Span, Weight};

/// How long an order may take to be effective before people are told. Data planes need milliseconds, a controller that
/// restarts a few seconds (measured: 2 to 16 s behind a killed Envoy Gateway).
pub const EFFECTIVE_WITHIN: Span = Span::from_secs(60);
/// How old a look at a route may be.
pub const STALE: Span = Span::from_secs(15);
/// How long after an order the route may still show the state before it without the order being given again: the answer of
/// a write and a watch's news of it do not come in one instant.
pub const SETTLE: Span = Span::from_millis(500);

/// Whether an order that does not show is to be given again. One that lies ahead was given by a process whose clock was
/// ahead of ours, so not just now.
pub fn is_settled(order: &Order, now: Timestamp) -> bool {
    let age = now.duration_since(order.at);
    age.is_negative() || age >= SETTLE.signed()
}

/// A route as the engine takes it.
#[derive(Debug, Clone, PartialEq)]
pub enum RouteView {
    /// Nobody can tell; the text says why.
    Unknown(String),
    /// Another run drives it.
    Foreign(super::observed::Owner),
    /// Somebody else changed it; the text says what is there.
    Drift(String),
    /// It is as it was before the newest order, or there is no order yet and all traffic is on legacy.
    Before {
        /// Its version.
        version: String,
        /// The share that target has there.
        weight: Weight,
    },
    /// It has the newest order; this fact is the one that is missing.
    Pending(Fact, Option<String>),
    /// The newest order is in force since this moment.
    Effective(Timestamp),
}

/// The fresh answer about a route.
pub fn fresh<'a>(seen: &'a Observed, name: &ServiceName, now: Timestamp) -> Result<&'a RouteSeen, String> {
    let sample = seen.routes.get(name).ok_or_else(|| "there is no answer yet".to_owned())?;
    let value = sample.value.as_ref().map_err(ToString::to_string)?;
    if now.duration_since(sample.taken_at) > STALE.signed() {
        return Err(format!("the newest answer is older than {STALE}"));
    }
    Ok(value)
}

/// Looks at the route of a service.
pub fn look(seen: &Observed, name: &ServiceName, state: &ServiceState, run: &RunId, now: Timestamp) -> RouteView {
    let route = match fresh(seen, name, now) {
        Ok(route) => route,
        Err(why) => return RouteView::Unknown(why),
    };
    if let Some(owner) = route.owner.as_ref().filter(|o| o.run != *run) {
        return RouteView::Foreign(owner.clone());
    }
    match &state.order {
        None => unordered(route),
        Some(order) => ordered(route, order, state, run, name),
    }
}

/// Before the first order all traffic has to be on legacy, and the route nobody's. One that this run has claimed already
/// speaks of a record that was lost or put back.
fn unordered(route: &RouteSeen) -> RouteView {
    match &route.accepted {
        Accepted::Split(_) if route.owner.is_some() => {
            RouteView::Drift("a claim of this run, whose record knows of none".to_owned())
        }
        Accepted::Split(Weight::ZERO) => RouteView::Before { version: route.version.clone(), weight: Weight::ZERO },
        Accepted::Split(weight) => RouteView::Drift(format!("{weight} on target before anything was ordered")),
        Accepted::Other(what) => RouteView::Drift(what.clone()),
    }
}

fn ordered(route: &RouteSeen, order: &Order, state: &ServiceState, run: &RunId, name: &ServiceName) -> RouteView {
    let ours = route.bears(run, name, order.number);
    match &route.accepted {
        Accepted::Split(weight) if ours && *weight == order.weight => match (&route.effective, &route.programmed) {
            (Some(effective), _) if effective.weight == order.weight => RouteView::Effective(effective.since),
            (_, Programmed::Refused(why)) => RouteView::Pending(Fact::Programmed, Some(why.clone())),
            (_, Programmed::Pending) => RouteView::Pending(Fact::Programmed, None),
            _ => RouteView::Pending(Fact::Effective, None),
        },
        Accepted::Split(weight) if !ours && is_before(route, order, state, run, name, *weight) => {
            RouteView::Before { version: route.version.clone(), weight: *weight }
        }
        Accepted::Split(weight) => RouteView::Drift(format!("{weight} on target")),
        Accepted::Other(what) => RouteView::Drift(what.clone()),
    }
}

/// The route shows what may stand there until the newest order is carried out: the order before it, or one that this one
/// overtook; each with its own weight, for any other is somebody else's (found by the explorer: a hand's weight under an old
/// mark was overwritten on the way back).
fn is_before(route: &RouteSeen, order: &Order, state: &ServiceState, run: &RunId, name: &ServiceName, weight: Weight) -> bool {
    let shows = |earlier: &Overtaken| {
        let Overtaken { number, weight: expected } = *earlier;
        let marked = if number > state.numbered { route.bears(run, name, number) } else { route.owner.is_none() };
        marked && weight == expected
    };
    shows(&order.before()) || state.overtaken.iter().any(shows)
}

/// What the route may show besides the order `state` has when another one follows: nothing, if that order shows already; else
/// what stood there before it as well.
pub fn overtaken(seen: &Observed, name: &ServiceName, state: &ServiceState, run: &RunId, now: Timestamp) -> Vec<Overtaken> {
    let Some(order) = &state.order else { return Vec::new() };
    if fresh(seen, name, now).is_ok_and(|route| route.bears(run, name, order.number)) {
        return Vec::new();
    }
    state.overtaken.iter().copied().chain([order.before()]).collect()
}

/// Why a step waits for its route.
pub fn wait(view: &RouteView, order: &Order, now: Timestamp) -> Reason {
    let late = now.duration_since(order.at) >= EFFECTIVE_WITHIN.signed();
    let weight = order.weight;
    match view {
        RouteView::Unknown(why) => Reason::RouteUnknown { why: why.clone() },
        RouteView::Foreign(owner) => Reason::OneOwner { owner: owner.clone() },
        RouteView::Drift(found) => Reason::Drift { found: found.clone(), expected: weight },
        RouteView::Before { .. } if late => Reason::NotEffective { weight, within: EFFECTIVE_WITHIN, fact: Fact::Accepted },
        RouteView::Before { .. } => Reason::TakingEffect { weight, fact: Fact::Accepted },
        RouteView::Pending(_, Some(why)) => Reason::RouteUnknown { why: format!("the data plane refuses the route: {why}") },
        RouteView::Pending(fact, None) if late => Reason::NotEffective { weight, within: EFFECTIVE_WITHIN, fact: *fact },
        RouteView::Pending(fact, None) => Reason::TakingEffect { weight, fact: *fact },
        RouteView::Effective(_) => Reason::TakingEffect { weight, fact: Fact::Effective },
    }
}

/// Who can end such a wait.
pub fn waits_for(reason: &Reason) -> WaitsFor {
    match reason {
        Reason::TakingEffect { .. } | Reason::RouteUnknown { .. } => WaitsFor::World,
        _ => WaitsFor::Person,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The engine wakes at that very moment, and at no later one: what it did not say then nobody was ever told (found by the
    /// explorer: a run that rested there and asked nobody).
    #[test]
    fn an_order_is_late_from_the_moment_on_for_which_the_engine_wakes() {
        let at: Timestamp = "2026-08-28T20:00:00Z".parse().unwrap();
        let order = Order { from: Weight::ZERO, weight: Weight::FULL, number: 1, at };
        let after = |span: Span| at.checked_add(span.signed()).unwrap();
        for view in [RouteView::Pending(Fact::Accepted, None), RouteView::Before { version: "1".into(), weight: Weight::ZERO }] {
            let on = |span| waits_for(&wait(&view, &order, after(span)));
            assert_eq!(on(Span::from_millis(59_999)), WaitsFor::World, "{view:?}");
            assert_eq!(on(EFFECTIVE_WITHIN), WaitsFor::Person, "{view:?}");
        }
    }
}
