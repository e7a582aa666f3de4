//! Asks, again and again, and takes in what comes back.

use std::{convert::Infallible, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use http_body_util::Full;
use hyper::Request;
use tokio::time::{Instant, sleep_until};

use super::{
    MARK, PENDING, Question, SETTLED, Shared, TIMEOUT, Wanted,
    row::{Row, Said},
};
use crate::adapters::{
    clock,
    http::{Answer, exchange_at},
};

/// The pause within a row: short, because the first answer of a row says that the change has arrived.
const CONFIRMING: Duration = Duration::from_millis(1);
/// After waiting for so long the pauses grow: something is wrong, and a person is told soon.
const PATIENCE: Duration = Duration::from_secs(5);
/// The pause then.
const PATIENT: Duration = Duration::from_millis(100);
/// While a mark is awaited a question without an answer keeps the next one waiting for so long, and no longer: the side
/// that is to be left may take requests and never answer them.
const LATE: Duration = Duration::from_millis(50);
/// So many questions are under way at once.
const AT_ONCE: usize = 4;

/// Asks for whatever is looked for, for ever. What is under way is given up when something else is looked for.
pub(super) async fn ask_on(shared: Arc<Shared>) {
    let mut number = 0;
    loop {
        let wanted = shared.state().wanted.clone();
        let Some(wanted) = wanted else {
            shared.changed.notified().await;
            continue;
        };
        tokio::select! {
            biased;
            () = shared.changed.notified() => {}
            never = ask_for(&shared, &wanted, &mut number) => match never {},
        }
    }
}

/// Asks for this one mark, for ever. `number` is that of the next question.
async fn ask_for(shared: &Shared, wanted: &Arc<Wanted>, number: &mut u64) -> Infallible {
    let since = Instant::now();
    let mut row = shared.state().row;
    let (mut asked, mut due) = (since, since);
    let mut under_way = FuturesUnordered::new();
    loop {
        tokio::select! {
            biased;
            Some((of, said)) = under_way.next() => {
                row = learn(shared, wanted, of, &said);
                due = asked + pause(row, since);
            }
            () = sleep_until(due), if under_way.len() < AT_ONCE => {
                let this = *number;
                *number = number.wrapping_add(1);
                under_way.push(Box::pin(async move { (this, ask(wanted).await) }));
                asked = Instant::now();
                due = asked + pause(row, since).max(LATE);
            }
        }
    }
}

/// From one question to the next, once there is an answer.
fn pause(row: Row, since: Instant) -> Duration {
    match row.effective {
        Some(_) => SETTLED,
        None if row.length > 0 => CONFIRMING,
        None if since.elapsed() > PATIENCE => PATIENT,
        None => PENDING,
    }
}

/// Takes an answer in, unless something else is looked for by now. Gives the row as it is then.
fn learn(shared: &Shared, wanted: &Arc<Wanted>, number: u64, said: &Said) -> Row {
    let mut state = shared.state();
    if !state.wanted.as_ref().is_some_and(|now| Arc::ptr_eq(now, wanted)) {
        return Row::default();
    }
    let before = state.row;
    state.row = before.after(number, said, clock::now());
    let why = match said {
        Said::Nothing(why) => Some(why),
        _ => None,
    };
    if let Some(why) = why.filter(|why| state.row.effective.is_none() && state.silent.as_ref() != Some(why)) {
        tracing::info!(mark = wanted.mark, weight = wanted.weight.percent(), "not in force yet: {why}");
    }
    state.silent = why.cloned();
    let (row, news) = (state.row, state.row.effective != before.effective);
    drop(state);
    if news {
        shared.wake.fire();
    }
    row
}

/// Asks every data plane once. The first one that says otherwise settles it.
async fn ask(wanted: &Wanted) -> Said {
    let mut said = Said::Nothing("there is nobody to be asked".into());
    for question in &wanted.questions {
        said = ask_one(question, &wanted.mark).await;
        if said != Said::Same {
            return said;
        }
    }
    said
}

async fn ask_one(question: &Question, mark: &str) -> Said {
    let Question { address, host, headers, method } = question;
    let host = host.clone().unwrap_or_else(|| address.authority());
    let mut request = Request::builder().method(method).uri(address.path()).header(hyper::header::HOST, host);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let request = match request.header(hyper::header::USER_AGENT, "gapless").body(Full::<Bytes>::default()) {
        Ok(request) => request,
        Err(error) => return Said::Nothing(format!("the question cannot be put: {error}")),
    };
    match exchange_at(address, request, TIMEOUT).await {
        Ok(answer) => said_by(&answer, mark),
        Err(error) => Said::Nothing(error.to_string()),
    }
}

/// What an answer says about the mark. A gateway puts the mark on its own answers as well: that it reached no side (502, 503,
/// 504; RFC 9110, sections 15.6.3 to 15.6.5) shows that the configuration has arrived, and not that it carries traffic.
fn said_by(answer: &Answer, mark: &str) -> Said {
    // A second mark would be a backend's own, or another configuration's: then nobody knows which one it was.
    let mut marks = answer.headers.get_all(MARK).iter();
    let same = marks.next().is_some_and(|found| found == mark) && marks.next().is_none();
    match answer.status {
        _ if !same => Said::Other,
        status @ 502..=504 => Said::Nothing(format!("the route answers {status}: it reaches no side")),
        _ => Said::Same,
    }
}
