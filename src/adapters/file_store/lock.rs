//! One process at a time drives the run of a state directory.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read as _, Seek as _, Write as _},
    path::Path,
    time::{Duration, Instant},
};

/// The file that is locked. It stays when the process ends; the lock does not, however the process ends.
const FILE: &str = "lock";
/// Somebody who only asks whether the directory is in use has the lock for an instant.
const ASKERS: Duration = Duration::from_millis(200);

/// Held as long as this lives.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Why the lock was not taken.
#[derive(Debug)]
pub enum Taken {
    /// Another process has it; its number, if it could be read.
    By(Option<u32>),
    /// The file could not be used.
    Unusable(io::Error),
}

impl Lock {
    /// Takes the lock and leaves this process's number in the file.
    pub fn take(directory: &Path) -> Result<Self, Taken> {
        let path = directory.join(FILE);
        let open = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path);
        let mut file = open.map_err(Taken::Unusable)?;
        let start = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if start.elapsed() < ASKERS => std::thread::sleep(Duration::from_millis(10)),
                Err(TryLockError::WouldBlock) => return Err(Taken::By(holder(&mut file))),
                Err(TryLockError::Error(error)) => return Err(Taken::Unusable(error)),
            }
        }
        let mut number = || {
            file.set_len(0)?;
            file.rewind()?;
            write!(file, "{}", std::process::id())
        };
        number().map_err(Taken::Unusable)?;
        Ok(Self { _file: file })
    }

    /// The process that holds the lock of a directory, if one does; its number may be unreadable.
    pub fn holder(directory: &Path) -> io::Result<Option<Option<u32>>> {
        let mut file = match File::open(directory.join(FILE)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(None),
            Err(TryLockError::WouldBlock) => Ok(Some(holder(&mut file))),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}
