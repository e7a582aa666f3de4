//! The dry run as Markdown: a table that people print and sign.

use std::fmt::Write as _;

use super::{headline, length, roles, takes};
use crate::preview::{Preview, times::Clock};

/// A cell of a table: no line ends, no bars.
fn cell(text: &str) -> String {
    text.replace('\\', "\\\\").replace('|', "\\|").replace(['\n', '\r'], " ").replace('<', "&lt;")
}

/// The whole preview as Markdown.
pub fn markdown(preview: &Preview) -> String {
    let clock = Clock::named(preview.time_zone.as_deref());
    let mut out = format!("# {}\n\nRevision `{}`\n\n", cell(&preview.plan), preview.digest);
    for line in headline(preview) {
        let _ = writeln!(out, "- {}", cell(&line));
    }
    for stuck in &preview.stuck {
        let _ = writeln!(out, "- **Stops** at `{}`: {}", stuck.step, cell(&stuck.reason));
    }
    out.push_str("\n## Steps\n\n| begins | UTC | takes | step | what | gates | latest rollback | at risk |\n");
    out.push_str("|---|---|--:|---|---|---|---|--:|\n");
    for step in &preview.steps {
        let takes = takes(step);
        let mut what = step.action.clone();
        if let Some(approval) = &step.approval {
            let _ = write!(what, "; **approval** by {}: {}", roles(approval), approval.asks);
        }
        if let Some(why) = &step.waited_for {
            let _ = write!(what, "; waited for {why}");
        }
        if let Some(why) = &step.point_of_no_return {
            let _ = write!(what, "; **no way back**: {why}");
        }
        let id = if step.critical { format!("**`{}`**", step.id) } else { format!("`{}`", step.id) };
        let latest = step.latest_rollback.map_or(String::new(), |at| clock.long(at));
        let risk = step.requests_at_risk.map_or(String::new(), |n| n.to_string());
        let _ = writeln!(
            out,
            "| {} | {} | {takes} | {id} | {} | {} | {latest} | {risk} |",
            clock.long(step.start),
            step.start.strftime("%d %b %H:%M:%S"),
            cell(&what),
            step.gates.join(", "),
        );
    }
    out.push_str("\nBold steps are on a critical path.\n\n## If a service goes back\n\n");
    out.push_str(
        "| service | goes with it | takes | noticed in | requests at risk | no way back from |\n|---|---|--:|--:|--:|---|\n",
    );
    for service in &preview.services {
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} |",
            service.name,
            service.blast_radius.join(", "),
            length(service.undo_ms),
            service.detection_ms.map_or_else(|| "never".to_owned(), length),
            service.requests_at_risk.map_or(String::new(), |n| n.to_string()),
            service.point_of_no_return.as_ref().map_or(String::new(), |step| format!("`{step}`")),
        );
    }
    out
}
