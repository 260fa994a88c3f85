//! A disk that is really full: a small file system in memory. Only root can make one; for others the
//! same is tested with a disk that says it is full (`recorder_tests.rs`).

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use sallyport_core::{Event, ResultDirection, SessionId, SystemClock, Timestamp};
use sallyport_record::verify::{Trust, verify};
use sallyport_record::{RecordError, Recorder, RecorderSettings, SigningKey};

/// A mounted file system, for as long as it is held.
struct Small(PathBuf);

impl Small {
    /// Nothing when this may not be done here.
    fn new(at: &Path, size: &str) -> Option<Self> {
        let done = mount(&["-t", "tmpfs", "-o", &format!("size={size}"), "none"], at);
        done.then(|| Self(at.to_path_buf()))
    }

    fn grow(&self, size: &str) {
        assert!(mount(&["-o", &format!("remount,size={size}")], &self.0));
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _left_to_the_system = Command::new("umount").arg(&self.0).status();
    }
}

fn mount(arguments: &[&str], at: &Path) -> bool {
    Command::new("mount").args(arguments).arg(at).output().is_ok_and(|output| output.status.success())
}

fn data(operation: u64) -> Event {
    Event::Data { direction: ResultDirection::ToCaller, operation }
}

#[tokio::test]
async fn a_full_file_system_refuses_with_a_clear_error_and_is_taken_up_again_when_it_grows() {
    let dir = tempfile::tempdir().unwrap();
    let Some(small) = Small::new(dir.path(), "4m") else { return eprintln!("skipped: tmpfs needs root") };
    let key = SigningKey::from_bytes(&[3; 32]);
    let log = dir.path().join("log");
    for min_free_bytes in [0, 1 << 20] {
        let settings =
            RecorderSettings { segment_bytes: 256 << 10, min_free_bytes, ..RecorderSettings::new(&log) };
        let recorder = Recorder::open(settings, key.clone(), Arc::new(SystemClock)).unwrap();
        let number = u8::from(min_free_bytes > 0);
        let tape = recorder.begin(SessionId::new(Timestamp::from_micros(1), [number; 10]));
        let (mut written, mut refused) = (0, None);
        for operation in 0..4000 {
            // What does not compress: complete segments are packed meanwhile.
            let mut piece = vec![0; 4096];
            getrandom::fill(&mut piece).unwrap();
            match tape.append(&data(operation), &[&piece]) {
                Ok(_) => written += 1,
                Err(error) => {
                    refused = Some(error);
                    break;
                }
            }
        }
        assert!(matches!(refused, Some(RecordError::Full)), "{refused:?} after {written}");
        assert_eq!(refused.unwrap().to_string(), "there is no space for the recording");
        small.grow(if number == 0 { "8m" } else { "16m" });
        let mut healthy = Err(RecordError::Full);
        for _ in 0..100 {
            healthy = recorder.healthy();
            if healthy.is_ok() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        healthy.unwrap();
        tape.append(&data(9999), &[b"again"]).unwrap();
        tape.seal(&Event::SessionClosed { reason: "done".into(), operations: 1 }).await.unwrap();
        drop((tape, recorder));
        let report = verify(&log, &Trust::key(key.verifying_key()), |_| {}).unwrap();
        assert!(report.ok(), "{:?}", report.lines());
        let found = report.sessions.last().unwrap();
        assert_eq!(found.entries, written + 3, "what was refused left nothing behind");
    }
}
