//! What probing costs in memory, with the servers in a process of their own.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may")]

#[path = "common/endpoint.rs"]
mod endpoint;
#[path = "common/servers.rs"]
mod servers;
#[path = "common/small_plan.rs"]
mod small_plan;

use std::time::Duration;

use gapless::engine::Observed;
use servers::{Servers, start_probing};

/// Resident memory of this process in KiB, from `/proc/self/status`.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn probing_120_services_takes_less_than_5_mib_and_gives_it_back() {
    let (_servers, endpoints) = Servers::start();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        // The runtime, the resolver and the allocator's first pages are no cost of probing.
        let (warm, _) = start_probing(1, &endpoints[..1], 20);
        tokio::time::sleep(Duration::from_millis(300)).await;
        drop(warm);
        let before = resident();
        let (mut prober, _listener) = start_probing(120, &endpoints, 1_000);
        tokio::time::sleep(Duration::from_secs(8)).await;
        let mut seen = Observed::default();
        prober.fill(&mut seen);
        let full = seen.gates.values().flat_map(|gates| gates.values()).filter(|gate| gate.rounds.len() >= 7).count();
        assert_eq!(full, 120, "every gate has its rounds");
        let grown = resident().saturating_sub(before);
        println!("120 services, 2 sides, 3 endpoints, every 1 s: {grown} KiB more than before");
        assert!(grown < 5 * 1024, "{grown} KiB");
        prober.watch(&std::collections::BTreeSet::new());
        assert_eq!(prober.lanes(), 0);
    });
}
