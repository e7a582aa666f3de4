//! What the end of a run may leave behind: nothing half done, for nobody drives it any more.

use super::Judge;
use crate::{
    engine::{
        agenda::named,
        invariant::Invariant,
        record::{Direction, ServiceState, Stage},
        task::TaskStage,
        walk::Walk,
        writer,
    },
    plan::{Service, ServiceName},
};

impl Judge<'_> {
    /// `undo-on-start` and `one-writer`: whoever is to go back is back, and whoever has the traffic may write.
    pub(super) fn end(&mut self) {
        if self.before.ended.is_some() || self.after.ended.is_none() {
            return;
        }
        let (plan, mut after) = (self.plan, Walk::of(self.after));
        for (name, service) in &plan.services {
            if let Some(state) = after.state(name) {
                self.left(name, service, state);
            }
        }
    }

    fn left(&mut self, name: &ServiceName, service: &Service, state: &ServiceState) {
        if state.direction == Direction::Backward && state.stage != Stage::Returned {
            self.found(Invariant::UndoOnStart, name, "the run would end while it is to go back".to_owned());
        }
        let promoted = state.tasks.get(&named::promote()).is_some_and(|task| task.stage == TaskStage::Done);
        let writes = if state.stage.is_past_soak() { promoted } else { !writer::has_fenced(state) };
        if service.data.is_some() && !writes {
            self.found(Invariant::OneWriter, name, "the run would end while the side with its traffic may not write".to_owned());
        }
    }
}
