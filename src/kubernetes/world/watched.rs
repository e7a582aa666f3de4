//! What is watched for a run, and how it comes in.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::World;
use crate::kubernetes::{
    api::{ApiError, Kind},
    watch::Sink,
};

/// What is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watched {
    /// `HTTPRoute`s.
    Routes,
    /// Services.
    Services,
    /// EndpointSlices.
    Slices,
}
impl Watched {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Routes, Self::Services, Self::Slices];
    /// The kind.
    pub fn kind(self) -> Kind {
        match self {
            Self::Routes => Kind::HTTP_ROUTE,
            Self::Services => Kind::SERVICE,
            Self::Slices => Kind::ENDPOINT_SLICE,
        }
    }
}

/// Puts what a watch brings into the world.
pub(super) struct Intake {
    pub world: Arc<World>,
    pub of: Watched,
}
impl Sink for Intake {
    fn begin(&mut self) {
        self.world.state().mirror(self.of).begin();
    }
    fn put(&mut self, object: Value) {
        self.world.put(self.of, object);
    }
    fn gone(&mut self, object: &Value) {
        let changed = self.world.state().mirror(self.of).gone(object);
        self.world.changed(self.of, &changed);
    }
    fn listed(&mut self) {
        let news = self.world.state().mirror(self.of).listed();
        if news {
            self.world.pass_on(self.of, None);
        }
    }
    fn alive(&mut self, at: Timestamp) {
        let news = self.world.state().mirror(self.of).is_alive(at);
        if news {
            self.world.pass_on(self.of, None);
        }
    }
    fn lost(&mut self, why: &ApiError) {
        if self.world.state().mirror(self.of).is_lost(why) {
            self.world.wake.fire();
        }
    }
}
