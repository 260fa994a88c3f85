//! A witness as its protocol describes it, in memory, and what the recorder and the verifier make of it.

use std::sync::Mutex;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey};
use sallyport_core::SystemClock;

use super::*;
use crate::testing::{closed, data, folder, key, opened, session, settings};
use crate::verify::{Trust, verify};
use crate::{Recorder, RecorderSettings};

/// What it has seen of the log: leaves and root.
#[derive(Clone, Default)]
struct Double {
    seen: Arc<Mutex<(u64, Option<Digest>)>>,
    /// Every request's first line and the status that it got.
    asked: Arc<Mutex<Vec<(String, u16)>>>,
    lies: bool,
}

fn witness_key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn note_key(name: &str, key: &SigningKey) -> NoteKey {
    let bytes = [&[4], key.verifying_key().as_bytes().as_slice()].concat();
    let id = Digest::of(&[name.as_bytes(), b"\n", &bytes].concat());
    let id: String = id.to_string().chars().take(8).collect();
    NoteKey::parse(&format!("{name}+{id}+{}", STANDARD.encode(bytes))).unwrap()
}

impl Double {
    /// `add-checkpoint` of c2sp.org/tlog-witness, for the tests' log.
    fn answer(&self, body: &str, name: &str, with: &SigningKey) -> (u16, String) {
        let log = NoteKey::of_log(key().verifying_key());
        let (head, note) = body.split_once("\n\n").unwrap();
        let mut lines = head.lines();
        let old: u64 = lines.next().unwrap().strip_prefix("old ").unwrap().parse().unwrap();
        let proof: Vec<Digest> = lines
            .map(|line| Digest::from_bytes(STANDARD.decode(line).unwrap().try_into().unwrap()))
            .collect();
        let Ok(now) = Checkpoint::read(note, &log) else { return (403, String::new()) };
        let mut seen = self.seen.lock().unwrap();
        if old > now.size {
            return (400, String::new());
        }
        if old != seen.0 {
            return (409, format!("{}\n", seen.0));
        }
        let before = seen.1.unwrap_or(now.root);
        if old > 0 && !tree::consistent((old, before), (now.size, now.root), &proof) {
            return (422, String::new());
        }
        *seen = (now.size, Some(now.root));
        let (text, _) = note::split(note).unwrap();
        let time = 1_800_000_000_u64;
        let message = format!("cosignature/v1\ntime {time}\n{text}{}", if self.lies { "x" } else { "" });
        let id = Digest::of(&[name.as_bytes(), b"\n\x04", with.verifying_key().as_bytes()].concat());
        let signature = with.sign(message.as_bytes()).to_bytes();
        let bytes = [&id.as_bytes()[..4], &time.to_be_bytes(), &signature].concat();
        (200, format!("\u{2014} {name} {}\n", STANDARD.encode(bytes)))
    }

    fn witnesses(&self, name: &'static str, seed: u8) -> Witnesses {
        let (double, signing) = (self.clone(), witness_key(seed));
        let key = note_key(name, &signing);
        let post = Post(Arc::new(move |url, body: String| {
            assert_eq!(url, "http://witness/add-checkpoint");
            let (status, said) = double.answer(&body, name, &signing);
            double.asked.lock().unwrap().push((body.lines().next().unwrap().to_owned(), status));
            Box::pin(std::future::ready(Some((status, said.into_bytes()))))
        }));
        Witnesses { all: vec![Witness { key, url: "http://witness/".into() }], post }
    }
}

fn recorder(dir: &Path, witnesses: Witnesses) -> Recorder {
    let settings = RecorderSettings { witnesses: Some(witnesses), ..settings(dir, 16 << 10) };
    Recorder::open(settings, key(), Arc::new(SystemClock)).unwrap()
}

fn say(recorder: &Recorder, number: u8) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let tape = recorder.begin(session(number));
        tape.append(&opened(), &[]).unwrap();
        for operation in 0..50 {
            tape.append(&data(operation), &[&[b'x'; 300]]).unwrap();
        }
        tape.seal(&closed()).await.unwrap();
    });
}

fn until(what: &str, done: impl Fn() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < Duration::from_secs(30), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn witnessed(dir: &Path, witness: &NoteKey) -> Option<u64> {
    let note = stored(dir).unwrap()?;
    let found = Checkpoint::read(&note, &NoteKey::of_log(key().verifying_key())).unwrap();
    found.witnessed_by(witness).then_some(found.size)
}

fn trust(witness: &NoteKey) -> Trust {
    Trust { witnesses: vec![witness.clone()], ..Trust::key(key().verifying_key()) }
}

#[test]
fn a_witness_signs_checkpoint_after_checkpoint_over_restarts_and_verification_wants_its_signature() {
    let dir = folder();
    let double = Double::default();
    let witnesses = double.witnesses("witness.example/w1", 21);
    let witness = witnesses.all[0].key.clone();
    let mut before = 0;
    for number in 1..=3 {
        let recorder = recorder(dir.path(), witnesses.clone());
        say(&recorder, number);
        let seen = || witnessed(dir.path(), &witness).unwrap_or(0);
        until("it signs", || seen() > before + 1);
        before = seen();
    }
    let asked = double.asked.lock().unwrap().clone();
    assert!(asked.iter().all(|(_, status)| *status == 200), "{asked:?}");
    assert!(asked.iter().any(|(old, _)| old != "old 0"), "it goes on from what was signed: {asked:?}");
    let report = verify(dir.path(), &trust(&witness), |_| {}).unwrap();
    assert!(report.ok(), "{:?}", report.lines());
    assert!(report.lines().iter().any(|line| line.contains("witness.example/w1")), "{:?}", report.lines());
    if let Some((ok, text)) =
        crate::testing::by_the_book(dir.path(), &key(), &["--witness".as_ref(), witness.to_string().as_ref()])
    {
        assert!(ok && text.contains("witness.example/w1"), "{text}");
    }
    // Another witness has not signed.
    let other = note_key("witness.example/w1", &witness_key(22));
    let report = verify(dir.path(), &trust(&other), |_| {}).unwrap();
    assert!(!report.ok(), "{:?}", report.lines());
    if let Some((ok, text)) =
        crate::testing::by_the_book(dir.path(), &key(), &["--witness".as_ref(), other.to_string().as_ref()])
    {
        assert!(!ok, "{text}");
    }
    // What was signed cannot be gone: the log was cut back, and its plain checkpoint with it.
    let segments = crate::testing::segments(dir.path());
    for segment in &segments[1..] {
        std::fs::remove_file(segment).unwrap();
    }
    std::fs::remove_file(dir.path().join("checkpoint")).unwrap();
    let report = verify(dir.path(), &trust(&witness), |_| {}).unwrap();
    assert!(!report.ok(), "{:?}", report.lines());
    let again = RecorderSettings { witnesses: Some(witnesses), ..settings(dir.path(), 16 << 10) };
    assert!(Recorder::open(again, key(), Arc::new(SystemClock)).is_err(), "nor is it gone on with");
}

#[test]
fn one_that_has_seen_less_or_more_is_asked_again_and_one_that_lies_is_not_believed() {
    let dir = folder();
    let double = Double::default();
    let witnesses = double.witnesses("witness.example/w1", 21);
    let witness = witnesses.all[0].key.clone();
    let recording = recorder(dir.path(), witnesses.clone());
    say(&recording, 1);
    until("it signs", || witnessed(dir.path(), &witness).is_some());
    drop(recording);
    // What was signed is forgotten here: it says how far it is.
    let signed = witnessed(dir.path(), &witness).unwrap();
    std::fs::remove_file(dir.path().join(FILE)).unwrap();
    let recording = recorder(dir.path(), witnesses.clone());
    say(&recording, 2);
    until("it signs on", || witnessed(dir.path(), &witness).is_some_and(|size| size > signed));
    assert!(double.asked.lock().unwrap().iter().any(|(_, status)| *status == 409));
    drop(recording);
    // It has seen more than there is.
    double.seen.lock().unwrap().0 = 1_000_000;
    let asked = double.asked.lock().unwrap().len();
    let recording = recorder(dir.path(), witnesses);
    let signed = witnessed(dir.path(), &witness);
    say(&recording, 3);
    until("it is asked", || double.asked.lock().unwrap().len() > asked + 1);
    assert_eq!(witnessed(dir.path(), &witness), signed);
    recording.healthy().unwrap();
    drop(recording);

    let dir = folder();
    let double = Double { lies: true, ..Double::default() };
    let recording = recorder(dir.path(), double.witnesses("witness.example/w1", 21));
    say(&recording, 1);
    until("it is asked", || !double.asked.lock().unwrap().is_empty());
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(stored(dir.path()).unwrap(), None);
}
