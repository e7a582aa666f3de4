//! `gapless run` and its company as people use them: the real program, a real directory, real hosts and a real router.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may")]

#[path = "common/endpoint.rs"]
mod endpoint;

use std::{
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::Duration,
};

use endpoint::{Endpoint, Manner};
use gapless::{
    lab::router::{RouteSpec, Router, RouterSpec},
    plan::ServiceName,
};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

const FINE: Manner = Manner::Answers(200, "fine");

/// A plan of one service that moves in about two seconds, and all that it names.
struct Stage {
    _hosts: [Endpoint; 2],
    router: Router,
    home: tempfile::TempDir,
}

impl Stage {
    async fn set() -> Self {
        let hosts = [Endpoint::start(FINE).await, Endpoint::start(FINE).await];
        let route = RouteSpec { service: pds(), legacy: vec![hosts[0].at], target: vec![hosts[1].at] };
        let (propagation, upstream_timeout) = (Duration::from_millis(10), Duration::from_secs(1));
        let router = Router::start(RouterSpec { routes: vec![route], propagation, upstream_timeout, key: None }).await.unwrap();
        let home = tempfile::tempdir().unwrap();
        let stage = Self { _hosts: hosts, router, home };
        stage.write_plan("300ms");
        stage
    }
    fn write_plan(&self, bake: &str) {
        let [legacy, target] = [&self._hosts[0], &self._hosts[1]].map(|host| host.at.port());
        let url = self.router.url(&pds());
        let text = format!(
            "apiVersion: gapless.dev/v1alpha1\nkind: MigrationPlan\nmetadata: {{ name: small }}\nspec:\n  services:\n    - name: pds\n      \
             needs: []\n      legacy: {{ endpoints: [{{ address: 127.0.0.1, port: {legacy} }}] }}\n      \
             target: {{ endpoints: [{{ address: 127.0.0.1, port: {target} }}] }}\n      router: {{ webhook: {{ url: '{url}' }} }}\n      \
             shift: {{ steps: [10, 50, 100], bake: {bake} }}\n      soak: {{ for: 1s, guardFor: 500ms }}\n      \
             probes: [{{ name: p, every: 50ms, timeout: 300ms, send: {{ http: {{ path: /probe }} }} }}]\n      \
             gates: [{{ name: g, every: 50ms, check: {{ probe: {{ name: p, successes: 3 }} }} }}]\n"
        );
        std::fs::write(self.plan(), text).unwrap();
    }
    fn plan(&self) -> PathBuf {
        self.home.path().join("plan.yaml")
    }
    fn state(&self) -> PathBuf {
        self.home.path().join("state")
    }
    /// `gapless VERB [FILE] --state DIR …`.
    fn command(&self, verb: &str, more: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gapless"));
        command.arg(verb);
        if verb == "run" && !more.contains(&"--kept") {
            command.arg(self.plan());
        }
        command.arg("--state").arg(self.state()).args(more.iter().filter(|word| **word != "--kept"));
        command.stdin(Stdio::null()).env_remove("GAPLESS_LOG").kill_on_drop(true);
        command
    }
    async fn says(&self, verb: &str, more: &[&str]) -> Said {
        let output = self.command(verb, more).output();
        Said::from(tokio::time::timeout(Duration::from_secs(30), output).await.expect("it ends").unwrap())
    }
    /// A runner, and its events.
    fn follow(&self, more: &[&str]) -> Runner {
        let mut child =
            self.command("run", &[more, &["--events"]].concat()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Runner { child, lines }
    }
    /// The journal gives the same decisions again: held against the record, and by itself with the plan that was started.
    async fn replays(&self) {
        let said = self.says("replay", &["-o", "json"]).await;
        assert_eq!(said.code, 0, "{}{}", said.out, said.err);
        let report: Value = serde_json::from_str(&said.out).unwrap();
        let schema = Command::new(env!("CARGO_BIN_EXE_gapless")).args(["schema", "replay"]).output().await.unwrap();
        let schema: Value = serde_json::from_slice(&schema.stdout).unwrap();
        assert!(jsonschema::validator_for(&schema).unwrap().is_valid(&report), "{report:#}");
        assert_eq!((&report["same"], &report["sameLines"]), (&true.into(), &report["lines"]));
        assert!(report["lines"].as_u64().unwrap() >= 5, "{report:#}");
        for revision in [self.plan(), self.state().join("revision.json")] {
            let mut alone = Command::new(env!("CARGO_BIN_EXE_gapless"));
            alone.arg("replay").arg("--journal").arg(self.state().join("journal.jsonl")).arg("--revision").arg(revision);
            let said = Said::from(alone.output().await.unwrap());
            assert_eq!(said.code, 0, "{}{}", said.out, said.err);
            assert!(said.out.contains("\nthe same: ") && said.out.contains("no record was at hand"), "{}", said.out);
        }
    }
    fn weights(&self) -> Vec<u8> {
        self.router.history(&pds()).iter().map(|switch| switch.weight.percent()).collect()
    }
}

struct Runner {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}
impl Runner {
    /// Waits for an event with these words.
    async fn until(&mut self, words: &str) {
        let found = async {
            while let Some(line) = self.lines.next_line().await.unwrap() {
                let event: Value = serde_json::from_str(&line).unwrap();
                if event["text"].as_str().unwrap().contains(words) {
                    return;
                }
            }
            panic!("it ended without `{words}`");
        };
        tokio::time::timeout(Duration::from_secs(20), found).await.unwrap_or_else(|_| panic!("no `{words}`"));
    }
    fn interrupt(&self) {
        let id = i32::try_from(self.child.id().unwrap()).unwrap();
        let id = rustix::process::Pid::from_raw(id).unwrap();
        rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
    }
    async fn end(mut self) -> Said {
        drop(self.lines);
        let _ = self.child.stdin.take();
        Said::from(tokio::time::timeout(Duration::from_secs(30), self.child.wait_with_output()).await.expect("it ends").unwrap())
    }
}

struct Said {
    code: i32,
    out: String,
    err: String,
}
impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
    }
}

fn pds() -> ServiceName {
    "pds".parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_completes_and_its_directory_tells_all() {
    let stage = Stage::set().await;
    let said = stage.says("run", &["-o", "json"]).await;
    assert_eq!(said.code, 0, "{}", said.err);
    let report: Value = serde_json::from_str(&said.out).unwrap();
    for field in ["outcome", "requests", "failed", "longestGap", "services", "detectionMs", "journal"] {
        assert!(report.get(field).is_some(), "{field}");
    }
    assert_eq!((&report["outcome"], &report["services"][0]["side"]), (&"Completed".into(), &"target".into()));
    assert_eq!(stage.weights(), [10, 50, 100]);
    assert!(said.err.contains("pds: 100 % to target"), "{}", said.err);

    let status: Value = serde_json::from_str(&stage.says("status", &["-o", "json"]).await.out).unwrap();
    assert_eq!((&status["outcome"], &status["digest"]), (&"Completed".into(), &report["digest"]));
    let again = stage.says("run", &[]).await;
    assert_eq!(again.code, 0, "it has ended, and says so again: {}", again.err);
    let hold = stage.says("hold", &[]).await;
    assert_eq!(hold.code, 1, "it takes no orders any more");
    assert!(hold.err.contains("ended"), "{}", hold.err);

    assert_eq!(stage.says("verify", &[]).await.code, 0);
    stage.replays().await;
    let journal = stage.state().join("journal.jsonl");
    let mut text = std::fs::read(&journal).unwrap();
    let third = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(1).unwrap().0 + 40;
    text[third] ^= 1;
    std::fs::write(&journal, &text).unwrap();
    let said = stage.says("verify", &[]).await;
    assert_eq!(said.code, 1);
    assert!(said.err.contains("journal line 3: "), "{}", said.err);
    let said = stage.says("replay", &[]).await;
    assert_eq!(said.code, 1);
    assert!(said.out.contains("journal line 3: "), "{}", said.out);
    assert_eq!(stage.says("run", &[]).await.code, 2, "nothing goes on from a journal that was altered");
}

/// And what cannot be read is told before anything is written.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_run_measured_counts_in_the_next_one() {
    let rehearsal = Stage::set().await;
    assert_eq!(rehearsal.says("run", &[]).await.code, 0);
    let weekend = Stage::set().await;
    let wrong = weekend.says("run", &["--durations", "no-such-journal"]).await;
    assert_eq!((wrong.code, weekend.state().exists()), (2, false), "{}", wrong.err);
    assert!(wrong.err.contains("no-such-journal cannot be read"), "{}", wrong.err);

    std::fs::create_dir(weekend.state()).unwrap();
    std::fs::write(weekend.state().join("durations.json"), r#"{"pds/effective": "soon"}"#).unwrap();
    let rubbish = weekend.says("run", &[]).await;
    assert_eq!((rubbish.code, std::fs::read_dir(weekend.state()).unwrap().count()), (2, 1), "{}", rubbish.err);
    assert!(rubbish.err.contains("durations.json cannot be read (`soon` is not a duration"), "{}", rubbish.err);

    let measured = rehearsal.state().display().to_string();
    let said = weekend.says("run", &["--durations", &measured]).await;
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let kept: Value = serde_json::from_slice(&std::fs::read(weekend.state().join("durations.json")).unwrap()).unwrap();
    let effective: gapless::plan::Span = kept["pds/effective"].as_str().unwrap().parse().unwrap();
    assert!(effective.get() > Duration::ZERO && effective.get() < Duration::from_secs(5), "{kept}");
    let journal = std::fs::read_to_string(weekend.state().join("journal.jsonl")).unwrap();
    assert!(journal.lines().next().unwrap().contains("\"durations\":{\"pds/effective\":"), "each decision rested on it");
    weekend.replays().await;
}

/// Killed at ten moments of its life, each time the next process goes on, and no weight is set twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_ten_times_it_goes_on() {
    let stage = Stage::set().await;
    let moments = [90, 400, 150, 700, 250, 330, 520, 60, 610, 480];
    for ms in moments {
        let mut runner = stage.follow(&[]);
        tokio::time::sleep(Duration::from_millis(ms)).await; // any moment will do: that is what is tested
        runner.child.kill().await.unwrap();
    }
    let said = stage.says("run", &["--kept"]).await;
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(stage.weights(), [10, 50, 100]);
    assert_eq!(stage.says("verify", &[]).await.code, 0);
    stage.replays().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_directory_has_one_process_and_one_plan() {
    let stage = Stage::set().await;
    stage.write_plan("3s"); // a busy machine takes a second for what is asked while it stands at 50 %
    let mut first = stage.follow(&[]);
    first.until("50 % to target").await;
    let number = first.child.id().unwrap();
    let second = stage.says("run", &[]).await;
    assert_eq!(second.code, 2);
    assert!(second.err.contains(&format!("in use by process {number}")), "{}", second.err);
    let status: Value = serde_json::from_str(&stage.says("status", &["-o", "json"]).await.out).unwrap();
    assert_eq!(status["services"][0]["weight"], 50);

    first.interrupt();
    let said = first.end().await;
    assert_eq!(said.code, 1);
    assert!(said.err.contains("go on with `gapless run --state "), "{}", said.err);

    stage.write_plan("400ms");
    let other = stage.says("run", &[]).await;
    assert_eq!(other.code, 2);
    assert!(other.err.contains("a run of another plan") && other.err.contains("to take everything back"), "{}", other.err);
    assert_eq!(stage.weights(), [10, 50]);
    let kept = stage.says("run", &["--kept"]).await;
    assert_eq!(kept.code, 0, "with the plan that is kept: {}", kept.err);
    assert_eq!(stage.weights(), [10, 50, 100]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_hold_resume_and_roll_back() {
    let stage = Stage::set().await;
    let mut runner = stage.follow(&[]);
    runner.until("10 % to target").await;
    let hold = stage.says("hold", &[]).await;
    assert_eq!((hold.code, hold.err.as_str()), (0, ""));
    runner.until("the run holds: ordered by ").await;
    runner.interrupt();
    runner.end().await;

    let held = stage.says("run", &["--until-held", "-o", "json"]).await;
    let report: Value = serde_json::from_str(&held.out).unwrap();
    assert_eq!((held.code, &report["outcome"]), (1, &"Held".into()));
    let status = stage.says("status", &[]).await;
    assert_eq!(status.code, 1, "{} {}", status.out, std::fs::read_to_string(stage.state().join("waits.json")).unwrap());
    assert!(status.out.contains("waits") || status.out.contains("waiting"), "{}", status.out);
    let explained = stage.says("explain", &[]).await;
    assert_eq!(explained.code, 1, "{}", explained.err);
    for words in [
        "run ",
        ": Held, ",
        "going back: no window or freeze bounds it",
        "pds/shift-",
        "  why    ordered by ",
        "  who    whoever may order the run: look at it, then `gapless resume` or `gapless rollback`",
    ] {
        assert!(explained.out.contains(words), "{words}: {}", explained.out);
    }

    let resume = stage.says("resume", &[]).await;
    assert_eq!(resume.code, 0);
    assert!(resume.err.contains("no process drives this run now"), "{}", resume.err);
    let mut runner = stage.follow(&[]);
    runner.until("resumed by").await;
    runner.until("50 % to target").await;
    assert_eq!(stage.says("rollback", &[]).await.code, 0);
    runner.until("the run ended: RolledBack").await;
    assert_eq!(runner.end().await.code, 1);
    assert_eq!(stage.weights().last(), Some(&0));
    assert_eq!(stage.says("resume", &[]).await.code, 1, "a rollback is not taken back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_have_a_service_tried_again_that_went_back() {
    let stage = Stage::set().await;
    let second = "    - name: scr\n      needs: []\n      legacy: { endpoints: [{ address: 127.0.0.1, port: 2 }] }\n      \
                  target: { endpoints: [{ address: 127.0.0.1, port: 3 }] }\n      router: { webhook: { url: 'http://127.0.0.1:1/scr' } }\n      \
                  probes: [{ name: p, every: 50ms, send: { http: { path: /probe } } }]\n";
    std::fs::write(stage.plan(), std::fs::read_to_string(stage.plan()).unwrap() + second).unwrap();
    let mut runner = stage.follow(&[]);
    runner.until("10 % to target").await;
    stage._hosts[1].becomes(Manner::Answers(500, "no"));
    runner.until("pds: all traffic on legacy").await;
    stage._hosts[1].becomes(FINE);
    let refused = stage.says("retry", &["scr", "gone"]).await;
    assert_eq!(refused.code, 1);
    assert_eq!(
        refused.err,
        "error: the run has no service gone\nerror: scr has not gone back: there is nothing to be tried again\n"
    );
    assert_eq!(stage.says("retry", &[]).await.code, 2, "which service?");
    let retry = stage.says("retry", &["pds"]).await;
    assert_eq!((retry.code, retry.err.as_str()), (0, ""), "{}", retry.out);
    assert!(retry.out.contains("retry: pds (attempt 2)"), "{}", retry.out);
    runner.until("pds: is tried again, attempt 2, by ").await;
    runner.until("pds: all traffic on target").await;
    assert!(stage.weights().ends_with(&[0, 10, 50, 100]), "{:?}", stage.weights());
    assert_eq!(stage.says("rollback", &[]).await.code, 0);
    runner.until("the run ended: RolledBack").await;
    runner.end().await;
    let over = stage.says("retry", &["pds"]).await;
    assert!(over.code == 1 && over.err.contains("a new attempt is a new run"), "{}", over.err);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_declare_a_soak_over_that_lasts_for_an_hour() {
    let stage = Stage::set().await;
    std::fs::write(stage.plan(), std::fs::read_to_string(stage.plan()).unwrap().replace("for: 1s,", "for: 1h,")).unwrap();
    let mut runner = stage.follow(&[]);
    runner.until("10 % to target").await;
    let early = stage.says("declare-success", &["pds", "gone"]).await;
    assert_eq!(early.code, 1);
    assert_eq!(early.err, "error: the run has no service gone\nerror: pds does not soak now: there is nothing to be declared\n");
    assert_eq!(stage.says("declare-success", &[]).await.code, 2, "which service?");
    runner.until("pds: all traffic on target").await;
    let said = stage.says("declare-success", &["pds"]).await;
    assert_eq!((said.code, said.err.as_str()), (0, ""), "{}", said.out);
    assert_eq!(said.out, "ordered the end of the soak of pds, as soon as its guards are quiet\n");
    runner.until("the run ended: Completed").await;
    assert_eq!(runner.end().await.code, 0);
    stage.replays().await;
    let over = stage.says("declare-success", &["pds"]).await;
    assert!(over.code == 1 && over.err.contains("nothing soaks any more"), "{}", over.err);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_run_here_is_refused_before_anything_is_written() {
    let stage = Stage::set().await;
    let plan = std::fs::read_to_string(stage.plan()).unwrap();
    let url = stage.router.url(&pds());
    let elsewhere = plan.replace(&format!("webhook: {{ url: '{url}' }}"), "httpRoute: { name: pds }");
    std::fs::write(stage.plan(), elsewhere).unwrap();
    let said = stage.says("run", &[]).await;
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(said.err.contains("cluster"), "{}", said.err);
    std::fs::write(stage.plan(), "nonsense: [").unwrap();
    assert_eq!(stage.says("run", &[]).await.code, 1);
    std::fs::remove_file(stage.plan()).unwrap();
    assert_eq!(stage.says("run", &[]).await.code, 2);
    assert_eq!(stage.says("run", &["--kept"]).await.code, 2);
    for verb in ["status", "hold", "resume", "rollback", "replay"] {
        let said = stage.says(verb, &[]).await;
        assert_eq!(said.code, 2, "{verb}");
        assert!(said.err.contains("there is no run in"), "{verb}: {}", said.err);
    }
    assert!(!Path::new(&stage.state()).exists(), "nothing is written");
}
