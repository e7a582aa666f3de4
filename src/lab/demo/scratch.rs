//! A directory of the demo's own.

use std::{
    fs::DirBuilder,
    hash::{BuildHasher as _, Hasher as _, RandomState},
    io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

/// A random number, by the standard library's only source of randomness: the keys of its hash maps.
pub(super) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// A directory that is removed with all that is in it, unless it is kept.
#[derive(Debug)]
pub(super) struct Scratch {
    path: PathBuf,
    fate: Fate,
}

#[derive(Debug, Clone, Copy)]
enum Fate {
    Removed,
    Kept,
}

impl Scratch {
    /// Makes one that nobody else can read, among the temporary files.
    pub(super) fn new() -> io::Result<Self> {
        let path = std::env::temp_dir().join(format!("gapless-demo-{:016x}", random()));
        DirBuilder::new().mode(0o700).create(&path)?; // fails if it exists: nobody can put one in our way
        Ok(Self { path, fate: Fate::Removed })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// It stays.
    pub(super) fn keep(&mut self) {
        self.fate = Fate::Kept;
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Fate::Removed = self.fate {
            let _ = std::fs::remove_dir_all(&self.path); // nobody is left to be told
        }
    }
}
