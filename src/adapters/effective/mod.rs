//! Fact 3 of a route: what real answers through it show.
//!
//! *Flow*: [`Echo::ask`] says which mark is looked for and where; a task asks that address, each time over a fresh
//! connection, and compares the header [`MARK`]. [`Echo::seen`] is what it knows.
//! *Guarantees*: a mark counts as effective only after [`IN_A_ROW`] answers in a row bore it, all of them asked for after
//! the mark was looked for; one answer with another mark, or with none, ends that at once. No answer at all proves nothing, and
//! neither does a gateway's own that it reaches no side: it interrupts a row, and leaves what was proven. While a mark is
//! awaited the next question follows [`PENDING`] after the one before, or its answer if that is later; but one that gets no
//! answer delays the next by 50 ms only, whatever side holds it back. Once a mark is effective one question follows each
//! [`SETTLED`]. Another mark that is looked for ends what is under way.
//! *Assumptions*: the address is reached the way real traffic goes, and asking it changes nothing.
//! *Caveats*: data planes that share an address converge one by one; [`IN_A_ROW`] answers make it likely that all did,
//! and later answers that show otherwise take it back.

mod asker;
mod row;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use hyper::Method;
use tokio::{sync::Notify, task::JoinHandle};

pub use self::row::IN_A_ROW;
use self::row::Row;
use super::{http::Address, wake::Wake};
use crate::{engine::Effective, plan::Weight};

/// The response header that tells which configuration answered.
pub const MARK: &str = "x-gapless-mark";
/// The pause between two questions while a mark is awaited.
pub const PENDING: Duration = Duration::from_millis(5);
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
    /// Why the newest question proved nothing, if it did not: told once, and again when it is another reason.
    silent: Option<String>,
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
        let task = tokio::spawn(asker::ask_on(Arc::clone(&shared)));
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
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[cfg(test)]
mod tests {
    use std::{
        convert::Infallible,
        sync::atomic::{AtomicUsize, Ordering},
    };

    use bytes::Bytes;
    use http_body_util::Full;
    use hyper::{Request, Response, server::conn::http1, service::service_fn};
    use hyper_util::rt::TokioIo;
    use tokio::net::{TcpListener, TcpStream};

    use super::*;
    use crate::adapters::clock;

    /// What a route was asked.
    #[derive(Default)]
    struct Asked {
        times: AtomicUsize,
        again: Notify,
        /// Connections of questions that get no answer.
        hanging: Mutex<Vec<TcpStream>>,
    }
    impl Asked {
        fn times(&self) -> usize {
            self.times.load(Ordering::SeqCst)
        }
        async fn so_often(&self, times: usize) {
            while self.times() < times {
                self.again.notified().await;
            }
        }
        /// Whether the first question that hangs is still waiting for its answer.
        fn still_hangs(&self) -> bool {
            let hanging = self.hanging.lock().unwrap();
            let mut rest = [0; 4096];
            loop {
                match hanging[0].try_read(&mut rest) {
                    Ok(0) => return false,
                    Ok(_) => {} // the request
                    Err(error) => return error.kind() == std::io::ErrorKind::WouldBlock,
                }
            }
        }
    }

    /// A route that answers with the marks of a list, the last one for ever. `-` is an answer without any, `hang` is none; `503 b`
    /// is that status with the mark `b`, all others are 404.
    async fn route(marks: &'static [&'static str]) -> (Address, Arc<Asked>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/live", listener.local_addr().unwrap()).parse().unwrap();
        let asked = Arc::new(Asked::default());
        let count = Arc::clone(&asked);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let n = count.times.fetch_add(1, Ordering::SeqCst);
                count.again.notify_one();
                let mark = marks[n.min(marks.len() - 1)];
                if mark == "hang" {
                    count.hanging.lock().unwrap().push(stream);
                    continue;
                }
                let answer = service_fn(move |request: Request<hyper::body::Incoming>| async move {
                    assert_eq!(request.uri().path(), "/live");
                    let (status, mark) = mark.split_once(' ').unwrap_or(("404", mark));
                    let mut response = Response::builder().status(status);
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
        assert_eq!(seen.weight, Weight::FULL);
        assert!(asked.times() >= 9, "{}", asked.times());
        assert!(seen.since > before);
    }

    /// A gateway that waits for the addresses of a side answers for itself, with the mark; Envoy was seen to do so for 15 s.
    #[tokio::test]
    async fn a_mark_on_an_answer_that_reaches_no_side_proves_nothing_and_takes_nothing_back() {
        let (address, asked) = route(&["503 b", "b", "b", "502 b", "504 b", "b", "b", "b", "503 b"]).await;
        let wake = Wake::default();
        let echo = Echo::new(wake.clone());
        echo.ask(Some(wanted(&address, "b")));
        told(&wake).await;
        assert!(echo.seen().is_some());
        assert!(asked.times() >= 8, "{}", asked.times());
        asked.so_often(10).await;
        assert!(echo.seen().is_some(), "that a side fails is for gates to judge");
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
        assert!(asked.times() >= 4 + IN_A_ROW as usize);
    }

    #[tokio::test]
    async fn a_question_that_hangs_does_not_keep_the_next_one_waiting() {
        let (address, asked) = route(&["hang", "b"]).await;
        let wake = Wake::default();
        let echo = Echo::new(wake.clone());
        echo.ask(Some(wanted(&address, "b")));
        told(&wake).await;
        assert!(echo.seen().is_some());
        assert!(asked.still_hangs(), "the mark was awaited until the first question was given up");
    }

    #[tokio::test]
    async fn a_question_about_the_mark_before_does_not_keep_the_next_mark_waiting() {
        let (address, asked) = route(&["a", "a", "a", "hang", "b"]).await;
        let wake = Wake::default();
        let echo = Echo::new(wake.clone());
        echo.ask(Some(wanted(&address, "a")));
        told(&wake).await;
        let mut otherwise = wanted(&address, "a");
        otherwise.questions[0].headers.push(("x-way".into(), "another".into()));
        echo.ask(Some(otherwise)); // asked at once, and stays without an answer
        asked.so_often(4).await;
        let mut listener = wake.listener();
        listener.hear();
        echo.ask(Some(wanted(&address, "b")));
        tokio::time::timeout(TIMEOUT / 2, listener.changed()).await.unwrap();
        assert!(echo.seen().is_some());
    }
}
