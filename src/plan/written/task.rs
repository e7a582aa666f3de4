//! Tasks, written out.

use crate::plan::{
    model::{Act, PhaseTask, ServiceTask, Undo},
    names::{Span, TaskName},
    spec::{
        ActSpec, HttpActSpec, JobSpec, ManualSpec, NotifySpec, PhaseTaskSpec, QuiesceCronSpec, SilenceSpec, TaskSpec,
        TimedActSpec, UndoSpec, WaitSpec,
    },
};

pub(super) fn of_phase((name, task): (&TaskName, &PhaseTask)) -> PhaseTaskSpec {
    PhaseTaskSpec {
        name: name.clone(),
        at: task.at,
        act: act(&task.act),
        undo: Some(undo(&task.undo)),
        expect: Some(task.expect),
    }
}

pub(super) fn of_service((name, task): (&TaskName, &ServiceTask)) -> TaskSpec {
    TaskSpec {
        name: name.clone(),
        at: Some(task.at),
        act: Some(act(&task.act)),
        undo: Some(undo(&task.undo)),
        expect: Some(task.expect),
        disabled: None,
    }
}

pub(super) fn timed(what: &Act, expect: Span) -> TimedActSpec {
    TimedActSpec { act: act(what), expect: Some(expect) }
}

pub(super) fn act(act: &Act) -> ActSpec {
    match act.clone() {
        Act::Manual { owner, instructions, evidence } => {
            ActSpec::Manual(ManualSpec { owner, instructions, evidence: Some(evidence) })
        }
        Act::Job(from_cron_job) => ActSpec::Job(JobSpec { from_cron_job }),
        Act::Http { method, url, body } => ActSpec::Http(HttpActSpec { url, method: Some(method), body }),
        Act::Wait(length) => ActSpec::Wait(WaitSpec { length }),
        Act::Silence { connection, matchers, length } => ActSpec::Silence(SilenceSpec { connection, matchers, length }),
        Act::Notify { connection, message } => ActSpec::Notify(NotifySpec { connection, message }),
        Act::QuiesceCron(name) => ActSpec::QuiesceCron(QuiesceCronSpec { name }),
    }
}

fn undo(undo: &Undo) -> UndoSpec {
    let nothing = UndoSpec { none: None, impossible: None, act: None, when: None, deadline: None, expect: None };
    match undo {
        Undo::None(why) => UndoSpec { none: Some(why.clone()), ..nothing },
        Undo::Impossible(why) => UndoSpec { impossible: Some(why.clone()), ..nothing },
        Undo::Do { act: what, when, deadline, expect } => {
            UndoSpec { act: Some(act(what)), when: Some(*when), deadline: *deadline, expect: Some(*expect), ..nothing }
        }
    }
}
