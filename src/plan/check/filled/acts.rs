//! Tasks: what takes them back, and when; batch jobs in mid-move.

use super::of;
use crate::plan::{
    finding::{Code, Finding},
    model::{Act, Plan, Task, Undo},
    names::TaskName,
    path::Path,
    spec::{PhaseMoment, ServiceMoment, UndoWhen},
};

/// When a task is done, measured by the traffic and by the soak that ends the way back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    /// Before the first weight.
    BeforeTraffic,
    /// After the last weight, with the way back still open.
    AfterTraffic,
    /// After the soak.
    AfterSoak,
}

pub(super) fn check(plan: &Plan, found: &mut Vec<Finding>) {
    for (name, phase) in &plan.phases {
        for (task_name, task) in &phase.tasks {
            let when = match task.at {
                PhaseMoment::BeforePhase => When::BeforeTraffic,
                PhaseMoment::AfterPhase => When::AfterTraffic,
            };
            let owner = format!("phase `{name}`");
            judge(task_name, task, when, (&owner, of("phases", name.as_str())), found);
        }
    }
    for (name, service) in &plan.services {
        for (task_name, task) in &service.tasks {
            let when = match task.at {
                ServiceMoment::BeforePrepare | ServiceMoment::BeforeShift => When::BeforeTraffic,
                ServiceMoment::AfterShift => When::AfterTraffic,
                ServiceMoment::AfterSoak | ServiceMoment::BeforeDecommission => When::AfterSoak,
            };
            let owner = format!("`{name}`");
            judge(task_name, task, when, (&owner, of("services", name.as_str())), found);
        }
    }
}

fn judge<M>(name: &TaskName, task: &Task<M>, when: When, (owner, path): (&str, Path), found: &mut Vec<Finding>) {
    let path = path.key("tasks").key(name.as_str());
    match &task.undo {
        Undo::Do { act: Act::Manual { .. }, when: UndoWhen::BeforeTraffic, .. } => {
            let message = format!("on the way back, the traffic of {owner} would wait for a person to take `{name}` back");
            let help = "use `when: AfterTraffic`, or let a machine do it";
            found.push(Finding::error(Code::ManualUndoBeforeTraffic, path.key("undo").key("when"), message, help));
        }
        Undo::Impossible(why) if when != When::AfterSoak => {
            let message = format!(
                "task `{name}` of {owner} cannot be taken back (\"{}\"), and stands before the end of the soak: from then on there \
                 would be no way back",
                why.escape_debug()
            );
            let help = "move it to `at: AfterSoak` or `at: BeforeDecommission` of a service, or give an undo";
            found.push(Finding::error(Code::IrreversibleEarly, path.key("undo").key("impossible"), message, help));
        }
        _ => {}
    }
    if let Act::QuiesceCron(job) = &task.act {
        quiesced(name, task, when, (job, owner, &path), found);
    }
}

/// A batch job rests from before the first weight until everything is decided.
fn quiesced<M>(name: &TaskName, task: &Task<M>, when: When, (job, owner, path): (&str, &str, &Path), found: &mut Vec<Finding>) {
    if when != When::BeforeTraffic {
        let message =
            format!("batch job `{job}` is suspended by `{name}` only after the move of {owner}, and runs on through it");
        let help = format!("suspend it before: `at: BeforeShift`, or `cron: [{job}]` at the service, which also resumes it");
        found.push(Finding::error(Code::CronNotQuiesced, path.key("at"), message, help));
    }
    if let Undo::Do { when: UndoWhen::BeforeTraffic, .. } = &task.undo {
        let message = format!("on the way back, batch job `{job}` would run again before the traffic of {owner} is back");
        let help = "use `when: AfterTraffic`: a job that fires in mid-move writes to the wrong side";
        found.push(Finding::error(Code::CronNotQuiesced, path.key("undo").key("when"), message, help));
    }
}
