//! What the engine wants to be told, for a record.

use std::collections::BTreeSet;

use super::{
    agenda,
    observed::Query,
    record::{Direction, Record, ServiceState, Stage},
    step::Subject,
    task::{TaskKey, TaskStage, TaskWay},
    tasks, writer,
};
use crate::plan::{Plan, Revision, Service, ServiceName, Side};

/// What is worth looking at for this record: the route of every service, all else of those that are not at an end, and every
/// task that was ordered and not seen to be done.
pub fn queries(revision: &Revision, record: &Record) -> BTreeSet<Query> {
    let mut wanted = BTreeSet::from([Query::Orders]);
    if record.ended.is_some() {
        return wanted;
    }
    let plan = revision.plan();
    for (name, service) in &plan.services {
        wanted.insert(Query::Route(name.clone())); // also at a service's end, until the route is given up
        let state = record.services.get(name);
        of_service(&mut wanted, name, service, state.map(|s| &**s));
    }
    of_phases(&mut wanted, plan);
    of_bridges(&mut wanted, plan, record);
    wanted.extend(open_doings(record).map(Query::Task));
    wanted
}

fn of_service(wanted: &mut BTreeSet<Query>, name: &ServiceName, service: &Service, state: Option<&ServiceState>) {
    let (stage, direction) = state.map_or((Stage::Waiting, Direction::Forward), |s| (s.stage, s.direction));
    let rests = stage.is_past_soak() && direction == Direction::Forward;
    if stage == Stage::Returned || stage.is_final() || (rests && service.decommission.is_none()) {
        return;
    }
    // Past its soak it may still be ordered back, and then it has to be known at once whether legacy can take it.
    wanted.extend(Side::BOTH.map(|side| Query::Side(name.clone(), side)));
    if rests {
        return;
    }
    wanted.extend(service.gates.keys().map(|gate| Query::Gate(name.clone(), gate.clone())));
    if let Some(data) = &service.data {
        let proofs = writer::gates(data).into_iter().map(|(gate, _)| gate).chain(data.reconcile.keys().cloned());
        wanted.extend(proofs.map(|gate| Query::OtherGate(Subject::from(name), gate)));
    }
}

/// The doings of a run that were ordered and whose end is not known: those that anybody has to be asked about. Of one that is being
/// withdrawn that is whether it has begun after all.
pub fn open_doings(record: &Record) -> impl Iterator<Item = TaskKey> {
    let services = record.services.iter().map(|(name, state)| (Subject::from(name), &state.tasks));
    let phases = record.phases.iter().map(|(name, state)| (Subject::Phase(name.clone()), &state.tasks));
    let bridges = record.bridges.iter().map(|(name, state)| (Subject::Bridge(name.clone()), &state.tasks));
    let all = services.chain(phases).chain(bridges);
    all.flat_map(|(of, all)| {
        all.iter().flat_map(move |(task, state)| {
            let key = |number, way| TaskKey { of: of.clone(), task: task.clone(), number, way };
            let own = match state.stage {
                TaskStage::Ordered => Some(key(state.number, TaskWay::Do)),
                TaskStage::UndoOrdered => Some(key(state.number, TaskWay::Undo)),
                TaskStage::Done | TaskStage::Undone | TaskStage::LeftBehind => None,
            };
            let withdrawn = tasks::withdrawn(task, state).map(|number| key(number, TaskWay::Do));
            own.into_iter().chain(withdrawn)
        })
    })
}

fn of_phases(wanted: &mut BTreeSet<Query>, plan: &Plan) {
    for (name, phase) in &plan.phases {
        let subject = Subject::Phase(name.clone());
        let gates = phase.after.values().flat_map(|after| after.gates.keys());
        wanted.extend(gates.map(|gate| Query::OtherGate(subject.clone(), gate.clone())));
    }
}

fn of_bridges(wanted: &mut BTreeSet<Query>, plan: &Plan, record: &Record) {
    for (name, bridge) in &plan.bridges {
        let subject = Subject::Bridge(name.clone());
        let state = record.bridges.get(name);
        let down = state.and_then(|b| b.tasks.get(&agenda::named::down())).is_some_and(|t| t.stage == TaskStage::Done);
        if down {
            wanted.insert(Query::Claims(name.clone())); // until the claim is given up
            continue;
        }
        wanted.extend(bridge.gates.keys().map(|gate| Query::OtherGate(subject.clone(), gate.clone())));
        if bridge.managed.is_some() {
            wanted.insert(Query::Claims(name.clone()));
        }
    }
}
