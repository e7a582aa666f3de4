//! The file with people's orders: the engine's [`Orders`] as JSON.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use tokio::task::JoinHandle;

use crate::{adapters::wake::Wake, engine::Orders};

/// How often the file's date is looked at.
const EVERY: Duration = Duration::from_millis(250);
/// A file longer than this holds no orders.
const LENGTH_MAX: u64 = 64 * 1024;

/// Reads the file whenever it changes. A file that is not there orders nothing; one that cannot be read leaves the orders
/// as they were, because a hold must not go away by an accident, and is complained about once.
#[derive(Debug)]
pub(super) struct OrdersFile {
    path: PathBuf,
    wake: Wake,
    now: Arc<Mutex<Orders>>,
    task: Option<JoinHandle<()>>,
}

/// What tells one writing of the file from another.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    length: u64,
    inode: u64,
}

impl OrdersFile {
    /// Reads it once, at once. What cannot be read now is an error: it may be a hold.
    pub fn open(path: PathBuf, wake: Wake) -> Result<Self, String> {
        let orders = load(&path).map_err(|why| format!("the orders in {} cannot be read: {why}", path.display()))?;
        Ok(Self { path, wake, now: Arc::new(Mutex::new(orders)), task: None })
    }

    /// Goes on reading it, or stops.
    pub fn watch(&mut self, wanted: bool) {
        match (wanted, self.task.take()) {
            (true, None) => {
                let (path, wake, now) = (self.path.clone(), self.wake.clone(), Arc::clone(&self.now));
                self.task = Some(tokio::spawn(async move { follow(&path, &wake, &now).await }));
            }
            (true, running) => self.task = running,
            (false, Some(running)) => running.abort(),
            (false, None) => {}
        }
    }

    /// The orders.
    pub fn read(&self) -> Orders {
        self.now.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for OrdersFile {
    fn drop(&mut self) {
        self.watch(false);
    }
}

async fn follow(path: &Path, wake: &Wake, now: &Mutex<Orders>) {
    let mut last = None;
    loop {
        // The date is read before the file: a writing between the two is read twice, and never missed.
        let stamp = stamp(path);
        if last.as_ref() != Some(&stamp) {
            if take(path, now) {
                wake.fire();
            }
            last = Some(stamp);
        }
        tokio::time::sleep(EVERY).await;
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    let found = std::fs::metadata(path).ok()?;
    #[cfg(unix)]
    let inode = std::os::unix::fs::MetadataExt::ino(&found);
    #[cfg(not(unix))]
    let inode = 0;
    Some(Stamp { modified: found.modified().ok(), length: found.len(), inode })
}

/// Reads the file; says whether the orders are others than before.
fn take(path: &Path, now: &Mutex<Orders>) -> bool {
    let orders = match load(path) {
        Ok(orders) => orders,
        Err(why) => {
            tracing::warn!("{}: {why}; the orders stay as they were", path.display());
            return false;
        }
    };
    let mut now = now.lock().unwrap_or_else(PoisonError::into_inner);
    let changed = *now != orders;
    *now = orders;
    changed
}

fn load(path: &Path) -> Result<Orders, String> {
    match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Orders::default()),
        Err(error) => return Err(error.to_string()),
        Ok(found) if found.len() > LENGTH_MAX => return Err("it is too long to be orders".to_owned()),
        Ok(_) => {}
    }
    let text = std::fs::read(path).map_err(|error| error.to_string())?;
    serde_json::from_slice(&text).map_err(|error| format!("these are no orders: {error}"))
}
