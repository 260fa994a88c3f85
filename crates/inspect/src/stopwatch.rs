//! Time that a test's thread was on a processor: what others do on the machine meanwhile does not count.

use std::time::{Duration, Instant};

/// Started by [`Stopwatch::start`], read on the same thread.
pub(crate) struct Stopwatch {
    on_processor: Option<Duration>,
    started: Instant,
}

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self { on_processor: on_processor(), started: Instant::now() }
    }

    /// Time on a processor since the start; where the system does not tell, time on the wall.
    pub(crate) fn elapsed(&self) -> Duration {
        match (self.on_processor, on_processor()) {
            (Some(before), Some(now)) => now.saturating_sub(before),
            _ => self.started.elapsed(),
        }
    }
}

/// The first number of `/proc/thread-self/schedstat`, nanoseconds (proc(5), sched-stats).
fn on_processor() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(Duration::from_nanos(text.split_whitespace().next()?.parse().ok()?))
}

#[test]
fn sleeping_takes_no_time_and_counting_does() {
    let watch = Stopwatch::start();
    std::thread::sleep(Duration::from_millis(300));
    assert!(watch.elapsed() < Duration::from_millis(200));
    let started = Instant::now();
    let mut sum = 0_u64;
    while watch.elapsed() < Duration::from_millis(20) {
        sum = std::hint::black_box(sum.wrapping_add(1));
        assert!(started.elapsed() < Duration::from_secs(60), "{sum}");
    }
}
