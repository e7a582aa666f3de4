//! What the end of a run leaves in its world: nothing half done, and all that the plan wants of those that are on target.

use std::collections::BTreeSet;

use gapless::{
    engine::{
        Deed, Direction, Stage, Subject,
        agenda::{self, Back, Item, Moment},
    },
    plan::{Act, BridgeName, Side},
    world::{
        Sim,
        facts::Claim,
        model::OURS,
        task::{Access, Stands, TaskFacts, Way},
    },
};

/// The bridges that a run counts on though nobody lies across them: none, once it has ended.
pub fn left_claimed(sim: &Sim) -> Vec<&BridgeName> {
    let (model, facts) = (&sim.model, &sim.world.facts);
    let in_force = |ix: u16| facts.services[usize::from(ix)].route.in_force;
    let claimed =
        (0u16..).zip(model.bridges().iter().zip(&facts.bridges)).filter(|(_, (_, bridge))| bridge.ours == Claim::Claimed);
    let left = claimed.filter(|(at, _)| {
        let mut across =
            (0..).zip(model.services()).flat_map(|(ix, s)| s.across.iter().map(move |(over, need)| (ix, *over, *need)));
        !across.any(|(ix, over, need)| over == *at && in_force(ix) != in_force(need))
    });
    left.map(|(_, (name, _))| name).collect()
}

/// All that belongs to a phase is done if all of its services are on target, and taken back if none is and one was to be.
pub fn leaves_phases_whole(sim: &Sim, tail: &dyn Fn() -> String) {
    let (model, record) = (&sim.model, &sim.record);
    let plan = model.revision().plan();
    for (name, phase) in plan.phases.iter().filter(|_| record.ended.is_some()) {
        let stages: Vec<Stage> = plan.members(name).iter().map(|member| record.services[member].stage).collect();
        let moved = stages.iter().all(|stage| stage.is_past_soak());
        let back = stages.contains(&Stage::Returned) && !stages.iter().any(|stage| stage.is_past_soak());
        let of = Subject::Phase(name.clone());
        for item in agenda::of_whole_phase(phase).iter().filter(|item| !only_waits(item)) {
            let done = is_done(sim, &of, item);
            assert!(done || !moved, "phase {name}: {} is not done\n{}", item.name, tail());
            assert!(!done || !back || leaves(item), "phase {name}: {} is not taken back\n{}", item.name, tail());
            let runs = facts_of(sim, &of, item).is_some_and(|facts| matches!(facts.stands, Stands::Running(_)));
            assert!(!runs || leaves(item), "phase {name}: the run ended beside {}\n{}", item.name, tail());
        }
    }
}

/// What went back leaves the world as it was: its route is given up, legacy alone may write, what was done is taken back. What is on
/// target has all that the plan wants there. No bridge is claimed by a run that has ended, but one that somebody lies across.
pub fn leaves_nothing_over(sim: &Sim, gone: &BTreeSet<u16>, tail: &dyn Fn() -> String) {
    let (model, facts, record) = (&sim.model, &sim.world.facts, &sim.record);
    if record.ended.is_none() {
        return;
    }
    let claimed = left_claimed(sim);
    assert!(claimed.is_empty(), "still claimed: {claimed:?}\n{}", tail());
    for (ix, service) in (0..).zip(model.services()).filter(|(ix, _)| !sim.world.memory.touched(*ix)) {
        let (name, own, state) = (&service.name, &facts.services[usize::from(ix)], &record.services[&service.name]);
        let moved = state.stage.is_past_soak();
        let share = if moved { 100 } else { 0 };
        assert_eq!((own.route.accepted, own.route.in_force), (share, share), "{name}\n{}", tail());
        // Nobody gives up a route that is not there; who puts it back afterwards puts back what it bore.
        let was_gone = gone.contains(&ix);
        assert!(was_gone || own.route.owner.is_none_or(|run| run != OURS), "{name} is not given up\n{}", tail());
        if service.is_single_writer() {
            let writes = Side::BOTH.map(|side| own.side(side).writes == Access::Open);
            assert_eq!(writes, [!moved, moved], "{name}\n{}", tail());
        }
        // What cannot be taken back of one that never starts stays; so does all that came before it.
        let stays = state.stage == Stage::Waiting && state.direction == Direction::Forward;
        for item in agenda::of_service(&model.revision().plan().services[name]).iter().filter(|item| !only_waits(item)) {
            let done = is_done(sim, &Subject::from(name), item);
            // An end of legacy that did not come is as if it had not begun.
            let ends = item.moment >= Moment::ScreamTest && state.stage != Stage::Decommissioned;
            let writer = matches!(item.moment, Moment::Fence | Moment::Promote);
            if moved && !ends {
                assert!(done, "{name}: {} is not done\n{}", item.name, tail());
            } else {
                let left = leaves(item) || writer || stays;
                assert!(!done || left, "{name}: {} is not taken back\n{}", item.name, tail());
            }
        }
    }
}

/// Time passes by itself, and nobody does it.
fn only_waits(item: &Item) -> bool {
    matches!(item.deed, Deed::Act(Act::Wait(_)))
}

/// Whether what was done of it may be left there: nothing takes it back, or only up to a deadline.
fn leaves(item: &Item) -> bool {
    !matches!(item.back, Back::By { deadline: None, .. })
}

fn is_done(sim: &Sim, of: &Subject, item: &Item) -> bool {
    facts_of(sim, of, item).is_some_and(|facts| facts.number > 0 && facts.way == Way::Do)
}

fn facts_of(sim: &Sim, of: &Subject, item: &Item) -> Option<TaskFacts> {
    let task = sim.model.task(of, &item.name)?;
    Some(sim.world.facts.tasks[usize::from(task)])
}
