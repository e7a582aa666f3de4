//! What lies beside a run and is no truth about it: people's orders, what they measured, and why the run's steps wait.

use std::{
    fs::OpenOptions,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use super::{
    disk::{Directory, Disk},
    state::{pretty, unavailable},
};
use crate::{
    engine::{Decision, Orders},
    plan::schedule::Durations,
    ports::StoreError,
};

const ORDERS: &str = "orders.json";
const DURATIONS: &str = "durations.json";
const WAITS: &str = "waits.json";
/// Two people who order at the same moment are taken one after the other.
const ORDERS_LOCK: &str = "orders.lock";
/// A file longer than this holds no orders.
const LENGTH_MAX: usize = 64 * 1024;

/// Where a directory keeps people's orders.
pub fn orders_path(directory: &Path) -> PathBuf {
    directory.join(ORDERS)
}

/// Changes people's orders at once or not at all, and gives what is ordered now. Whoever drives the run sees it within a
/// moment; it takes effect when one does.
///
/// # Errors
/// The file cannot be read or written. An unreadable one is left alone: it may be a hold.
pub fn order(directory: &Path, change: impl FnOnce(Orders) -> Orders) -> Result<Orders, StoreError> {
    let mut disk = Directory::at(directory);
    let open = OpenOptions::new().create(true).truncate(false).write(true).open(directory.join(ORDERS_LOCK));
    let _lock = open.and_then(|file| file.lock().map(|()| file)).map_err(unavailable)?;
    let before = match disk.read(ORDERS).map_err(unavailable)? {
        None => Orders::default(),
        Some(bytes) if bytes.len() > LENGTH_MAX => {
            return Err(StoreError::Broken(format!("{ORDERS} is far too long for orders")));
        }
        Some(bytes) => serde_json::from_slice(&bytes)
            .map_err(|error| StoreError::Broken(format!("{ORDERS} cannot be read ({error}); mend or remove it")))?,
    };
    let orders = change(before);
    disk.replace(ORDERS, &pretty(&orders)).map_err(unavailable)?;
    Ok(orders)
}

/// Keeps how long work takes, as it was measured, for this run from now on: whoever drives it next goes by it.
///
/// # Errors
/// The file cannot be written.
pub fn keep_durations(directory: &Path, durations: &Durations) -> Result<(), StoreError> {
    Directory::at(directory).replace(DURATIONS, &pretty(durations)).map_err(unavailable)
}

/// How long work takes, as it was measured for this run; nothing, if nobody did.
///
/// # Errors
/// The file is there and cannot be read.
pub fn durations(directory: &Path) -> Result<Durations, StoreError> {
    let Some(bytes) = Directory::at(directory).read(DURATIONS).map_err(unavailable)? else { return Ok(Durations::default()) };
    serde_json::from_slice(&bytes)
        .map_err(|error| StoreError::Broken(format!("{DURATIONS} cannot be read ({error}); mend or remove it")))
}

/// Writes down why steps wait. Not synced: it is news, not truth.
pub fn keep_waits(disk: &mut Directory, decision: &Decision) -> std::io::Result<()> {
    let draft = format!("{WAITS}.new");
    disk.write(&draft, &pretty(&json!({ "outcome": decision.outcome, "waits": decision.waits })))?;
    disk.rename(&draft, WAITS)
}

/// What was written down last: `{"outcome": …, "waits": […]}`; null if nothing was, or it cannot be read.
pub fn waits(directory: &Path) -> Value {
    let bytes = Directory::at(directory).read(WAITS).ok().flatten().unwrap_or_default();
    serde_json::from_slice(&bytes).unwrap_or_default()
}
