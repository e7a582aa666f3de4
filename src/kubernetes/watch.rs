//! Follows objects of a kind: a list, and then everything that happens to them.
//!
//! *Guarantees*: the sink hears of every object that matches and of its newest state; after a break it hears them all
//! anew, and of those that are gone. [`Sink::alive`] is called whenever the server has proven that nothing was missed up
//! to a moment, and at least every [`BEAT`] while all is well; [`Sink::lost`] as soon as the server cannot be reached.
//! *Caveats*: a silent server is noticed only when it does not take the next watch, at most [`BEAT`] and the patience of
//! one request later; whoever looks at a sample sees from its time how old it may be.

use std::time::Duration;

use futures_util::StreamExt as _;
use jiff::Timestamp;
use kube::core::WatchEvent;
use serde_json::Value;

use super::api::{Api, ApiError, Selection};
use crate::adapters::clock;

/// So often the server has to prove that it is there. Less than the engine lets a look at a route be old
/// ([`crate::engine::route::STALE`]), with room for one that fails.
pub const BEAT: Duration = Duration::from_secs(6);
/// For objects that nobody waits for.
pub const SLOW: Duration = Duration::from_secs(240);
/// After a failure; doubled up to the other.
const PAUSE: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// Takes what happens.
pub trait Sink: Send {
    /// A whole list follows.
    fn begin(&mut self);
    /// An object as it is now.
    fn put(&mut self, object: Value);
    /// An object that is no more.
    fn gone(&mut self, object: &Value);
    /// The list is complete: what was not put since [`Sink::begin`] is no more.
    fn listed(&mut self);
    /// Up to this moment nothing was missed.
    fn alive(&mut self, at: Timestamp);
    /// From now on things may be missed.
    fn lost(&mut self, why: &ApiError);
}

/// Follows until it is dropped.
pub async fn follow(api: &Api, of: &Selection, beat: Duration, sink: &mut impl Sink) {
    let mut version = String::new();
    let mut pause = PAUSE;
    loop {
        let began = tokio::time::Instant::now();
        let went = match version.is_empty() {
            true => list(api, of, sink).await,
            false => watch(api, of, beat, &version, sink).await,
        };
        match went {
            Ok(newest) => {
                let again = newest == version && began.elapsed() < beat / 2;
                version = newest;
                pause = PAUSE;
                if again {
                    tokio::time::sleep(PAUSE).await; // something between us and the server ends watches early
                }
            }
            Err(ApiError::TooOld(_)) => version.clear(),
            Err(error) => {
                sink.lost(&error);
                tracing::debug!(%error, "a watch was interrupted");
                version.clear(); // what was missed is only known from a list
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(PAUSE_MAX);
            }
        }
    }
}

async fn list(api: &Api, of: &Selection, sink: &mut impl Sink) -> Result<String, ApiError> {
    let at = clock::now();
    sink.begin();
    let mut next = String::new();
    loop {
        let page = api.page::<Value>(of, &next).await?;
        page.items.into_iter().for_each(|object| sink.put(object));
        next = page.metadata.next;
        if next.is_empty() {
            sink.listed();
            sink.alive(at);
            return Ok(page.metadata.resource_version);
        }
    }
}

/// One watch; ends well when the server ends it in time. Gives the version to go on from.
async fn watch(api: &Api, of: &Selection, beat: Duration, from: &str, sink: &mut impl Sink) -> Result<String, ApiError> {
    let at = clock::now();
    let mut events = std::pin::pin!(api.watch(of, from, beat).await?);
    sink.alive(at);
    let mut version = from.to_owned();
    let limit = tokio::time::Instant::now() + beat + super::api::PATIENCE;
    loop {
        let silent = || ApiError::Unclear(format!("watch {}: the API server fell silent", of.kind.plural));
        let event = tokio::time::timeout_at(limit, events.next()).await.map_err(|_| silent())?;
        match event {
            None => return Ok(version),
            Some(Err(error)) => return Err(error),
            Some(Ok(WatchEvent::Error(status))) if status.code == 410 => {
                return Err(ApiError::TooOld(status.message.clone()));
            }
            Some(Ok(WatchEvent::Error(status))) => return Err(ApiError::Unclear(status.message.clone())),
            Some(Ok(WatchEvent::Bookmark(mark))) => version = mark.metadata.resource_version,
            Some(Ok(WatchEvent::Added(object) | WatchEvent::Modified(object))) => {
                remember(&mut version, &object);
                sink.put(object);
            }
            Some(Ok(WatchEvent::Deleted(object))) => {
                remember(&mut version, &object);
                sink.gone(&object);
            }
        }
        sink.alive(clock::now());
    }
}

fn remember(version: &mut String, object: &Value) {
    if let Some(newest) = object.pointer("/metadata/resourceVersion").and_then(Value::as_str) {
        newest.clone_into(version);
    }
}

/// The name of an object.
pub fn name(object: &Value) -> &str {
    object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default()
}

/// Whether the resource version `found` is at least as new as `known`. Versions of one kind of object are decimal numbers
/// that rise (since Kubernetes 1.35 by contract, before it in fact); what is no number is taken as it comes.
pub fn is_newer(known: &str, found: &str) -> bool {
    match (known.parse::<u64>(), found.parse::<u64>()) {
        (Ok(known), Ok(found)) => found >= known,
        _ => true,
    }
}
