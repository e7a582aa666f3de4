//! The runner as a child process: the same program that a user runs, told by nothing but its arguments and its plan.

use std::{
    io,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

use super::document::KEY_VARIABLE;

/// How long a runner that was told to stop may take.
const STOP_PATIENCE: Duration = Duration::from_secs(4);

/// How to start a runner.
#[derive(Debug, Clone)]
pub(super) struct Launch {
    /// The program.
    pub program: PathBuf,
    /// The plan file.
    pub plan: PathBuf,
    /// The state directory.
    pub state: PathBuf,
    /// Where its standard error goes.
    pub log: PathBuf,
    /// The key with which it signs.
    pub key: String,
}

/// A runner that runs. Dropped, it is killed.
#[derive(Debug)]
pub(super) struct Runner {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Launch {
    /// Starts a runner, or one that goes on where the last one was.
    pub(super) fn start(&self) -> io::Result<Runner> {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(&self.log)?;
        let mut child = Command::new(&self.program)
            .arg("run")
            .arg(&self.plan)
            .arg("--state")
            .arg(&self.state)
            .arg("--events")
            .arg("--until-held")
            .arg("--while-stdin")
            .env(KEY_VARIABLE, &self.key)
            .stdin(Stdio::piped()) // never written to; closed when this process dies, however it dies
            .stdout(Stdio::piped())
            .stderr(Stdio::from(log))
            .kill_on_drop(true)
            .spawn()?;
        let stdout = child.stdout.take().ok_or_else(|| io::Error::other("the runner has no standard output"))?;
        Ok(Runner { child, lines: BufReader::new(stdout).lines() })
    }
}

impl Runner {
    /// The next line of its events; `None` when it has ended. May be dropped and called again without loss.
    pub(super) async fn next(&mut self) -> Option<String> {
        // What is no UTF-8 is no event; the stream after it cannot be trusted, and the runner's end is noticed all the same.
        self.lines.next_line().await.ok().flatten()
    }

    /// `kill -9`, as a crash does. Lines that it wrote before are still read.
    pub(super) async fn crash(&mut self) -> io::Result<Vec<String>> {
        self.child.kill().await?;
        let mut last = Vec::new();
        while let Ok(Some(line)) = self.lines.next_line().await {
            last.push(line);
        }
        Ok(last)
    }

    /// Asks it to stop (SIGINT, what Ctrl-C sends), and kills it if it does not.
    pub(super) async fn stop(mut self) {
        let id = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
        if let Some(id) = id {
            let _ = rustix::process::kill_process(id, rustix::process::Signal::INT); // it may be gone by now
        }
        if tokio::time::timeout(STOP_PATIENCE, self.child.wait()).await.is_err() {
            let _ = self.child.kill().await; // nothing more can be done about it; dropping it tries once more
        }
    }
}

/// The last lines of a runner's standard error, for whoever has to find out why it ended.
pub(super) fn last_words(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines.get(lines.len().saturating_sub(3)..).unwrap_or_default().join("; ")
}
