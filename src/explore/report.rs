//! What an exploration found, for people and for programs.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Around, Options,
    budget::Budget,
    limits,
    piece::Piece,
    search::{Seen, Verdict},
    story::{self, Story},
};
use crate::{
    engine::{Invariant, Outcome},
    plan::Revision,
};

/// The result of `gapless explore -o json`. Fields are only ever added.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExploreReport {
    /// The plan.
    pub plan: String,
    /// The revision that was explored.
    pub digest: String,
    /// Whether nothing wrong was found.
    pub holds: bool,
    /// Whether every state within the budget was seen.
    pub exhaustive: bool,
    /// Different states that were seen.
    pub states: u64,
    /// How long it took.
    pub seconds: f64,
    /// How many faults one way may have.
    pub budget: u8,
    /// The kinds of faults, with how many of each one way may have.
    pub faults: Vec<FaultReport>,
    /// The rule that was left out, if one was.
    pub without: Option<Invariant>,
    /// What was explored around each service or group.
    pub around: Around,
    /// The pieces of the plan.
    pub shapes: Vec<ShapeReport>,
    /// Each invariant.
    pub invariants: Vec<InvariantReport>,
    /// The shortest way to something wrong, if there is one.
    pub counterexample: Option<Story>,
    /// What is not proven even if all holds.
    pub limits: Vec<String>,
}

/// A kind of fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FaultReport {
    /// Its name.
    pub kind: String,
    /// How many of it one way may have.
    pub most: u8,
}

/// A piece of the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ShapeReport {
    /// What was under test, and what stood around it.
    pub name: String,
    /// The services of the plan for which it stands.
    pub services: Vec<String>,
    /// Different states.
    pub states: u64,
    /// Steps between them.
    pub steps: u64,
    /// Steps of the longest of all shortest ways.
    pub depth: u32,
    /// Different questions that the engine was asked.
    pub decisions: u64,
    /// Whether every state within the budget was seen.
    pub exhaustive: bool,
    /// The shortest way to something wrong, if there is one.
    pub counterexample: Option<Story>,
    /// How often each invariant was judged, in the order of their names in `invariants`.
    pub checked: Vec<u64>,
    /// How runs ended, of all whose end was seen.
    pub ended: Vec<Outcome>,
}

/// An invariant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InvariantReport {
    /// Its name.
    pub name: String,
    /// Whether nothing was found that breaks it.
    pub holds: bool,
    /// How often something was judged that could have broken it.
    pub checked: u64,
}

impl ShapeReport {
    /// What a search of this piece saw.
    pub fn new(piece: &Piece, options: &Options, seen: &Seen) -> Self {
        let counterexample = match &seen.verdict {
            Verdict::Wrong { steps, wrong } => Some(story::tell(piece, options, steps, wrong)),
            Verdict::Holds | Verdict::Unfinished => None,
        };
        let judged = seen.judged;
        let checked = Invariant::ALL.iter().map(|invariant| match invariant {
            Invariant::Served | Invariant::WayBack => judged.raised,
            Invariant::NoWorse => judged.lowered,
            Invariant::NoClobber | Invariant::OneOwner => judged.written,
            Invariant::UndoOnStart => judged.claims,
            _ => judged.raised + judged.lowered,
        });
        Self {
            name: piece.name.clone(),
            services: piece.alike.iter().map(ToString::to_string).collect(),
            states: seen.states,
            steps: seen.steps,
            depth: seen.depth,
            decisions: seen.decisions,
            exhaustive: seen.verdict == Verdict::Holds,
            counterexample,
            checked: checked.collect(),
            ended: seen.ends.outcomes().collect(),
        }
    }
}

impl ExploreReport {
    /// All pieces together. The counterexample is the shortest of all.
    pub fn new(revision: &Revision, options: &Options, shapes: Vec<ShapeReport>, seconds: f64) -> Self {
        let wrong = shapes.iter().filter_map(|shape| shape.counterexample.as_ref());
        let counterexample = wrong.min_by_key(|story| story.steps.len()).cloned();
        let broken = |name: &str| shapes.iter().filter_map(|s| s.counterexample.as_ref()).any(|story| story.invariant == name);
        let invariants = Invariant::ALL.iter().enumerate().map(|(place, invariant)| InvariantReport {
            name: invariant.to_string(),
            holds: !broken(&invariant.to_string()),
            checked: shapes.iter().filter_map(|shape| shape.checked.get(place)).sum(),
        });
        let mut invariants: Vec<_> = invariants.collect();
        let states = shapes.iter().map(|shape| shape.states).sum();
        invariants.push(InvariantReport { name: "ends".to_owned(), holds: !broken("ends"), checked: states });
        Self {
            plan: revision.plan().name.to_string(),
            digest: revision.digest().to_string(),
            holds: counterexample.is_none(),
            exhaustive: shapes.iter().all(|shape| shape.exhaustive),
            states,
            seconds,
            budget: options.budget.total(),
            faults: faults(options.budget.of_plan(revision.plan())),
            without: options.without,
            around: options.around,
            shapes,
            invariants,
            counterexample,
            limits: limits(options.around).map(str::to_owned).to_vec(),
        }
    }

    /// The report for people.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for shape in &self.shapes {
            let how = match (&shape.counterexample, shape.exhaustive) {
                (Some(story), _) => format!("breaks {}", story.invariant),
                (None, true) => "holds".to_owned(),
                (None, false) => "holds so far".to_owned(),
            };
            let like =
                if shape.services.len() > 1 { format!(", and {} like it", shape.services.len() - 1) } else { String::new() };
            // Where all was seen and no run came to its end, nothing is proven of what comes there.
            let never =
                if shape.exhaustive && !shape.ended.contains(&Outcome::Completed) { "; no run of it completes" } else { "" };
            let _ = writeln!(text, "{how:<14} {:>10} states  {}{like}{never}", shape.states, shape.name); // writing to a String cannot fail
        }
        if let Some(story) = &self.counterexample {
            let _ = write!(text, "\nThe shortest way to something wrong:\n\n{}", story.text());
        }
        let rate = if self.seconds > 0.0 { self.states as f64 / self.seconds } else { 0.0 };
        let each: Vec<String> = self.faults.iter().map(|fault| fault.kind.clone()).collect();
        let _ = writeln!(text, "\n{} states in {:.1} s ({rate:.0}/s).", self.states, self.seconds);
        let _ = writeln!(text, "Faults: up to {} on one way, of {}.", self.budget, each.join(", "));
        if let Some(rule) = self.without {
            let _ = writeln!(text, "The rule that keeps {rule} was left out.");
        }
        let _ = writeln!(text, "{}", self.verdict());
        for limit in &self.limits {
            let _ = writeln!(text, "Not proven: {limit}");
        }
        text
    }

    fn verdict(&self) -> &'static str {
        match (self.holds, self.exhaustive, self.without) {
            (false, _, _) => "It does not hold.",
            (true, true, None) => "It holds: every order of events within these faults was seen.",
            (true, true, Some(_)) => {
                "Nothing breaks without it: every order of events within these faults was seen, and in this plan none needs that rule."
            }
            (true, false, _) => "Nothing wrong was found, but not everything was seen: there are more states than were allowed.",
        }
    }
}

fn faults(budget: Budget) -> Vec<FaultReport> {
    budget.kinds().map(|(kind, most)| FaultReport { kind: kind.name().to_owned(), most }).collect()
}
