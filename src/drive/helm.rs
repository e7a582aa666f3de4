//! What the loop does without the store: look, judge, perform, wait, tell.

use std::{collections::BTreeSet, future::Future, pin::pin};

use futures_util::FutureExt as _;
use jiff::{SignedDuration, Timestamp};

use super::{Finish, Until, board::Board, flight::Flight};
use crate::{
    engine::{self, Decision, Observed, Outcome, Query, Record},
    plan::Revision,
    ports::{Actuator, Clock, Reporter, Sensor, StoreError, Version},
};

/// A decision that asks to be woken in the past would make the loop spin; it is woken after this instead.
const SHORTEST_WAIT: SignedDuration = SignedDuration::from_millis(100);

/// What was seen, and what follows from it.
pub struct Look {
    pub decision: Decision,
    pub seen: Observed,
    pub now: Timestamp,
}

pub struct Helm<'a, W, A, C, R> {
    revision: &'a Revision,
    sensor: &'a mut W,
    clock: &'a C,
    reporter: &'a mut R,
    flight: Flight<'a, A, C>,
    board: Board,
    watched: BTreeSet<Query>,
    outage: Outage,
}

/// Since when which calls of the store are in vain.
#[derive(Debug, Default)]
struct Outage {
    since: Option<Timestamp>,
    /// Loads and commits.
    records: Calls,
    /// Publications.
    news: Calls,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Calls {
    #[default]
    Answered,
    InVain,
}

/// What of the store failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failed {
    /// A load or a commit: nothing can begin until it is back.
    Record,
    /// A publication: people see an older state.
    News,
}

impl<'a, W: Sensor, A: Actuator, C: Clock, R: Reporter> Helm<'a, W, A, C, R> {
    pub fn new(revision: &'a Revision, sensor: &'a mut W, actuator: &'a A, clock: &'a C, reporter: &'a mut R) -> Self {
        let (flight, board) = (Flight::new(actuator, clock), Board::new(clock.now()));
        Self { revision, sensor, clock, reporter, flight, board, watched: BTreeSet::new(), outage: Outage::default() }
    }

    /// Tells the sensor what is worth looking at for this record.
    pub fn watch(&mut self, record: &Record) {
        let wanted = engine::queries(self.revision, record);
        if wanted != self.watched {
            self.sensor.watch(&wanted);
            self.watched = wanted;
        }
    }

    /// Looks and judges. The time is taken after the look, so that nothing seen lies in the future.
    pub fn look(&mut self, record: &Record) -> Look {
        let seen = self.sensor.seen();
        let now = self.clock.now();
        Look { decision: engine::judge(self.revision, record, &seen, now), seen, now }
    }

    /// Tells of a decision whose record is committed and begins its effects. Gives the next moment to look again.
    pub fn act(&mut self, decision: &Decision, at: Timestamp) -> Option<Timestamp> {
        self.reporter.decided(at, decision);
        let now = self.clock.now();
        let repeat = self.flight.launch(&decision.effects, now);
        let wake = decision.wake_at.map(|moment| if moment > at { moment } else { after(now, SHORTEST_WAIT) });
        [wake, repeat, self.board.due(decision, now)].into_iter().flatten().min()
    }

    /// The same for one that was committed just now; what people should know went with it. Its effects are on their way
    /// when this returns, before anything else is looked at.
    pub fn committed(&mut self, decision: &Decision, at: Timestamp) {
        self.outage.news = Calls::Answered;
        self.store_answers();
        self.act(decision, at);
        self.board.told(decision, self.clock.now());
        while let Some(landed) = self.flight.landed().now_or_never() {
            self.reporter.performed(self.clock.now(), &landed.effect, &landed.how);
        }
    }

    /// Whether the loop is done: nothing is wanted any more, and nothing is under way.
    pub fn finish(&self, decision: &Decision, until: Until) -> Option<Finish> {
        if !decision.effects.is_empty() || !self.flight.is_empty() {
            return None;
        }
        match (&decision.record.ended, decision.outcome, until) {
            (Some(ended), ..) => Some(Finish::Ended(ended.outcome)),
            (None, Some(Outcome::Held), Until::HeldOrEnded) => Some(Finish::Held),
            _ => None,
        }
    }

    /// Whether people should be told of this look, and may be now; the last word may be told at any time. They count as told
    /// then.
    pub fn has_news(&mut self, look: &Look, last: bool) -> bool {
        let due = if last { self.board.is_new(&look.decision) } else { self.board.is_due(&look.decision, look.now) };
        if due {
            self.board.told(&look.decision, look.now);
        }
        due
    }

    /// A publication ended. Trouble with it stops nothing; a conflict means that the record is somebody else's now.
    pub fn published(&mut self, how: Result<Option<Version>, StoreError>, version: &mut Version) -> Result<(), StoreError> {
        match how {
            Ok(newer) => {
                newer.into_iter().for_each(|newer| *version = newer);
                self.outage.news = Calls::Answered;
                self.tell_if_back();
            }
            Err(StoreError::Unavailable(what)) => {
                self.board.failed(self.clock.now());
                self.trouble(&what, Failed::News);
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Waits until something is new, an effect has ended, or this moment has come.
    pub async fn rest(&mut self, wake: Option<Timestamp>) {
        let moment = async {
            match wake {
                Some(moment) => self.clock.sleep_until(moment).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            landed = self.flight.landed() => self.reporter.performed(self.clock.now(), &landed.effect, &landed.how),
            () = self.sensor.changed() => {}
            () = moment => {}
        }
    }

    /// Does this while effects under way go on.
    async fn alongside<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        loop {
            tokio::select! {
                biased;
                done = work.as_mut() => return done,
                landed = self.flight.landed() => self.reporter.performed(self.clock.now(), &landed.effect, &landed.how),
            }
        }
    }

    /// Does this while effects under way go on, for so long at most.
    pub async fn within<T>(&mut self, limit: SignedDuration, work: impl Future<Output = T>) -> Option<T> {
        let clock = self.clock;
        let end = after(clock.now(), limit);
        self.alongside(async {
            tokio::select! {
                biased;
                done = work => Some(done),
                () = clock.sleep_until(end) => None,
            }
        })
        .await
    }

    /// A call to the store, which may take so long.
    pub async fn patiently<T>(
        &mut self,
        limit: SignedDuration,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let late = || StoreError::Unavailable(format!("the store gave no answer in {} s", limit.as_secs()));
        self.within(limit, call).await.unwrap_or_else(|| Err(late()))
    }

    /// Waits so long while effects under way go on.
    pub async fn pause(&mut self, length: SignedDuration) {
        self.within(length, std::future::pending::<()>()).await;
    }

    /// Lets effects under way end, for so long at most.
    pub async fn land(&mut self, limit: SignedDuration) {
        let end = after(self.clock.now(), limit);
        while !self.flight.is_empty() && self.clock.now() < end {
            let clock = self.clock;
            tokio::select! {
                biased;
                landed = self.flight.landed() => self.reporter.performed(clock.now(), &landed.effect, &landed.how),
                () = clock.sleep_until(end) => {}
            }
        }
    }

    /// The store could not be used. People hear of it when it begins: why, what that means, and what still holds.
    pub fn trouble(&mut self, what: &str, failed: Failed) {
        let (calls, means) = match failed {
            Failed::Record => (
                &mut self.outage.records,
                "the run can order nothing new until its record can be written, and goes on by itself then",
            ),
            Failed::News => (&mut self.outage.news, "what people are shown of the run is older than it is until then"),
        };
        *calls = Calls::InVain;
        let now = self.clock.now();
        if self.outage.since.is_none() {
            self.outage.since = Some(now);
            let text = format!("the store cannot be used: {what}; {means}; traffic stays where it is and is watched as before");
            self.reporter.trouble(now, &text);
        }
    }

    /// A record was loaded and nothing is to be written, or it was written.
    pub fn store_answers(&mut self) {
        self.outage.records = Calls::Answered;
        self.tell_if_back();
    }

    fn tell_if_back(&mut self) {
        if (self.outage.records, self.outage.news) == (Calls::Answered, Calls::Answered)
            && let Some(since) = self.outage.since.take()
        {
            self.reporter.back(self.clock.now(), since);
        }
    }
}

fn after(now: Timestamp, length: SignedDuration) -> Timestamp {
    now.saturating_add(length).unwrap_or(Timestamp::MAX)
}
