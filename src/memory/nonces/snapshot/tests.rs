#![expect(clippy::arithmetic_side_effects, reason = "small numbers")]

use std::collections::BTreeSet;
use std::env;
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use proptest::prelude::*;

use super::*;
use crate::memory::MemoryNonces;
use crate::store::{AfterRestart, NonceClaim, NonceStore, NonceValue, NonceVerdict, StoreError};
use NonceVerdict::{BeforeMemory, Fresh, Repeated};

#[test]
fn what_was_saved_is_known_to_the_next_process() {
    let folder = Folder::new();
    let store = MemoryNonces::insecure_without_memory(NonceCapacity::default(), 300);
    for nonce in 0..100 {
        let secret_id = format!("AKID{}", nonce % 3);
        assert_eq!(claim(&store, 1000, &secret_id, 1000, nonce).unwrap(), Fresh);
    }
    assert_eq!(store.save(folder.file()).unwrap(), 100);
    let next = load(&folder, 300, 1200).unwrap().unwrap();
    assert_eq!(next.len(), 100);
    for nonce in 0..100 {
        let secret_id = format!("AKID{}", nonce % 3);
        assert_eq!(
            claim(&next, 1200, &secret_id, 1000, nonce).unwrap(),
            Repeated
        );
    }
    assert_eq!(claim(&next, 1200, "AKID0", 1000, 100).unwrap(), Fresh);
}

#[test]
fn it_is_loaded_once() {
    let folder = Folder::new();
    assert!(load(&folder, 300, 1000).unwrap().is_none());
    MemoryNonces::insecure_without_memory(NonceCapacity::default(), 300)
        .save(folder.file())
        .unwrap();
    assert!(load(&folder, 300, 1000).unwrap().is_some());
    assert!(folder.names().is_empty());
    assert!(load(&folder, 300, 1000).unwrap().is_none());
}

#[test]
fn of_many_threads_at_most_one_loads_it() {
    let folder = Folder::new();
    for _ in 0..if cfg!(miri) { 1 } else { 20 } {
        let store = MemoryNonces::insecure_without_memory(NonceCapacity::default(), 300);
        claim(&store, 1000, "AKID1", 1000, 7).unwrap();
        store.save(folder.file()).unwrap();
        let loaded = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| match load(&folder, 300, 1000) {
                    Ok(Some(_)) => {
                        loaded.fetch_add(1, Ordering::AcqRel);
                    }
                    Ok(None) => {}
                    Err(error) => assert!(
                        matches!(error.fault(), SnapshotFault::Unremovable(_)),
                        "{error}"
                    ),
                });
            }
        });
        assert_eq!(loaded.into_inner(), 1);
    }
}

/// What cannot be opened may be there: to go on as after a first start would forget it.
#[test]
fn a_file_that_cannot_be_opened_is_not_taken_for_none() {
    let folder = Folder::new();
    folder.small_snapshot();
    let below_a_file = folder.file().join("nonces");
    let now = UnixTime::from_seconds(1000);
    let error = MemoryNonces::load(below_a_file, NonceCapacity::default(), 300, now).unwrap_err();
    assert!(
        matches!(error.fault(), SnapshotFault::Unreadable(cause) if cause.kind() == io::ErrorKind::NotADirectory),
        "{error}"
    );
}

#[test]
fn what_stands_in_the_way_of_a_file_is_named() {
    let folder = Folder::new();
    let store = MemoryNonces::insecure_without_memory(NonceCapacity::default(), 300);
    fs::create_dir(folder.file().with_extension("partial")).unwrap();
    let error = store.save(folder.file()).unwrap_err();
    assert!(
        matches!(error.fault(), SnapshotFault::Unwritable(cause) if cause.kind() == io::ErrorKind::IsADirectory),
        "{error}"
    );
}

/// The name of a file alone is one in the present folder.
#[test]
fn the_folder_of_a_file_is_made_to_last() {
    sync_folder(Path::new("nonces")).unwrap();
    let nowhere = sync_folder(Path::new("/no/such/folder/nonces")).unwrap_err();
    assert_eq!(nowhere.kind(), io::ErrorKind::NotFound);
}

#[test]
fn callers_without_live_nonces_are_not_saved() {
    let store = MemoryNonces::insecure_without_memory(NonceCapacity::default(), 300);
    for nonce in 0..100 {
        let secret_id = format!("AKID{nonce}");
        assert_eq!(claim(&store, 1000, &secret_id, 1000, nonce).unwrap(), Fresh);
    }
    assert_eq!(claim(&store, 2000, "AKID1", 2000, 1).unwrap(), Fresh);
    let contents = store.table.close();
    assert_eq!(contents.tenants.len(), 1);
    assert_eq!(contents.nonces.iter().map(Vec::len).sum::<usize>(), 1);
}

#[test]
fn a_store_that_was_saved_takes_no_claims() {
    let folder = Folder::new();
    let store = MemoryNonces::insecure_without_memory(NonceCapacity::default(), 300);
    assert_eq!(claim(&store, 1000, "AKID1", 1000, 7).unwrap(), Fresh);
    store.save(folder.file()).unwrap();
    for nonce in [7, 8] {
        let error = claim(&store, 1000, "AKID1", 1000, nonce).unwrap_err();
        assert_eq!(
            error.source().unwrap().to_string(),
            "the nonce store was closed when its nonces were saved"
        );
    }
    assert_eq!(store.save(folder.file()).unwrap(), 1);
}

#[test]
#[cfg_attr(miri, ignore = "160,000 claims")]
fn what_is_claimed_while_it_is_saved_is_in_the_file_or_fails() {
    let folder = Folder::new();
    for round in 0..8 {
        let store = MemoryNonces::insecure_without_memory(NonceCapacity::default(), 300);
        let (fresh, saved) = thread::scope(|scope| {
            let threads: Vec<_> = (0..4_i64)
                .map(|thread| {
                    let store = &store;
                    scope.spawn(move || {
                        (0..5000)
                            // The clock runs, so that generations die meanwhile.
                            .map(|step| {
                                (1000 + step / 8, u64::try_from(step * 4 + thread).unwrap())
                            })
                            .take_while(|&(now, nonce)| {
                                claim(store, now, "AKID1", now, nonce).is_ok()
                            })
                            .collect::<Vec<_>>()
                    })
                })
                .collect();
            for _ in 0..round * 10 {
                thread::yield_now();
            }
            let saved = store.save(folder.file()).unwrap();
            let fresh = threads
                .into_iter()
                .flat_map(|thread| thread.join().unwrap());
            (fresh.collect::<Vec<_>>(), saved)
        });
        let last = fresh.iter().map(|&(now, _)| now).max().unwrap_or(1000);
        let next = load(&folder, 300, last).unwrap().unwrap();
        assert!(saved >= next.len());
        let mut known = 0;
        for (dated, nonce) in fresh {
            if dated + 300 >= last {
                known += 1;
                assert_eq!(claim(&next, last, "AKID1", dated, nonce).unwrap(), Repeated);
            }
        }
        assert!(next.len() >= known);
    }
}

#[test]
fn what_the_former_store_could_not_judge_the_next_one_cannot_either() {
    let folder = Folder::new();
    let started = UnixTime::from_seconds(1000);
    MemoryNonces::started_at(
        NonceCapacity::default(),
        300,
        started,
        AfterRestart::RefuseDatedBefore,
    )
    .save(folder.file())
    .unwrap();
    let next = load(&folder, 300, 1100).unwrap().unwrap();
    assert_eq!(claim(&next, 1100, "AKID1", 999, 7).unwrap(), BeforeMemory);
    assert_eq!(claim(&next, 1100, "AKID1", 1000, 7).unwrap(), Fresh);
}

#[test]
fn the_dead_are_left_behind() {
    // With a window of six seconds each generation is one second.
    let folder = Folder::new();
    let store = MemoryNonces::insecure_without_memory(NonceCapacity::default(), 6);
    assert_eq!(claim(&store, 1000, "DEAD", 1000, 1).unwrap(), Fresh);
    assert_eq!(claim(&store, 1000, "LIVE", 1001, 2).unwrap(), Fresh);
    assert_eq!(store.save(folder.file()).unwrap(), 2);
    let one = NonceCapacity::new(1, 1).unwrap();
    let next = load_into(&folder, one, 6, 1007).unwrap().unwrap();
    assert_eq!(next.len(), 1);
    assert_eq!(claim(&next, 1007, "LIVE", 1001, 2).unwrap(), Repeated);
    assert_eq!(claim(&next, 1008, "DEAD", 1008, 1).unwrap(), Fresh);

    let store = MemoryNonces::insecure_without_memory(NonceCapacity::default(), 6);
    assert_eq!(claim(&store, 1000, "DEAD", 1000, 1).unwrap(), Fresh);
    assert_eq!(claim(&store, 1007, "LIVE", 1007, 2).unwrap(), Fresh);
    assert_eq!(store.save(folder.file()).unwrap(), 1);
}

#[test]
fn a_clock_that_went_back_between_two_processes_cannot_tell() {
    let folder = Folder::new();
    let store = MemoryNonces::insecure_without_memory(NonceCapacity::default(), 6);
    assert_eq!(claim(&store, 1000, "AKID1", 1000, 7).unwrap(), Fresh);
    assert_eq!(claim(&store, 1010, "AKID1", 1010, 8).unwrap(), Fresh);
    store.save(folder.file()).unwrap();
    let next = load(&folder, 6, 1000).unwrap().unwrap();
    assert!(claim(&next, 1000, "AKID1", 1000, 7).is_err());
    assert_eq!(claim(&next, 1005, "AKID1", 1010, 8).unwrap(), Repeated);
}

#[test]
fn the_bytes_of_the_file() {
    let table = Table::new(NonceCapacity::default(), 300, HashKey(*b"0123456789abcdef"));
    for (timestamp, value) in [
        (Some(1_767_225_590), NonceValue::Number(11_886)),
        (None, NonceValue::Signature([7; 32])),
    ] {
        let now = UnixTime::from_seconds(1_767_225_600);
        let claim = NonceClaim::new("AKIDEXAMPLE", timestamp, value, now, 1_767_225_890);
        assert_eq!(table.claim(&claim).unwrap(), Fresh);
    }
    let bytes = encode(300, -1, &table.close());
    assert_eq!(bytes.len(), 184 + 2 * 8 + 72 + 32);
    assert_eq!(bytes[..16], *b"QCNONCES\x01\0\0\0\x2c\x01\0\0");
    assert_eq!(
        bytes[16..40],
        *b"0123456789abcdef\xff\xff\xff\xff\xff\xff\xff\xff"
    );
    // 1,767,225,600 seconds are 41,098,269 times 43 and some; the two expire seven generations later.
    assert_eq!(bytes[40..48], 41_098_269_i64.to_le_bytes());
    for generation in 0..16 {
        let count = &bytes[48 + 8 * generation..][..8];
        let expected = if generation == 7 { 2_u64 } else { 0 };
        assert_eq!(count, expected.to_le_bytes(), "{generation}");
    }
    assert_eq!(bytes[176..184], 1_u64.to_le_bytes());
    let hash = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
    assert_eq!(
        BTreeSet::from([hash(184), hash(192)]),
        BTreeSet::from([NUMBER, SIGNATURE])
    );
    assert_eq!(hash(200), SECRET_ID);
    for generation in 0..16 {
        let count = &bytes[208 + 4 * generation..][..4];
        let expected = if generation == 7 { 2_u32 } else { 0 };
        assert_eq!(count, expected.to_le_bytes(), "{generation}");
    }
}

/// SipHash-1-3 under the key `0123456789abcdef`, computed by another implementation: of the length and the SecretId, then
/// also of the timestamp and the nonce, or of the signature.
const SECRET_ID: u64 = 0xdb99_cb24_7435_e873;
const NUMBER: u64 = 0x6b6b_3a12_5d4b_b15e;
const SIGNATURE: u64 = 0xc819_655b_aff6_d356;

#[test]
#[cfg_attr(miri, ignore = "reads hundreds of files")]
fn a_file_with_a_changed_byte_is_refused() {
    let folder = Folder::new();
    let bytes = folder.small_snapshot();
    for position in 0..bytes.len() {
        for change in [0x01, 0x80, 0xff] {
            let mut damaged = bytes.clone();
            damaged[position] ^= change;
            let fault = decoded(&damaged).err().unwrap();
            let expected = match position {
                0..8 => matches!(fault, SnapshotFault::NotASnapshot),
                8..12 => matches!(fault, SnapshotFault::Format { .. }),
                48..184 => matches!(fault, SnapshotFault::Length { .. }),
                _ => matches!(fault, SnapshotFault::Checksum),
            };
            assert!(expected, "{position}: {fault}");
        }
    }
    assert!(decoded(&bytes).is_ok());
    // What is refused stays.
    for position in [0, 100, 200, bytes.len() - 1] {
        let mut damaged = bytes.clone();
        damaged[position] ^= 1;
        fs::write(folder.file(), &damaged).unwrap();
        assert!(load(&folder, 300, 1000).is_err());
        assert_eq!(fs::read(folder.file()).unwrap(), damaged);
    }
}

#[test]
#[cfg_attr(miri, ignore = "reads hundreds of files")]
fn a_file_of_another_length_is_refused() {
    let folder = Folder::new();
    let bytes = folder.small_snapshot();
    for length in (0..bytes.len()).chain([bytes.len() + 1, bytes.len() + 1000]) {
        let mut changed = bytes.clone();
        changed.resize(length, 0);
        let fault = decoded(&changed).err().unwrap();
        assert!(
            matches!(fault, SnapshotFault::Length { found, .. } if found == u64::try_from(length).unwrap()),
            "{length}: {fault}"
        );
    }
}

#[test]
fn the_errors_say_what_is_wrong_and_where() {
    let folder = Folder::new();
    let bytes = folder.small_snapshot();
    let loaded = |bytes: &[u8], capacity, window, now| {
        fs::write(folder.file(), bytes).unwrap();
        let error = load_into(&folder, capacity, window, now).unwrap_err();
        assert_eq!(error.path(), folder.file());
        error
            .to_string()
            .strip_prefix(&format!("{}: ", folder.file().display()))
            .unwrap()
            .to_owned()
    };
    let default = NonceCapacity::default();
    assert_eq!(
        loaded(&bytes[..400], default, 300, 1000),
        "the file of saved nonces is 400 bytes long and should have 472: it was cut off or is damaged"
    );
    assert_eq!(
        loaded(b"", default, 300, 1000),
        "the file of saved nonces is 0 bytes long and should have 216: it was cut off or is damaged"
    );
    assert_eq!(
        loaded(&[b' '; 472], default, 300, 1000),
        "the file does not hold saved nonces"
    );
    let mut later = bytes.clone();
    later[8] = 2;
    assert_eq!(
        loaded(&later, default, 300, 1000),
        "the nonces were saved in format 2, and only format 1 is known"
    );
    let mut damaged = bytes.clone();
    damaged[200] ^= 1;
    assert_eq!(
        loaded(&damaged, default, 300, 1000),
        "the checksum of the saved nonces does not fit: the file is damaged"
    );
    assert_eq!(
        loaded(&bytes, default, 600, 1000),
        "the nonces were saved under a window of 300 seconds, and the store has one of 600"
    );
    assert_eq!(
        loaded(&bytes, NonceCapacity::new(4, 4).unwrap(), 300, 1000),
        "there are 5 live nonces in the file, and the store has room for 4"
    );
    fs::remove_file(folder.file()).unwrap();
    fs::create_dir(folder.file()).unwrap();
    assert!(
        load(&folder, 300, 1000)
            .unwrap_err()
            .to_string()
            .contains(": the saved nonces cannot be read: ")
    );
    let store = MemoryNonces::insecure_without_memory(default, 300);
    let missing = folder.file().join("missing").join("nonces");
    let error = store.save(&missing).unwrap_err();
    assert!(matches!(error.fault(), SnapshotFault::Unwritable(_)));
    assert!(
        error
            .to_string()
            .contains("nonces: the nonces cannot be saved: ")
    );
    let unremovable = SnapshotFault::Unremovable(io::ErrorKind::PermissionDenied.into());
    assert_eq!(
        unremovable.to_string(),
        "the saved nonces are not used, because the file cannot be removed after it was read: permission denied"
    );
}

#[test]
fn contents_that_no_store_can_have_saved_are_refused() {
    let folder = Folder::new();
    let bytes = folder.small_snapshot();
    let refused = |change: fn(&mut Vec<u8>)| {
        let mut made = bytes.clone();
        change(&mut made);
        sum_anew(&mut made);
        fs::write(folder.file(), &made).unwrap();
        load(&folder, 300, 1000).unwrap_err().to_string()
    };
    let by_hand = "the checksum of the saved nonces fits, but no store can have saved them: the file was made by hand";
    // A nonce twice; a tenant twice; a tenant with a nonce more, or less; generations beyond the end of time.
    let changes: [fn(&mut Vec<u8>); 6] = [
        |file| file.copy_within(184..192, 192),
        |file| file.copy_within(224..232, 296),
        |file| file[232 + 4 * 7] += 1,
        |file| file[232 + 4 * 7] -= 1,
        |file| file[232 + 4 * 7 + 3] = 0xff,
        |file| file[40..48].copy_from_slice(&i64::MAX.to_le_bytes()),
    ];
    for change in changes {
        assert!(refused(change).ends_with(by_hand));
    }
    // More nonces than there are bytes in the world.
    let endless = refused(|file| file[48..56].copy_from_slice(&u64::MAX.to_le_bytes()));
    assert!(
        endless.contains("should have 18446744073709551615"),
        "{endless}"
    );
    let none = refused(|file| {
        let end = file.len() - 32;
        file.copy_within(224..end, 184);
        file.truncate(file.len() - 40);
        file[48 + 8 * 7] = 0;
        file[48 + 8 * 11] = 0;
    });
    assert!(none.ends_with(by_hand), "{none}");
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let mut partial = folder.file().into_os_string();
    partial.push(".partial");
    for name in [folder.file().as_os_str(), &partial] {
        fs::write(name, "from before").unwrap();
        fs::set_permissions(name, fs::Permissions::from_mode(0o644)).unwrap();
    }
    folder.small_snapshot();
    assert_eq!(folder.names(), ["nonces"]);
    let mode = fs::metadata(folder.file()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(load(&folder, 300, 1000).unwrap().is_some());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 1 } else { 32 }))]

    /// Whatever was claimed before and is claimed after, a store that was saved and loaded answers as one that went on.
    #[test]
    fn a_loaded_store_answers_as_one_that_went_on(
        (window, steps, restarts) in (
            prop_oneof![Just(6_u32), Just(30), Just(300)],
            prop::collection::vec((0..3_u8, 0..6_u64, -40..40_i64, any::<bool>(), 0..8_i64), 1..150),
            prop::collection::btree_set(0..150_usize, 0..4),
        )
    ) {
        let folder = Folder::new();
        let capacity = NonceCapacity::new(12, 5).unwrap();
        let on = MemoryNonces::insecure_without_memory(capacity, window);
        let mut restarted = MemoryNonces::insecure_without_memory(capacity, window);
        let mut now = 1_767_225_600;
        for (step, (caller, nonce, ahead, compared, pause)) in steps.into_iter().enumerate() {
            now += pause / 6 * i64::from(window) / 5 + pause % 2;
            if restarts.contains(&step) {
                restarted.save(folder.file()).unwrap();
                restarted = load_into(&folder, capacity, window, now).unwrap().unwrap();
            }
            let dated = now + ahead * i64::from(window) / 40;
            let secret_id = format!("AKID{caller}");
            let claim = NonceClaim::new(
                &secret_id,
                compared.then_some(dated),
                NonceValue::Number(nonce),
                UnixTime::from_seconds(now),
                dated + i64::from(window),
            );
            prop_assert_eq!(restarted.claim(&claim).ok(), on.claim(&claim).ok(), "step {}", step);
            prop_assert_eq!(restarted.len(), on.len());
        }
    }

    /// Arbitrary bytes under a valid checksum.
    #[test]
    fn no_file_can_panic_or_exhaust_memory(
        changes in prop::collection::vec((0..440_usize, any::<u8>()), 1..20),
        more in 0..200_usize,
    ) {
        let mut bytes = encode(300, 0, &small_store().table.close());
        bytes.resize(bytes.len() + more, 0);
        for (position, byte) in changes {
            bytes[position] = byte;
        }
        sum_anew(&mut bytes);
        if let Ok((contents, _)) = decoded(&bytes)
            && let Some(table) = Table::holding(NonceCapacity::default(), 300, contents)
        {
            table.advance(1000);
            prop_assert!(table.len() <= 5);
        }
    }
}

fn decoded(bytes: &[u8]) -> Result<(Contents, i64), SnapshotFault> {
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let now = UnixTime::from_seconds(1000);
    decode(bytes, length, NonceCapacity::default(), 300, now)
}

fn sum_anew(file: &mut [u8]) {
    let (contents, checksum) = file.split_at_mut(file.len() - 32);
    checksum.copy_from_slice(&Sha256::digest(contents));
}

fn claim(
    store: &MemoryNonces,
    now: i64,
    secret_id: &str,
    timestamp: i64,
    nonce: u64,
) -> Result<NonceVerdict, StoreError> {
    let window = i64::from(store.window_seconds);
    store.claim(&NonceClaim::new(
        secret_id,
        Some(timestamp),
        NonceValue::Number(nonce),
        UnixTime::from_seconds(now),
        timestamp + window,
    ))
}

fn load(folder: &Folder, window: u32, now: i64) -> Result<Option<MemoryNonces>, SnapshotError> {
    load_into(folder, NonceCapacity::default(), window, now)
}

fn load_into(
    folder: &Folder,
    capacity: NonceCapacity,
    window: u32,
    now: i64,
) -> Result<Option<MemoryNonces>, SnapshotError> {
    MemoryNonces::load(folder.file(), capacity, window, UnixTime::from_seconds(now))
}

/// A folder of its own for a test, which is removed with it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("qcloud-validator-{}-{number}", process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("nonces")
    }

    fn names(&self) -> Vec<String> {
        let names = fs::read_dir(&self.0).unwrap();
        names
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    fn small_snapshot(&self) -> Vec<u8> {
        small_store().save(self.file()).unwrap();
        fs::read(self.file()).unwrap()
    }
}

/// Five nonces of three SecretIds in two generations.
fn small_store() -> MemoryNonces {
    let store = MemoryNonces::insecure_without_memory(NonceCapacity::default(), 300);
    for (secret_id, timestamp, nonce) in [
        ("AKID1", 1000, 7),
        ("AKID1", 1000, 8),
        ("AKID2", 1000, 7),
        ("AKID3", 1000, 7),
        ("AKID1", 1200, 7),
    ] {
        assert_eq!(
            claim(&store, 1000, secret_id, timestamp, nonce).unwrap(),
            Fresh
        );
    }
    store
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
