//! What is known when this process has no sockets left. In a file of its own: the limit is the whole process's.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may")]

#[path = "common/endpoint.rs"]
mod endpoint;
#[path = "common/servers.rs"]
mod servers;
#[path = "common/small_plan.rs"]
mod small_plan;

use std::time::Duration;

use gapless::{
    adapters::prober::Prober,
    engine::{Answer, Observed, Unknown},
};
use servers::{Servers, start_probing};

/// Rounds that could not be sent are unknown, and good ones come again when there are sockets again.
#[test]
fn without_sockets_nothing_is_known_and_nobody_is_blamed() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let (_servers, endpoints) = Servers::start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (prober, mut listener) = start_probing(1, &endpoints[..1], 25);
        let limit = getrlimit(Resource::Nofile);
        let last = |prober: &Prober| {
            let mut seen = Observed::default();
            prober.fill(&mut seen);
            let gates = seen.gates.remove("s0").unwrap_or_default();
            (gates.into_values().next().and_then(|g| g.rounds.last().map(|r| r.answer.clone())), seen.sides.remove("s0"))
        };
        let mut wait = async |what: &dyn Fn(&Option<Answer>) -> bool| loop {
            listener.hear();
            let (answer, sides) = last(&prober);
            assert!(!matches!(answer, Some(Answer::Bad(_))), "{answer:?}");
            if what(&answer) {
                break sides;
            }
            tokio::time::timeout(Duration::from_secs(5), listener.changed()).await.unwrap();
        };
        wait(&|answer| *answer == Some(Answer::Good)).await;
        setrlimit(Resource::Nofile, Rlimit { current: Some(3), maximum: limit.maximum }).unwrap();
        let none = |answer: &Option<Answer>| {
            matches!(answer, Some(Answer::Unknown(Unknown::Unreachable(why))) if why.contains("our own side could not send: Too many open files"))
        };
        let sides = wait(&none).await.unwrap();
        assert!(matches!(sides.target.unwrap().value, Err(Unknown::Unreachable(_))));
        setrlimit(Resource::Nofile, limit).unwrap();
        wait(&|answer| *answer == Some(Answer::Good)).await;
    });
}
