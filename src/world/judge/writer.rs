//! The right to write: never on both sides, never given while something is left to be copied, never gone for longer than the plan
//! bears.

use super::{Breach, Found};
use crate::{
    engine::{Direction, Invariant, Record, TaskStage, agenda::named},
    plan::Side,
    world::{
        facts::Facts,
        flight::{Act, Flight},
        model::{Ix, Model},
        replication::{Backlog, Over, closing},
        state::World,
        task::{Access, Change, Stands},
    },
};

/// What the change that a task made breaks: never may both sides of a single-writer service write.
pub fn changed(world: &World, ix: Ix) -> Option<Breach> {
    let service = world.facts.service(ix)?;
    let both = service.sides.iter().all(|side| side.writes == Access::Open);
    both.then(|| Breach { invariant: Invariant::OneWriter, service: ix, detail: "both of its sides may write".to_owned() })
}

/// What making the other side the writer breaks, if it was decided by these facts: the side before is read-only, all that it
/// accepted was copied, and there is still time. An order that is sent again was in time when it was given first; and does nothing, if
/// whoever does it has it already.
pub(super) fn opens(model: &Model, world: &World, looked: &Facts, flight: &Flight) -> Option<Found> {
    let Act::Task(task, way) = flight.act else { return None };
    let Change::Writes(side, Access::Open) = model.tasks().get(usize::from(task))?.change(way) else { return None };
    let own = looked.replication(model, flight.service).filter(|own| own.to == side)?;
    let doing = looked.tasks.get(usize::from(task))?;
    if doing.number >= flight.number {
        return None;
    }
    let found = |detail: String| Some(Found::new(Invariant::OneWriter, detail));
    let from = own.from();
    if looked.service(flight.service)?.side(from).writes == Access::Open {
        return found(format!("{side} is to write while {from} still may"));
    }
    if own.backlog != Backlog::Empty {
        return found(format!("{side} is to write while something that {from} accepted is not there yet: it would be lost"));
    }
    let single = model.replications().iter().find(|single| single.service == flight.service)?;
    let paused = own.paused_since.map_or(0, |since| looked.now.since(since));
    // What failed and is done again is on its way to the end that going back waits for.
    let again = doing.stands == Stands::Failed || world.memory.doing(task) >= flight.number;
    if side == Side::Target && paused > single.latest && single.over == Over::Unfence && !again {
        return found(format!("{side} is to write so late that the pause is over its budget before it can"));
    }
    None
}

/// What a record lets stand that it may not: nobody can write for longer than the plan bears, and nothing ends that.
pub fn pauses(model: &Model, world: &World, record: &Record) -> Option<Breach> {
    model.replications().iter().zip(&world.facts.replications).find_map(|(single, own)| {
        let since = own.paused_since.filter(|_| own.to == Side::Target && single.over == Over::Unfence)?;
        let paused = world.now().since(since);
        let state = record.services.get(&model.service(single.service)?.name)?;
        let legacy = world.facts.service(single.service)?.side(Side::Legacy).writes;
        if legacy == Access::Open && closing(model, &world.facts.tasks, single.service).is_none() {
            return None; // there is no fence: nobody writes where nobody answers
        }
        let promoted = state.tasks.get(&named::promote()).map(|task| task.stage);
        let goes_on = matches!(promoted, Some(TaskStage::Ordered | TaskStage::UndoOrdered | TaskStage::Done));
        let ends = goes_on || state.direction == Direction::Backward;
        (paused > single.latest && !ends).then(|| Breach {
            invariant: Invariant::OneWriter,
            service: single.service,
            detail: "nobody can write, no end of that comes within the pause budget any more, and none begins".to_owned(),
        })
    })
}
