//! Measures what recording costs: one append, and receipts under group commit against what the same
//! disk gives a program that does nothing but group commit, in the same run.
//!
//! `cargo run --release -p sallyport-record --example recording [FOLDER]`; the folder decides the disk.

#![expect(clippy::print_stdout, reason = "it is run to be read")]

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use sallyport_core::{
    Decision, Digest, Event, Facts, Language, OperationKind, ResultDirection, SessionId, SystemClock,
    Timestamp, UnknownCode,
};
use sallyport_record::{Durability, KeyFiles, Need, RecordError, Recorder, RecorderSettings, SigningKey};

/// Operations of each writer in a round.
const ROUNDS: u32 = 400;
/// Bytes of an operation's text and of an entry of the raw measurement.
const TEXT: usize = 200;
const RAW: usize = 512;

fn session(number: u8) -> SessionId {
    SessionId::new(Timestamp::from_micros(1), [number; 10])
}

fn intent(operation: u64, facts: &Arc<Facts>, decision: &Arc<Decision>) -> Event {
    Event::Intent {
        operation,
        kind: OperationKind::Execute,
        text_length: TEXT,
        withheld: Vec::new(),
        parameters: Vec::new(),
        digest: Digest::from_bytes([7; 32]),
        facts: Arc::clone(facts),
        decision: Arc::clone(decision),
        approval: None,
        approved_by: Vec::new(),
    }
}

fn facts(number: u64) -> Arc<Facts> {
    Arc::new(Facts::unknown(Language::Postgres, UnknownCode::Dynamic, format!("{number:0>300}")))
}

fn open(folder: &Path, encrypted: bool, durability: Durability) -> Result<Recorder, RecordError> {
    let mut settings =
        RecorderSettings { min_free_bytes: 0, durability, ..RecorderSettings::new(folder.join("log")) };
    if encrypted {
        let keys = KeyFiles::in_folder(folder.join("keys"));
        keys.make_first()?;
        settings.wrapping = Some(Arc::new(keys));
    }
    Recorder::open(settings, SigningKey::from_bytes(&[1; 32]), Arc::new(SystemClock))
}

/// CPU and time of one append, by what is appended.
fn appends(folder: &Path) -> Result<(), RecordError> {
    let decision = Arc::new(Decision::deny("rule", Some("a reason of some length"), "0123456789ab"));
    let (same, text) = (facts(0), [b'x'; TEXT]);
    for encrypted in [false, true] {
        let recorder = open(folder, encrypted, Durability::Os)?;
        let how = if encrypted { "encrypted" } else { "clear" };
        let tape = recorder.begin(session(1));
        let measure = |name: &str, rounds: u32, one: &mut dyn FnMut(u64) -> Result<(), RecordError>| {
            let start = Instant::now();
            for operation in 0..rounds {
                one(u64::from(operation))?;
            }
            let micros = start.elapsed().as_secs_f64() * 1e6 / f64::from(rounds);
            println!("append, {how:>9}: {name:<34} {micros:>7.2} µs");
            Ok::<_, RecordError>(())
        };
        measure("intent, facts seen before", 50_000, &mut |operation| {
            tape.append(&intent(operation, &same, &decision), &[&text]).map(drop)
        })?;
        measure("intent, new facts", 50_000, &mut |operation| {
            tape.append(&intent(operation, &facts(operation), &decision), &[&text]).map(drop)
        })?;
        measure("outcome", 50_000, &mut |operation| {
            let (rows, bytes, masked, duration_us, error) = (1, 100, 0, 400, None);
            tape.append(&Event::Outcome { operation, rows, bytes, masked, duration_us, error }, &[]).map(drop)
        })?;
        for size in [512_usize, 4096, 65_536] {
            let payload = vec![1; size];
            measure(
                &format!("result of {size} bytes"),
                if size > 10_000 { 2_000 } else { 20_000 },
                &mut |operation| {
                    let direction = ResultDirection::ToCaller;
                    tape.append(&Event::Data { direction, operation }, &[&payload]).map(drop)
                },
            )?;
        }
        drop((tape, recorder));
        std::fs::remove_dir_all(folder)?;
    }
    Ok(())
}

fn report(name: &str, writers: u8, start: Instant, mut waits: Vec<Duration>) -> f64 {
    let per_second = f64::from(ROUNDS) * f64::from(writers) / start.elapsed().as_secs_f64();
    waits.sort();
    let at = |share: usize| waits.get(waits.len() * share / 100).map_or(0.0, |wait| wait.as_secs_f64() * 1e3);
    println!(
        "{name:<24} {writers:>2} writers {per_second:>8.0} /s   p50 {:>6.3} ms   p99 {:>6.3} ms",
        at(50),
        at(99)
    );
    per_second
}

fn receipts(folder: &Path, durability: Durability, writers: u8) -> Result<f64, RecordError> {
    let recorder = open(folder, true, durability)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let start = Instant::now();
    let waits = runtime.block_on(async {
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..writers {
            let tape = recorder.begin(session(number));
            tasks.spawn(async move {
                let (facts, decision) = (facts(0), Arc::new(Decision::deny("rule", None, "0123456789ab")));
                let mut waits = Vec::new();
                for operation in 0..ROUNDS {
                    let one = Instant::now();
                    let event = intent(u64::from(operation), &facts, &decision);
                    tape.append_and_wait(&event, &[&[b'x'; TEXT]], Need::Synced).await?;
                    waits.push(one.elapsed());
                }
                Ok::<_, RecordError>(waits)
            });
        }
        let mut waits = Vec::new();
        while let Some(done) = tasks.join_next().await {
            waits.extend(done.map_err(|_| RecordError::Stopped)??);
        }
        Ok::<_, RecordError>(waits)
    })?;
    let name = if durability == Durability::Disk { "recorded, disk" } else { "recorded, os" };
    let rate = report(name, writers, start, waits);
    drop(recorder);
    std::fs::remove_dir_all(folder)?;
    Ok(rate)
}

/// What is written and what is durable, of a program that does nothing else.
#[derive(Debug, Default)]
struct Raw {
    synced: Mutex<u64>,
    rang: Condvar,
    wanted: Condvar,
    end: AtomicU64,
}

/// Group commit and nothing else: threads write to one preallocated file, one thread syncs for all.
fn raw(folder: &Path, writers: u8) -> Result<f64, RecordError> {
    std::fs::create_dir_all(folder)?;
    let file = OpenOptions::new().write(true).create(true).truncate(true).open(folder.join("raw"))?;
    let room = u64::from(ROUNDS) * u64::from(writers) * u64::try_from(RAW).unwrap_or(0);
    rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, room)
        .map_err(std::io::Error::from)?;
    let (file, raw): (Arc<File>, Arc<Raw>) = (Arc::new(file), Arc::new(Raw::default()));
    let start = Instant::now();
    let syncing = {
        let (file, raw) = (Arc::clone(&file), Arc::clone(&raw));
        std::thread::spawn(move || -> std::io::Result<()> {
            let lock = || raw.synced.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            while *lock() < room {
                let end = raw.end.load(Ordering::SeqCst);
                if end == *lock() {
                    drop(raw.wanted.wait_timeout(lock(), Duration::from_micros(200)));
                    continue;
                }
                rustix::fs::fdatasync(&file)?;
                *lock() = end;
                raw.rang.notify_all();
            }
            Ok(())
        })
    };
    let writing: Vec<_> = (0..writers)
        .map(|_| {
            let (file, raw) = (Arc::clone(&file), Arc::clone(&raw));
            std::thread::spawn(move || -> std::io::Result<Vec<Duration>> {
                let mut waits = Vec::new();
                for _ in 0..ROUNDS {
                    let one = Instant::now();
                    // The next place is taken and filled as one: a sync must not pass over a hole.
                    let end = {
                        let synced = raw.synced.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                        let at = raw.end.load(Ordering::SeqCst);
                        file.write_all_at(&[7; RAW], at)?;
                        drop(synced);
                        raw.end.fetch_add(u64::try_from(RAW).unwrap_or(0), Ordering::SeqCst)
                            + u64::try_from(RAW).unwrap_or(0)
                    };
                    raw.wanted.notify_one();
                    let synced = raw.synced.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                    drop(raw.rang.wait_while(synced, |synced| *synced < end));
                    waits.push(one.elapsed());
                }
                Ok(waits)
            })
        })
        .collect();
    let mut waits = Vec::new();
    for thread in writing {
        waits.extend(thread.join().map_err(|_| RecordError::Stopped)??);
    }
    syncing.join().map_err(|_| RecordError::Stopped)??;
    let rate = report("group commit alone", writers, start, waits);
    std::fs::remove_dir_all(folder)?;
    Ok(rate)
}

fn main() -> Result<(), RecordError> {
    let parent = std::env::args_os().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = parent.join("sallyport-recording");
    appends(&folder)?;
    for writers in [1, 8, 32] {
        let alone = raw(&folder, writers)?;
        let disk = receipts(&folder, Durability::Disk, writers)?;
        receipts(&folder, Durability::Os, writers)?;
        println!("{:>24} {writers:>2} writers: {:.2} of group commit alone", "recorded, disk:", disk / alone);
    }
    Ok(())
}
