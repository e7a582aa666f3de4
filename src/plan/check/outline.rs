//! Names, phases and needs, out of the raw value: what refers to what, and in which order.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::plan::{
    finding::{Code, Finding, nearest},
    graph::Waits,
    names::LABEL_MAX,
    path::Path,
    schema::SERVICES_MAX,
    shape::FINDINGS_MAX,
};

/// The longest list of the schema is that of services. What stands beyond it is refused there, and not looked at here.
pub(super) const LIST_MAX: usize = SERVICES_MAX;
/// A cycle with more links than these is shown by its first ones.
const LINKS_MAX: usize = 12;

/// A name that stands somewhere.
struct Named<'a> {
    name: &'a str,
    path: Path,
}

/// A phase or a service, and what it waits for.
pub(super) struct Entry<'a> {
    path: Path,
    name: Option<&'a str>,
    phase: Option<&'a str>,
    waits: Vec<Named<'a>>,
}

/// The names of a document, whatever else is wrong with it.
pub(super) struct Outline<'a> {
    pub plan: Option<&'a str>,
    pub phases: Vec<Entry<'a>>,
    pub services: Vec<Entry<'a>>,
}

impl<'a> Outline<'a> {
    pub fn of(document: &'a Value) -> Self {
        let spec = document.get("spec");
        Self {
            plan: document.get("metadata").and_then(|m| text(m, "name")),
            phases: entries(spec, "phases", "after", "phase"),
            services: entries(spec, "services", "needs", "service"),
        }
    }

    /// References, names, cycles and the order of phases.
    pub fn check(&self, findings: &mut Vec<Finding>) {
        duplicates(&self.phases, "phase", findings);
        duplicates(&self.services, "service", findings);
        references(&self.phases, &self.phases, "phase", findings);
        references(&self.services, &self.services, "service", findings);
        self.phases_of_services(findings);
        let phases = cycles(&self.phases, "phase", findings);
        cycles(&self.services, "service", findings);
        self.phase_order(&phases, findings);
        self.undeclared(findings);
    }

    fn phases_of_services(&self, findings: &mut Vec<Finding>) {
        let known: BTreeSet<&str> = self.phases.iter().filter_map(|phase| phase.name).collect();
        for service in &self.services {
            if let Some(phase) = service.phase.filter(|phase| !known.contains(phase)) {
                let named = Named { name: phase, path: service.path.key("phase") };
                findings.push(unknown(&named, "phase", &known));
            }
        }
    }

    /// The phase that a service moves in, written or by default.
    fn phase_of(&self, service: &Entry<'a>) -> Option<&'a str> {
        service.phase.or_else(|| self.phases.first().and_then(|phase| phase.name))
    }

    fn phase_order(&self, phases: &Waits<'_>, findings: &mut Vec<Finding>) {
        let by_name: BTreeMap<&str, &Entry<'_>> = self.services.iter().filter_map(|s| Some((s.name?, s))).collect();
        let names = self.phases.iter().filter_map(|phase| phase.name);
        let earlier: BTreeMap<&str, BTreeSet<&str>> = names.map(|name| (name, phases.all_before(name))).collect();
        for service in &self.services {
            for need in &service.waits {
                let (Some(own), Some(needed)) = (self.phase_of(service), by_name.get(need.name)) else { continue };
                let Some(later) = self.phase_of(needed) else { continue };
                if later != own && earlier.get(later).is_some_and(|before| before.contains(own)) {
                    let name = service.name.unwrap_or("this service");
                    let message = format!(
                        "`{name}` needs `{}`, but its phase `{own}` comes before phase `{later}` of `{}`",
                        need.name, need.name
                    );
                    let help = format!("put `{}` into phase `{own}` or an earlier one, or `{name}` into `{later}`", need.name);
                    let finding = Finding::error(Code::PhaseOrder, need.path.clone(), message, help);
                    findings.push(finding.with(needed.path.key("phase"), format!("`{}` moves in phase `{later}`", need.name)));
                }
            }
        }
    }

    fn undeclared(&self, findings: &mut Vec<Finding>) {
        if self.services.len() > 1 && self.services.iter().all(|service| !service.says_needs()) {
            let count = self.services.len();
            let message = format!("none of the {count} services says what it needs, which means unknown and not none");
            let help = "add `needs: [{ service: … }]` where one has to be on target before another";
            let path = Path::top().key("spec").key("services");
            findings.push(Finding::warning(Code::UndeclaredNeeds, path, message, help));
        }
    }
}

impl Entry<'_> {
    fn says_needs(&self) -> bool {
        !self.waits.is_empty()
    }
}

/// A field that holds a name, if it is short enough to be one.
pub(super) fn text<'a>(value: &'a Value, field: &str) -> Option<&'a str> {
    value.get(field)?.as_str().filter(|text| text.len() <= LABEL_MAX)
}

/// The elements of a list, as many as any list of a plan may have.
pub(super) fn elements<'a>(owner: Option<&'a Value>, list: &str) -> impl Iterator<Item = &'a Value> {
    owner.and_then(|owner| owner.get(list)?.as_array()).into_iter().flatten().take(LIST_MAX)
}

fn entries<'a>(spec: Option<&'a Value>, list: &str, waits: &str, refers: &str) -> Vec<Entry<'a>> {
    let base = Path::top().key("spec").key(list);
    let items = elements(spec, list).enumerate();
    let entry = |(index, item): (usize, &'a Value)| {
        let path = base.index(index);
        let needs = elements(Some(item), waits).enumerate();
        let waits = needs
            .filter_map(|(i, need)| Some(Named { name: text(need, refers)?, path: path.key(waits).index(i).key(refers) }))
            .collect();
        Entry { name: text(item, "name"), phase: text(item, "phase"), waits, path }
    };
    items.map(entry).collect()
}

fn duplicates(entries: &[Entry<'_>], kind: &str, findings: &mut Vec<Finding>) {
    let named = entries.iter().filter_map(|entry| Some((entry.name?, entry.path.key("name"))));
    twice(named, kind, "in this plan", findings);
    for entry in entries {
        let waits = entry.waits.iter().map(|wait| (wait.name, wait.path.clone()));
        twice(waits, kind, "in this list", findings);
    }
}

/// Names that stand twice.
pub(super) fn twice<'a>(names: impl Iterator<Item = (&'a str, Path)>, kind: &str, where_: &str, findings: &mut Vec<Finding>) {
    let mut seen: BTreeMap<&str, Path> = BTreeMap::new();
    for (name, path) in names {
        match seen.get(name) {
            Some(first) => {
                let message = format!("{kind} `{name}` stands twice {where_}");
                let finding = Finding::error(Code::DuplicateName, path, message, "rename or remove one of the two");
                findings.push(finding.with(first.clone(), "first here"));
            }
            None => {
                seen.insert(name, path);
            }
        }
    }
}

fn references(from: &[Entry<'_>], to: &[Entry<'_>], kind: &str, findings: &mut Vec<Finding>) {
    let known: BTreeSet<&str> = to.iter().filter_map(|entry| entry.name).collect();
    let wrong = from.iter().flat_map(|entry| &entry.waits).filter(|named| !known.contains(named.name));
    for named in wrong.take(FINDINGS_MAX + 1) {
        findings.push(unknown(named, kind, &known));
    }
}

fn unknown(named: &Named<'_>, kind: &str, known: &BTreeSet<&str>) -> Finding {
    unknown_reference(named.path.clone(), named.name, kind, "this plan", known)
}

/// The finding for a name that nothing has.
pub(super) fn unknown_reference(path: Path, name: &str, kind: &str, owner: &str, known: &BTreeSet<&str>) -> Finding {
    let help = match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => format!("{owner} has no {kind}s; add one of that name"),
        None => {
            let some: Vec<String> = known.iter().take(8).map(|name| format!("`{name}`")).collect();
            let more = if known.len() > some.len() { ", …" } else { "" };
            format!("the {kind}s of {owner} are {}{more}", some.join(", "))
        }
    };
    Finding::error(Code::UnknownReference, path, format!("{owner} has no {kind} `{name}`"), help)
}

fn cycles<'a>(entries: &[Entry<'a>], kind: &str, findings: &mut Vec<Finding>) -> Waits<'a> {
    let mut waits: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for entry in entries {
        if let Some(name) = entry.name {
            waits.entry(name).or_default().extend(entry.waits.iter().map(|named| named.name));
        }
    }
    let graph = Waits::new(&waits);
    let mut by_name: BTreeMap<&str, Vec<&Entry<'_>>> = BTreeMap::new();
    for entry in entries {
        by_name.entry(entry.name.unwrap_or_default()).or_default().push(entry);
    }
    for knot in graph.knots().iter().take(FINDINGS_MAX + 1) {
        findings.push(cycle_finding(&by_name, kind, &knot.cycle));
    }
    graph
}

fn cycle_finding(entries: &BTreeMap<&str, Vec<&Entry<'_>>>, kind: &str, cycle: &[&str]) -> Finding {
    let verb = if kind == "service" { "needs" } else { "comes after" };
    let next = |i: usize| cycle.get(i + 1).or(cycle.first()).copied().unwrap_or_default();
    let place = |from: &str, to: &str| {
        let entry = entries.get(from).into_iter().flatten();
        let wait = entry.flat_map(|entry| &entry.waits).find(|named| named.name == to);
        wait.map_or_else(Path::top, |named| named.path.clone())
    };
    let links: Vec<(&str, &str)> = cycle.iter().enumerate().map(|(i, name)| (*name, next(i))).take(LINKS_MAX).collect();
    let message = match links.as_slice() {
        [(name, _)] => format!("{kind} `{name}` {verb} itself"),
        _ => {
            let mut steps: Vec<String> = links.iter().map(|(from, to)| format!("`{from}` {verb} `{to}`")).collect();
            if cycle.len() > links.len() {
                steps.push(format!("and so on through {} {kind}s back to `{}`", cycle.len(), next(cycle.len())));
            }
            format!("{}: none of these {kind}s can go first", steps.join(", "))
        }
    };
    let help = match (kind, links.len()) {
        (_, 1) => "remove it",
        ("service", _) => {
            "remove one of these needs; services that can only move together belong in one move group, which this version does not run"
        }
        _ => "remove one of these",
    };
    let mut links = links.into_iter();
    let first = links.next().map_or_else(Path::top, |(from, to)| place(from, to));
    let finding = Finding::error(Code::Cycle, first, message, help);
    links.fold(finding, |finding, (from, to)| finding.with(place(from, to), format!("`{from}` {verb} `{to}`")))
}
