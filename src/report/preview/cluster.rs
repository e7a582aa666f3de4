//! What a run would meet in the cluster, as text: what is wrong first, then each service, then who may do what.

use std::fmt::Write as _;

use super::count;
use crate::preview::report::{ClusterReport, EffectLine, LiveBackend, LiveService, Needs, Permit, RightLine, Tried, Way};

/// The whole of it.
pub fn cluster(report: &ClusterReport) -> String {
    let mut out = format!("\nin the cluster, namespace {}, asked as {}\n", report.namespace, report.caller);
    for finding in &report.findings {
        let _ = writeln!(out, "  {}[{}] {}", finding.severity, finding.code, finding.place);
        let _ = writeln!(out, "      {}", finding.message);
        let _ = writeln!(out, "      help: {}", finding.help);
    }
    if report.findings.is_empty() {
        out.push_str("  nothing was found that would fail\n");
    }
    let _ = writeln!(out, "\n  a start of the run: {}", tried(report.start.iter()));
    for service in &report.services {
        out.push_str(&of_service(service));
    }
    out.push_str(&rights(report));
    out
}

fn of_service(service: &LiveService) -> String {
    let Some(route) = &service.route else { return format!("  {}: no route of this cluster was found\n", service.name) };
    let rule = route.rule.as_ref().map_or_else(String::new, |rule| format!(", rule {rule}"));
    let owner = route.owner.as_ref().map_or_else(|| "nobody's".to_owned(), |owner| format!("driven by {owner}"));
    let weight = route.weight.map_or_else(|| "its weights cannot be told".to_owned(), |weight| format!("{weight} % on target"));
    let mut out = format!("  {}: HTTPRoute {}{rule}: {owner}, {weight}\n", service.name, route.name);
    let backend = |side: &str, backend: &LiveBackend| {
        let endpoints = count(backend.endpoints, "endpoint");
        format!("    {side} is Service {}, {}, {endpoints}\n", backend.name, backend.standing)
    };
    out.extend(service.legacy.iter().map(|of| backend("legacy", of)));
    out.extend(service.target.iter().map(|of| backend("target", of)));
    for asked in &route.asked {
        let _ = writeln!(out, "    its answers are asked for by {asked}");
    }
    for (way, words) in [(Way::Forward, "to target"), (Way::Back, "back")] {
        let _ = writeln!(out, "    {words}: {}", tried(service.effects.iter().filter(|effect| effect.way == way)));
    }
    let first = service.effects.iter().find(|effect| !effect.changes.is_empty());
    for change in first.into_iter().flat_map(|effect| &effect.changes) {
        let _ = writeln!(out, "      the first write: {change}");
    }
    out
}

/// `6 writes tried, all would be stored`.
fn tried<'e>(effects: impl Iterator<Item = &'e EffectLine>) -> String {
    let (mut all, mut refused, mut untried) = (0, 0, 0);
    for effect in effects {
        all += 1;
        match effect.outcome {
            Tried::Accepted => {}
            Tried::Refused => refused += 1,
            Tried::Untried => untried += 1,
        }
    }
    match (all, refused, untried) {
        (0, _, _) => "no write".to_owned(),
        (_, 0, 0) => format!("{} tried, all would be stored", count(all, "write")),
        _ => format!("{}: {refused} would be refused, {untried} could not be tried", count(all, "write")),
    }
}

fn rights(report: &ClusterReport) -> String {
    let told = |by: Needs, of: fn(&RightLine) -> Permit| {
        let lines: Vec<&RightLine> = report.rights.iter().filter(|line| line.needed_by == by).collect();
        let has = lines.iter().filter(|line| of(line) == Permit::Yes).count();
        let unknown = lines.iter().filter(|line| of(line) == Permit::Unknown).count();
        let rest = if unknown == 0 { String::new() } else { format!(", {unknown} are not known") };
        format!("{has} of {}{rest}", count(lines.len(), "right"))
    };
    let operator = report.operator.as_deref().unwrap_or("the operator, whose account is not known,");
    format!(
        "\n  rights: to start a run and give it orders, you have {}\n  rights: to drive it, {operator} has {}\n",
        told(Needs::Caller, |line| line.caller),
        told(Needs::Operator, |line| line.operator)
    )
}
