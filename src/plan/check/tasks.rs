//! Tasks, approvals, bridges and data: whether each says what is done and what takes it back.

use super::{
    Notes, One, health,
    texts::{self, Scope},
};
use crate::plan::{
    finding::{Code, Finding},
    names::{TaskName, Weight},
    path::Path,
    reserved,
    spec::{ActSpec, BridgeSpec, DataSpec, MigrationPlanSpec, NeedMode, ReverseSpec, RollbackSpec, UndoSpec},
};

/// Judges what is no part of a service.
pub(super) fn check_plan(spec: &MigrationPlanSpec, notes: &mut Notes) {
    let base = Path::top().key("spec");
    for (index, phase) in spec.phases.iter().enumerate() {
        let path = base.key("phases").index(index);
        for (at, task) in phase.tasks.iter().enumerate() {
            let path = path.key("tasks").index(at);
            check_act(&task.act, Scope::PHASE, &path.key("do"), notes);
            check_undo(task.name.as_str(), task.undo.as_ref(), Scope::PHASE, &path, notes);
        }
        for (at, after) in phase.after.iter().enumerate() {
            let gates = path.key("after").index(at).key("gates");
            after
                .gates
                .iter()
                .enumerate()
                .for_each(|(i, gate)| health::check_gate_alone(gate, Scope::PHASE, &gates.index(i), notes));
        }
    }
    for (index, bridge) in spec.bridges.iter().enumerate() {
        check_bridge(bridge, &base.key("bridges").index(index), notes);
    }
}

fn check_bridge(bridge: &BridgeSpec, path: &Path, notes: &mut Notes) {
    let rests = [path.key("managed"), path.key("external"), path.key("gates")];
    match (&bridge.managed, &bridge.external) {
        (None, None) => {
            let message = format!("bridge `{}` says neither `managed` nor `external`", bridge.name);
            let help = "give `managed: { up, down }` if gapless puts it up, or `external: {}` if others do";
            notes.add_resting_on(Finding::error(Code::MissingField, path.clone(), message, help).at_key(), &rests);
        }
        (Some(_), Some(_)) => {
            let message = format!("bridge `{}` says both `managed` and `external`", bridge.name);
            notes.add(Finding::error(Code::BadValue, path.key("external"), message, "keep the one that is true").at_key());
        }
        (None, Some(_)) if bridge.gates.is_empty() => {
            let message = format!("nothing says whether bridge `{}` stands: others put it up, and it has no gates", bridge.name);
            let help = "add a gate that passes while it stands";
            notes.add_resting_on(Finding::error(Code::NoHealthCheck, path.key("external"), message, help).at_key(), &rests);
        }
        _ => {}
    }
    if let Some(managed) = &bridge.managed {
        check_act(&managed.up.act, Scope::NONE, &path.key("managed").key("up").key("do"), notes);
        check_act(&managed.down.act, Scope::NONE, &path.key("managed").key("down").key("do"), notes);
    }
    let gates = path.key("gates");
    bridge.gates.iter().enumerate().for_each(|(i, gate)| health::check_gate_alone(gate, Scope::NONE, &gates.index(i), notes));
}

/// Judges the tasks and data of one service.
pub(super) fn check(service: &One<'_>, notes: &mut Notes) {
    for (index, name) in service.spec.cron.iter().enumerate() {
        let path = service.path.key("cron").index(index);
        texts::check_cron_job(name, Scope::SERVICE, &path, notes);
        let alike = |other: &&String| *other != name && reserved::quiesce(other) == reserved::quiesce(name);
        if let Some(other) = service.spec.cron.iter().take(index).find(alike) {
            let message = format!("batch jobs `{other}` and `{name}` differ in nothing that the name of a task can hold");
            notes.add(Finding::error(Code::DuplicateName, path, message, "rename one of the two jobs"));
        }
    }
    check_needs(service, notes);
    for (index, task) in service.spec.tasks.iter().enumerate() {
        let path = service.path.key("tasks").index(index);
        if let Some(act) = &task.act {
            check_act(act, Scope::SERVICE, &path.key("do"), notes);
        }
        check_undo(task.name.as_str(), task.undo.as_ref(), Scope::SERVICE, &path, notes);
        check_reserved(service, &task.name, &path.key("name"), notes);
    }
    if let Some(act) = service.spec.warm.as_ref().and_then(|warm| warm.act.as_ref()) {
        check_act(act, Scope::SERVICE, &service.path.key("warm").key("do"), notes);
    }
    if let Some(rollback) = &service.spec.rollback {
        check_rollback(service, rollback, notes);
    }
    if let Some(data) = &service.spec.data {
        check_data(service, data, notes);
    }
}

/// How far a task is is kept by its name: one that is called like a task of the service's own steps would count for that one.
fn check_reserved(service: &One<'_>, name: &TaskName, path: &Path, notes: &mut Notes) {
    let of_cron = |cron: &String| [reserved::quiesce(cron), reserved::resume(cron)].contains(name);
    if reserved::TASKS.contains(&name.as_str()) || service.spec.cron.iter().any(of_cron) {
        let message = format!("task `{name}` is called like one that is part of a service's own steps");
        notes.add(Finding::error(
            Code::DuplicateName,
            path.clone(),
            message,
            "give it another name, such as one of what it does",
        ));
    }
}

fn check_act(act: &ActSpec, scope: Scope, path: &Path, notes: &mut Notes) {
    match act {
        ActSpec::Http(http) => {
            super::traffic::check_url(&http.url, scope, &path.key("http").key("url"), notes);
            if let Some(body) = &http.body {
                texts::check("body", body, scope, &path.key("http").key("body"), notes);
            }
        }
        ActSpec::Notify(notify) => {
            texts::check("message", &notify.message, scope, &path.key("notify").key("message"), notes);
        }
        ActSpec::Manual(manual) => {
            texts::check(texts::INSTRUCTIONS, &manual.instructions, scope, &path.key("manual").key("instructions"), notes);
        }
        ActSpec::Silence(silence) => {
            let path = path.key("silence").key("matchers");
            silence.matchers.iter().enumerate().for_each(|(i, matcher)| check_matcher(matcher, scope, &path.index(i), notes));
        }
        ActSpec::Job(job) => texts::check_cron_job(&job.from_cron_job, scope, &path.key("job").key("fromCronJob"), notes),
        ActSpec::QuiesceCron(cron) => texts::check_cron_job(&cron.name, scope, &path.key("quiesceCron").key("name"), notes),
        ActSpec::Wait(_) => {}
    }
}

/// A matcher of Alertmanager: `name`, then `=`, `!=`, `=~` or `!~`, then a value.
fn check_matcher(matcher: &str, scope: Scope, path: &Path, notes: &mut Notes) {
    texts::check("matcher", matcher, scope, path, notes);
    let name = matcher.split(['=', '!']).next().unwrap_or_default().trim();
    let label = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') && name.len() < matcher.len();
    if !label {
        let message = format!("`{}` is not a matcher", matcher.escape_debug());
        let help = "write a label, one of `=`, `!=`, `=~` and `!~`, and a value, such as service=\"pds\"";
        notes.add(Finding::error(Code::BadValue, path.clone(), message, help));
    }
}

fn check_undo(task: &str, undo: Option<&UndoSpec>, scope: Scope, path: &Path, notes: &mut Notes) {
    let at = path.key("undo");
    let Some(undo) = undo else {
        let message = format!("task `{task}` does not say what takes it back");
        let help = "give `undo: { do: … }`, or `undo: { none: \"why nothing has to be taken back\" }`";
        return notes.add_resting_on(Finding::error(Code::NoUndo, path.key("name"), message, help), &[at]);
    };
    let said = [("none", undo.none.is_some()), ("impossible", undo.impossible.is_some()), ("do", undo.act.is_some())];
    let said: Vec<&str> = said.into_iter().filter(|(_, said)| *said).map(|(name, _)| name).collect();
    match said.as_slice() {
        [] => {
            let message = format!("the undo of task `{task}` says nothing");
            notes.add(Finding::error(Code::NoUndo, at.clone(), message, "give exactly one of `none`, `impossible` and `do`"));
        }
        [_] => {}
        [_, second, ..] => {
            let message = format!("the undo of task `{task}` says {} things that exclude each other", said.len());
            let help = "keep exactly one of `none`, `impossible` and `do`";
            notes.add(Finding::error(Code::BadValue, at.key(*second), message, help).at_key());
        }
    }
    match &undo.act {
        Some(act) => check_act(act, scope, &at.key("do"), notes),
        None => {
            let idle = [("when", undo.when.is_some()), ("deadline", undo.deadline.is_some()), ("expect", undo.expect.is_some())];
            for (field, _) in idle.into_iter().filter(|(_, said)| *said) {
                let message = format!("`{field}` is said of an undo that does nothing");
                notes.add(Finding::error(Code::BadValue, at.key(field), message, "remove it, or give `do`").at_key());
            }
        }
    }
}

/// A bridge is for a need that either side meets. One that waits until the other has moved would pass it over.
fn check_needs(service: &One<'_>, notes: &mut Notes) {
    for (index, need) in service.spec.needs.iter().enumerate() {
        let Some(bridge) = need.bridge.as_ref().filter(|_| need.mode != Some(NeedMode::Across)) else { continue };
        let path = service.path.key("needs").index(index);
        let message = format!(
            "`{}` waits until `{}` carries all its traffic on target, and counts on no bridge for that",
            service.label, need.service
        );
        let help = format!(
            "say `mode: Across` if either side of `{}` will do while `{bridge}` stands, or remove `bridge`",
            need.service
        );
        let finding = Finding::error(Code::BadValue, path.key("bridge"), message, help).at_key();
        notes.add_resting_on(finding, &[path.key("mode")]);
    }
}

fn check_rollback(service: &One<'_>, rollback: &RollbackSpec, notes: &mut Notes) {
    let Some(steps) = rollback.steps.as_ref().filter(|steps| !steps.is_empty()) else { return };
    let path = service.path.key("rollback").key("steps");
    let mut before = Weight::FULL;
    for (index, step) in steps.iter().enumerate() {
        if *step >= before {
            let message = format!("the step to {step} follows {before}, and steps back fall");
            notes.add(Finding::error(Code::BadValue, path.index(index), message, "give falling steps, such as [50, 0]"));
        }
        before = *step;
    }
    if before != Weight::ZERO {
        let message = format!("the last step back of `{}` is {before}, so target would keep it", service.label);
        notes.add(Finding::error(Code::BadValue, path.index(steps.len() - 1), message, "end with 0"));
    }
}

fn check_data(service: &One<'_>, data: &DataSpec, notes: &mut Notes) {
    let path = service.path.key("data");
    if data.fence.is_none() {
        let message = format!("nothing makes the legacy side of `{}` read-only before its target is promoted", service.label);
        let help = "give `fence: { do: …, proof: … }`";
        notes.add_resting_on(Finding::error(Code::NoFence, path.clone(), message, help).at_key(), &[path.key("fence")]);
    }
    let mut checks =
        vec![(&data.lag.check, path.key("lag").key("check")), (&data.promote.proof, path.key("promote").key("proof"))];
    checks.extend(data.catch_up.as_ref().map(|one| (&one.check, path.key("catchUp").key("check"))));
    let mut acts = vec![(&data.promote.act, path.key("promote").key("do"))];
    for (name, switch) in [("fence", data.fence.as_ref()), ("unfence", data.unfence.as_ref())] {
        acts.extend(switch.map(|switch| (&switch.act, path.key(name).key("do"))));
        checks.extend(switch.map(|switch| (&switch.proof, path.key(name).key("proof"))));
    }
    let reverse = path.key("reverse");
    checks.extend(data.reverse.lag.as_ref().map(|lag| (&lag.check, reverse.key("lag").key("check"))));
    for (name, switch) in [("fence", data.reverse.fence.as_ref()), ("promote", data.reverse.promote.as_ref())] {
        acts.extend(switch.map(|switch| (&switch.act, reverse.key(name).key("do"))));
        checks.extend(switch.map(|switch| (&switch.proof, reverse.key(name).key("proof"))));
    }
    for (index, gate) in data.reconcile.iter().enumerate().filter(|(_, gate)| reserved::PROOFS.contains(&gate.name.as_str())) {
        let message = format!("reconcile gate `{}` is called like a proof of the switch of writers", gate.name);
        let path = path.key("reconcile").index(index).key("name");
        notes.add(Finding::error(Code::DuplicateName, path, message, "give it another name, such as one of what it compares"));
    }
    let reconcile = data.reconcile.iter().enumerate();
    checks.extend(reconcile.map(|(i, gate)| (&gate.check, path.key("reconcile").index(i).key("check"))));
    acts.into_iter().for_each(|(act, path)| check_act(act, Scope::SERVICE, &path, notes));
    for (check, path) in checks {
        health::check_plain(check, Scope::JUDGED, &path, notes);
        health::check_probe_exists(service, check, &path, notes);
    }
    check_reverse(service, &data.reverse, &reverse, notes);
}

fn check_reverse(service: &One<'_>, spec: &ReverseSpec, path: &Path, notes: &mut Notes) {
    let parts = [("lag", spec.lag.is_some()), ("fence", spec.fence.is_some()), ("promote", spec.promote.is_some())];
    let missing: Vec<&str> = parts.iter().filter(|(_, said)| !said).map(|(name, _)| *name).collect();
    let help = "give `none: \"why there is no way back\"`, or `lag`, `fence` and `promote` the other way";
    let rests: Vec<Path> = ["none", "lag", "fence", "promote"].map(|name| path.key(name)).to_vec();
    if spec.none.is_some() && missing.len() < parts.len() {
        let message = format!("the way back of `{}` says `none`, and how it goes as well", service.label);
        notes.add(Finding::error(Code::BadValue, path.key("none"), message, help).at_key());
    } else if spec.none.is_none() && !missing.is_empty() {
        let names: Vec<String> = missing.iter().map(|name| format!("`{name}`")).collect();
        let message = format!("the way back of `{}` has no {}", service.label, names.join(" and no "));
        notes.add_resting_on(Finding::error(Code::MissingField, path.clone(), message, help).at_key(), &rests);
    }
}
