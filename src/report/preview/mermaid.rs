//! The dry run as a Gantt chart in Mermaid's language (<https://mermaid.js.org/syntax/gantt.html>).

use std::fmt::Write as _;

use crate::preview::{
    Preview,
    report::{Kind, StepLine},
};

/// A label: what Mermaid takes for a separator is left out.
fn label(text: &str) -> String {
    text.replace([':', ';', '#', ',', '\n'], " ")
}

/// The steps until all traffic is on target, a section for each service. Times are UTC; Mermaid knows no zones.
pub fn mermaid(preview: &Preview) -> String {
    let mut out = format!("gantt\n  title {}\n  dateFormat x\n  axisFormat %d %b %H:%M\n", label(&preview.plan));
    for window in &preview.windows {
        let (from, until) = (window.opens.as_millisecond(), window.closes.as_millisecond());
        let _ = writeln!(out, "  section windows\n  {} : {from}, {until}", label(&window.name));
    }
    for freeze in &preview.freezes {
        let (from, until) = (freeze.from.as_millisecond(), freeze.until.as_millisecond());
        let _ = writeln!(out, "  section freezes\n  {} : done, {from}, {until}", label(&freeze.name));
    }
    for phase in &preview.phases {
        let of_phase: Vec<_> =
            preview.steps.iter().filter(|s| s.service.is_none() && s.phase.as_deref() == Some(&phase.name)).collect();
        section(&mut out, &format!("phase {}", phase.name), &of_phase);
        for service in &phase.services {
            let own: Vec<_> = preview.steps.iter().filter(|s| s.service.as_deref() == Some(service)).collect();
            section(&mut out, service, &own);
        }
    }
    out
}

fn section(out: &mut String, name: &str, steps: &[&StepLine]) {
    let steps: Vec<_> = steps.iter().filter(|step| !matches!(step.kind, Kind::Soak | Kind::End)).collect();
    if steps.is_empty() {
        return;
    }
    let _ = writeln!(out, "  section {}", label(name));
    for step in steps {
        let from = step.start.as_millisecond();
        let until = step.end.map_or(from, |end| end.as_millisecond());
        let name = step.id.split_once('/').map_or(step.id.as_str(), |(_, step)| step);
        let tag = match (step.critical, until > from) {
            (true, true) => "crit, ",
            (_, false) => "milestone, ",
            (false, true) => "",
        };
        let _ = writeln!(out, "  {} : {tag}{from}, {until}", label(name));
    }
}
