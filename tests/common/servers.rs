//! Endpoints in a process of their own, for tests that measure or starve the process they run in.
#![allow(dead_code, reason = "not every test uses all of it")]

use std::{
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    sync::Arc,
};

use gapless::{
    adapters::{
        clock,
        prober::Prober,
        wake::{Listener, Wake},
    },
    engine::{Record, RunId, queries},
};

use crate::{
    endpoint::{Endpoint, Manner},
    small_plan,
};

/// The servers: this test binary, started once more. Not a test by itself.
#[tokio::test]
#[ignore = "started by the others as their servers"]
async fn serve() {
    let (one, two, three) = (start().await, start().await, start().await);
    println!("\nserving {} {} {}", one.at, two.at, three.at);
    let _ = tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new())).await; // until our parent is gone
}
async fn start() -> Endpoint {
    Endpoint::start(Manner::Answers(200, "fine")).await
}

/// The other process.
pub struct Servers(Child);
impl Servers {
    pub fn start() -> (Self, Vec<SocketAddr>) {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "servers::serve", "--ignored", "--nocapture"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.map(Result::unwrap).find(|line| line.starts_with("serving ")).unwrap();
        (Self(child), line.split(' ').skip(1).map(|at| at.parse().unwrap()).collect())
    }
}
impl Drop for Servers {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A prober of so many equal services.
pub fn start_probing(services: usize, endpoints: &[SocketAddr], every_ms: u64) -> (Prober, Listener) {
    let service = || small_plan::service(endpoints, endpoints, every_ms, 500);
    let revision = Arc::new(small_plan::revision((0..services).map(|n| (format!("s{n}"), service()))));
    let wake = Wake::default();
    let listener = wake.listener();
    let mut prober = Prober::new(revision.clone(), wake);
    prober.watch(&queries(&revision, &Record::new(RunId("r".into()), &revision, clock::now())));
    (prober, listener)
}
