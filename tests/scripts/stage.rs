//! Plays a script: production's `decide` and safety check in the pure world, in virtual time.

use std::{path::Path, sync::Arc};

use gapless::{
    engine::{Action, Effect, Owner, RunId, Subject},
    plan::{self, Revision},
    world::{
        Breach, Delays, Look, Model, Moment, Pair, Sim,
        pair::{Turn, Which},
    },
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

/// The run that is told, alone or beside another one.
enum Runs {
    Alone(Box<Sim>),
    Beside(Box<Pair>),
}

impl Runs {
    fn told(&self) -> &Sim {
        match self {
            Self::Alone(sim) => sim,
            Self::Beside(pair) => &pair.one,
        }
    }
    fn told_mut(&mut self) -> &mut Sim {
        match self {
            Self::Alone(sim) => sim,
            Self::Beside(pair) => &mut pair.one,
        }
    }
    fn next_look(&self) -> Option<Moment> {
        match self {
            Self::Alone(sim) => sim.next_look(),
            Self::Beside(pair) => pair.next_look().map(|(at, _)| at),
        }
    }
    fn has_ended(&self) -> bool {
        match self {
            Self::Alone(sim) => sim.record.ended.is_some(),
            Self::Beside(pair) => Which::BOTH.into_iter().all(|which| pair.run(which).record.ended.is_some()),
        }
    }
    fn wait_until(&mut self, at: Moment) -> Vec<Breach> {
        match self {
            Self::Alone(sim) => sim.wait_until(at),
            Self::Beside(pair) => {
                pair.wait_until(at);
                Vec::new()
            }
        }
    }
}

struct Stage<'a> {
    home: &'a Path,
    runs: Runs,
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
    let other = said("other").map(|file| self::revision(home, file));
    let run = |revision: &Revision, id: &str, beside: Option<(&Revision, &str)>| {
        let model = Model::new(Arc::new(revision.clone()), RunId(id.to_owned()), start).with_people(&script.people());
        let name = |other: &Revision, id: &str| Owner { run: RunId(id.to_owned()), name: other.plan().name.to_string() };
        let model = match beside {
            Some((other, id)) => model.beside(name(other, id)),
            None => model,
        };
        let mut sim = Sim::new(Arc::new(model));
        sim.yes_after = match said("answers") {
            None | Some("never") => None,
            Some(span) => Some(clock::length(span).expect("answers: 5m")),
        };
        sim
    };
    let ids = ["5e1f0000story", "5e1f0001story"];
    let sim = run(&revision, ids[0], other.as_ref().map(|other| (other, ids[1])));
    let until = said("until").map(|span| Moment(clock::length(span).expect("until: 60d")));
    let story = Story::new(&script.title, &sim, zone);
    let runs = match &other {
        None => Runs::Alone(Box::new(sim)),
        Some(other) => Runs::Beside(Box::new(Pair::of(sim, run(other, ids[1], Some((&revision, ids[0])))))),
    };
    let mut lines = script.lines.into_iter();
    let next = lines.next();
    let mut stage = Stage { home, runs, story, late: Vec::new(), lines, next, before: Moment(0), told: 0 };
    stage.run(until);
    let (runs, story) = (stage.runs, stage.story);
    story.end(runs.told(), stage.next.iter().chain(stage.lines.as_slice()))
}

impl Stage<'_> {
    fn run(&mut self, until: Option<Moment>) {
        for looks in 0.. {
            assert!(looks < 200_000, "it never ends:\n{}", self.story.text());
            let cue = self.cue();
            let next = self.runs.next_look();
            let end = until.unwrap_or(Moment::NEVER);
            match (next, cue) {
                (_, Some(cue)) if cue <= end && next.is_none_or(|next| cue <= next) => self.happens(cue),
                (Some(next), _) if next <= end => self.look(),
                _ => {
                    if until.is_some() && !self.runs.has_ended() {
                        let breaches = self.runs.wait_until(end);
                        self.story.breaches(self.runs.told(), &breaches);
                    }
                    return;
                }
            }
        }
    }

    /// When the next line of the script is due, if that is known.
    fn cue(&self) -> Option<Moment> {
        let line = self.next.as_ref()?;
        let at = |at: Timestamp| self.runs.told().model.moment(at);
        let wrong = || -> ! { panic!("line {}: not a moment: {:?}", line.number, line.when) };
        let now = self.runs.told().world.now();
        Some(match &line.when {
            When::Since(ms) => Moment(*ms).max(now),
            When::Then(ms) => self.before.plus(*ms).max(now),
            When::Wall(text) => {
                let zone = self.story.zone();
                let from = self.runs.told().model.timestamp(self.before);
                let moment = clock::moment(text, zone).or_else(|| clock::next(text, zone, from));
                at(moment.unwrap_or_else(|| wrong())).max(now)
            }
            When::Told(text, later) => self.story.told(self.told, text)?.plus(*later).max(now),
        })
    }

    fn happens(&mut self, at: Moment) {
        let Some(line) = self.next.take() else { return };
        let breaches = self.runs.wait_until(at);
        self.story.breaches(self.runs.told(), &breaches);
        let deed = words::understood(self.runs.told(), &line.what);
        match deed.unwrap_or_else(|| panic!("line {}: not understood: {}", line.number, line.what)) {
            Deed::World(happening) => {
                self.story.happens(self.runs.told(), happening);
                self.runs.told_mut().befall(happening);
            }
            Deed::Late(of, task, ms) => {
                self.story.fate(self.runs.told(), &line.what);
                self.late.push((of, task, ms));
            }
            Deed::Answers(after) => {
                self.story.fate(self.runs.told(), &line.what);
                self.runs.told_mut().yes_after = after;
            }
            Deed::Edited(file) => {
                let other = revision(self.home, &file);
                self.story.edited(self.runs.told(), &other);
            }
        }
        self.before = at;
        self.told = self.story.position();
        self.next = self.lines.next();
    }

    fn look(&mut self) {
        match &mut self.runs {
            Runs::Alone(sim) => {
                let (usual, late) = (sim.delays, self.late.clone());
                if let Some(look) = sim.step_with(|effect| delays(usual, &late, effect)) {
                    self.tell(&look);
                }
            }
            Runs::Beside(pair) => {
                let Some(Turn { run, look, broken }) = pair.step() else { return };
                let of = |which: &Which| pair.run(*which).model.revision().plan().name.to_string();
                assert!(
                    broken.is_empty(),
                    "{}\n{:?}",
                    self.story.text(),
                    broken.iter().map(|(w, b)| (of(w), b)).collect::<Vec<_>>()
                );
                match run {
                    Which::One => self.tell(&look),
                    Which::Two => {
                        let name = of(&run);
                        self.story.other(&pair.two, &name, &look);
                    }
                }
            }
        }
    }

    fn tell(&mut self, look: &Look) {
        self.story.look(self.runs.told(), look);
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
