//! The order of a way back: the reverse of the one in which things were done.

use gapless::{
    engine::{Subject, TaskWay, agenda},
    plan::UndoWhen,
    world::{Moment, Sim},
};

/// Whoever went back did so after all that needed it, by where the traffic really was.
pub fn went_back_in_reverse(sim: &Sim, tail: &dyn Fn() -> String) {
    let model = &sim.model;
    let of = |ix: u16| sim.history.of(ix);
    let touched = |ix: u16| sim.world.memory.touched(ix);
    let falls = |ix: u16| -> Vec<Moment> {
        let pairs = of(ix).windows(2);
        pairs.filter(|pair| pair[1].target < pair[0].target).map(|pair| pair[1].from).collect()
    };
    for (need, service) in (0..).zip(model.services()) {
        for dependent in &service.dependents {
            let grouped = model.revision().plan().group_of(&service.name).is_some();
            if grouped || touched(need) || touched(*dependent) {
                continue;
            }
            for fall in falls(need) {
                let share = of(*dependent).iter().find(|s| s.from <= fall && fall < s.until).map_or(0, |s| s.target);
                let name = &model.services()[usize::from(*dependent)].name;
                assert_eq!(share, 0, "{} went back at {fall} before {name}, which needs it\n{}", service.name, tail());
            }
        }
    }
}

/// Tasks of one service are taken back in the reverse of the order in which they were done. `tasks` are those that were ordered, in that
/// order, each with whose it is and which way.
pub fn took_tasks_back_in_reverse(sim: &Sim, tasks: &[(Subject, String, TaskWay)], tail: &dyn Fn() -> String) {
    let plan = sim.model.revision().plan();
    for (name, service) in &plan.services {
        let items = agenda::of_service(service);
        let place = |task: &str| items.iter().position(|item| item.name.as_str() == task);
        let when = |task: &str| match place(task).map(|at| &items[at].back) {
            Some(agenda::Back::By { when, .. }) => Some(*when),
            _ => None,
        };
        let mut attempt: Vec<usize> = Vec::new();
        let mut last: Option<(UndoWhen, usize)> = None;
        for (_, task, way) in tasks.iter().filter(|(of, ..)| of.service() == Some(name)) {
            let (Some(at), Some(when)) = (place(task), when(task)) else { continue };
            let writers = matches!(items[at].moment, agenda::Moment::Fence | agenda::Moment::Promote);
            match way {
                TaskWay::Do => {
                    last = None;
                    attempt.push(at);
                }
                TaskWay::Undo if writers => {}
                TaskWay::Undo => {
                    if let Some((before, taken)) = last.filter(|(before, _)| *before == when) {
                        assert!(at <= taken, "{name}: {task} is taken back after {}, {before:?}\n{}", items[taken].name, tail());
                    }
                    last = Some((when, at));
                }
            }
        }
    }
}
