//! Whatever the engine thinks: what traffic goes through.

use gapless::{
    engine::Direction,
    plan::{ServiceName, Weight},
};

use super::Sim;

impl Sim {
    /// The judge: whatever was thought, this is what traffic went through.
    pub(super) fn judge_write(&self, name: &ServiceName, weight: Weight, direction: Direction) {
        let plan = self.revision.plan();
        let together = |other: &ServiceName| plan.group_of(name).is_some_and(|(_, g)| g.services.contains(other));
        if direction == Direction::Forward && self.hands_off {
            for need in plan.services[name].before().filter(|need| !together(need)) {
                assert_eq!(self.routes[need].weight, Weight::FULL, "{name} got {weight} while {need} was not on target");
            }
        }
        if weight == Weight::ZERO && self.hands_off {
            for (other, service) in &plan.services {
                let back = self.routes[other].weight == Weight::ZERO || self.record.services[other].stage.is_past_soak();
                assert!(!service.is_after(name) || together(other) || back, "{name} went back before {other}");
            }
        }
    }
}
