//! What befalls a run of a random plan: a row of deeds, made of a number.

use gapless::{
    plan::Side,
    world::{
        Happening, Sim, Tone,
        connections::Client,
        facts::{Claim, Plane, Reach},
        people::{Wish, Yes},
        replication::Pace,
        task::Luck,
    },
};

use crate::{any_plan::AnyPlan, chance::Chance};

/// What is done to a run, so many milliseconds after what was done before.
#[derive(Debug, Clone, Copy)]
pub struct Deed {
    pub after: i64,
    pub what: What,
}

#[derive(Debug, Clone, Copy)]
pub enum What {
    Befalls(Happening),
    /// The next effect never arrives, and nobody hears of it.
    Loses,
    /// The next effect arrives so much later.
    Delays(i64),
    /// The next looks show what was so before.
    Stale(u8),
    /// Another process decides, and does it so much later.
    Rival(i64),
    /// Somebody edits the plan: the run is offered that of another seed.
    Edited(u64),
}

/// A case: a plan and what befalls it.
#[derive(Clone)]
pub struct Case {
    pub seed: u64,
    pub deeds: Vec<Deed>,
}

impl Case {
    pub fn of(seed: u64, plan: &AnyPlan) -> Self {
        let mut chance = Chance::of(seed ^ 0xFA17);
        let sim = sim(plan);
        let windowed = !plan.revision.plan().windows.is_empty();
        let count = chance.below(9);
        let first = if windowed { 3_600_000 } else { 0 };
        let deeds = (0..count).map(|place| {
            let after = match chance.below(4) {
                0 => chance.ms(2_000),
                1 => chance.ms(60_000),
                2 => chance.ms(600_000),
                _ => chance.ms(3_600_000),
            };
            let after = if place == 0 { first + after } else { after };
            Deed { after, what: what(&mut chance, &sim) }
        });
        Self { seed, deeds: deeds.collect() }
    }
}

fn at(chance: &mut Chance, len: usize) -> u16 {
    u16::try_from(chance.below(len as u64)).unwrap()
}

fn what(chance: &mut Chance, sim: &Sim) -> What {
    let model = &sim.model;
    let ix = at(chance, model.services().len());
    let side = *chance.pick(&[Side::Legacy, Side::Target]);
    let happening = match chance.below(24) {
        0..=2 => {
            Happening::Gate(at(chance, model.gates().len()), *chance.pick(&[Tone::Good, Tone::Bad, Tone::Bad, Tone::Silent]))
        }
        3 | 4 => Happening::Healthy(ix, side, u32::try_from(chance.below(3)).unwrap()),
        5 => Happening::Router(ix, *chance.pick(&[Reach::Answers, Reach::Silent, Reach::Gone])),
        6 => Happening::DataPlane(ix, *chance.pick(&[Plane::Takes, Plane::Stuck, Plane::Refuses])),
        7 => Happening::ByHand(ix, u8::try_from(chance.below(101)).unwrap()),
        8 => Happening::Seized(ix),
        9 | 10 => Happening::Restart,
        11 => Happening::People(*chance.pick(&[Wish::Run, Wish::Hold, Wish::Rollback, Wish::Rollback])),
        12 => Happening::Resume(u32::try_from(chance.between(1, 9)).unwrap()),
        13 | 14 if !model.tasks().is_empty() => {
            Happening::Task(at(chance, model.tasks().len()), *chance.pick(&[Luck::Fails, Luck::Hangs, Luck::Works]))
        }
        15 if !model.questions().is_empty() => Happening::Answer(at(chance, model.questions().len()), 0, Yes::No),
        16 if !model.bridges().is_empty() => {
            Happening::Bridge(at(chance, model.bridges().len()), *chance.pick(&[Claim::Claimed, Claim::None]))
        }
        17 => Happening::Retry(ix, u16::try_from(chance.between(1, 2)).unwrap()),
        18 if !model.replications().is_empty() => {
            let single = chance.pick(model.replications()).service;
            match chance.below(3) {
                0 => Happening::Stray(single, Side::Legacy),
                1 => Happening::Replication(single, Pace::Stopped),
                _ => Happening::Replication(single, Pace::Slow),
            }
        }
        19 if !model.connections().is_empty() => Happening::Client(chance.pick(model.connections()).service, Client::Stays),
        20 => return What::Loses,
        21 => return What::Delays(chance.ms(120_000)),
        22 => return What::Stale(u8::try_from(chance.between(1, 3)).unwrap()),
        23 if chance.one_in(3) => return What::Edited(chance.below(1000)),
        _ => return What::Rival(chance.ms(30_000)),
    };
    What::Befalls(happening)
}

/// A run of a plan in a world without faults, in which people say yes.
pub fn sim(plan: &AnyPlan) -> Sim {
    let mut sim = Sim::ideal(&plan.revision, "2026-08-28T18:00:00Z".parse().unwrap());
    sim.yes_after = Some(30_000);
    sim
}
