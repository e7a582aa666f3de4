//! `gapless demo`: three services moved for real on loopback, under load, with faults if wanted.

mod telling;
mod view;

use std::io::IsTerminal as _;

use anyhow::Context as _;
use gapless::lab::demo::{self, DemoFault, DemoSpec, Moment, Scene, Teller, Watcher};
use jiff::Timestamp;
use serde_json::json;

use crate::{
    Exit,
    output::{self, Format, Output},
    runtime,
};

/// Move three services for real, on this machine: real servers, a real router, real requests, the real runner.
///
/// Two small estates are started on 127.0.0.1, on ports that the operating system chooses, with 120 requests a second for
/// each service. A plan is written and run by `gapless run`. Everything is over, and gone, in half a minute.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What goes wrong when the second service is at 25 %: target-errors, target-dies, target-slow, legacy-dies,
    /// gate-unknown or crash. May be repeated.
    #[arg(long = "fault", value_name = "FAULT", value_delimiter = ',')]
    faults: Vec<DemoFault>,
    /// Print one JSON event a line instead of the view.
    #[arg(long)]
    events: bool,
    #[command(flatten)]
    output: Output,
}

pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let program = std::env::current_exe().context("the path of this program cannot be had")?;
    let spec = DemoSpec { program, faults: args.faults.iter().copied().collect() };
    let mut watcher = watcher(args);
    let played = runtime::block_on(async {
        tokio::select! {
            summary = demo::run(spec, watcher.as_mut()) => summary.map(Some),
            () = runtime::interrupted() => Ok(None),
        }
    });
    drop(watcher); // gives the terminal back before anything else is printed
    let Some(summary) = played?? else {
        output::complain("interrupted: the runner is stopped, and nothing of the demo is left");
        return Ok(Exit::Finding);
    };
    match args.output.format {
        Format::Json if args.events => output::print(&format!("{}\n", serde_json::to_string(&summary)?))?,
        Format::Json => output::print_json(&summary)?,
        Format::Text if args.events => {}
        Format::Text => output::print(&telling::text(&summary))?,
    }
    Ok(if summary.is_as_expected() { Exit::Good } else { Exit::Finding })
}

fn watcher(args: &Args) -> Box<dyn Watcher> {
    match args.output.format {
        _ if args.events => Box::new(Events),
        Format::Json => Box::new(Silent),
        Format::Text if std::io::stdout().is_terminal() => Box::new(view::Live::new(output::wants_colour())),
        Format::Text => Box::new(Plain::default()),
    }
}

/// Nothing before the end.
struct Silent;
impl Watcher for Silent {}

/// The runner's own lines as they are, and what the lab does in the same form.
struct Events;
impl Watcher for Events {
    fn line(&mut self, line: &str) {
        // Who reads this may have gone; the demo goes on to its end, and its exit code tells.
        let _ = output::print(&format!("{line}\n"));
    }
    fn moment(&mut self, moment: &Moment) {
        if moment.by == Teller::Lab {
            let event = json!({ "at": moment.at, "event": "lab", "kind": moment.kind, "text": moment.text });
            self.line(&event.to_string());
        }
    }
}

/// A line for each moment, and the totals every few seconds: for logs.
#[derive(Default)]
struct Plain {
    totals_told: u64,
}
/// How many seconds apart the totals are told.
const TOTALS_EVERY: u64 = 5;

impl Watcher for Plain {
    fn moment(&mut self, moment: &Moment) {
        stamped(moment.at, &moment.text);
    }
    fn scene(&mut self, scene: &Scene<'_>) {
        let due = scene.elapsed.as_secs() / TOTALS_EVERY;
        if due > self.totals_told {
            self.totals_told = due;
            stamped(Timestamp::now(), &telling::totals(scene));
        }
    }
}

fn stamped(at: Timestamp, text: &str) {
    let _ = output::print(&format!("{at:.3}  {text}\n")); // as above
}
