//! Defaults of tasks.

use crate::plan::{
    model::{Act, Evidence, PhaseTask, ServiceTask, Task, Undo},
    names::{Span, TaskName},
    spec::{ActSpec, HttpMethod, PhaseTaskSpec, TaskSpec, UndoSpec, UndoWhen},
};

const EXPECT_PERSON: Span = Span::from_secs(1800);
const EXPECT_JOB: Span = Span::from_secs(300);
const EXPECT_CALL: Span = Span::from_secs(30);

pub(super) fn of_phase(spec: &PhaseTaskSpec) -> Option<(TaskName, PhaseTask)> {
    let expect = spec.expect.unwrap_or_else(|| expect(&spec.act));
    Some((spec.name.clone(), Task { at: spec.at, act: act(&spec.act), undo: undo(spec.undo.as_ref()?)?, expect }))
}

pub(super) fn of_service(spec: &TaskSpec) -> Option<(TaskName, ServiceTask)> {
    let what = spec.act.as_ref()?;
    let expect = spec.expect.unwrap_or_else(|| expect(what));
    Some((spec.name.clone(), Task { at: spec.at?, act: act(what), undo: undo(spec.undo.as_ref()?)?, expect }))
}

/// How long something takes if nobody says.
pub(super) fn expect(spec: &ActSpec) -> Span {
    match spec {
        ActSpec::Manual(_) => EXPECT_PERSON,
        ActSpec::Job(_) => EXPECT_JOB,
        ActSpec::Wait(wait) => wait.length,
        ActSpec::Http(_) | ActSpec::Silence(_) | ActSpec::Notify(_) | ActSpec::QuiesceCron(_) => EXPECT_CALL,
    }
}

pub(super) fn act(spec: &ActSpec) -> Act {
    match spec {
        ActSpec::Manual(manual) => Act::Manual {
            owner: manual.owner.clone(),
            instructions: manual.instructions.clone(),
            evidence: manual.evidence.unwrap_or(Evidence::Optional),
        },
        ActSpec::Job(job) => Act::Job(job.from_cron_job.clone()),
        ActSpec::Http(http) => Act::Http {
            method: http.method.unwrap_or(HttpMethod::Post),
            url: http.url.clone(),
            body: http.body.clone().filter(|body| !body.is_empty()),
        },
        ActSpec::Wait(wait) => Act::Wait(wait.length),
        ActSpec::Silence(silence) => {
            Act::Silence { connection: silence.connection.clone(), matchers: sorted(&silence.matchers), length: silence.length }
        }
        ActSpec::Notify(notify) => Act::Notify { connection: notify.connection.clone(), message: notify.message.clone() },
        ActSpec::QuiesceCron(cron) => Act::QuiesceCron(cron.name.clone()),
    }
}

/// All matchers must match, so their order means nothing.
fn sorted(matchers: &[String]) -> Vec<String> {
    let mut matchers = matchers.to_vec();
    matchers.sort();
    matchers
}

fn undo(spec: &UndoSpec) -> Option<Undo> {
    match (&spec.none, &spec.impossible, &spec.act) {
        (Some(why), None, None) => Some(Undo::None(why.clone())),
        (None, Some(why), None) => Some(Undo::Impossible(why.clone())),
        (None, None, Some(what)) => Some(Undo::Do {
            act: act(what),
            when: spec.when.unwrap_or(UndoWhen::AfterTraffic),
            deadline: spec.deadline,
            expect: spec.expect.unwrap_or_else(|| expect(what)),
        }),
        _ => None,
    }
}
