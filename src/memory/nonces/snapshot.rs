//! Decides what outlives the process: the file in which one store hands its nonces to the next, all of them or none.
//!
//! All numbers are in little-endian order.
//!
//! | Bytes | What |
//! |---|---|
//! | 8 | `QCNONCES` |
//! | 4 | the format, 1 |
//! | 4 | the window in seconds |
//! | 16 | the hash key |
//! | 8 | the second of expiry from which on the store remembers |
//! | 8 | the oldest generation |
//! | 16 × 8 | how many nonces there are in each generation |
//! | 8 | how many tenants there are |
//! | 8 each | the hashes of the nonces, by generation |
//! | 8 + 16 × 4 each | the hash of a tenant, and how many nonces it claimed in each generation |
//! | 32 | the SHA-256 of all that comes before |

use std::error::Error;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::capacity::NonceCapacity;
use super::keys::HashKey;
use super::table::{Contents, Table, generation_at, generations, span};
use crate::clock::UnixTime;

const MAGIC: [u8; 8] = *b"QCNONCES";
const FORMAT: u32 = 1;
const HEADER: u64 = 184;
const NONCE: u64 = 8;
const TENANT: u64 = 72;
const CHECKSUM: u64 = 32;

/// The nonces of a [`MemoryNonces`](crate::memory::MemoryNonces) were not saved, or not loaded. Printed, it is one line that
/// names the file and the whole cause.
#[derive(Debug)]
pub struct SnapshotError {
    path: PathBuf,
    fault: SnapshotFault,
}

impl SnapshotError {
    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is wrong with it.
    #[must_use]
    pub fn fault(&self) -> &SnapshotFault {
        &self.fault
    }
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.fault)
    }
}

impl Error for SnapshotError {}

/// What is wrong with a file of saved nonces.
#[derive(Debug)]
#[non_exhaustive]
pub enum SnapshotFault {
    /// It cannot be written.
    Unwritable(io::Error),
    /// It cannot be read.
    Unreadable(io::Error),
    /// It was read and cannot be removed. It could be loaded again later, when it is out of date, so it is not used.
    Unremovable(io::Error),
    /// It does not begin as a file of saved nonces does.
    NotASnapshot,
    /// It was saved by a version with another format.
    Format {
        /// The format of the file.
        found: u32,
    },
    /// It is shorter or longer than it says.
    Length {
        /// Its length in bytes.
        found: u64,
        /// What its length should be, as far as can be told.
        expected: u64,
    },
    /// Its checksum does not fit.
    Checksum,
    /// It was saved by a store with another window, under which other nonces were live.
    Window {
        /// The window of the file, in seconds.
        found: u32,
        /// The window of the store, in seconds.
        expected: u32,
    },
    /// It holds more than the store may.
    Capacity {
        /// How many live nonces it holds.
        live: u64,
        /// How many the store may hold.
        total: usize,
    },
    /// Its checksum is right, but no store can have saved it.
    Contents,
}

impl fmt::Display for SnapshotFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unwritable(cause) => write!(f, "the nonces cannot be saved: {cause}"),
            Self::Unreadable(cause) => write!(f, "the saved nonces cannot be read: {cause}"),
            Self::Unremovable(cause) => write!(
                f,
                "the saved nonces are not used, because the file cannot be removed after it was read: {cause}"
            ),
            Self::NotASnapshot => f.write_str("the file does not hold saved nonces"),
            Self::Format { found } => write!(
                f,
                "the nonces were saved in format {found}, and only format {FORMAT} is known"
            ),
            Self::Length { found, expected } => write!(
                f,
                "the file of saved nonces is {found} bytes long and should have {expected}: it was cut off or is damaged"
            ),
            Self::Checksum => {
                f.write_str("the checksum of the saved nonces does not fit: the file is damaged")
            }
            Self::Window { found, expected } => write!(
                f,
                "the nonces were saved under a window of {found} seconds, and the store has one of {expected}"
            ),
            Self::Capacity { live, total } => write!(
                f,
                "there are {live} live nonces in the file, and the store has room for {total}"
            ),
            Self::Contents => f.write_str(
                "the checksum of the saved nonces fits, but no store can have saved them: the file was made by hand",
            ),
        }
    }
}

/// Writes a file that appears complete or not at all. How many nonces it holds.
pub(super) fn save(
    path: &Path,
    window_seconds: u32,
    remembers_from: i64,
    contents: &Contents,
) -> Result<usize, SnapshotError> {
    let bytes = encode(window_seconds, remembers_from, contents);
    match replace(path, &bytes) {
        Ok(()) => Ok(contents.nonces.iter().map(Vec::len).sum()),
        Err(cause) => Err(SnapshotError {
            path: path.to_owned(),
            fault: SnapshotFault::Unwritable(cause),
        }),
    }
}

/// Reads a file and removes it; none if there is none. With the table comes the second from which on it remembers.
pub(super) fn load(
    path: &Path,
    capacity: NonceCapacity,
    window_seconds: u32,
    now: UnixTime,
) -> Result<Option<(Table, i64)>, SnapshotError> {
    let loaded = read(path, capacity, window_seconds, now);
    loaded.map_err(|fault| SnapshotError {
        path: path.to_owned(),
        fault,
    })
}

fn encode(window_seconds: u32, remembers_from: i64, contents: &Contents) -> Vec<u8> {
    let mut bytes = Vec::new();
    let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX).to_le_bytes();
    bytes.extend(MAGIC);
    bytes.extend(FORMAT.to_le_bytes());
    bytes.extend(window_seconds.to_le_bytes());
    bytes.extend(contents.key.0);
    bytes.extend(remembers_from.to_le_bytes());
    bytes.extend(contents.first.to_le_bytes());
    for hashes in &contents.nonces {
        bytes.extend(count(hashes.len()));
    }
    bytes.extend(count(contents.tenants.len()));
    for hash in contents.nonces.iter().flatten() {
        bytes.extend(hash.to_le_bytes());
    }
    for (hash, counts) in &contents.tenants {
        bytes.extend(hash.to_le_bytes());
        for count in counts {
            bytes.extend(count.to_le_bytes());
        }
    }
    let checksum = Sha256::digest(&bytes);
    bytes.extend(checksum);
    bytes
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    // One that is left over from a crash may be readable by others.
    match fs::remove_file(&partial) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(cause),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&partial)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&partial, path)?;
    sync_folder(path)
}

fn read(
    path: &Path,
    capacity: NonceCapacity,
    window_seconds: u32,
    now: UnixTime,
) -> Result<Option<(Table, i64)>, SnapshotFault> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(SnapshotFault::Unreadable(cause)),
    };
    let length = file.metadata().map_err(SnapshotFault::Unreadable)?.len();
    let saved = decode(BufReader::new(file), length, capacity, window_seconds, now)?;
    let (contents, remembers_from) = saved;
    let table =
        Table::holding(capacity, window_seconds, contents).ok_or(SnapshotFault::Contents)?;
    table.advance(now.seconds());
    // Of several processes that read it, only one can remove it. After a power failure it must not be there again.
    fs::remove_file(path)
        .and_then(|()| sync_folder(path))
        .map_err(SnapshotFault::Unremovable)?;
    Ok(Some((table, remembers_from)))
}

/// Takes nothing from the file for granted: what it says about counts only bounds how far it is read.
fn decode(
    file: impl Read,
    length: u64,
    capacity: NonceCapacity,
    window_seconds: u32,
    now: UnixTime,
) -> Result<(Contents, i64), SnapshotFault> {
    let shortest = HEADER.saturating_add(CHECKSUM);
    if length < shortest {
        return Err(SnapshotFault::Length {
            found: length,
            expected: shortest,
        });
    }
    let mut file = Summed {
        file,
        sum: Sha256::new(),
    };
    if file.next::<8>()? != MAGIC {
        return Err(SnapshotFault::NotASnapshot);
    }
    let found = u32::from_le_bytes(file.next()?);
    if found != FORMAT {
        return Err(SnapshotFault::Format { found });
    }
    let window = u32::from_le_bytes(file.next()?);
    let key = HashKey(file.next()?);
    let remembers_from = i64::from_le_bytes(file.next()?);
    let first = i64::from_le_bytes(file.next()?);
    let mut counts = [0; 16];
    for count in &mut counts {
        *count = u64::from_le_bytes(file.next()?);
    }
    let tenant_count = u64::from_le_bytes(file.next()?);
    let expected = length_of(&counts, tenant_count);
    if length != expected {
        return Err(SnapshotFault::Length {
            found: length,
            expected,
        });
    }

    // Dead generations are read for the checksum only, and what there is no room for is counted only.
    let first_live = generation_at(now.seconds(), span(window));
    let alive = generations(first).map(|at| at >= first_live);
    let mut live = 0_u64;
    let room = u64::try_from(capacity.total()).unwrap_or(u64::MAX);
    let mut nonces: [Vec<u64>; 16] = Default::default();
    for ((&count, hashes), &alive) in counts.iter().zip(&mut nonces).zip(&alive) {
        for _ in 0..count {
            let hash = u64::from_le_bytes(file.next()?);
            if alive {
                live = live.saturating_add(1);
                if live <= room {
                    hashes.push(hash);
                }
            }
        }
    }
    let mut tenants = Vec::new();
    let mut tenants_live = 0_u64;
    for _ in 0..tenant_count {
        let hash = u64::from_le_bytes(file.next()?);
        let mut counts = [0; 16];
        for (count, &alive) in counts.iter_mut().zip(&alive) {
            let claimed = u32::from_le_bytes(file.next()?);
            *count = if alive { claimed } else { 0 };
        }
        if counts.iter().any(|&count| count > 0) {
            tenants_live = tenants_live.saturating_add(1);
            // Each has a nonce, so a file with more tenants than nonces is refused below.
            if tenants_live <= live.min(room) {
                tenants.push((hash, counts));
            }
        }
    }
    let sum = file.sum.finalize();
    let mut checksum = [0; 32];
    file.file
        .read_exact(&mut checksum)
        .map_err(SnapshotFault::Unreadable)?;
    if sum.as_slice() != checksum {
        return Err(SnapshotFault::Checksum);
    }
    if window != window_seconds {
        return Err(SnapshotFault::Window {
            found: window,
            expected: window_seconds,
        });
    }
    if live > room {
        return Err(SnapshotFault::Capacity {
            live,
            total: capacity.total(),
        });
    }
    if tenants_live > live {
        return Err(SnapshotFault::Contents);
    }
    let contents = Contents {
        key,
        first,
        nonces,
        tenants,
    };
    Ok((contents, remembers_from))
}

fn length_of(nonces: &[u64; 16], tenants: u64) -> u64 {
    nonces
        .iter()
        .map(|count| count.saturating_mul(NONCE))
        .fold(tenants.saturating_mul(TENANT), u64::saturating_add)
        .saturating_add(HEADER)
        .saturating_add(CHECKSUM)
}

/// Keeps the sum of what was read.
struct Summed<R> {
    file: R,
    sum: Sha256,
}

impl<R: Read> Summed<R> {
    fn next<const N: usize>(&mut self) -> Result<[u8; N], SnapshotFault> {
        let mut bytes = [0; N];
        self.file
            .read_exact(&mut bytes)
            .map_err(SnapshotFault::Unreadable)?;
        self.sum.update(bytes);
        Ok(bytes)
    }
}

/// Makes a new or removed name last. Other systems than Unix do not sync folders.
fn sync_folder(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        let folder = match path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        File::open(folder)?.sync_all()?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

#[cfg(test)]
mod tests;
