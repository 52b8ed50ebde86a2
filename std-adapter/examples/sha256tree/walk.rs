//! The walk: every regular file below some paths, in an order that depends on the names alone.
//!
//! Depth first, and within a folder by the bytes of the names, a subfolder at its own name's
//! place. To sort a folder, its names must be known; so the walk remembers the names of the
//! folders between the root and the current one, and nothing else, however large the tree.

use std::ffi::{OsStr, OsString};
use std::fs::{self, FileType};
use std::io;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

/// Iterates over the files below the roots. Folders that cannot be read and entries that cannot
/// be looked at come out as failures, in their places.
pub(crate) struct Walk {
    /// Of the current entry: its root, and the names from there down to it.
    path: Vec<u8>,
    /// The folders that the path leads through, above them one that holds the roots.
    folders: Vec<Folder>,
}

/// What could not be looked at, and why.
pub(crate) type Failure = (Arc<Path>, io::Error);

impl Walk {
    pub(crate) fn new(roots: &[OsString]) -> Self {
        let mut top = Folder::new(0);
        for root in roots.iter().rev() {
            top.add(root, Kind::Unknown);
        }
        Self {
            path: Vec::new(),
            folders: vec![top],
        }
    }

    /// Moves on to the next entry, whatever it is.
    fn advance(&mut self) -> Option<Kind> {
        while let Some(folder) = self.folders.last_mut() {
            if let Some(entry) = folder.ahead.pop() {
                self.path.truncate(folder.prefix);
                self.path.extend_from_slice(&folder.names[entry.name]);
                return Some(entry.kind);
            }
            self.folders.pop();
        }
        None
    }

    /// Says whether the current entry is a file. If it is a folder, its entries come next.
    fn enter(&mut self, mut kind: Kind) -> io::Result<bool> {
        if let Kind::Unknown = kind {
            let metadata = fs::symlink_metadata(path(&self.path))?;
            kind = metadata.file_type().into();
        }
        if let Kind::Folder = kind {
            self.descend()?;
        }
        Ok(matches!(kind, Kind::File))
    }

    /// Reads the current folder. If that fails half-way, the entries found so far remain.
    fn descend(&mut self) -> io::Result<()> {
        let mut entries = fs::read_dir(path(&self.path))?;
        if !self.path.ends_with(b"/") {
            self.path.push(b'/');
        }
        let mut folder = Folder::new(self.path.len());
        let end = entries.try_for_each(|entry| {
            let entry = entry?;
            let kind = entry.file_type().map_or(Kind::Unknown, Kind::from);
            folder.add(&entry.file_name(), kind);
            Ok(())
        });
        folder.sort();
        self.folders.push(folder);
        end
    }
}

impl Iterator for Walk {
    type Item = Result<Arc<Path>, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let kind = self.advance()?;
            let len = self.path.len();
            match self.enter(kind) {
                Ok(true) => return Some(Ok(path(&self.path).into())),
                Ok(false) => {}
                Err(error) => return Some(Err((path(&self.path[..len]).into(), error))),
            }
        }
    }
}

fn path(bytes: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(bytes))
}

struct Folder {
    /// How much of the path is the folder itself, with its slash.
    prefix: usize,
    /// The names of its entries, one after the other: a single allocation for what may be a
    /// million of them.
    names: Vec<u8>,
    /// The entries that are still to come, the next one last.
    ahead: Vec<Entry>,
}

struct Entry {
    name: Range<usize>,
    kind: Kind,
}

impl Folder {
    fn new(prefix: usize) -> Self {
        Self {
            prefix,
            names: Vec::new(),
            ahead: Vec::new(),
        }
    }

    fn add(&mut self, name: &OsStr, kind: Kind) {
        let start = self.names.len();
        self.names.extend_from_slice(name.as_bytes());
        let name = start..self.names.len();
        self.ahead.push(Entry { name, kind });
    }

    fn sort(&mut self) {
        let name = |entry: &Entry| &self.names[entry.name.clone()];
        self.ahead.sort_unstable_by(|a, b| name(b).cmp(name(a)));
    }
}

#[derive(Clone, Copy)]
enum Kind {
    File,
    Folder,
    /// Symbolic links, too, whatever they point to.
    Other,
    /// Not looked at yet.
    Unknown,
}

impl From<FileType> for Kind {
    fn from(file_type: FileType) -> Self {
        if file_type.is_file() {
            Self::File
        } else if file_type.is_dir() {
            Self::Folder
        } else {
            Self::Other
        }
    }
}
