//! Plays a script: production's `decide` and safety check in the pure world, in virtual time.

use std::{path::Path, sync::Arc};

use gapless::{
    engine::{Action, Effect, RunId, Subject},
    plan::{self, Revision},
    world::{Delays, Look, Model, Moment, Sim},
};
use jiff::Timestamp;

use super::{
    clock,
    script::{Line, Script, When},
    story::Story,
    words::{self, Deed},
};

fn revision(home: &Path, file: &str) -> Revision {
    let text = std::fs::read_to_string(home.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    plan::read(&text).unwrap_or_else(|refused| panic!("{file}: {:#?}", refused.findings)).revision
}

struct Stage<'a> {
    home: &'a Path,
    sim: Sim,
    story: Story,
    late: Vec<(Subject, Option<String>, i64)>,
    lines: std::vec::IntoIter<Line>,
    next: Option<Line>,
    /// When the line before happened.
    before: Moment,
    /// From which line of the story on a text is waited for.
    told: usize,
}

/// The story of a script.
pub fn play(home: &Path, name: &str, text: &str) -> String {
    let script = Script::read(name, text);
    let said = |word: &str| script.said.get(word).map(String::as_str);
    let revision = revision(home, said("plan").expect("plan: FILE"));
    let zone = clock::zone(revision.plan().time_zone.as_deref());
    let start = clock::moment(said("starts").expect("starts: 2026-08-28 19:00"), &zone).expect("a moment");
    let model = Model::new(Arc::new(revision), RunId("5e1f0000story".to_owned()), start).with_people(&script.people());
    let mut sim = Sim::new(Arc::new(model));
    sim.yes_after = match said("answers") {
        None | Some("never") => None,
        Some(span) => Some(clock::length(span).expect("answers: 5m")),
    };
    let until = said("until").map(|span| Moment(clock::length(span).expect("until: 60d")));
    let story = Story::new(&script.title, &sim, zone);
    let mut lines = script.lines.into_iter();
    let next = lines.next();
    let mut stage = Stage { home, sim, story, late: Vec::new(), lines, next, before: Moment(0), told: 0 };
    stage.run(until);
    let (sim, story) = (stage.sim, stage.story);
    story.end(&sim, stage.next.iter().chain(stage.lines.as_slice()))
}

impl Stage<'_> {
    fn run(&mut self, until: Option<Moment>) {
        for looks in 0.. {
            assert!(looks < 200_000, "it never ends:\n{}", self.story.text());
            let cue = self.cue();
            let next = self.sim.next_look();
            let end = until.unwrap_or(Moment::NEVER);
            match (next, cue) {
                (_, Some(cue)) if cue <= end && next.is_none_or(|next| cue <= next) => self.happens(cue),
                (Some(next), _) if next <= end => self.look(),
                _ => {
                    if until.is_some() && self.sim.record.ended.is_none() {
                        let breaches = self.sim.wait_until(end);
                        self.story.breaches(&self.sim, &breaches);
                    }
                    return;
                }
            }
        }
    }

    /// When the next line of the script is due, if that is known.
    fn cue(&self) -> Option<Moment> {
        let line = self.next.as_ref()?;
        let at = |at: Timestamp| self.sim.model.moment(at);
        let wrong = || -> ! { panic!("line {}: not a moment: {:?}", line.number, line.when) };
        let now = self.sim.world.now();
        Some(match &line.when {
            When::Since(ms) => Moment(*ms).max(now),
            When::Then(ms) => self.before.plus(*ms).max(now),
            When::Wall(text) => {
                let zone = self.story.zone();
                let from = self.sim.model.timestamp(self.before);
                let moment = clock::moment(text, zone).or_else(|| clock::next(text, zone, from));
                at(moment.unwrap_or_else(|| wrong())).max(now)
            }
            When::Told(text, later) => self.story.told(self.told, text)?.plus(*later).max(now),
        })
    }

    fn happens(&mut self, at: Moment) {
        let Some(line) = self.next.take() else { return };
        let breaches = self.sim.wait_until(at);
        self.story.breaches(&self.sim, &breaches);
        let deed = words::understood(&self.sim, &line.what);
        match deed.unwrap_or_else(|| panic!("line {}: not understood: {}", line.number, line.what)) {
            Deed::World(happening) => {
                self.story.happens(&self.sim, happening);
                self.sim.befall(happening);
            }
            Deed::Late(of, task, ms) => {
                self.story.fate(&self.sim, &line.what);
                self.late.push((of, task, ms));
            }
            Deed::Answers(after) => {
                self.story.fate(&self.sim, &line.what);
                self.sim.yes_after = after;
            }
            Deed::Edited(file) => {
                let other = revision(self.home, &file);
                self.story.edited(&self.sim, &other);
            }
        }
        self.before = at;
        self.told = self.story.position();
        self.next = self.lines.next();
    }

    fn look(&mut self) {
        let (usual, late) = (self.sim.delays, self.late.clone());
        let look = self.sim.step_with(|effect| delays(usual, &late, effect));
        if let Some(look) = look {
            self.tell(&look);
        }
    }

    fn tell(&mut self, look: &Look) {
        self.story.look(&self.sim, look);
    }
}

/// How long an effect takes: what a script says of it last counts.
fn delays(usual: Delays, late: &[(Subject, Option<String>, i64)], effect: &Effect) -> Delays {
    let task = match &effect.action {
        Action::Task { task, .. } => Some(task.task.as_str()),
        _ => None,
    };
    let concerns = |(of, which, _): &&(Subject, Option<String>, i64)| {
        *of == effect.key.step.of && which.as_deref().is_none_or(|which| Some(which) == task)
    };
    let wire = late.iter().rev().find(concerns).map_or(usual.wire, |(_, _, ms)| *ms);
    Delays { wire, ..usual }
}
