//! The data key of the next segment, made and wrapped ahead of its use.
//!
//! A key service answers in its own time, and a segment begins under the log's lock. So a thread of its own
//! asks, and the lock finds the key ready. While it is not, the present segment grows; what is not ready
//! then refuses. Wrapping keys in files are used on the spot: a new one takes effect with the next segment.

use std::fmt;
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use crate::cipher::data_key;
use crate::error::RecordError;
use crate::header::WrappedKey;
use crate::log::Log;
use crate::wrapping::{DataKey, Wrapping};

/// How soon a service that did not answer is asked again.
const AGAIN: Duration = if cfg!(test) { Duration::from_millis(50) } else { Duration::from_secs(2) };

/// A data key, and the same wrapped.
pub(crate) struct Ready {
    number: u64,
    pub(crate) key: DataKey,
    pub(crate) wrapped: WrappedKey,
}

impl fmt::Debug for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ready").field("segment", &self.number).finish_non_exhaustive()
    }
}

impl Ready {
    /// Makes a key for a segment; waits for whoever wraps it.
    pub(crate) fn make(wrapping: &dyn Wrapping, number: u64) -> Result<Self, RecordError> {
        let key = data_key()?;
        let wrapped = wrapping.wrap(number, &key)?;
        Ok(Self { number, key, wrapped })
    }
}

#[derive(Debug, Default)]
struct Slot {
    /// The segment that a key is wanted for; 0: none is made ahead.
    wanted: u64,
    ready: Option<Ready>,
    stop: bool,
}

/// Where the next segment's key lies.
#[derive(Debug, Default)]
pub(crate) struct NextKey {
    slot: Mutex<Slot>,
    bell: Condvar,
}

impl NextKey {
    /// For the segment after `number`.
    pub(crate) fn after(wrapping: Option<&dyn Wrapping>, number: u64) -> Self {
        let wanted = if wrapping.is_some_and(Wrapping::takes_time) { number + 1 } else { 0 };
        Self { slot: Mutex::new(Slot { wanted, ..Slot::default() }), bell: Condvar::new() }
    }

    /// Whether a segment could begin now.
    pub(crate) fn is_ready(&self, number: u64) -> bool {
        self.slot.lock().is_ok_and(|slot| {
            slot.wanted == 0 || slot.ready.as_ref().is_some_and(|ready| ready.number == number)
        })
    }

    /// Begins a segment with its key. A key with which none was begun stays for the next attempt: nothing
    /// was encrypted with it.
    pub(crate) fn use_for<T>(
        &self,
        wrapping: Option<&dyn Wrapping>,
        number: u64,
        begin: impl FnOnce(Option<&Ready>) -> Result<T, RecordError>,
    ) -> Result<T, RecordError> {
        let Some(wrapping) = wrapping else { return begin(None) };
        if !wrapping.takes_time() {
            return begin(Some(&Ready::make(wrapping, number)?));
        }
        let mut slot = self.slot.lock().map_err(|_| RecordError::Stopped)?;
        let ready = slot.ready.as_ref().filter(|ready| ready.number == number);
        let ready =
            ready.ok_or_else(|| RecordError::Key("the next segment's key is not wrapped yet".into()))?;
        let begun = begin(Some(ready))?;
        slot.ready = None;
        slot.wanted = number + 1;
        self.bell.notify_all();
        Ok(begun)
    }

    pub(crate) fn stop(&self) {
        if let Ok(mut slot) = self.slot.lock() {
            slot.stop = true;
            self.bell.notify_all();
        }
    }
}

/// The thread's life: there is none when no key is made ahead.
pub(crate) fn run(log: &Log) {
    let Some(wrapping) = log.wrapping.as_deref().filter(|wrapping| wrapping.takes_time()) else { return };
    let next = &log.next_key;
    let mut told = false;
    loop {
        let wanted = {
            let Ok(slot) = next.slot.lock() else { return };
            let Ok(slot) = next.bell.wait_while(slot, |slot| slot.ready.is_some() && !slot.stop) else {
                return;
            };
            if slot.stop {
                return;
            }
            slot.wanted
        };
        match Ready::make(wrapping, wanted) {
            Ok(ready) => {
                let Ok(mut slot) = next.slot.lock() else { return };
                slot.ready = Some(ready);
                if std::mem::take(&mut told) {
                    tracing::info!("the recording's key service answers again");
                }
            }
            Err(error) => {
                if !std::mem::replace(&mut told, true) {
                    tracing::error!(%error, segment = wanted, "the next segment's key could not be wrapped; the present one grows");
                }
                let Ok(slot) = next.slot.lock() else { return };
                if next.bell.wait_timeout_while(slot, AGAIN, |slot| !slot.stop).is_err() {
                    return;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

    use sallyport_core::SystemClock;

    use super::*;
    use crate::testing::{data, folder, key, session, settings};
    use crate::verify::{Trust, verify};
    use crate::{KeyFiles, Recorder, RecorderSettings};

    /// A service that takes its time, or is away.
    #[derive(Debug)]
    struct Service {
        keys: KeyFiles,
        away: AtomicBool,
        slow: AtomicU64,
        wrapped: AtomicU64,
    }

    impl Wrapping for Service {
        fn takes_time(&self) -> bool {
            true
        }

        fn wrap(&self, segment: u64, key: &DataKey) -> Result<WrappedKey, RecordError> {
            std::thread::sleep(Duration::from_millis(self.slow.load(Ordering::SeqCst)));
            if self.away.load(Ordering::SeqCst) {
                return Err(RecordError::Key("the key service does not answer".into()));
            }
            self.wrapped.fetch_add(1, Ordering::SeqCst);
            self.keys.wrap(segment, key)
        }

        fn unwrap(&self, segment: u64, wrapped: &WrappedKey) -> Result<DataKey, RecordError> {
            self.keys.unwrap(segment, wrapped)
        }
    }

    #[test]
    fn a_slow_key_service_never_stalls_an_append_and_one_that_is_away_refuses_only_when_the_segment_is_full()
    {
        let dir = folder();
        let keys = KeyFiles::in_folder(dir.path().join("wrapping"));
        keys.make_first().unwrap();
        let service = Arc::new(Service {
            keys,
            away: AtomicBool::new(false),
            slow: AtomicU64::new(300),
            wrapped: AtomicU64::new(0),
        });
        let settings = RecorderSettings {
            wrapping: Some(service.clone()),
            pack: false,
            ..settings(dir.path(), 16 << 10)
        };
        let recorder = Recorder::open(settings.clone(), key(), Arc::new(SystemClock)).unwrap();
        let tape = recorder.begin(session(1));
        let begun = std::time::Instant::now();
        // Past the segment's size, and less than twice.
        for operation in 0..60 {
            tape.append(&data(operation), &[&[1; 100]]).unwrap();
        }
        assert!(begun.elapsed() < Duration::from_millis(250), "it waited: {:?}", begun.elapsed());
        assert_eq!(crate::testing::segments(dir.path()).len(), 1, "the segment grew");
        std::thread::sleep(Duration::from_millis(600));
        tape.append(&data(60), &[&[1; 100]]).unwrap();
        assert_eq!(crate::testing::segments(dir.path()).len(), 2);
        service.slow.store(0, Ordering::SeqCst);
        service.away.store(true, Ordering::SeqCst);
        let refused = (0..1000).find_map(|operation| tape.append(&data(operation), &[&[1; 100]]).err());
        assert!(matches!(refused, Some(RecordError::Key(_))), "{refused:?}");
        assert!(recorder.healthy().is_err());
        service.away.store(false, Ordering::SeqCst);
        let well = (0..100).any(|_| {
            std::thread::sleep(Duration::from_millis(20));
            recorder.healthy().is_ok()
        });
        assert!(well, "it goes on when the service is back");
        tape.append(&data(1001), &[b"again"]).unwrap();
        drop((tape, recorder));
        assert!(verify(dir.path(), &Trust::key(key().verifying_key()), |_| {}).unwrap().ok());
        // A start without the service is refused.
        service.away.store(true, Ordering::SeqCst);
        let refused = Recorder::open(settings, key(), Arc::new(SystemClock));
        assert!(matches!(refused, Err(RecordError::Key(_))), "{refused:?}");
    }
}
