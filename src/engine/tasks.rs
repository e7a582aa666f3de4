//! Runs tasks: ordered once, watched until they are seen to be done, and taken back if they may have begun.
//!
//! *Guarantees*: tasks of one moment are done one after the other; a task that may have begun is taken back
//! (`undo-on-start`), in the reverse of the order in which they were done; no answer neither passes nor fails.
//! *Assumptions*: whoever does tasks refuses a doing once it has seen one with a higher number of the same task, so that a
//! late order does nothing after it was taken back; refuses to withdraw what it has begun ([`Deed::Withdraw`]); and keeps what was
//! there before (an old time to live, whether a CronJob was suspended) where it outlasts the process, written before anything is
//! changed, for nothing else can give it back.

use super::{
    agenda::{Back, Item, Moment, named},
    draft::{Draft, EFFECT_VALID, WaitsFor},
    effect::Action,
    event::Event,
    invariant::Invariant,
    observed::Sample,
    reason::Reason,
    route,
    step::{Step, Subject},
    task::{Deed, TaskKey, TaskSeen, TaskStage, TaskState, TaskWay},
};
use crate::plan::{Act, Span, TaskName, UndoWhen};

/// How far a row of tasks is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// All are done.
    Done,
    /// One of them is not; the wait that says why is in the draft.
    Waits,
}

/// How old the answer about a task may be.
const STALE: Span = route::STALE;

/// What one doing of a task came to, as far as it can be told.
enum Standing {
    Done,
    Failed(String),
    Waits(Reason, WaitsFor),
    /// Nobody has begun it, though it was ordered a while ago: it is ordered again, under the same key.
    Lost,
}

/// Does these tasks, one after the other. `held` is why nothing new may start, if there is such a reason.
pub fn run<'i>(
    draft: &mut Draft,
    subject: &Subject,
    items: impl IntoIterator<Item = &'i Item>,
    held: Option<&Reason>,
    failed: impl Fn(&mut Draft, Reason),
) -> Progress {
    for item in items {
        let state = draft.task(subject, &item.name);
        match state.map(|s| s.stage) {
            Some(TaskStage::Done) => {}
            None | Some(TaskStage::Undone | TaskStage::LeftBehind) => {
                if let Some(reason) = held {
                    let on = WaitsFor::Person;
                    draft.wait(Step::Task(item.name.clone()), subject.clone(), reason.clone(), on);
                    return Progress::Waits;
                }
                let number = state.map_or(0, |s| s.number).saturating_add(1);
                order(draft, subject, item, &item.deed, TaskWay::Do, number);
                return Progress::Waits;
            }
            Some(TaskStage::Ordered) => {
                if forward(draft, subject, item, &failed) == Progress::Waits {
                    return Progress::Waits;
                }
            }
            // It is being taken back: what is on its way back does no tasks.
            Some(TaskStage::UndoOrdered) => return Progress::Waits,
        }
    }
    Progress::Done
}

/// A task that was ordered: done, failed, or waited for.
fn forward(draft: &mut Draft, subject: &Subject, item: &Item, failed: &impl Fn(&mut Draft, Reason)) -> Progress {
    let Some(state) = draft.task(subject, &item.name) else { return Progress::Waits };
    match standing(draft, subject, item, &item.deed, &state, TaskWay::Do) {
        Standing::Done => {
            settle(draft, subject, item, &state, TaskStage::Done, TaskWay::Do);
            Progress::Done
        }
        Standing::Failed(why) => {
            let reason = Reason::TaskFailed { task: item.name.clone(), why };
            draft.wait(Step::Task(item.name.clone()), subject.clone(), reason.clone(), WaitsFor::Person);
            failed(draft, reason);
            Progress::Waits
        }
        Standing::Waits(reason, on) => {
            draft.wait(Step::Task(item.name.clone()), subject.clone(), reason, on);
            Progress::Waits
        }
        Standing::Lost => {
            again(draft, subject, item, &item.deed, (TaskWay::Do, &state));
            let reason = Reason::TaskRunning { task: item.name.clone() };
            draft.wait(Step::Task(item.name.clone()), subject.clone(), reason, WaitsFor::World);
            Progress::Waits
        }
    }
}

/// Whether a task was ordered and somebody may have begun it: a fresh answer that nobody has is the only one against it.
pub fn may_have_begun(draft: &Draft, subject: &Subject, task: &TaskName) -> bool {
    let Some(state) = draft.task(subject, task).filter(|task| task.stage.has_begun()) else { return false };
    let key = TaskKey { of: subject.clone(), task: task.clone(), number: state.number, way: TaskWay::Do };
    let absent = |sample: &&Sample<TaskSeen>| {
        sample.value == Ok(TaskSeen::Absent) && draft.now.duration_since(sample.taken_at) <= STALE.signed()
    };
    !draft.seen.tasks.get(&key).is_some_and(|sample| absent(&sample))
}

/// Whether a task was ordered a while ago and nobody has begun it, by a fresh answer. The order may still be on its way.
pub fn is_lost(draft: &mut Draft, subject: &Subject, task: &TaskName) -> bool {
    let ordered = draft.task(subject, task).filter(|task| task.stage == TaskStage::Ordered);
    let absent = ordered.filter(|_| !may_have_begun(draft, subject, task));
    absent.is_some_and(|task| draft.look_for_lost(task.at, route::SETTLE) <= draft.now)
}

/// The number of the doing that is being withdrawn ([`withdraw`]), if one is. Only promotions are: all else is taken back by what undoes it.
pub fn withdrawn(task: &TaskName, state: &TaskState) -> Option<u32> {
    let promotion = state.stage == TaskStage::UndoOrdered && *task == named::promote();
    promotion.then(|| state.number.saturating_sub(1))
}

/// **Withdraws** a task that was ordered and lost. Whoever does tasks either begins the withdrawal, and refuses the lost order from then on,
/// or has begun that order after all, and refuses the withdrawal. `Done`: it is known which. The task counts as not begun, or as ordered.
pub fn withdraw(draft: &mut Draft, subject: &Subject, item: &Item) -> Progress {
    let state = draft.task(subject, &item.name);
    if let Some((state, number)) = state.and_then(|state| Some((state, withdrawn(&item.name, &state)?))) {
        let key = TaskKey { of: subject.clone(), task: item.name.clone(), number, way: TaskWay::Do };
        // However old the answer is: what has begun has begun.
        let answer = draft.seen.tasks.get(&key).map(|sample| &sample.value);
        if matches!(answer, Some(Ok(TaskSeen::Running | TaskSeen::Done { .. } | TaskSeen::Failed(_)))) {
            draft.set_task(subject, &item.name, TaskState { stage: TaskStage::Ordered, number, ..state });
            return Progress::Done;
        }
    }
    let back = Back::By { deed: Deed::Withdraw, when: UndoWhen::BeforeTraffic, deadline: None, expect: Span::ZERO };
    take_back(draft, subject, &Item { back, ..item.clone() })
}

/// Takes back what may have begun of these tasks, the last one first. `items` are in the order in which they are done.
pub fn undo(draft: &mut Draft, subject: &Subject, items: &[Item], when: UndoWhen) -> Progress {
    let of_time = |item: &&Item| matches!(&item.back, Back::By { when: at, .. } if *at == when);
    // The writer's own way back is not only an undo ([`super::writer`]).
    let plain = |item: &&Item| !matches!(item.moment, Moment::Fence | Moment::Promote);
    for item in items.iter().rev().filter(of_time).filter(plain) {
        if take_back(draft, subject, item) == Progress::Waits {
            return Progress::Waits;
        }
    }
    Progress::Done
}

/// Takes one task back, if it may have begun.
pub fn take_back(draft: &mut Draft, subject: &Subject, item: &Item) -> Progress {
    let (Some(state), Back::By { deed, deadline, .. }) = (draft.task(subject, &item.name), &item.back) else {
        return Progress::Done;
    };
    match state.stage {
        TaskStage::Undone | TaskStage::LeftBehind => Progress::Done,
        TaskStage::Ordered if !draft.rules.keep(Invariant::UndoOnStart) => Progress::Done,
        TaskStage::Ordered | TaskStage::Done => {
            order(draft, subject, item, deed, TaskWay::Undo, state.number.saturating_add(1));
            Progress::Waits
        }
        TaskStage::UndoOrdered => backward(draft, subject, item, deed, &state, *deadline),
    }
}

/// A task that is being taken back. After its deadline it is left to people: traffic does not wait for it. Where there is none a failure
/// holds, so that a resume does it once more.
fn backward(
    draft: &mut Draft,
    subject: &Subject,
    item: &Item,
    deed: &Deed,
    state: &TaskState,
    deadline: Option<Span>,
) -> Progress {
    let step = Step::Undo(item.name.clone());
    if let Some(deadline) = deadline
        && draft.wake_in(state.at, deadline) <= draft.now
    {
        settle(draft, subject, item, state, TaskStage::LeftBehind, TaskWay::Undo);
        return Progress::Done;
    }
    let (reason, on) = match standing(draft, subject, item, deed, state, TaskWay::Undo) {
        Standing::Done => {
            settle(draft, subject, item, state, TaskStage::Undone, TaskWay::Undo);
            return Progress::Done;
        }
        Standing::Failed(why) => {
            let reason = Reason::TaskFailed { task: item.name.clone(), why };
            if deadline.is_none() {
                draft.hold_for(subject, reason.clone());
            }
            (reason, WaitsFor::Person)
        }
        Standing::Waits(reason, on) => (reason, on),
        Standing::Lost => {
            again(draft, subject, item, deed, (TaskWay::Undo, state));
            (Reason::TaskRunning { task: item.name.clone() }, WaitsFor::World)
        }
    };
    draft.wait(step, subject.clone(), reason, on);
    Progress::Waits
}

/// Orders one doing of a task.
pub fn order(draft: &mut Draft, subject: &Subject, item: &Item, deed: &Deed, way: TaskWay, number: u32) {
    let stage = match way {
        TaskWay::Do => TaskStage::Ordered,
        TaskWay::Undo => TaskStage::UndoOrdered,
    };
    draft.set_task(subject, &item.name, TaskState { stage, at: draft.stamp, number });
    let task = TaskKey { of: subject.clone(), task: item.name.clone(), number, way };
    draft.event(Event::TaskOrdered { task });
    perform(draft, subject, item, deed, (way, number), EFFECT_VALID);
    let (reason, on) = waits(draft, subject, item, deed, draft.now);
    draft.wait(Step::task(&item.name, way), subject.clone(), reason, on);
}

/// Gives an order, and looks for it `within` so long: if nothing is seen of it until then it was lost, and is given again.
fn perform(draft: &mut Draft, subject: &Subject, item: &Item, deed: &Deed, (way, number): (TaskWay, u32), within: Span) {
    if matches!(deed, Deed::Act(Act::Wait(_))) {
        return; // time passes by itself
    }
    let task = TaskKey { of: subject.clone(), task: item.name.clone(), number, way };
    let action = Action::Task { task, deed: deed.clone() };
    draft.effect_of(Step::task(&item.name, way).of(subject.clone()), number, action, None);
    draft.look_for_lost(draft.now, within);
}

/// Gives a lost order again, and looks for it after as long as it has been missing: so that one which nobody takes is given ever
/// more rarely.
fn again(draft: &mut Draft, subject: &Subject, item: &Item, deed: &Deed, (way, state): (TaskWay, &TaskState)) {
    let missing = u64::try_from(draft.now.duration_since(state.at).as_millis()).unwrap_or_default();
    perform(draft, subject, item, deed, (way, state.number), EFFECT_VALID.max(Span::from_millis(missing)));
}

fn settle(draft: &mut Draft, subject: &Subject, item: &Item, state: &TaskState, stage: TaskStage, way: TaskWay) {
    draft.set_task(subject, &item.name, TaskState { stage, at: draft.stamp, ..*state });
    let task = TaskKey { of: subject.clone(), task: item.name.clone(), number: state.number, way };
    match stage {
        TaskStage::LeftBehind => {
            let deadline = match &item.back {
                Back::By { deadline: Some(deadline), .. } => *deadline,
                _ => Span::ZERO,
            };
            let reason = Reason::TaskLeftBehind { task: item.name.clone(), deadline };
            draft.event(Event::TaskFailed { task, reason });
        }
        _ => draft.event(Event::TaskDone { task }),
    }
}

/// Why a task that was ordered at `at` is not done, in the ordinary course.
fn waits(draft: &mut Draft, _subject: &Subject, item: &Item, deed: &Deed, at: jiff::Timestamp) -> (Reason, WaitsFor) {
    let task = item.name.clone();
    match deed {
        Deed::Act(Act::Wait(span)) => (Reason::Waiting { task, until: draft.wake_in(at, *span) }, WaitsFor::World),
        Deed::Act(Act::Manual { owner, instructions, .. }) => {
            let reason = Reason::TaskOfPerson { task, owner: owner.clone(), instructions: instructions.clone() };
            (reason, WaitsFor::Person)
        }
        _ => (Reason::TaskRunning { task }, WaitsFor::World),
    }
}

/// How a doing that was ordered stands, from what is seen of it.
fn standing(draft: &mut Draft, subject: &Subject, item: &Item, deed: &Deed, state: &TaskState, way: TaskWay) -> Standing {
    if let Deed::Act(Act::Wait(span)) = deed {
        let until = draft.wake_in(state.at, *span);
        let reason = Reason::Waiting { task: item.name.clone(), until };
        return if until <= draft.now { Standing::Done } else { Standing::Waits(reason, WaitsFor::World) };
    }
    let key = TaskKey { of: subject.clone(), task: item.name.clone(), number: state.number, way };
    let (reason, on) = waits(draft, subject, item, deed, state.at);
    let seen = draft.seen.tasks.get(&key);
    let fresh = seen.filter(|s| draft.now.duration_since(s.taken_at) <= STALE.signed());
    let task = || item.name.clone();
    match fresh.map(|s| &s.value) {
        Some(Ok(TaskSeen::Done { settles_at: Some(until), .. })) if *until > draft.now => {
            let until = *until;
            draft.wake(until);
            Standing::Waits(Reason::TaskSettling { task: task(), until }, WaitsFor::World)
        }
        Some(Ok(TaskSeen::Done { .. })) => Standing::Done,
        Some(Ok(TaskSeen::Failed(why))) => Standing::Failed(why.clone()),
        Some(Ok(TaskSeen::Running)) => Standing::Waits(reason, on),
        Some(Ok(TaskSeen::Absent)) if draft.look_for_lost(state.at, route::SETTLE) <= draft.now => Standing::Lost,
        Some(Ok(TaskSeen::Absent)) => Standing::Waits(reason, on),
        Some(Err(why)) => Standing::Waits(Reason::TaskUnknown { task: task(), why: why.to_string() }, WaitsFor::World),
        // Nobody was asked yet, or the answer is old: it may have begun or not.
        None if seen.is_none() && draft.look_for_lost(state.at, route::SETTLE) > draft.now => Standing::Waits(reason, on),
        None => {
            let why = "there is no fresh answer".to_owned();
            Standing::Waits(Reason::TaskUnknown { task: task(), why }, WaitsFor::World)
        }
    }
}
