//! Measures what recording costs: one append, and receipts under group commit.
//!
//! `cargo run --release -p sallyport-record --example append_cost [FOLDER]`; the folder decides the disk.

#![expect(clippy::print_stdout, reason = "it is run to be read")]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use sallyport_core::{Event, ResultDirection, SessionId, SystemClock, Timestamp};
use sallyport_record::{Need, RecordError, Recorder, RecorderSettings, SigningKey};

fn data(operation: u64) -> Event {
    Event::Data { direction: ResultDirection::ToCaller, operation }
}

fn session(number: u8) -> SessionId {
    SessionId::new(Timestamp::from_micros(1), [number; 10])
}

fn main() -> Result<(), RecordError> {
    let parent = std::env::args_os().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = parent.join("sallyport-append-cost");
    let settings = RecorderSettings { min_free_bytes: 0, ..RecorderSettings::new(&folder) };
    let recorder = Recorder::open(settings, SigningKey::from_bytes(&[1; 32]), Arc::new(SystemClock))?;
    for size in [64_usize, 512, 4096, 65_536] {
        let tape = recorder.begin(session(1));
        let payload = vec![1; size];
        let rounds = if size > 10_000 { 2_000_u32 } else { 50_000 };
        let start = Instant::now();
        for operation in 0..rounds {
            tape.append(&data(u64::from(operation)), &[&payload])?;
        }
        let micros = start.elapsed().as_secs_f64() * 1e6 / f64::from(rounds);
        println!("append {size:>6} bytes: {micros:.2} µs");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    for writers in [1_u8, 8, 32] {
        let rounds = 400_u32;
        let start = Instant::now();
        runtime.block_on(async {
            let mut tasks = tokio::task::JoinSet::new();
            for number in 0..writers {
                let tape = recorder.begin(session(10 + number));
                tasks.spawn(async move {
                    for operation in 0..rounds {
                        tape.append_and_wait(&data(u64::from(operation)), &[&[1; 512]], Need::Synced).await?;
                    }
                    Ok::<_, RecordError>(())
                });
            }
            while let Some(done) = tasks.join_next().await {
                done.map_err(|_| RecordError::Stopped)??;
            }
            Ok::<_, RecordError>(())
        })?;
        let seconds = start.elapsed().as_secs_f64();
        let total = f64::from(rounds) * f64::from(writers);
        println!(
            "synced receipts, {writers:>2} writers: {:.0} per second, {:.2} ms each",
            total / seconds,
            seconds * 1e3 / f64::from(rounds)
        );
    }
    drop(recorder);
    std::fs::remove_dir_all(folder)?;
    Ok(())
}
