//! How a service's route and backends stand now, and what of that a run could not begin with. Judged by what the run itself
//! goes by: the engine's look at a route, the reading of rules and backends, the way to ask a Gateway.

use jiff::Timestamp;
use serde_json::Value;

use super::{error, live::Live, warning, writes::run};
use crate::{
    adapters::effective::Question,
    engine::{
        Accepted, Observed, Programmed, RouteSeen, Sample, ServiceState,
        route::{RouteView, look},
    },
    kubernetes::{
        backend::{self, Verdict},
        gateway::questions,
        route::{BackendName, RuleName, owner, programmed, rule},
        world::{rule_name, version},
    },
    plan::{Place, Service, ServiceName, Side},
    preview::report::{ClusterCode, ClusterFinding, LiveBackend, LiveRoute, LiveService, Standing},
};

/// A route whose rule can be written: where a run would begin.
pub struct Way<'l> {
    /// The route.
    pub route: &'l Value,
    /// The route's name.
    pub name: String,
    /// The rule in it.
    pub rule: RuleName,
}

/// How a service stands, what speaks against beginning, and the route that its effects can be tried on, if there is one.
pub fn of<'l>(live: &'l Live, name: &ServiceName, service: &Service) -> (LiveService, Vec<ClusterFinding>, Option<Way<'l>>) {
    let mut found = Vec::new();
    let line = LiveService { name: name.to_string(), route: None, legacy: None, target: None, effects: Vec::new() };
    let Some((route_name, rule_name)) = rule_name(name, service) else { return (line, found, None) };
    let [legacy, target] = Side::BOTH.map(|side| backend(live, name, service, side, &mut found));
    let line = LiveService { legacy: Some(legacy), target: Some(target), ..line };
    let place = place(live, &route_name, &rule_name);
    let route = match live.route(&route_name) {
        Ok(Some(route)) => route,
        Ok(None) => {
            let help = "make it, with both sides as backends and all weight on legacy, before the run";
            found.push(error(ClusterCode::RouteMissing, place, "there is no such route", help));
            return (line, found, None);
        }
        Err(_) => return (line, found, None), // said once for all of its kind
    };
    refused(route, &place, [&line.legacy, &line.target], &mut found);
    let (seen, way) = read(live, &place, (route, &route_name, &rule_name), (name, service), &mut found);
    (LiveService { route: Some(seen), ..line }, found, way)
}

/// `HTTPRoute spine/pds, rule default`.
fn place(live: &Live, route: &str, rule: &RuleName) -> String {
    let section = rule.section.as_ref().map_or_else(String::new, |section| format!(", rule {section}"));
    format!("HTTPRoute {}/{route}{section}", live.namespace)
}

/// What the data plane says of the route as it is. That a backend is not found is no news where a run makes it, or where that was
/// said already.
fn refused(route: &Value, place: &str, sides: [&Option<LiveBackend>; 2], found: &mut Vec<ClusterFinding>) {
    let Programmed::Refused(why) = programmed(route) else { return };
    let missing = sides.into_iter().flatten().any(|side| side.standing != Standing::Present);
    if why.starts_with("BackendNotFound") && missing {
        return;
    }
    let help = "mend the route: nothing that is written to it would come into force";
    found.push(error(ClusterCode::RouteRefused, place, format!("the data plane refuses it: {why}"), help));
}

type Named<'l, 'n> = (&'l Value, &'n str, &'n RuleName);

fn read<'l>(
    live: &'l Live,
    place: &str,
    (route, route_name, name_of_rule): Named<'l, '_>,
    (name, service): (&ServiceName, &Service),
    found: &mut Vec<ClusterFinding>,
) -> (LiveRoute, Option<Way<'l>>) {
    let owner_seen = owner(route);
    let mut line = LiveRoute {
        name: route_name.to_owned(),
        rule: name_of_rule.section.clone(),
        owner: owner_seen.as_ref().map(ToString::to_string),
        weight: None,
        asked: Vec::new(),
    };
    let rule = match rule(route, name_of_rule) {
        Ok(rule) => rule,
        Err(why) => {
            let help = format!(
                "give the rule the backends {} and {}, or name another rule in the plan",
                name_of_rule.legacy, name_of_rule.target
            );
            found.push(error(ClusterCode::RouteMisfit, place, why.to_string(), help));
            return (line, None);
        }
    };
    let accepted = rule.accepted();
    if let Accepted::Split(weight) = accepted {
        line.weight = Some(weight.percent());
    }
    match questions(route, &rule, service, |gateway| live.gateway(gateway)) {
        Ok(questions) => line.asked = questions.iter().map(asked).collect(),
        Err(why) => {
            let help = "let its Gateway have an address and a plain HTTP listener, and its rule a path that can be asked safely";
            found.push(error(ClusterCode::RouteUnasked, place, format!("its answers cannot be asked for: {why}"), help));
        }
    }
    let view = view(
        name,
        RouteSeen {
            version: version(route),
            owner: owner_seen,
            accepted,
            mark: rule.mark().map(str::to_owned),
            programmed: programmed(route),
            effective: None,
            legacy_active: None,
        },
    );
    let way = Way { route, name: route_name.to_owned(), rule: name_of_rule.clone() };
    match view {
        RouteView::Foreign(owner) => {
            let help = format!("let run {} end, or delete it: a route is driven by one run at a time", owner.name);
            found.push(error(ClusterCode::RouteOwned, place, format!("it is driven by run {owner}"), help));
            (line, None)
        }
        RouteView::Drift(what) => {
            let help = "give legacy all the weight, and nobody but the two sides any, before the run";
            found.push(error(ClusterCode::RouteWeights, place, format!("it has {what}"), help));
            (line, Some(way))
        }
        _ => (line, Some(way)),
    }
}

/// The engine's look at a route that no run has ordered anything for.
fn view(name: &ServiceName, seen: RouteSeen) -> RouteView {
    let mut all = Observed::default();
    all.routes.insert(name.clone(), Sample { value: Ok(seen), taken_at: Timestamp::UNIX_EPOCH });
    look(&all, name, &ServiceState::default(), &run().run, Timestamp::UNIX_EPOCH)
}

/// `GET http://10.0.0.1/healthz, Host pds.example.org`.
fn asked(question: &Question) -> String {
    let host = question.host.as_ref().map_or_else(String::new, |host| format!(", Host {host}"));
    format!("{} http://{}{}{host}", question.method, question.address.authority(), question.address.path())
}

/// How the backend of a side stands.
fn backend(live: &Live, name: &ServiceName, service: &Service, side: Side, found: &mut Vec<ClusterFinding>) -> LiveBackend {
    let of = BackendName::of(name, service, side);
    let line = |standing, endpoints| LiveBackend { name: of.to_string(), standing, endpoints };
    let Ok((object, slices)) = live.backend(&of.name) else { return line(Standing::Unknown, 0) };
    let place = format!("{side} side of {name}, Service {}/{of}", live.namespace);
    let there = backend::endpoints(&of, object, slices.iter());
    match (&service.side(side).at, there) {
        (Place::Endpoints(hosts), _) => match backend::compare(&of, hosts, object, slices.iter()) {
            Verdict::Right => line(Standing::Present, hosts.len()),
            Verdict::ToMake => line(Standing::ToMake, hosts.len()),
            Verdict::Foreign(why) => {
                let help = format!("a run makes Service {} and its slices itself, once nobody else does", of.name);
                found.push(error(ClusterCode::BackendForeign, place, why, help));
                line(Standing::Foreign, 0)
            }
        },
        (Place::Service(_), backend::Standing::There(endpoints)) => {
            if endpoints.is_empty() {
                let help = "let at least one of its pods be ready before the run";
                found.push(warning(ClusterCode::NoEndpoints, place, "it has no endpoint that takes traffic", help));
            }
            line(Standing::Present, endpoints.len())
        }
        (Place::Service(_), backend::Standing::Absent(what)) => {
            let help = "make it before the run, or correct its name or port in the plan";
            found.push(error(ClusterCode::BackendMissing, place, what, help));
            line(Standing::Absent, 0)
        }
    }
}
