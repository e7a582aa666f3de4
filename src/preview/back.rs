//! What going back from a step would do, and how long it takes.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    course::{Course, Options},
    deeds::Deeds,
    film::Film,
    report::{StepLine, line},
    times::{Clock, millis},
};
use crate::{
    engine::{Direction, Intent, Outcome, Record, ServiceState, Shared, Stage},
    plan::{Plan, Revision, ServiceName, schedule::Calendar, schedule::Purpose},
};

/// The way back from one moment: somebody orders the whole run back just before a step is over.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Back {
    /// The plan.
    pub plan: String,
    /// The revision.
    pub digest: String,
    /// The zone of the local times; null: UTC.
    pub time_zone: Option<String>,
    /// The step that is under way.
    pub step: String,
    /// When the order comes, in UTC.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// How it ends: `RolledBack`; `Completed`, if nothing is left to go back; `Held`, where only a person can help.
    pub outcome: Outcome,
    /// When the last traffic is back on legacy; null: none was on target.
    #[schemars(with = "Option<String>")]
    pub traffic_back: Option<Timestamp>,
    /// When all that is to be taken back is; null: nothing is.
    #[schemars(with = "Option<String>")]
    pub over: Option<Timestamp>,
    /// Milliseconds from the order to `trafficBack`.
    pub traffic_ms: Option<u64>,
    /// Milliseconds from the order to `over`.
    pub takes_ms: Option<u64>,
    /// Whether that is before the window closes that the step is in; null: no window governs it.
    pub fits_window: Option<bool>,
    /// Each service that had begun.
    pub services: Vec<BackService>,
    /// The steps of the way back, in the order in which they begin.
    pub steps: Vec<StepLine>,
}

/// A service on the way back.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BackService {
    /// Its name.
    pub name: String,
    /// The share of target when the order came, in percent.
    pub weight: u8,
    /// What becomes of it.
    pub fate: Fate,
    /// Why it stays, if it does.
    pub why: Option<String>,
}

/// What becomes of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Fate {
    /// It is back on legacy.
    Returns,
    /// It stays where it is.
    Stays,
}

/// What happens if everything is ordered back just before this step is over. `Err`: the run has no such step; the names of
/// those that come nearest, the nearest first.
pub fn back_from(revision: &Revision, options: Options, step: &str) -> Result<Back, Vec<String>> {
    let plan = revision.plan();
    let at = moment_of(revision, options, step)?;
    let mut course = Course::new(revision, options);
    while course.next().is_some_and(|next| next < at) {
        if course.step(|_| ()).is_none() {
            break;
        }
    }
    course.order(Intent::Rollback, at);
    let before = course.record.clone();
    let mut film = Film::new(plan);
    while course.step(|moment| film.note(moment)).is_some() {}
    let (clock, deeds) = (Clock::of(plan), Deeds::of(plan));
    let steps: Vec<StepLine> = film.cut().iter().map(|shot| line(plan, (&clock, &deeds), shot)).collect();
    let over = last_end(steps.iter());
    let traffic_back = last_end(steps.iter().filter(|line| line.id.ends_with("/return")));
    Ok(Back {
        plan: plan.name.to_string(),
        digest: revision.digest().to_string(),
        time_zone: plan.time_zone.clone(),
        step: step.to_owned(),
        at,
        outcome: course.record.ended.as_ref().map_or(Outcome::Held, |ended| ended.outcome),
        traffic_back,
        over,
        traffic_ms: traffic_back.map(|end| millis(at, end)),
        takes_ms: over.map(|end| millis(at, end)),
        fits_window: fits(plan, step, at, over),
        services: services(plan, &before, &course.record),
        steps,
    })
}

/// When the last of these ends; `None` if there are none, or one never does.
fn last_end<'s>(steps: impl Iterator<Item = &'s StepLine>) -> Option<Timestamp> {
    steps.map(|line| line.end).try_fold(None, |last: Option<Timestamp>, end| Some(last.max(Some(end?)))).flatten()
}

/// When the order comes: at the end of the step, before anything is decided about that end.
fn moment_of(revision: &Revision, options: Options, step: &str) -> Result<Timestamp, Vec<String>> {
    let mut film = Film::new(revision.plan());
    let mut course = Course::new(revision, options);
    while course.step(|moment| film.note(moment)).is_some() {}
    let shots = film.cut();
    match shots.iter().find(|shot| shot.id.to_string() == step) {
        Some(shot) => Ok(shot.end.unwrap_or(shot.start)),
        None => Err(nearest(step, shots.iter().map(|shot| shot.id.to_string()))),
    }
}

/// At most five names that are written much like this one, the nearest first.
fn nearest(wrong: &str, names: impl Iterator<Item = String>) -> Vec<String> {
    const LONGEST: usize = 200; // the comparison takes time with the length
    if wrong.len() > LONGEST {
        return Vec::new();
    }
    let limit = (wrong.chars().count() / 2).max(2);
    let mut near: Vec<(usize, String)> =
        names.map(|name| (strsim::damerau_levenshtein(wrong, &name), name)).filter(|(far, _)| *far <= limit).collect();
    near.sort();
    near.into_iter().take(5).map(|(_, name)| name).collect()
}

fn fits(plan: &Plan, step: &str, at: Timestamp, over: Option<Timestamp>) -> Option<bool> {
    let name = step.split('/').next()?;
    let service = plan.services.get(name)?;
    let calendar = Calendar::of(plan);
    let closes = calendar.windows(Purpose::Shift(&service.phase)).filter(|(_, w)| w.opens <= at && at < w.closes);
    let closes = closes.map(|(_, window)| window.closes).max()?;
    Some(over.is_none_or(|over| over <= closes))
}

fn services(plan: &Plan, before: &Record, after: &Record) -> Vec<BackService> {
    let begun = before.services.iter().filter(|(_, s)| s.stage != Stage::Waiting || !s.tasks.is_empty());
    let line = |(name, was): (&ServiceName, &Shared<ServiceState>)| {
        let is = after.services.get(name)?;
        let back = is.stage == Stage::Returned;
        let held = is.hold.as_ref().map(|hold| hold.reason.to_string());
        let stays = plan.services.get(name).is_some_and(|s| s.decommission.is_none()) && was.stage == Stage::Soaked;
        let why = match (back, held) {
            (true, _) => None,
            (false, Some(why)) => Some(why),
            (false, None) if stays => Some("its soak was over, and nothing takes it back after that".to_owned()),
            (false, None) if is.direction == Direction::Backward => Some("it is on its way back and waits".to_owned()),
            (false, None) => Some("it never left legacy".to_owned()),
        };
        let fate = if back { Fate::Returns } else { Fate::Stays };
        Some(BackService { name: name.to_string(), weight: was.weight().percent(), fate, why })
    };
    begun.filter_map(line).collect()
}
