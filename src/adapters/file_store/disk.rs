//! The few things that a state directory does to its disk, so that a test can cut the power between any two of them.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

/// One directory of a disk. Names are plain file names.
pub trait Disk {
    /// The whole content; `None` if there is no such file.
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>>;
    /// Makes the file, or empties it, and writes this.
    fn write(&mut self, name: &str, bytes: &[u8]) -> io::Result<()>;
    /// Cuts the file off at `at` and writes this there.
    fn append(&mut self, name: &str, at: u64, bytes: &[u8]) -> io::Result<()>;
    /// The content is on the disk when this returns.
    fn sync(&mut self, name: &str) -> io::Result<()>;
    /// Takes the place of another file, at once or not at all.
    fn rename(&mut self, from: &str, to: &str) -> io::Result<()>;
    /// New files and names are on the disk when this returns.
    fn sync_names(&mut self) -> io::Result<()>;

    /// Replaces a whole file: whatever happens, the old or the new content is there.
    fn replace(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let draft = format!("{name}.new");
        self.write(&draft, bytes)?;
        self.sync(&draft)?;
        self.rename(&draft, name)?;
        self.sync_names()
    }
}

/// A directory of the machine.
#[derive(Debug, Clone)]
pub struct Directory(PathBuf);

impl Directory {
    /// This directory, which exists.
    pub fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }
    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
    /// What went wrong, with the file that it went wrong with.
    fn named(&self, name: &str, error: &io::Error) -> io::Error {
        io::Error::new(error.kind(), format!("{}: {error}", self.path(name).display()))
    }
}

impl Disk for Directory {
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        match fs::read(self.path(name)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.named(name, &error)),
        }
    }
    fn write(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        fs::write(self.path(name), bytes).map_err(|error| self.named(name, &error))
    }
    fn append(&mut self, name: &str, at: u64, bytes: &[u8]) -> io::Result<()> {
        let append = || {
            let mut file = OpenOptions::new().append(true).open(self.path(name))?;
            file.set_len(at)?;
            file.write_all(bytes)
        };
        append().map_err(|error| self.named(name, &error))
    }
    fn sync(&mut self, name: &str) -> io::Result<()> {
        // `fdatasync` takes the new length along, which is all of the rest that matters.
        File::open(self.path(name)).and_then(|file| file.sync_data()).map_err(|error| self.named(name, &error))
    }
    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path(from), self.path(to)).map_err(|error| self.named(to, &error))
    }
    fn sync_names(&mut self) -> io::Result<()> {
        File::open(&self.0).and_then(|directory| directory.sync_all()).map_err(|error| self.named(".", &error))
    }
}
