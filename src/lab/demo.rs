//! The demo: three services moved for real, under load, by the real runner, with whatever faults are asked for.
//!
//! *Flow*: [`run`] sets the stage (estates, router, load), writes a plan and has it checked like any other, starts
//! `gapless run PLAN --state DIR --events` as a child process, follows its events, injects the faults when the second
//! service is at 25 %, and accounts for every request at the end ([`Summary`]). Nothing here decides anything about the run.
//! *Guarantees*: ends within [`LIMIT`]; dropping the future kills the runner, closes every socket and removes the scratch
//! directory. A failed request is put down to a fault only if the answer names the faulty side and came after the fault;
//! all others count as lost to the move.
//! *Assumptions*: [`DemoSpec::program`] is this very program. Loopback works, and the directory for temporary files is writable.
//! *Caveats*: a machine that is busy beyond measure can make the router's time-outs strike without a fault; such requests
//! are counted as lost.

mod document;
mod fault;
mod runner;
mod scratch;
mod stage;
mod story;
mod summary;

use std::{collections::BTreeMap, io, path::PathBuf, sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::{
    sync::mpsc,
    time::{Instant, MissedTickBehavior, sleep, sleep_until, timeout_at},
};

pub use self::{
    document::SERVICES,
    fault::{DemoFault, DemoFaults, Expectation, expected},
    stage::Outlook,
    story::{Cause, Kind, Moment, Position, ServiceStory, Story, Teller},
    summary::{Apart, JournalState, Latencies, SideRow, Summary},
};
use self::{
    runner::{Launch, Runner},
    scratch::{Scratch, random},
    stage::Stage,
};
use super::load::{FaultSpan, LoadHandle, Totals};
use crate::{
    adapters::webhook::signature::Key,
    engine::Outcome,
    plan::{ServiceName, document as plan_document},
};

/// The longest a demo takes, whatever happens.
pub const LIMIT: Duration = Duration::from_secs(60);
/// How often whoever watches is shown how it stands.
const FRAME: Duration = Duration::from_millis(100);
/// How long the load goes on after the run has ended: what a move breaks may show only then.
const AFTERMATH: Duration = Duration::from_millis(500);
/// A crash comes at a random moment within this, counted from when the second service is at 25 %.
const CRASH_WITHIN_MS: u64 = 1200;
/// The service that the faults meet, the weight at which they do.
const FAULT_AT: (&str, u8) = (SERVICES[1], 25);

/// What a demo is to do.
#[derive(Debug, Clone)]
pub struct DemoSpec {
    /// The program whose `run` is started.
    pub program: PathBuf,
    /// The faults.
    pub faults: DemoFaults,
}

/// Why there was no demo.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// Something that the lab needs of this machine is not to be had.
    #[error("{what}: {source}")]
    Machine {
        /// What it was.
        what: &'static str,
        /// What the machine said.
        source: io::Error,
    },
    /// The demo's own plan is refused: a mistake in this program.
    #[error("the demo's own plan is refused, which is a mistake in gapless: {0}")]
    Plan(String),
}

fn machine(what: &'static str) -> impl FnOnce(io::Error) -> DemoError {
    move |source| DemoError::Machine { what, source }
}

/// How it stands, ten times a second.
#[derive(Debug)]
pub struct Scene<'a> {
    /// How long it has been running.
    pub elapsed: Duration,
    /// The services from outside, in the order of the plan.
    pub outlooks: Vec<Outlook>,
    /// Their requests so far.
    pub totals: BTreeMap<ServiceName, Totals>,
    /// What the runner has told so far.
    pub story: &'a Story,
}

/// Whoever watches a demo.
pub trait Watcher {
    /// Something happened.
    fn moment(&mut self, _moment: &Moment) {}
    /// The runner wrote this line.
    fn line(&mut self, _line: &str) {}
    /// This is how it stands.
    fn scene(&mut self, _scene: &Scene<'_>) {}
}

/// Runs the demo to its end.
///
/// # Errors
/// Only what keeps it from being run at all. However the run ends is in the summary.
pub async fn run(spec: DemoSpec, watcher: &mut dyn Watcher) -> Result<Summary, DemoError> {
    let services = SERVICES.iter().map(|name| name.parse()).collect::<Result<Vec<ServiceName>, _>>();
    let services = services.map_err(|bad| DemoError::Plan(bad.to_string()))?;
    let mut scratch = Scratch::new().map_err(machine("no directory for the demo's files can be made"))?;
    let secret = format!("{:016x}{:016x}", random(), random());
    let key = Key::new(secret.as_bytes()).map_err(|bad| DemoError::Plan(bad.to_string()))?;
    let stage = Stage::set(services, key).await.map_err(machine("the lab cannot listen on 127.0.0.1"))?;
    let launch = Launch {
        program: spec.program,
        plan: scratch.path().join("plan.yaml"),
        state: scratch.path().join("state"),
        log: scratch.path().join("runner.log"),
        key: secret,
    };
    let plan = stage.plan();
    plan_document::read(&plan).map_err(|refused| DemoError::Plan(refused.to_string()))?;
    std::fs::write(&launch.plan, plan).map_err(machine("the demo's plan cannot be written"))?;
    let loads = stage.load();
    let runner = launch.start().map_err(machine("the runner cannot be started"))?;
    let stage = Arc::new(stage);
    let mut show = Show { stage, launch, loads, story: Story::default(), spans: Vec::new(), started: Timestamp::now(), watcher };
    let outcome = show.play(runner, &spec.faults).await?;
    let summary = show.account(outcome, spec.faults).await;
    scratch.keep();
    Ok(summary)
}

/// A demo under way.
struct Show<'a> {
    stage: Arc<Stage>,
    launch: Launch,
    loads: BTreeMap<ServiceName, LoadHandle>,
    story: Story,
    /// What each service's failures may be put down to.
    spans: Vec<(ServiceName, FaultSpan)>,
    started: Timestamp,
    watcher: &'a mut dyn Watcher,
}

/// What the faults do, as the show is told.
enum Cue {
    Injected(DemoFault, ServiceName, Timestamp, Option<FaultSpan>),
    Crash,
}

impl Show<'_> {
    /// Follows the runner until it has ended, for good or for now, or time is up.
    async fn play(&mut self, mut runner: Runner, faults: &DemoFaults) -> Result<Outcome, DemoError> {
        let begin = Instant::now();
        let (cues, mut cued) = mpsc::channel(8);
        let stage = Arc::clone(&self.stage);
        let faults = faults.clone();
        let trouble = tokio::spawn(async move { inject(&stage, &faults, &cues).await });
        let _trouble = AbortOnDrop(trouble);
        let mut frames = tokio::time::interval(FRAME);
        frames.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                biased;
                line = runner.next() => match line {
                    Some(line) => self.hear(&line),
                    None => break,
                },
                Some(cue) = cued.recv() => match cue? {
                    Cue::Crash => self.crash(&mut runner).await?,
                    Cue::Injected(fault, service, at, span) => self.injected(fault, service, at, span),
                },
                _ = frames.tick() => self.show(begin),
                () = sleep_until(begin + LIMIT) => {
                    self.tell(Kind::End, Timestamp::now(), format!("the run has not ended within {} s and is stopped", LIMIT.as_secs()));
                    break;
                }
            }
        }
        runner.stop().await;
        self.aftermath(begin).await;
        Ok(self.outcome())
    }

    fn hear(&mut self, line: &str) {
        self.watcher.line(line);
        if let Some(moment) = self.story.hear(line) {
            self.watcher.moment(moment);
        }
    }

    fn tell(&mut self, kind: Kind, at: Timestamp, text: String) {
        if let Some(moment) = self.story.tell(Moment { at, by: Teller::Lab, text, kind }) {
            self.watcher.moment(moment);
        }
    }

    fn injected(&mut self, fault: DemoFault, service: ServiceName, at: Timestamp, span: Option<FaultSpan>) {
        let what = match fault.on_side() {
            Some((side, wrong)) => format!("{service}: the {side} side {wrong} (fault {fault})"),
            None => format!("{service}: whoever speaks for its health is gone (fault {fault})"),
        };
        self.spans.extend(span.map(|span| (service, span)));
        self.tell(Kind::Fault, at, what);
    }

    /// Kills the runner as hard as it goes and starts it again.
    async fn crash(&mut self, runner: &mut Runner) -> Result<(), DemoError> {
        let last = runner.crash().await.map_err(machine("the runner cannot be killed"))?;
        last.iter().for_each(|line| self.hear(line));
        self.tell(Kind::Fault, Timestamp::now(), "the runner is killed (kill -9; fault crash)".to_owned());
        *runner = self.launch.start().map_err(machine("the runner cannot be started again"))?;
        self.tell(Kind::Remedy, Timestamp::now(), "the runner is started again, with the same arguments".to_owned());
        Ok(())
    }

    fn show(&mut self, begin: Instant) {
        let (outlooks, totals) = (self.stage.outlook(), stage::totals(&self.loads));
        self.watcher.scene(&Scene { elapsed: begin.elapsed(), outlooks, totals, story: &self.story });
    }

    /// The load goes on for a moment, in view.
    async fn aftermath(&mut self, begin: Instant) {
        let over = Instant::now() + AFTERMATH;
        while timeout_at(over, sleep(FRAME)).await.is_ok() {
            self.show(begin);
        }
        self.show(begin);
    }

    /// How the run ended or stands, by what the runner said.
    fn outcome(&mut self) -> Outcome {
        let holds = self.story.services.values().any(|s| s.hold.is_some());
        match self.story.outcome {
            Some(outcome) => outcome,
            None if holds => Outcome::Held,
            None => {
                let words = runner::last_words(&self.launch.log);
                self.tell(Kind::End, Timestamp::now(), format!("the runner ended without an outcome; its last words: {words}"));
                Outcome::Failed
            }
        }
    }

    async fn account(self, outcome: Outcome, faults: DemoFaults) -> Summary {
        let reports = stage::stop(self.loads).await;
        let histories = reports.keys().map(|service| (service.clone(), self.stage.history(service))).collect();
        summary::Account { outcome, faults, reports, histories, spans: self.spans, story: self.story, started: self.started }
            .sum_up(&self.launch.state)
    }
}

struct AbortOnDrop<T>(tokio::task::JoinHandle<T>);
impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Waits until the service is where the faults meet it, and injects them: sides first, the crash last.
async fn inject(stage: &Stage, faults: &DemoFaults, cues: &mpsc::Sender<Result<Cue, DemoError>>) {
    let (name, percent) = FAULT_AT;
    let Ok(service) = name.parse::<ServiceName>() else { return };
    if faults.is_empty() {
        return;
    }
    stage.in_force(&service, percent).await;
    for fault in faults.iter().copied().filter(|fault| *fault != DemoFault::Crash) {
        let at = Timestamp::now();
        let injected = stage.inject(&service, fault).await.map_err(machine("a fault cannot be injected"));
        let cue = injected.map(|span| Cue::Injected(fault, service.clone(), at, span));
        if cues.send(cue).await.is_err() {
            return; // the show is over
        }
    }
    if faults.contains(&DemoFault::Crash) {
        sleep(Duration::from_millis(random() % CRASH_WITHIN_MS)).await;
        let _ = cues.send(Ok(Cue::Crash)).await; // the show may be over
    }
}
