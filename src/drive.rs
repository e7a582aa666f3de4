//! The loop, the only one.
//!
//! *Flow*: load the record → look → judge ([`engine::judge`]: decide, then safety) → append the journal line → commit the
//! record by compare-and-swap → perform the effects → wait until something is new, a moment has come, or somebody stops
//! it. The record is loaded once and kept from the last commit. As long as a look changes nothing the store is not
//! touched at all.
//!
//! *Guarantees*
//! * Nothing is performed unless the record it rests on is committed.
//! * A commit whose answer was lost is looked up before anything else happens; a conflict means load and decide anew.
//! * The loop goes on looking, deciding and performing while effects are under way; they end by their deadline. The same
//!   effect is never under way twice, and one that changed nothing is not repeated at once.
//! * It never spins: it waits for news, for a moment ahead, or, in trouble with the store, longer each time.
//! * Dropping the future at any point is like a crash: whatever the store holds is enough to go on.
//!
//! *Assumptions*: the ports keep what their documentation says; above all [`Sensor::changed`] misses nothing.
//!
//! *Caveats*: a dropped effect may still come true. The engine learns that from the next look, like everything else.

mod backoff;
mod board;
mod flight;
mod helm;

use std::{
    future::Future,
    pin::{Pin, pin},
};

use futures_util::{FutureExt as _, future::Fuse};
use jiff::{SignedDuration, Timestamp};

use self::{
    backoff::Backoff,
    helm::{Failed, Helm, Look},
};
use crate::{
    engine::{Decision, Outcome, Record},
    journal::Scribe,
    plan::Revision,
    ports::{Actuator, Clock, Reporter, Sensor, Store, StoreError, Version},
};

/// How long the store may take for one call. It may have done what it was asked even then.
const STORE_PATIENCE: SignedDuration = SignedDuration::from_secs(10);
/// How long a decision that needs the store waits for a publication that is under way.
const PUBLISH_GRACE: SignedDuration = SignedDuration::from_millis(100);
/// How long effects under way have to end when the loop ends.
const STOP_GRACE: SignedDuration = SignedDuration::from_secs(2);

/// Everything outside, as the loop needs it.
#[derive(Debug)]
pub struct Ports<S, W, A, C, R> {
    /// Where record and journal are kept.
    pub store: S,
    /// What looks at the world.
    pub sensor: W,
    /// What changes it.
    pub actuator: A,
    /// The time.
    pub clock: C,
    /// Who is told.
    pub reporter: R,
}

/// When the loop comes back by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// When the run has ended. A hold is waited for: somebody may resume.
    Ended,
    /// Also when nothing can go on without a person.
    HeldOrEnded,
}

/// Why the loop came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    /// The run has ended, and nothing is left to be done.
    Ended(Outcome),
    /// Nothing can go on without a person.
    Held,
    /// It was told to stop. The run can be taken up again.
    Stopped,
}

/// How the loop came back.
#[derive(Debug, Clone, PartialEq)]
pub struct End {
    /// Why.
    pub finish: Finish,
    /// The record as it was last committed; `None` if it was stopped while that could not be known.
    pub record: Option<Record>,
}

/// Why a run cannot go on at all.
#[derive(Debug, thiserror::Error)]
pub enum DriveError {
    /// What the store holds cannot be used; a person has to look.
    #[error("{0}")]
    Broken(String),
}

/// Drives the run that the store holds until it ends, `until` says so, or `stop` is ready. It stops between two rounds:
/// what was begun is committed, and what is under way has two seconds to end.
///
/// # Errors
/// What the store holds cannot be used. Everything else is waited out.
pub async fn drive<S, W, A, C, R>(
    revision: &Revision,
    ports: &mut Ports<S, W, A, C, R>,
    until: Until,
    stop: impl Future<Output = ()> + Send,
) -> Result<End, DriveError>
where
    S: Store,
    W: Sensor,
    A: Actuator,
    C: Clock,
    R: Reporter,
{
    let Ports { store, sensor, actuator, clock, reporter } = ports;
    let helm = Helm::new(revision, sensor, &*actuator, &*clock, reporter);
    let (scribe, backoff) = (Scribe::default(), Backoff::default());
    let mut driver = Driver { store, helm, revision, scribe, until, kept: None, unsure: None, note: None, backoff };
    let mut stop = pin!(stop.fuse());
    let finish = loop {
        match driver.turn(stop.as_mut()).await {
            Ok(None) => {}
            Ok(Some(finish)) => break finish,
            Err(StoreError::Broken(what)) => return Err(DriveError::Broken(what)),
            Err(error) => {
                if let Some(finish) = driver.recover(&error, stop.as_mut()).await {
                    break finish;
                }
            }
        }
    };
    driver.helm.land(STOP_GRACE).await;
    Ok(End { finish, record: driver.kept.map(|kept| kept.record) })
}

/// The record as it was last committed.
struct Kept {
    record: Record,
    version: Version,
}

struct Driver<'a, S, W, A, C, R> {
    store: &'a mut S,
    helm: Helm<'a, W, A, C, R>,
    revision: &'a Revision,
    /// Writes the journal's lines.
    scribe: Scribe,
    until: Until,
    /// `None`: to be loaded before anything else.
    kept: Option<Kept>,
    /// A decision whose commit may or may not have been done.
    unsure: Option<(Decision, Timestamp)>,
    /// A decision with news that people should have, to be published.
    note: Option<Decision>,
    backoff: Backoff,
}

/// How a time ended in which the record did not change.
enum Quiet {
    /// A decision changes the record.
    Edge(Box<Look>),
    /// There is something to publish.
    News,
    Finish(Finish),
}

impl<S: Store, W: Sensor, A: Actuator, C: Clock, R: Reporter> Driver<'_, S, W, A, C, R> {
    /// From one change of the record to the next.
    async fn turn<F>(&mut self, stop: Pin<&mut Fuse<F>>) -> Result<Option<Finish>, StoreError>
    where
        F: Future<Output = ()> + Send,
    {
        let mut kept = match self.kept.take() {
            Some(kept) => kept,
            None => self.load().await?,
        };
        self.helm.watch(&kept.record);
        match self.quiet(&mut kept, stop).await? {
            Quiet::Edge(look) => kept = self.commit(kept, *look).await?,
            Quiet::News => {}
            Quiet::Finish(finish) => {
                self.kept = Some(kept);
                return Ok(Some(finish));
            }
        }
        self.kept = Some(kept);
        Ok(None)
    }

    /// Loads the record. If it is the one of a commit whose answer was lost, that commit was done.
    async fn load(&mut self) -> Result<Kept, StoreError> {
        let (record, version) = self.helm.patiently(STORE_PATIENCE, self.store.load()).await?;
        if let Some((decision, at)) = self.unsure.take()
            && decision.record.journal == record.journal
        {
            self.helm.act(&decision, at);
        }
        Ok(Kept { record, version })
    }

    /// Looks, performs and waits until a decision changes the record. News for people are published meanwhile.
    async fn quiet<F>(&mut self, kept: &mut Kept, mut stop: Pin<&mut Fuse<F>>) -> Result<Quiet, StoreError>
    where
        F: Future<Output = ()> + Send,
    {
        let (Self { store, helm, until, note, .. }, Kept { record, version }) = (self, kept);
        let (news, expected) = (note.take(), version.clone());
        let mut publishing = pin!(publish(*store, record, &expected, news.as_ref()));
        let (mut under_way, mut begun) = (news.is_some(), false);
        let end = loop {
            let look = helm.look(record);
            if look.decision.record != *record {
                break Quiet::Edge(Box::new(look));
            }
            let wake = helm.act(&look.decision, look.now);
            let finish = helm.finish(&look.decision, *until);
            if !under_way && helm.has_news(&look, finish.is_some()) {
                *note = Some(look.decision);
                break Quiet::News;
            }
            if let Some(finish) = finish {
                break Quiet::Finish(finish);
            }
            helm.store_answers();
            begun = true;
            tokio::select! {
                biased;
                () = stop.as_mut() => break Quiet::Finish(Finish::Stopped),
                published = publishing.as_mut(), if under_way => {
                    under_way = false;
                    helm.published(published, version)?;
                }
                () = helm.rest(wake) => {}
            }
        };
        let wanted = begun || !matches!(end, Quiet::Edge(_)); // an edge takes the news along
        if under_way
            && wanted
            && let Some(published) = helm.within(PUBLISH_GRACE, publishing).await
        {
            helm.published(published, version)?;
        }
        Ok(end)
    }

    /// Writes the journal line, then the record that rests on it, and only then begins the effects.
    async fn commit(&mut self, kept: Kept, look: Look) -> Result<Kept, StoreError> {
        let Look { mut decision, seen, now } = look;
        let line = self.scribe.line(self.revision, &kept.record, &decision, &seen, now);
        decision.record.journal = line.head.clone();
        self.helm.patiently(STORE_PATIENCE, self.store.append(&line)).await?;
        let commit = self.store.commit(&decision.record, &kept.version, &decision);
        match self.helm.patiently(STORE_PATIENCE, commit).await {
            Ok(version) => {
                self.backoff = Backoff::default();
                self.helm.committed(&decision, now);
                Ok(Kept { record: decision.record, version })
            }
            Err(error) => {
                if matches!(error, StoreError::Unavailable(_)) {
                    self.unsure = Some((decision, now));
                }
                Err(error)
            }
        }
    }

    /// After trouble with the store: says so, and waits a little longer each time. The record is loaded anew then.
    async fn recover<F>(&mut self, error: &StoreError, stop: Pin<&mut Fuse<F>>) -> Option<Finish>
    where
        F: Future<Output = ()> + Send,
    {
        let first_conflict = matches!(error, StoreError::Conflict) && self.backoff.is_fresh();
        let pause = self.backoff.next();
        if first_conflict {
            return None;
        }
        self.helm.trouble(&error.to_string(), Failed::Record);
        tokio::select! {
            biased;
            () = stop => Some(Finish::Stopped),
            () = self.helm.pause(pause) => None,
        }
    }
}

/// Publishes, if there is something.
async fn publish<S: Store>(
    store: &mut S,
    record: &Record,
    expected: &Version,
    news: Option<&Decision>,
) -> Result<Option<Version>, StoreError> {
    match news {
        Some(decision) => store.publish(record, expected, decision).await,
        None => Ok(None),
    }
}
