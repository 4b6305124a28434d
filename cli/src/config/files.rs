//! Files that a configuration names: each is read as a whole, and its contents are remembered as a hash, so that a later
//! look finds whether there is anything to read again.

use std::collections::BTreeMap;
#[cfg(feature = "serve")]
use std::collections::BTreeSet;
use std::collections::hash_map::DefaultHasher;
use std::fs::{self, File};
use std::hash::Hasher;
use std::io::{self, Read};
#[cfg(feature = "serve")]
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use zeroize::Zeroizing;

/// The most bytes of one file. A hundred thousand keys, each with an account and rules, take about half of it.
const LONGEST: u64 = 64 << 20;

/// Reads files, and remembers which.
pub(crate) struct Files {
    /// Where those are whose names are relative.
    folder: PathBuf,
    kinds: Kinds,
    seen: Look,
    /// Secrets that every user of the machine may read.
    #[cfg(feature = "serve")]
    exposed: BTreeSet<PathBuf>,
    /// Whether the file that names the others holds a secret itself.
    #[cfg(feature = "serve")]
    secret_inline: bool,
    reading: Reading,
}

/// What may be read.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Kinds {
    /// Whatever can be opened, a pipe too: it is read once.
    Any,
    /// Regular files alone: anything else may hold other bytes, or none, when it is read again.
    Regular,
}

/// What files held at one time.
pub(crate) type Look = BTreeMap<PathBuf, Contents>;

/// What one file held.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Contents {
    Hash(u64),
    Unreadable(io::ErrorKind),
}

/// The file that is being read, for those who wait and want to say for what.
#[derive(Clone, Default)]
pub(crate) struct Reading(Arc<Mutex<Option<PathBuf>>>);

impl Files {
    /// Nothing read yet.
    pub(crate) fn new(folder: &Path, kinds: Kinds, reading: Reading) -> Self {
        Self {
            folder: folder.to_owned(),
            kinds,
            seen: Look::new(),
            #[cfg(feature = "serve")]
            exposed: BTreeSet::new(),
            #[cfg(feature = "serve")]
            secret_inline: false,
            reading,
        }
    }

    /// Returns where the file is that a configuration calls `name`.
    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.join(name)
    }

    /// Returns the text of a file.
    pub(crate) fn text(&mut self, path: &Path) -> io::Result<Zeroizing<String>> {
        let mut bytes = self.bytes(path)?;
        // Neither a copy nor the bytes themselves are left behind.
        match String::from_utf8(std::mem::take(&mut *bytes)) {
            Ok(text) => Ok(Zeroizing::new(text)),
            Err(error) => {
                drop(Zeroizing::new(error.into_bytes()));
                let message = "it is not UTF-8";
                Err(io::Error::new(io::ErrorKind::InvalidData, message))
            }
        }
    }

    /// Returns the text of a file that holds a secret.
    pub(crate) fn secret(&mut self, path: &Path) -> io::Result<Zeroizing<String>> {
        #[cfg(feature = "serve")]
        self.holds_secret(path);
        self.text(path)
    }

    /// Notes that a secret stands in the file that names the others.
    pub(crate) fn found_secret_inline(&mut self) {
        #[cfg(feature = "serve")]
        {
            self.secret_inline = true;
        }
    }

    /// Returns the bytes of a file.
    pub(crate) fn bytes(&mut self, path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
        let read = self.reading.during(path, || read(path, self.kinds));
        // Of a file that changes between two reads the first counts, so that the next look finds a difference.
        let seen = self.seen.entry(path.to_owned());
        seen.or_insert_with(|| Contents::of(&read));
        read
    }
}

/// What a gateway asks later.
#[cfg(feature = "serve")]
impl Files {
    /// The file that is being read, if any.
    pub(crate) fn reading(&self) -> Reading {
        self.reading.clone()
    }

    /// The secrets that every user of the machine may read.
    pub(crate) fn exposed(&self) -> &BTreeSet<PathBuf> {
        &self.exposed
    }

    /// Notes the file that names the others, if it holds a secret.
    pub(crate) fn names_others(&mut self, path: &Path) {
        if self.secret_inline {
            self.holds_secret(path);
        }
    }

    /// Notes that a file holds a secret.
    pub(crate) fn holds_secret(&mut self, path: &Path) {
        const OTHERS_READ: u32 = 0o004;
        let mode = fs::metadata(path).map(|metadata| metadata.permissions().mode());
        if mode.is_ok_and(|mode| mode & OTHERS_READ != 0) {
            self.exposed.insert(path.to_owned());
        }
    }

    /// What was read, and what it held.
    pub(crate) fn seen(&self) -> &Look {
        &self.seen
    }

    /// Returns what the same files hold now.
    pub(crate) fn look(&self) -> Look {
        let contents = |path: &PathBuf| {
            let read = self.reading.during(path, || read(path, self.kinds));
            (path.clone(), Contents::of(&read))
        };
        self.seen.keys().map(contents).collect()
    }
}

impl Contents {
    fn of(read: &io::Result<Zeroizing<Vec<u8>>>) -> Self {
        match read {
            Ok(bytes) => {
                let mut hasher = DefaultHasher::new();
                hasher.write(bytes);
                Self::Hash(hasher.finish())
            }
            Err(error) => Self::Unreadable(error.kind()),
        }
    }
}

impl Reading {
    #[cfg(feature = "serve")]
    pub(crate) fn get(&self) -> Option<PathBuf> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn during<R>(&self, path: &Path, read: impl FnOnce() -> R) -> R {
        self.set(Some(path.to_owned()));
        let read = read();
        self.set(None);
        read
    }

    fn set(&self, path: Option<PathBuf>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = path;
    }
}

fn read(path: &Path, kinds: Kinds) -> io::Result<Zeroizing<Vec<u8>>> {
    let metadata = fs::metadata(path)?;
    if kinds == Kinds::Regular && !metadata.is_file() {
        // To open a pipe would wait for somebody to write to it.
        let message = "it is not a regular file";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    // Room for all of it from the start: bytes that move leave a copy behind.
    let room = metadata.len().min(LONGEST).saturating_add(1);
    let room = usize::try_from(room).unwrap_or_default();
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    let read = File::open(path)?
        .take(LONGEST.saturating_add(1))
        .read_to_end(&mut bytes)?;
    if u64::try_from(read).is_ok_and(|read| read > LONGEST) {
        let message = format!("it is longer than {LONGEST} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    Ok(bytes)
}
