//! Fact 3 of a route: what real answers through it show.
//!
//! *Flow*: [`Echo::ask`] says which mark is looked for and where; a task asks that address, each time over a fresh
//! connection, and compares the header [`MARK`]. [`Echo::seen`] is what it knows.
//! *Guarantees*: a mark counts as effective only after [`IN_A_ROW`] answers in a row bore it, all of them asked for after
//! the mark was looked for; one answer with another mark, or with none, ends that at once. No answer at all proves nothing:
//! it interrupts a row, and leaves what was proven. While a mark is awaited the next question follows [`PENDING`] after
//! the one before, or its answer if that is later; afterwards one each [`SETTLED`].
//! *Assumptions*: the address is reached the way real traffic goes, and asking it changes nothing.
//! *Caveats*: data planes that share an address converge one by one; [`IN_A_ROW`] answers make it likely that all did,
//! and later answers that show otherwise take it back.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Method, Request};
use jiff::Timestamp;
use tokio::{sync::Notify, task::JoinHandle};

use super::{
    clock,
    http::{Address, exchange_at},
    wake::Wake,
};
use crate::{engine::Effective, plan::Weight};

/// The response header that tells which configuration answered.
pub const MARK: &str = "x-gapless-mark";
/// So many answers in a row, on fresh connections, make a mark effective.
pub const IN_A_ROW: u32 = 3;
/// The pause between two questions while a mark is awaited.
pub const PENDING: Duration = Duration::from_millis(5);
/// The pause within a row: short, because the first answer of a row says that the change has arrived.
const CONFIRMING: Duration = Duration::from_millis(1);
/// After waiting for so long the pauses grow: something is wrong, and a person is told soon.
const PATIENCE: Duration = Duration::from_secs(5);
/// The pause then.
const PATIENT: Duration = Duration::from_millis(100);
/// The pause once the mark is effective.
pub const SETTLED: Duration = Duration::from_secs(1);
/// How long one answer may take.
const TIMEOUT: Duration = Duration::from_secs(2);

/// What is asked, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Where, and which path.
    pub address: Address,
    /// The `Host` header, if not the address's own.
    pub host: Option<String>,
    /// Other headers that the way leads through.
    pub headers: Vec<(String, String)>,
    /// The method; a safe one (RFC 9110, section 9.2.1).
    pub method: Method,
}

/// What is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Where to ask: every data plane that serves the route. An answer counts only if all of them agree.
    pub questions: Vec<Question>,
    /// The mark of the accepted configuration.
    pub mark: String,
    /// The weight that goes with it.
    pub weight: Weight,
}

/// Asks one route. Dropping it ends that.
#[derive(Debug)]
pub struct Echo {
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Notify,
    wake: Wake,
}

#[derive(Debug, Default)]
struct State {
    wanted: Option<Arc<Wanted>>,
    row: Row,
    /// The newest reason for which no answer came.
    silent: Option<String>,
}

/// Answers in a row that bore the mark.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Row {
    length: u32,
    effective: Option<Timestamp>,
}

/// What one question brought.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Said {
    /// The mark that is looked for.
    Same,
    /// Another one, or none.
    Other,
    /// No answer; why.
    Nothing(String),
}

impl Row {
    /// The row after an answer. `since` is only set by the answer that completes it: what was asked before may have been
    /// answered by a configuration that is gone.
    fn after(self, said: &Said, now: Timestamp) -> Self {
        match said {
            Said::Same => {
                let length = self.length.saturating_add(1).min(IN_A_ROW);
                Self { length, effective: self.effective.or((length >= IN_A_ROW).then_some(now)) }
            }
            Said::Other => Self::default(),
            Said::Nothing(_) if self.effective.is_some() => self,
            Said::Nothing(_) => Self::default(),
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Echo {
    /// Asks nothing until it is told what. Has to be called inside the runtime; fires `wake` when what it knows changes.
    pub fn new(wake: Wake) -> Self {
        let shared = Arc::new(Shared { wake, ..Shared::default() });
        let task = tokio::spawn(ask_on(Arc::clone(&shared)));
        Self { shared, task }
    }

    /// From now on look for this; `None`: for nothing. The same again changes nothing; another mark starts anew.
    pub fn ask(&self, wanted: Option<Wanted>) {
        let mut state = self.shared.state();
        if state.wanted.as_deref() == wanted.as_ref() {
            return;
        }
        let same_mark = match (&state.wanted, &wanted) {
            (Some(old), Some(new)) => old.mark == new.mark && old.weight == new.weight,
            _ => false,
        };
        if !same_mark {
            state.row = Row::default();
            state.silent = None;
        }
        state.wanted = wanted.map(Arc::new);
        drop(state);
        self.shared.changed.notify_one();
    }

    /// The weight that answers, and since when: only if the answers bear the mark that is looked for.
    pub fn seen(&self) -> Option<Effective> {
        let state = self.shared.state();
        let (wanted, since) = state.wanted.as_ref().zip(state.row.effective)?;
        Some(Effective { weight: wanted.weight, since })
    }

    /// Why the newest question had no answer, if it had none.
    pub fn silent(&self) -> Option<String> {
        self.shared.state().silent.clone()
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn ask_on(shared: Arc<Shared>) {
    let mut looked_for: Option<(Arc<Wanted>, tokio::time::Instant)> = None;
    loop {
        let wanted = shared.state().wanted.clone();
        let Some(wanted) = wanted else {
            shared.changed.notified().await;
            continue;
        };
        let since = match &looked_for {
            Some((before, since)) if Arc::ptr_eq(before, &wanted) => *since,
            _ => tokio::time::Instant::now(),
        };
        looked_for = Some((Arc::clone(&wanted), since));
        let begun = tokio::time::Instant::now();
        let said = ask(&wanted).await;
        let row = learn(&shared, &wanted, &said);
        let pause = match row.effective {
            Some(_) => SETTLED,
            None if row.length > 0 => CONFIRMING,
            None if since.elapsed() > PATIENCE => PATIENT,
            None => PENDING,
        };
        tokio::select! {
            () = tokio::time::sleep_until(begun + pause) => {}
            () = shared.changed.notified() => {}
        }
    }
}

/// Takes an answer in, unless something else is looked for by now. Gives the row as it is then.
fn learn(shared: &Shared, wanted: &Arc<Wanted>, said: &Said) -> Row {
    let mut state = shared.state();
    if !state.wanted.as_ref().is_some_and(|now| Arc::ptr_eq(now, wanted)) {
        return Row::default();
    }
    let before = state.row;
    state.row = before.after(said, clock::now());
    state.silent = match said {
        Said::Nothing(why) => Some(why.clone()),
        _ => None,
    };
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
        Ok(answer) => {
            // A second mark would be a backend's own, or another configuration's: then nobody knows which one it was.
            let mut marks = answer.headers.get_all(MARK).iter();
            let same = marks.next().is_some_and(|found| found == mark);
            if same && marks.next().is_none() { Said::Same } else { Said::Other }
        }
        Err(error) => Said::Nothing(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        convert::Infallible,
        sync::atomic::{AtomicUsize, Ordering},
    };

    use hyper::{Response, server::conn::http1, service::service_fn};
    use hyper_util::rt::TokioIo;
    use tokio::net::TcpListener;

    use super::*;

    /// A route that answers with the marks of a list, the last one for ever. `-` is an answer without any.
    async fn route(marks: &'static [&'static str]) -> (Address, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/live", listener.local_addr().unwrap()).parse().unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let n = count.fetch_add(1, Ordering::SeqCst);
                let mark = marks[n.min(marks.len() - 1)];
                let answer = service_fn(move |request: Request<hyper::body::Incoming>| async move {
                    assert_eq!(request.uri().path(), "/live");
                    let mut response = Response::builder().status(503);
                    if mark != "-" {
                        response = response.header(MARK, mark);
                    }
                    Ok::<_, Infallible>(response.body(Full::<Bytes>::default()).unwrap())
                });
                let _ = http1::Builder::new().keep_alive(false).serve_connection(TokioIo::new(stream), answer).await;
            }
        });
        (address, asked)
    }
    fn wanted(address: &Address, mark: &str) -> Wanted {
        let question = Question { address: address.clone(), host: None, headers: Vec::new(), method: Method::GET };
        Wanted { questions: vec![question], mark: mark.into(), weight: Weight::FULL }
    }
    async fn told(wake: &Wake) {
        tokio::time::timeout(Duration::from_secs(5), wake.listener().changed()).await.unwrap();
    }

    #[tokio::test]
    async fn three_answers_in_a_row_make_a_mark_effective_and_mixed_ones_do_not() {
        let (address, asked) = route(&["a", "b", "b", "-", "b", "a", "b", "b", "b"]).await;
        let wake = Wake::default();
        let echo = Echo::new(wake.clone());
        let before = clock::now();
        echo.ask(Some(wanted(&address, "b")));
        assert_eq!(echo.seen(), None);
        told(&wake).await;
        let seen = echo.seen().unwrap();
        assert_eq!((seen.weight, asked.load(Ordering::SeqCst)), (Weight::FULL, 9));
        assert!(seen.since > before);
    }

    #[tokio::test]
    async fn another_mark_starts_anew_and_the_old_one_is_not_believed() {
        let (address, _) = route(&["a"]).await;
        let wake = Wake::default();
        let echo = Echo::new(wake.clone());
        echo.ask(Some(wanted(&address, "a")));
        told(&wake).await;
        assert!(echo.seen().is_some());
        echo.ask(Some(wanted(&address, "c")));
        assert_eq!(echo.seen(), None);
        echo.ask(None);
        assert_eq!(echo.seen(), None);
    }

    #[tokio::test]
    async fn a_mark_is_effective_when_every_data_plane_shows_it() {
        let ((one, _), (two, asked)) = (route(&["b"]).await, route(&["a", "a", "a", "a", "b"]).await);
        let wake = Wake::default();
        let echo = Echo::new(wake.clone());
        let mut both = wanted(&one, "b");
        both.questions.extend(wanted(&two, "b").questions);
        echo.ask(Some(both));
        told(&wake).await;
        assert!(echo.seen().is_some());
        assert_eq!(asked.load(Ordering::SeqCst), 4 + IN_A_ROW as usize);
    }

    #[test]
    fn silence_interrupts_a_row_and_leaves_what_was_proven() {
        let at = |s| Timestamp::from_second(s).unwrap();
        let silence = Said::Nothing("refused".into());
        let two = Row::default().after(&Said::Same, at(1)).after(&Said::Same, at(2));
        assert_eq!(two.effective, None);
        assert_eq!(two.after(&silence, at(3)), Row::default());
        let three = two.after(&Said::Same, at(3));
        assert_eq!(three.effective, Some(at(3)));
        assert_eq!(three.after(&silence, at(4)), three);
        assert_eq!(three.after(&Said::Same, at(5)).effective, Some(at(3)));
        assert_eq!(three.after(&Said::Other, at(6)), Row::default());
    }
}
