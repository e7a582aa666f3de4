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

/// A name that stands somewhere.
struct Named<'a> {
    name: &'a str,
    path: Path,
    link: Link,
}

/// In what way one is bound to another.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Link {
    /// It waits for it.
    Waits,
    /// It needs it on either side, across a bridge.
    Across,
}

/// A phase or a service, and what it waits for.
pub(super) struct Entry<'a> {
    path: Path,
    name: Option<&'a str>,
    phase: Option<&'a str>,
    /// Whom it names: whom it waits for, and whom it needs across a bridge.
    refers: Vec<Named<'a>>,
    /// The places of needs across the estates that name no bridge.
    bridgeless: Vec<(Path, Option<&'a str>)>,
}

/// The names of a document, whatever else is wrong with it.
pub(super) struct Outline<'a> {
    pub plan: Option<&'a str>,
    pub phases: Vec<Entry<'a>>,
    pub services: Vec<Entry<'a>>,
    /// The group of each service that is in one.
    groups: BTreeMap<&'a str, &'a str>,
}

impl<'a> Outline<'a> {
    pub fn of(document: &'a Value) -> Self {
        let spec = document.get("spec");
        Self {
            plan: document.get("metadata").and_then(|m| text(m, "name")),
            phases: entries(spec, "phases", "after", "phase"),
            services: entries(spec, "services", "needs", "service"),
            groups: groups(spec),
        }
    }

    /// References, names, cycles and the order of phases.
    pub fn check(&self, findings: &mut Vec<Finding>) {
        duplicates(&self.phases, "phase", findings);
        duplicates(&self.services, "service", findings);
        references(&self.phases, &self.phases, "phase", findings);
        references(&self.services, &self.services, "service", findings);
        self.phases_of_services(findings);
        let phases = Knots { entries: &self.phases, kind: "phase", groups: &BTreeMap::new() }.check(findings);
        Knots { entries: &self.services, kind: "service", groups: &self.groups }.check(findings);
        self.phase_order(&phases, findings);
        self.bridges(findings);
        self.undeclared(findings);
    }

    fn phases_of_services(&self, findings: &mut Vec<Finding>) {
        let known: BTreeSet<&str> = self.phases.iter().filter_map(|phase| phase.name).collect();
        for service in &self.services {
            if let Some(phase) = service.phase.filter(|phase| !known.contains(phase)) {
                let named = Named { name: phase, path: service.path.key("phase"), link: Link::Waits };
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
        let before: BTreeMap<&str, BTreeSet<&str>> =
            self.phases.iter().filter_map(|phase| Some((phase.name?, phases.all_before(phase.name?)))).collect();
        for service in &self.services {
            for need in service.waits() {
                let (Some(own), Some(needed)) = (self.phase_of(service), by_name.get(need.name)) else { continue };
                let Some(later) = self.phase_of(needed) else { continue };
                if later != own && before.get(later).is_some_and(|before| before.contains(own)) {
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

    /// A need across the estates counts on a bridge.
    fn bridges(&self, findings: &mut Vec<Finding>) {
        for service in &self.services {
            for (path, needed) in &service.bridgeless {
                let (name, needed) = (service.name.unwrap_or("this service"), needed.unwrap_or("another"));
                let message = format!("`{name}` needs `{needed}` across the estates, and names no bridge that carries it");
                let help = "name a bridge that joins the phases of both, as `bridge: …`, or use `mode: Before`";
                findings.push(Finding::error(Code::BridgeMissing, path.clone(), message, help));
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

impl<'a> Entry<'a> {
    fn says_needs(&self) -> bool {
        !self.refers.is_empty()
    }
    fn waits(&self) -> impl Iterator<Item = &Named<'a>> {
        self.refers.iter().filter(|named| named.link == Link::Waits)
    }
}

/// The group of each service that is in one; the first, if it is in more.
fn groups(spec: Option<&Value>) -> BTreeMap<&str, &str> {
    let mut groups = BTreeMap::new();
    for group in elements(spec, "groups") {
        let Some(name) = text(group, "name") else { continue };
        for member in elements(Some(group), "services").filter_map(Value::as_str) {
            groups.entry(member).or_insert(name);
        }
    }
    groups
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
        let mut entry = Entry {
            name: text(item, "name"),
            phase: text(item, "phase"),
            refers: Vec::new(),
            bridgeless: Vec::new(),
            path: path.clone(),
        };
        for (i, need) in elements(Some(item), waits).enumerate() {
            let at = path.key(waits).index(i);
            let link = if text(need, "mode") == Some("Across") { Link::Across } else { Link::Waits };
            if link == Link::Across && need.get("bridge").is_none() {
                entry.bridgeless.push((at.key("mode"), text(need, refers)));
            }
            entry.refers.extend(text(need, refers).map(|name| Named { name, path: at.key(refers), link }));
        }
        entry
    };
    items.map(entry).collect()
}

fn duplicates(entries: &[Entry<'_>], kind: &str, findings: &mut Vec<Finding>) {
    let named = entries.iter().filter_map(|entry| Some((entry.name?, entry.path.key("name"))));
    twice(named, kind, "in this plan", findings);
    for entry in entries {
        let names = entry.refers.iter().map(|named| (named.name, named.path.clone()));
        twice(names, kind, "in this list", findings);
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
    let wrong = from.iter().flat_map(|entry| &entry.refers).filter(|named| !known.contains(named.name));
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

/// So many steps of a cycle are told.
const CYCLE_SHOWN: usize = 12;
/// The longest list of members that a group can have.
const GROUP_MAX: usize = 256;

/// What waits for what, with the members of a group as one: whoever is in a group with another cannot wait for it.
struct Knots<'k, 'a> {
    entries: &'k [Entry<'a>],
    kind: &'static str,
    groups: &'k BTreeMap<&'a str, &'a str>,
}

/// One waits for the other, and says so here.
struct Wait<'k, 'a> {
    from: &'a str,
    to: &'k Named<'a>,
}

impl<'a> Knots<'_, 'a> {
    /// Finds the cycles; gives who waits for whom.
    fn check(&self, findings: &mut Vec<Finding>) -> Waits<'a> {
        let mut first: BTreeMap<&str, &'a str> = BTreeMap::new();
        for (member, group) in self.groups {
            first.entry(group).or_insert(member);
        }
        // A group goes by the name of its first member.
        let one = |name: &'a str| self.groups.get(name).and_then(|group| first.get(group)).copied().unwrap_or(name);
        let mut waits: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let mut links: BTreeMap<(&str, &str), Wait<'_, 'a>> = BTreeMap::new();
        for entry in self.entries {
            let Some(from) = entry.name else { continue };
            let own = waits.entry(one(from)).or_default();
            for to in entry.waits().filter(|to| to.name == from || one(to.name) != one(from)) {
                own.insert(one(to.name));
                links.entry((one(from), one(to.name))).or_insert(Wait { from, to });
            }
        }
        let graph = Waits::new(&waits);
        for knot in graph.knots().iter().take(FINDINGS_MAX + 1) {
            let next = |i: usize| knot.cycle.get(i + 1).or(knot.cycle.first()).copied().unwrap_or_default();
            let steps: Vec<_> = knot.cycle.iter().enumerate().filter_map(|(i, from)| links.get(&(*from, next(i)))).collect();
            findings.extend(self.finding(&steps, &self.members(&knot.all, one)));
        }
        graph
    }

    /// All services of a knot, with those of its groups.
    fn members(&self, knot: &BTreeSet<&'a str>, one: impl Fn(&'a str) -> &'a str) -> BTreeSet<&'a str> {
        self.entries.iter().filter_map(|entry| entry.name).filter(|name| knot.contains(one(name))).collect()
    }

    fn finding(&self, steps: &[&Wait<'_, 'a>], members: &BTreeSet<&'a str>) -> Option<Finding> {
        let (kind, verb) = (self.kind, if self.kind == "service" { "needs" } else { "comes after" });
        let (first, others) = steps.split_first()?;
        let told = |wait: &Wait<'_, '_>| format!("`{}` {verb} `{}`", wait.from, wait.to.name);
        let message = if others.is_empty() && first.from == first.to.name {
            format!("{kind} `{}` {verb} itself", first.from)
        } else {
            let mut links: Vec<String> = steps.iter().take(CYCLE_SHOWN).map(|wait| told(wait)).collect();
            if steps.len() > CYCLE_SHOWN {
                links.push(format!("and so on for {} more", steps.len() - CYCLE_SHOWN));
            }
            format!("{}: none of these {kind}s can go first", links.join(", "))
        };
        let help = match kind {
            _ if members.len() == 1 => "remove it".to_owned(),
            "service" => self.resolved(members),
            _ => "remove one of these".to_owned(),
        };
        let finding = Finding::error(Code::Cycle, first.to.path.clone(), message, help);
        Some(others.iter().take(CYCLE_SHOWN).fold(finding, |finding, wait| finding.with(wait.to.path.clone(), told(wait))))
    }

    /// How services that can only move together are moved together.
    fn resolved(&self, members: &BTreeSet<&'a str>) -> String {
        if members.len() > GROUP_MAX {
            return format!(
                "remove some of these needs: {} services are bound into one knot, too many to move as one",
                members.len()
            );
        }
        let own = members.iter().find_map(|member| self.groups.get(member).copied());
        let first = members.first().copied().unwrap_or_default();
        let short = first.get(..first.len().min(LABEL_MAX - 6)).unwrap_or(first);
        let name = own.map_or_else(|| format!("{short}-group"), str::to_owned);
        let list: Vec<&str> = members.iter().copied().collect();
        format!(
            "remove one of these needs, or let them move as one: `groups: [{{ name: {name}, services: [{}] }}]`",
            list.join(", ")
        )
    }
}
