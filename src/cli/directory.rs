//! What the verbs share for a run in a state directory: how it stands, and orders to it. Whoever drives it obeys.

use std::{collections::BTreeSet, fmt, path::Path};

use gapless::{
    adapters::{
        clock,
        file_store::{self, Peek},
    },
    engine::{Intent, LatchKind, Orders, Reason, Record},
    plan::ServiceName,
    report::status::{StatusReport, WaitingReport},
};
use serde::Deserialize;

use crate::{Exit, chosen::Asked, output, resume::resumed};

/// Why a step waits, as it is kept beside the record.
#[derive(Deserialize)]
struct KeptWait {
    step: String,
    reason: Reason,
    #[serde(default)]
    since: Option<jiff::Timestamp>,
}

/// How the run stands, without disturbing whoever drives it. Why steps wait is what was written down last.
pub fn status(state: &Path) -> anyhow::Result<StatusReport> {
    let Peek { record, revision, driven_by } = file_store::peek(state)?;
    let kept = file_store::waits(state);
    let waits = kept.get("waits").and_then(|waits| serde_json::from_value::<Vec<KeptWait>>(waits.clone()).ok());
    let waits = waits.filter(|_| record.ended.is_none()).unwrap_or_default();
    let outcome = kept.get("outcome").and_then(|outcome| serde_json::from_value(outcome.clone()).ok()).flatten();
    if driven_by.is_none() && record.ended.is_none() {
        let state = state.display();
        output::complain(&format!("no process drives this run now; go on with `gapless run --state {state}`"));
    }
    let run = record.run.to_string();
    Ok(StatusReport::of(
        &run,
        &revision,
        &record,
        waits.into_iter().map(|wait| WaitingReport::new(wait.step, &wait.reason, wait.since)).collect(),
        outcome,
        (&file_store::durations(state)?, clock::now()),
    ))
}

pub fn hold(state: &Path) -> anyhow::Result<Exit> {
    let peek = file_store::peek(state)?;
    if let Some(exit) = over(&peek.record)? {
        return Ok(exit);
    }
    file_store::order(state, |before| Orders { intent: Intent::Hold, by: Some(caller()), ..before })?;
    ordered(state, &peek, "hold: nothing more starts, what is on its way is still watched")
}

pub fn roll_back(state: &Path) -> anyhow::Result<Exit> {
    let peek = file_store::peek(state)?;
    if let Some(exit) = over(&peek.record)? {
        return Ok(exit);
    }
    file_store::order(state, |before| Orders { intent: Intent::Rollback, by: Some(caller()), ..before })?;
    ordered(state, &peek, "rollback: everything goes back to legacy, dependents first")
}

pub fn resume(state: &Path) -> anyhow::Result<Exit> {
    let peek = file_store::peek(state)?;
    let record = &peek.record;
    if let Some(exit) = over(record)? {
        return Ok(exit);
    }
    let newest = record.newest_hold();
    if newest.is_none() && record.latch.as_ref().is_some_and(|latch| latch.kind == LatchKind::Rollback) {
        output::complain("a rollback was ordered; it cannot be taken back. When the run has ended, start another one");
        return Ok(Exit::Finding);
    }
    let mut intent = Intent::Run;
    file_store::order(state, |before| {
        intent = before.intent;
        Orders { intent: resumed(before.intent), resumes: newest.or(before.resumes), by: Some(caller()), ..before }
    })?;
    if newest.is_none() && intent == Intent::Run {
        output::print("nothing holds; there was nothing to resume\n")?;
        return Ok(Exit::Good);
    }
    ordered(state, &peek, "resume: what held until now goes on")
}

pub fn attempts<E: fmt::Display>(state: &Path, services: &BTreeSet<ServiceName>, asked: &Asked<E>) -> anyhow::Result<Exit> {
    let peek = file_store::peek(state)?;
    let attempts = match (asked.attempts)(peek.revision.plan(), &peek.record, services) {
        Ok(attempts) => attempts,
        Err(refused) => return Ok(output::refuse(&refused)),
    };
    file_store::order(state, |before| {
        let mut orders = Orders { by: Some(caller()), ..before };
        (asked.add)(&mut orders, &attempts);
        orders
    })?;
    ordered(state, &peek, &(asked.in_directory)(&attempts))
}

/// A run that is over takes no orders.
fn over(record: &Record) -> anyhow::Result<Option<Exit>> {
    let Some(ended) = &record.ended else { return Ok(None) };
    output::complain(&format!("the run ended at {:.0}: {}; it takes no orders any more", ended.at, ended.outcome));
    Ok(Some(Exit::Finding))
}

fn ordered(state: &Path, peek: &Peek, what: &str) -> anyhow::Result<Exit> {
    output::print(&format!("ordered {what}\n"))?;
    if peek.driven_by.is_none() {
        let state = state.display();
        output::complain(&format!("no process drives this run now; it takes effect with `gapless run --state {state}`"));
    }
    Ok(Exit::Good)
}

/// Who orders: the user that the operating system knows, by number, with the name that goes with it as far as we are told.
fn caller() -> String {
    let number = rustix::process::getuid().as_raw();
    let name = std::env::var("USER").ok().filter(|name| !name.is_empty() && name.len() <= 64);
    name.map_or_else(|| format!("user {number}"), |name| format!("{name} (user {number})"))
}
