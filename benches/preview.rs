//! How long `gapless preview` takes as a whole process, and how much memory: plans of 30 to 6,000 services, 17 steps each.
//!
//! The plans are made as estates are: a platform of ten services that all others need, applications of ten services that need
//! each other in a row of pairs, and phases of about a hundred services one after the other. The last column says by how much
//! the time for a step grew since the size before: near 1 is near-linear. Times are those of the processor, so that others on the
//! machine do not count.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs, reason = "tests may")]

use std::{
    fmt::Write as _,
    io::{Read as _, Write as _},
    process::Command,
};

const SIZES: [usize; 6] = [30, 300, 600, 1_200, 5_000, 6_000];
const ROUNDS: usize = 5;
const PLATFORM: usize = 10;
const APPLICATION: usize = 10;

/// A plan of this many services. `windows`: its phases move at weekends only.
fn plan(services: usize, windows: bool) -> String {
    let phases = services.div_ceil(100).min(60);
    let mut text = "apiVersion: gapless.dev/v1alpha1\nkind: MigrationPlan\nmetadata: { name: bench }\nspec:\n".to_owned();
    if windows {
        text.push_str("  windows:\n");
        for phase in 0..phases {
            let day: jiff::civil::Date = jiff::civil::date(2026, 8, 28) + jiff::Span::new().weeks(i64::try_from(phase).unwrap());
            let end = day + jiff::Span::new().days(3);
            writeln!(text, "    - {{ name: w{phase}, for: Shift, opens: {day}T20:00, closes: {end}T06:00, reserve: 2h }}")
                .unwrap();
        }
    }
    text.push_str("  phases:\n");
    for phase in 0..phases {
        let after = if phase == 0 { String::new() } else { format!(", after: [{{ phase: p{} }}]", phase - 1) };
        let own = if windows { format!(", windows: [w{phase}]") } else { String::new() };
        writeln!(text, "    - {{ name: p{phase}{after}{own} }}").unwrap();
    }
    text.push_str("  services:\n");
    for i in 0..services {
        service(&mut text, i, i * phases / services);
    }
    text
}

fn service(text: &mut String, i: usize, phase: usize) {
    let (half, net, host) = (i / 62_500, i / 250 % 250, i % 250 + 1);
    let platform = (i >= PLATFORM).then(|| format!("{{ service: s{}, mode: Before }}", i % PLATFORM));
    let beside = (i >= PLATFORM && i % APPLICATION >= 2).then(|| format!("{{ service: s{}, mode: Before }}", i - 2));
    let needs: Vec<String> = platform.into_iter().chain(beside).collect();
    let needs = if needs.is_empty() { String::new() } else { format!("\n      needs: [{}]", needs.join(", ")) };
    let task = |name: &str, at: &str| {
        format!(
            "        - {{ name: {name}, at: {at}, do: {{ wait: {{ for: 2m }} }}, undo: {{ none: \"nothing to take back\" }} }}\n"
        )
    };
    let tasks = [("look", "BeforePrepare"), ("pause", "BeforeShift"), ("ring", "AfterShift"), ("tidy", "AfterSoak")];
    let tasks: String = tasks.iter().map(|(name, at)| task(name, at)).collect();
    write!(
        text,
        "    - name: s{i}
      phase: p{phase}
      load: {{ peak: 450/s, headroomPercent: 20 }}{needs}
      legacy: {{ endpoints: [{{ address: 10.{half}.{net}.{host}, port: 8443 }}, {{ address: 10.{half}.{net}.{host}, port: 8444 }}], capacity: {{ perEndpoint: 400/s }} }}
      target: {{ endpoints: [{{ address: 10.1{half}.{net}.{host}, port: 8443 }}], capacity: {{ perEndpoint: 600/s }} }}
      router: {{ httpRoute: {{ name: r{i}, sectionName: default }} }}
      warm: {{ do: {{ wait: {{ for: 1m }} }} }}
      cron: [nightly-{i}]
      shift: {{ steps: [1, 5, 10, 25, 50, 75, 100], bake: {bake}m }}
      soak: {{ for: 45d, guardFor: 5m, onFailure: Hold }}
      probes:
        - {{ name: trace, every: 1s, timeout: 800ms, send: {{ http: {{ method: POST, path: /trace, body: \"9990000018\", expect: {{ status: [200], bodyContains: ok }} }} }} }}
      gates:
        - {{ name: answers, every: 1s, check: {{ probe: {{ name: trace, successes: 20, maxFailureRatio: 0 }} }} }}
        - {{ name: desk, every: 5s, failures: 3, unknownLimit: 10m, check: {{ http: {{ url: \"http://10.0.9.9/s{i}\" }} }} }}
      tasks:
{tasks}",
        bake = 5 + i % 7 // so that services do not all come to their moments together
    )
    .unwrap();
}

/// What one process took, until it begins to write its result.
struct Took {
    steps: usize,
    cpu: f64,
    wall: f64,
    peak: u64,
}

/// Runs the program. When its first byte comes the whole result is made; what does not fit into the pipe holds the process back,
/// and the kernel can be asked what it has used so far.
fn measure(file: &str, form: &str) -> Took {
    let started = std::time::Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_gapless"))
        .args(["preview", file, "--start", "2026-08-28T20:00:00Z", "-o", form])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let mut out = child.stdout.take().unwrap();
    let mut text = vec![0];
    out.read_exact(&mut text).unwrap();
    let wall = started.elapsed().as_secs_f64() * 1e3;
    let of = |what: &str| std::fs::read_to_string(format!("/proc/{}/{what}", child.id())).unwrap_or_default();
    let cpu = of("schedstat").split_whitespace().next().and_then(|ns| ns.parse::<f64>().ok()).unwrap_or(0.0) / 1e6;
    let status = of("status");
    let peak = status.lines().find(|line| line.starts_with("VmHWM:")).and_then(|line| line.split_whitespace().nth(1));
    let peak = peak.and_then(|kb| kb.parse::<u64>().ok()).unwrap_or(0) / 1024;
    out.read_to_end(&mut text).unwrap();
    assert!(child.wait().unwrap().code().is_some(), "it was killed");
    let text = String::from_utf8(text).unwrap();
    let steps = match form {
        "json" => text.matches("\"startLocal\"").count(),
        _ => text.lines().next().and_then(|line| line.rsplit(", ").next()?.split(' ').next()?.parse().ok()).unwrap(),
    };
    Took { steps, cpu, wall, peak }
}

fn main() {
    let directory = tempfile::tempdir().unwrap();
    for (kind, windows, form) in
        [("no windows, text", false, "text"), ("no windows, JSON", false, "json"), ("weekends, text", true, "text")]
    {
        println!("{kind:>16} {:>8} {:>10} {:>10} {:>9} {:>8} {:>7}", "steps", "ms", "wall ms", "µs/step", "peak MB", "ratio");
        let mut last = None;
        for size in SIZES {
            let file = directory.path().join(format!("{size}.yaml"));
            std::fs::File::create(&file).unwrap().write_all(plan(size, windows).as_bytes()).unwrap();
            let all: Vec<Took> = (0..ROUNDS).map(|_| measure(file.to_str().unwrap(), form)).collect();
            let least = |of: fn(&Took) -> f64| all.iter().map(of).fold(f64::MAX, f64::min);
            let (cpu, wall, steps) = (least(|took| took.cpu), least(|took| took.wall), all[0].steps);
            let peak = all.iter().map(|took| took.peak).max().unwrap_or(0);
            #[allow(clippy::cast_precision_loss, reason = "shown with one digit")]
            let each = cpu * 1e3 / steps as f64;
            let ratio = last.map_or_else(String::new, |last: f64| format!("{:.2}", each / last));
            println!("{size:>16} {steps:>8} {cpu:>10.1} {wall:>10.1} {each:>9.1} {peak:>8} {ratio:>7}");
            last = Some(each);
        }
        println!();
    }
}
