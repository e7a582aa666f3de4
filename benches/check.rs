//! How long `check` takes and how much memory: plans of 100 to 100,000 services, and what hostile files cost.
//!
//! Each size is measured in a process of its own, so that the peak of its memory is its own. The column `ratio` says by how much
//! the time for a service grew since the size before: near 1 is near-linear; then follows what two workers take, by the clock.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs, reason = "tests may")]

#[path = "../src/cli/threads.rs"]
mod threads;

use std::{fmt::Write as _, process::Command, time::Instant};

use gapless::plan::{Alone, Code, Crew, Refused, read_by};
use threads::Threads;

const SIZES: [usize; 6] = [100, 1_000, 5_000, 10_000, 20_000, 100_000];
const ROUNDS: usize = 5;

/// A plan of services with the fewest fields that a service may have, for more of them than a file of full ones may hold.
fn small(services: usize) -> String {
    let mut text =
        "apiVersion: gapless.dev/v1alpha1\nkind: MigrationPlan\nmetadata: { name: bench }\nspec:\n  services:\n".to_owned();
    for i in 0..services {
        let (half, net, host) = (i / 62_500, i / 250 % 250, i % 250 + 1);
        write!(
            text,
            "    - name: s{i}
      needs: [{{ service: s{}, mode: Before }}]
      legacy: {{ endpoints: [{{ address: 10.{half}.{net}.{host}, port: 8443 }}] }}
      target: {{ endpoints: [{{ address: 10.1{half}.{net}.{host}, port: 8443 }}] }}
      router: {{ webhook: {{ url: \"http://10.0.9.9/s{i}\" }} }}
      probes: [{{ name: up, send: {{ http: {{}} }} }}]
",
            if i == 0 { 0 } else { i / 2 }
        )
        .unwrap();
    }
    text.replacen("      needs: [{ service: s0, mode: Before }]\n", "", 1)
}

/// A plan as people write it: a phase for each hundredth, needs within and across, a probe and two gates for each service.
fn plan(services: usize) -> String {
    let mut text =
        "apiVersion: gapless.dev/v1alpha1\nkind: MigrationPlan\nmetadata: { name: bench }\nspec:\n  phases:\n".to_owned();
    let phases = 50.min(services / 10).max(1);
    for phase in 0..phases {
        let after = if phase == 0 { String::new() } else { format!(", after: [{{ phase: p{} }}]", phase - 1) };
        writeln!(text, "    - {{ name: p{phase}{after} }}").unwrap();
    }
    text.push_str("  services:\n");
    for i in 0..services {
        let (net, host, phase) = (i / 250 % 250, i % 250 + 1, i * phases / services);
        let half = i / 62_500;
        let needs = match i {
            0 => String::new(),
            _ => format!("        - {{ service: s{}, mode: Before }}\n", i / 2),
        };
        let needs = if i > 14 { format!("{needs}        - {{ service: s{}, mode: Before }}\n", i - 7) } else { needs };
        let needs = if needs.is_empty() { needs } else { format!("      needs:\n{needs}") };
        write!(
            text,
            "    - name: s{i}
      phase: p{phase}
      load: {{ peak: 450/s, headroomPercent: 20 }}
{needs}      legacy: {{ endpoints: [{{ address: 10.{half}.{net}.{host}, port: 8443 }}, {{ address: 10.{half}.{net}.{host}, port: 8444 }}], capacity: {{ perEndpoint: 400/s }} }}
      target: {{ endpoints: [{{ address: 10.1{half}.{net}.{host}, port: 8443 }}], capacity: {{ perEndpoint: 600/s }} }}
      router: {{ httpRoute: {{ name: r{i}, sectionName: default }} }}
      shift: {{ steps: [1, 5, 25, 50, 100], bake: 10m }}
      soak: {{ for: 45d, guardFor: 5m, onFailure: Hold }}
      probes:
        - {{ name: trace, every: 1s, timeout: 800ms, send: {{ http: {{ method: POST, path: /trace, body: \"9990000018\", expect: {{ status: [200], bodyContains: ok }} }} }} }}
      gates:
        - {{ name: answers, every: 1s, check: {{ probe: {{ name: trace, successes: 20, maxFailureRatio: 0 }} }} }}
        - {{ name: desk, every: 5s, failures: 3, unknownLimit: 10m, check: {{ http: {{ url: \"http://10.0.9.9/s{i}\" }} }} }}
"
        )
        .unwrap();
    }
    text
}

/// The same with fourteen weights for each service: seventeen steps, so that 5,000 services have 85,000.
fn steps(services: usize) -> String {
    plan(services).replace("steps: [1, 5, 25, 50, 100]", "steps: [1, 2, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 100]")
}

/// Texts that are to be refused, and the code of the refusal.
fn hostile(name: &str) -> String {
    match name {
        "one line of 100 MB" => "a".repeat(100_000_000),
        "one line of 60 MB" => "a".repeat(60_000_000),
        "a text of 60 MB" => format!("a: \"{}\"", "x".repeat(60_000_000)),
        "60 MB of brackets" => "[".repeat(60_000_000),
        "20,000,000 empty lists" => format!("[{}]", "[],".repeat(20_000_000)),
        "3,900,000 values" => format!("[{}]", "a,".repeat(3_900_000)),
        "60 MB of blank lines" => "\n".repeat(60_000_000),
        "60 MB of comments" => "#\n".repeat(30_000_000),
        "1,000,000 keys" => (0..1_000_000).fold(String::new(), |text, i| text + &format!("k{i}: 1\n")),
        "an alias bomb" => {
            let line = |level: usize| format!("a{level}: &a{level} [{}]\n", vec![format!("*a{}", level - 1); 9].join(","));
            (1..40).fold("a0: &a0 [x]\n".to_owned(), |text, level| text + &line(level))
        }
        "2,000,000 aliases" => format!("a: &a x\nb: [{}]\n", "*a,".repeat(2_000_000)),
        "20,000 services in 10,000 knots" => {
            let text = plan(20_000);
            let swap = |line: &str| match line.strip_prefix("    - name: s").and_then(|i| i.parse::<usize>().ok()) {
                Some(i) => format!("{line}\n      needs: [{{ service: s{}, mode: Before }}]", i ^ 1),
                None => line.to_owned(),
            };
            let kept = text.lines().filter(|line| !line.contains("needs:") && !line.contains("- { service:"));
            kept.map(swap).collect::<Vec<_>>().join("\n")
        }
        "20,000 services in one ring" => {
            plan(20_000).replacen("phase: p0\n", "phase: p0\n      needs: [{ service: s19999, mode: Before }]\n", 1)
        }
        "10,000 lists, each in the other" => (0..10_000).fold(String::new(), |text, level| text + &" ".repeat(level) + "-\n"),
        "10,000 services in one ring" => {
            plan(10_000).replacen("phase: p0\n", "phase: p0\n      needs: [{ service: s9999, mode: Before }]\n", 1)
        }
        "1,000,000 documents" => "---\na: 1\n".repeat(1_000_000),
        _ => panic!("no such text: {name}"),
    }
}

const HOSTILE: [&str; 16] = [
    "one line of 100 MB",
    "one line of 60 MB",
    "a text of 60 MB",
    "60 MB of brackets",
    "20,000,000 empty lists",
    "3,900,000 values",
    "60 MB of blank lines",
    "60 MB of comments",
    "1,000,000 keys",
    "an alias bomb",
    "2,000,000 aliases",
    "10,000 lists, each in the other",
    "20,000 services in 10,000 knots",
    "10,000 services in one ring",
    "20,000 services in one ring",
    "1,000,000 documents",
];

/// Nanoseconds on the processor so far: others on the machine do not count. Of two workers, the time of the clock.
fn time(workers: usize, clock: Instant) -> u64 {
    if workers > 1 {
        return clock.elapsed().as_nanos().try_into().unwrap();
    }
    let line = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    line.split_whitespace().next().and_then(|ns| ns.parse().ok()).unwrap_or(0)
}

/// The peak of this process's memory in megabytes.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kb| kb.parse::<usize>().ok()).unwrap_or(0) / 1024
}

/// In a process of its own: what one size or one hostile text takes.
fn measure(workers: &str, what: &str) {
    let workers: usize = workers.parse().unwrap();
    let crew: &dyn Crew = if workers > 1 { &Threads::new(Some(2)) } else { &Alone };
    let (text, rounds) = match what.split_once(' ') {
        Some(("full", size)) => (plan(size.parse().unwrap()), ROUNDS),
        Some(("steps", size)) => (steps(size.parse().unwrap()), ROUNDS),
        Some(("small", size)) => (small(size.parse().unwrap()), ROUNDS),
        _ => (hostile(what), 1),
    };
    let before = peak();
    let mut best = u64::MAX;
    let mut found = String::new();
    let clock = Instant::now();
    for _ in 0..rounds {
        let started = time(workers, clock);
        let result = read_by(crew, &text);
        best = best.min(time(workers, clock) - started);
        found = match result {
            Ok(checked) => checked.warnings.iter().map(|f| f.code.name()).collect::<Vec<_>>().join(" "),
            Err(Refused { findings, .. }) => {
                let codes: std::collections::BTreeSet<Code> = findings.iter().map(|f| f.code).collect();
                format!("refused: {} findings, {codes:?}", findings.len())
            }
        };
    }
    println!("{}\t{}\t{}\t{}\t{found}", text.len(), best / 1_000, before, peak());
}

/// Bytes, microseconds, megabytes before and at the peak, what was found.
fn child(workers: usize, what: &str) -> (usize, u64, usize, usize, String) {
    let output = Command::new(std::env::current_exe().unwrap()).args(["--measure", &workers.to_string(), what]).output().unwrap();
    assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stderr));
    let line = String::from_utf8(output.stdout).unwrap();
    let parts: Vec<&str> = line.trim_end_matches('\n').split('\t').collect();
    (parts[0].parse().unwrap(), parts[1].parse().unwrap(), parts[2].parse().unwrap(), parts[3].parse().unwrap(), parts[4].into())
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, workers, what] = args.as_slice()
        && flag == "--measure"
    {
        return measure(workers, what);
    }
    for (kind, sizes) in [("full", &SIZES[..5]), ("small", &SIZES[..]), ("steps", &SIZES[2..3])] {
        println!(
            "{kind:>9} {:>11} {:>10} {:>12} {:>10} {:>7} {:>7} {:>7}  found",
            "bytes", "ms", "µs/service", "peak MB", "ratio", "2: ms", "2: MB"
        );
        let mut last = None;
        for size in sizes {
            let (bytes, micros, _, peak, found) = child(1, &format!("{kind} {size}"));
            let (_, both, _, both_peak, _) = child(2, &format!("{kind} {size}"));
            #[allow(clippy::cast_precision_loss, reason = "shown with one digit")]
            let (ms, each) = (micros as f64 / 1e3, micros as f64 / *size as f64);
            let ratio = last.map_or_else(String::new, |last: f64| format!("{:.2}", each / last));
            let both = both / 1_000;
            println!("{size:>9} {bytes:>11} {ms:>10.1} {each:>12.1} {peak:>10} {ratio:>7} {both:>7} {both_peak:>7}  {found}");
            last = Some(each);
        }
        println!();
    }
    println!(
        "{:<34} {:>11} {:>10} {:>10} {:>10} {:>7} {:>7}  found",
        "hostile", "bytes", "ms", "MB before", "peak MB", "2: ms", "2: MB"
    );
    for name in HOSTILE {
        let (bytes, micros, before, peak, found) = child(1, name);
        let (_, both, _, both_peak, _) = child(2, name);
        let (alone, both) = (micros / 1000, both / 1000);
        println!("{name:<34} {bytes:>11} {alone:>10} {before:>10} {peak:>10} {both:>7} {both_peak:>7}  {found}");
    }
}
