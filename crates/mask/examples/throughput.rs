//! How fast detectors read: the texts of a file of JSON lines in one thread, once, and over and over, where what was
//! found in a cell before is remembered.
//!
//! `cargo run --release -p sallyport-mask --example throughput -- cells.jsonl [seconds]`

use std::io::{self, BufRead, Write};
use std::time::{Duration, Instant};

use sallyport_mask::{FieldContext, detect};

/// Seconds that this thread has run, where the system says so; else those that have passed.
fn ran(begun: Instant) -> f64 {
    std::fs::read_to_string("/proc/thread-self/schedstat")
        .ok()
        .and_then(|text| text.split(' ').next()?.parse::<f64>().ok())
        .map_or(begun.elapsed().as_secs_f64(), |nanoseconds| nanoseconds / 1e9)
}

fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().unwrap_or_default();
    let seconds = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(3);
    let mut cells: Vec<(String, String)> = Vec::new();
    for line in io::BufReader::new(std::fs::File::open(path)?).lines() {
        let cell: serde_json::Value = serde_json::from_str(&line?)?;
        let text = |key: &str| cell.get(key).and_then(serde_json::Value::as_str).unwrap_or("").to_owned();
        cells.push((text("text"), text("column")));
    }
    let bytes: usize = cells.iter().map(|(text, _)| text.len()).sum();
    for blind in [true, false] {
        let kind = if blind { "blind" } else { "with columns" };
        let round = || {
            cells.iter().fold(0, |found, (text, column)| {
                let context = if blind { FieldContext::default() } else { FieldContext::column(column) };
                found + detect(text, &context).len()
            })
        };
        for (times, least) in [("once", Duration::ZERO), ("over and over", Duration::from_secs(seconds))] {
            let begun = Instant::now();
            let before = ran(begun);
            let (mut rounds, mut found) = (0_u32, 0);
            while rounds == 0 || begun.elapsed() < least {
                found += round();
                rounds += 1;
            }
            let each = (ran(begun) - before) / f64::from(rounds);
            let megabytes = f64::from(u32::try_from(bytes).unwrap_or(u32::MAX)) / 1e6;
            let count = f64::from(u32::try_from(cells.len()).unwrap_or(u32::MAX));
            writeln!(
                io::stdout(),
                "{kind}, {times}: {:.1} MB/s, {:.0} ns a cell ({found} findings in {rounds} rounds)",
                megabytes / each,
                each / count * 1e9
            )?;
        }
    }
    Ok(())
}
