//! A way through states told for people: what the world did, what was decided, what broke.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::{
    Options, Reductions,
    brain::{Brain, Library},
    piece::Piece,
    print::Print,
    search::Wrong,
    state::{How, Move, Past, State},
    step::Stepper,
};
use crate::{
    engine::Decision,
    world::{
        Facts, Model, Moment, Occurrence,
        facts::Claim,
        fault::Told,
        flight::{Act, Flight},
        judge::Breach,
        model::NOBODY,
        replication::{Pace, Writes},
        task::Way,
    },
};

/// One step of a story.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// Its number, from 1.
    pub step: usize,
    /// How long after the beginning, as days, hours, minutes and seconds.
    pub at: String,
    /// What the world or the process did.
    pub what: String,
    /// What was decided, and why what waits does; empty where nobody looked.
    pub decided: Vec<String>,
}

/// A story.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Story {
    /// The invariant that broke; `ends` if the run rests where it may not.
    pub invariant: String,
    /// What broke, as a sentence.
    pub detail: String,
    /// The steps.
    pub steps: Vec<Line>,
}

/// What a story ends with whose last step breaks nothing when it is told.
pub const UNTOLD: &str = "told so it breaks nothing: a defect of the explorer, please report it";

/// Tells the way that these steps are, which was found by these options.
pub fn tell(piece: &Piece, options: &Options, steps: &[Move], wrong: &Wrong) -> Story {
    let (mut lines, broken) = retell(piece, options, steps);
    let (invariant, detail) = match wrong {
        Wrong::Breach(breach) => {
            let service = piece.model.service(breach.service).map(|service| service.name.to_string()).unwrap_or_default();
            if broken.is_none_or(|broken| broken.invariant != breach.invariant) {
                lines.last_mut().into_iter().for_each(|line| line.decided.push(UNTOLD.to_owned()));
            }
            (breach.invariant.to_string(), format!("{service}: {}", breach.detail))
        }
        Wrong::Stuck => ("ends".to_owned(), "nothing is wrong in the world, nothing goes on, and nobody is asked".to_owned()),
    };
    Story { invariant, detail, steps: lines }
}

/// The steps one by one, and what the last of them breaks. What is told is whole: in the search something is left out of records and
/// worlds, so that waits pass over what decides nothing. So the way is gone twice, side by side, and how long a wait is the search says.
fn retell(piece: &Piece, options: &Options, steps: &[Move]) -> (Vec<Line>, Option<Breach>) {
    let (model, Options { rules, budget, reductions, .. }) = (&piece.model, *options);
    let (whole, first) = Library::new(model, rules, Reductions::None);
    let (reduced, found) = Library::new(model, rules, reductions);
    let mut told = Stepper::new(model, &piece.parts, Brain::new(&whole));
    let mut searched = Stepper::new(model, &piece.parts, Brain::new(&reduced));
    let (mut state, mut beside) = (State::new(model, first, budget), State::new(model, found, budget));
    let (mut clock, mut lines, mut broken) = (Moment(0), Vec::new(), None);
    for (place, step) in steps.iter().enumerate() {
        let stop = searched.stop(&beside).filter(|_| *step == Move::Waits);
        let (what, decided) = narrate(&mut told, &state, *step, (clock, stop.unwrap_or_default()));
        clock = clock.plus(stop.map_or(0, |to| to.0));
        lines.push(Line { step: place + 1, at: clock.to_string(), what, decided });
        takes(&mut searched, &mut beside, *step);
        broken = match stop {
            Some(to) => {
                told.wait_until(&mut state, to);
                None
            }
            None => takes(&mut told, &mut state, *step),
        };
    }
    (lines, broken)
}

fn takes(stepper: &mut Stepper<'_>, state: &mut State, step: Move) -> Option<Breach> {
    let facts = &state.world.facts;
    let answer = stepper.brain.ask(state.record, facts, Print::of(facts))?;
    stepper.take(state, step, &answer)
}

fn narrate(stepper: &mut Stepper<'_>, state: &State, step: Move, (clock, stop): (Moment, Moment)) -> (String, Vec<String>) {
    let model = stepper.model;
    let facts = &state.world.facts;
    let mut looks = |facts: &Facts| {
        let decision = stepper.brain.tell(state.record, facts, clock);
        let lines = decision.iter().flat_map(decided);
        lines.map(|line| by_the_watch(model, &line)).collect()
    };
    match step {
        Move::Happens(occurrence) => (happens(model, state, occurrence), Vec::new()),
        Move::Waits => (format!("nothing happens for {stop}"), Vec::new()),
        Move::Strikes(kind, what) => (format!("{} ({kind})", Told(model, what)), Vec::new()),
        Move::Outside(what) => (Told(model, what).to_string(), Vec::new()),
        Move::Loses(place) => (format!("{} is lost (effect-lost)", flight(model, state, place)), Vec::new()),
        Move::Delays(place) => {
            (format!("{} is under way, nobody knows for how long (effect-late)", flight(model, state, place)), Vec::new())
        }
        Move::RivalDecides => {
            ("another process, which takes itself for the leader, looks and decides (two-leaders)".to_owned(), looks(facts))
        }
        Move::RivalActs => ("the other process commits and performs what it decided".to_owned(), Vec::new()),
        Move::Looks(How::Well) => ("the loop looks".to_owned(), looks(facts)),
        Move::Looks(How::EndsAfter(sent)) => (
            format!("the loop looks and commits; the process ends after {sent} of its effects, and another begins (crash)"),
            looks(facts),
        ),
        Move::Looks(How::Stale(place)) => {
            let past = state.past.get(usize::from(place)).map_or(facts, Past::facts);
            (format!("the loop is shown what was so {} ago (stale-read)", Moment(-past.now.0)), looks(past))
        }
        Move::Looks(How::StaleRoutes(place)) => {
            let past = state.past.get(usize::from(place)).map_or(facts, Past::facts);
            let mixed = super::step::routes_of(past, facts);
            (format!("the loop is shown the routes as they were {} ago (stale-read)", Moment(-past.now.0)), looks(&mixed))
        }
    }
}

fn happens(model: &Model, state: &State, occurrence: Occurrence) -> String {
    let name = |ix| model.service(ix).map(|service| service.name.to_string()).unwrap_or_default();
    match occurrence {
        Occurrence::Arrives(place) => format!("{} arrives", flight(model, state, place)),
        Occurrence::Programmed(ix) | Occurrence::Effective(ix) => {
            let share = state.world.facts.service(ix).map_or(0, |service| service.route.accepted);
            format!("real answers of {} show {share} % on target", name(ix))
        }
        Occurrence::Ends(ix) => match model.tasks().get(usize::from(ix)) {
            Some(task) => format!("task {} of {} is done", task.name, task.of),
            None => format!("task {ix} is done"),
        },
        Occurrence::Copied(place) => {
            let own = state.world.facts.replications.get(usize::from(place));
            let what = own.map_or("changes", |own| match (own.writes, own.pace) {
                (Writes::Rest, _) => "is done with what was left",
                (Writes::Arrive, Pace::KeepsUp) => "has caught up",
                (Writes::Arrive, Pace::Slow | Pace::Stopped) => "is behind",
            });
            let ix = model.replications().get(usize::from(place)).map_or(NOBODY, |single| single.service);
            format!("replication of {} {what}", name(ix))
        }
        Occurrence::Closes(place) => {
            let ix = model.connections().get(usize::from(place)).map_or(NOBODY, |kept| kept.service);
            format!("the last old connection to legacy of {} has ended", name(ix))
        }
    }
}

fn flight(model: &Model, state: &State, place: u8) -> String {
    let Some(Flight { service, act, number, .. }) = state.world.flights.get(usize::from(place)) else {
        return "an effect".to_owned();
    };
    let name = model.service(*service).map(|service| service.name.to_string()).unwrap_or_default();
    match act {
        Act::SetWeight { weight, .. } => format!("order {number} of {name} ({weight} % to target)"),
        Act::Release => format!("the release of the route of {name}"),
        Act::Task(ix, way) => match model.tasks().get(usize::from(*ix)) {
            Some(task) if *way == Way::Do => format!("the order to do task {} of {}", task.name, task.of),
            Some(task) => format!("the order to take task {} of {} back", task.name, task.of),
            None => format!("task {ix}"),
        },
        Act::Claim(ix, claim) => {
            let name = model.bridges().get(usize::from(*ix)).map(ToString::to_string).unwrap_or_default();
            if *claim == Claim::Claimed {
                format!("the claim of bridge {name}")
            } else {
                format!("the end of the claim of bridge {name}")
            }
        }
        Act::EnsureBackend(side) => format!("the making of a backend for the {side} side of {name}"),
    }
}

fn decided(decision: &Decision) -> Vec<String> {
    let mut lines: Vec<String> = decision.events.iter().map(ToString::to_string).collect();
    let waits = decision.waits.iter().map(|wait| format!("{} waits: {}", wait.step, wait.reason));
    lines.extend(waits);
    lines
}

/// A text with its moments as they stand in the stories' margin: how long after the beginning.
fn by_the_watch(model: &Model, text: &str) -> String {
    let word = |word: &str| {
        let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        let at = Some(bare).filter(|bare| bare.len() >= "2001-09-09T01:46:40Z".len()).and_then(|bare| bare.parse().ok());
        at.map_or_else(|| word.to_owned(), |at| word.replace(bare, model.moment(at).to_string().trim_end_matches(".000")))
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

impl Story {
    /// The story as text, a line a step.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for line in &self.steps {
            let _ = writeln!(text, "{:>3}  {}  {}", line.step, line.at, line.what); // writing to a String cannot fail
            for decided in &line.decided {
                let _ = writeln!(text, "                     | {decided}");
            }
        }
        let _ = writeln!(text, "     broken: {}: {}", self.invariant, self.detail);
        text
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{engine::RunId, plan};

    #[test]
    fn moments_are_told_by_the_watch_and_nothing_else_is_changed() {
        let revision = plan::read(include_str!("../../plans/quickstart.yaml")).unwrap().revision;
        let epoch = jiff::Timestamp::from_second(1_000_000_000).unwrap();
        let model = Model::new(Arc::new(revision), RunId("run".to_owned()), epoch);
        for (text, told) in [
            ("it soaks until 2001-09-09T01:46:42Z", "it soaks until 00:00:02"),
            ("until 2001-09-10T01:46:40.5Z: why, (2001-09-09T01:46:39Z)", "until 1d 00:00:00.500: why, (-00:00:01)"),
            ("gate p99 has 3 of 20 good answers; Z", "gate p99 has 3 of 20 good answers; Z"),
        ] {
            assert_eq!(by_the_watch(&model, text), told);
        }
    }
}
