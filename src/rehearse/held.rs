//! What a run waits for that came to no end.

use crate::engine::{Latch, Record, Wait, WayOut};

/// A hold of the run, or else the first of a service; where nothing holds, why anything went back and what is waited for since, by the
/// newest look.
pub fn held_by(record: &Record, cause: Option<&str>, waits: &[Wait]) -> String {
    let latch = record.latch.as_ref().and_then(Latch::holds).map(|(_, reason)| format!("the run holds: {reason}"));
    let holds = record.services.iter().filter_map(|(name, state)| Some(format!("{name} holds: {}", state.hold.as_ref()?.reason)));
    if let Some(first) = latch.into_iter().chain(holds).next() {
        return first;
    }
    let told: Vec<String> = cause.map(str::to_owned).into_iter().chain(waits_for(waits)).collect();
    if told.is_empty() { "nothing happens any more".to_owned() } else { told.join("; ") }
}

/// The step that the others wait for: one that waits for a person, else for the world.
fn waits_for(waits: &[Wait]) -> Option<String> {
    let rank = |wait: &&Wait| match wait.reason.way_out() {
        WayOut::Person { .. } => 0,
        WayOut::At(_) | WayOut::When(_) => 1,
        WayOut::Step(_) => 2,
    };
    waits.iter().min_by_key(rank).map(|wait| format!("{} waits: {}", wait.step, wait.reason))
}
