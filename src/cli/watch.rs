//! `gapless watch`: a line for everything that changes in a run, until it has ended.

use std::collections::BTreeMap;

use gapless::{
    engine::{Outcome, Record},
    kubernetes::{
        api::{ApiError, Kind, Selection},
        crd::MigrationRun,
        watch::{BEAT, Sink, follow},
    },
    report::status::stage,
};
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::{
    Exit,
    cluster::{Cluster, Scope},
    output, runtime,
};

/// Follow a run until it has ended
///
/// Exit code 0: completed; 1: it ended otherwise, or was deleted.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run
    run: String,
    #[command(flatten)]
    scope: Scope,
}

pub fn run(args: &Args) -> anyhow::Result<Exit> {
    runtime::block_on(async {
        let cluster = Cluster::connect(&args.scope).await?;
        cluster.run(&args.run).await?; // says at once if there is no such run
        let mut of = Selection::all(Kind::RUN, Some(&cluster.namespace));
        of.fields = Some(format!("metadata.name={}", args.run));
        let (tell, mut news) = unbounded_channel();
        let mut sink = Passing { tell };
        let shown = async {
            let mut shown = Shown::default();
            while let Some(object) = news.recv().await {
                if let Some(exit) = shown.take(object)? {
                    return anyhow::Ok(exit);
                }
            }
            Ok(Exit::Unusable)
        };
        tokio::select! {
            exit = shown => exit,
            () = follow(&cluster.api, &of, BEAT, &mut sink) => Ok(Exit::Unusable),
        }
    })?
}

/// Passes on what the API server says of the run; `None`: it is gone.
struct Passing {
    tell: UnboundedSender<Option<Value>>,
}
impl Passing {
    fn tell(&self, object: Option<Value>) {
        let _ = self.tell.send(object); // nobody listens any more only when the verb ends
    }
}
impl Sink for Passing {
    fn begin(&mut self) {}
    fn put(&mut self, object: Value) {
        self.tell(Some(object));
    }
    fn gone(&mut self, _: &Value) {
        self.tell(None);
    }
    fn listed(&mut self) {}
    fn alive(&mut self, _: Timestamp) {}
    fn lost(&mut self, why: &ApiError) {
        output::complain(&format!("{why}; trying again"));
    }
}

/// What was printed last.
#[derive(Default)]
struct Shown {
    services: BTreeMap<String, String>,
    state: Option<String>,
    waiting: Vec<(String, String)>,
}

impl Shown {
    /// Prints what is new; gives the exit code when the run is over.
    fn take(&mut self, object: Option<Value>) -> anyhow::Result<Option<Exit>> {
        let Some(object) = object else {
            say("the run was deleted")?;
            return Ok(Some(Exit::Finding));
        };
        let run: MigrationRun = serde_json::from_value(object)?;
        let Some(status) = run.status else { return Ok(None) };
        let record: Option<Record> = status.record.and_then(|record| serde_json::from_value(record).ok());
        for (name, state) in record.iter().flat_map(|record| &record.services) {
            let why = state.hold.as_ref().map(|hold| &hold.reason).or(state.cause.as_ref());
            let why = why.map(|why| format!(": {why}")).unwrap_or_default();
            let line = format!("{} at {}{why}", stage(state.stage), state.weight());
            if self.services.get(name.as_str()) != Some(&line) {
                say(&format!("{name}: {line}"))?;
                self.services.insert(name.to_string(), line);
            }
        }
        let waiting: Vec<_> = status.waiting.iter().map(|one| (one.step.clone(), one.reason.clone())).collect();
        if waiting != self.waiting {
            for (one, key) in status.waiting.iter().zip(&waiting).filter(|(_, key)| !self.waiting.contains(key)) {
                say(&format!("  {} waits: {}", key.0, one.message))?;
            }
            self.waiting = waiting;
        }
        if status.state != self.state {
            say(&format!("run: {}", status.state.as_deref().unwrap_or("unknown")))?;
            self.state = status.state;
        }
        let ended = record.and_then(|record| record.ended).map(|ended| ended.outcome);
        Ok(ended.map(|outcome| if outcome == Outcome::Completed { Exit::Good } else { Exit::Finding }))
    }
}

fn say(line: &str) -> anyhow::Result<()> {
    output::print(&format!("{:.0}  {line}\n", Timestamp::now()))
}
