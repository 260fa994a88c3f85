//! Tampered with, and caught: one byte changed in a copy of the record, one entry taken out of another.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sallyport_core::{Digest, Event};
use sallyport_record::read::{Content, Recordings};
use sallyport_record::{KeyFiles, RecordError};

use crate::config::WRAPPING_KEYS;
use crate::demo::house::House;
use crate::demo::tour::Tour;
use crate::failure::Failure;

/// What somebody would rather not have on record.
const ATTEMPT: &str = "drop table customers";

/// Where a segment says how long its header is (docs/recording-format.md).
const LENGTH_OF_HEADER: u64 = 12;

/// The largest length of an entry.
const ENTRY_LIMIT: u32 = 64 << 20;

pub(super) fn show(tour: &mut Tour) -> Result<(), Failure> {
    tour.step("tampered with, and caught")?;
    let carol = tour.people.carol.clone();
    let segment = segment(&tour.house.recordings())?;
    let verify = |copy: &str| {
        format!(
            "sallyport recording verify {copy} \\\n    --key gateway/sallyport-data/keys/recording.pub.pem"
        )
    };

    let hash = attempt(&tour.house)?.ok_or_else(|| Failure::failed("the attempt is not recorded"))?;
    let (from, to) =
        entry(&segment, hash)?.ok_or_else(|| Failure::failed("the attempt is not in the log"))?;

    let mallory = House::outsider("mallory");
    tour.screen.say(
        "Mallory has the disk, and would like another history. What was said is encrypted; to change it \
         without reading it, one byte of the attempt's entry, in a copy:",
    )?;
    tour.run(&mallory, "cp -r gateway/sallyport-data/recordings copy-1")?.went_well()?;
    let poke = format!(
        "f=$(ls copy-1/segments/*.slr) &&\n    printf Z | dd of=$f bs=1 seek={} conv=notrunc status=none",
        to.saturating_sub(120)
    );
    tour.run(&mallory, &poke)?.went_well()?;
    tour.run(&carol, &verify("copy-1"))?.was_refused()?.says(&["the entry was altered", "1 broken"])?;

    tour.screen
        .say(&format!("Or the whole entry of the attempt, bytes {from} to {to}, taken out without a gap:"))?;
    tour.run(&mallory, "cp -r gateway/sallyport-data/recordings copy-2")?.went_well()?;
    let cut = format!(
        "f=$(ls copy-2/segments/*.slr) && mv $f whole &&\n    \
         (head -c {from} whole; tail -c +{} whole) > $f",
        to + 1
    );
    tour.run(&mallory, &cut)?.went_well()?;
    tour.run(&carol, &verify("copy-2"))?.was_refused()?.says(&["entries before this", "1 broken"])?;
    tour.screen.say("The record itself:")?;
    tour.run(&carol, &verify("gateway/sallyport-data/recordings"))?.went_well()?;
    tour.screen.shown("Both copies are caught, and the record itself still holds.")
}

/// The hash of the entry that refuses the attempt.
fn attempt(house: &House) -> Result<Option<Digest>, Failure> {
    let failed = |error: RecordError| Failure::failed(format!("the record cannot be read: {error}"));
    let keys = KeyFiles::in_folder(house.recordings().with_file_name("keys").join(WRAPPING_KEYS));
    let recordings = Recordings::in_folder(house.recordings()).with_keys(Arc::new(keys));
    for found in recordings.sessions().map_err(failed)? {
        for entry in recordings.session(&found.session).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let refused =
                matches!(&entry.event, Content::Event(event) if matches!(**event, Event::Refused { .. }));
            if refused && entry.payload.starts_with(ATTEMPT.as_bytes()) {
                return Ok(Some(entry.hash));
            }
        }
    }
    Ok(None)
}

/// The segment that is written to.
fn segment(recordings: &Path) -> Result<PathBuf, Failure> {
    let mut segments: Vec<PathBuf> = std::fs::read_dir(recordings.join("segments"))?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "slr"))
        .collect();
    segments.sort();
    segments.pop().ok_or_else(|| Failure::failed("nothing is recorded"))
}

/// Where the entry with a hash lies: from, and up to but without.
fn entry(segment: &Path, hash: Digest) -> Result<Option<(u64, u64)>, Failure> {
    let mut file = File::open(segment)?;
    let mut word = [0; 4];
    file.seek(SeekFrom::Start(LENGTH_OF_HEADER))?;
    file.read_exact(&mut word)?;
    let mut at = u64::from(u32::from_be_bytes(word));
    file.seek(SeekFrom::Start(at))?;
    loop {
        if file.read_exact(&mut word).is_err() {
            return Ok(None);
        }
        let length = u32::from_be_bytes(word);
        if length == 0 || length > ENTRY_LIMIT {
            return Ok(None);
        }
        let mut content = Vec::new();
        (&mut file).take(u64::from(length)).read_to_end(&mut content)?;
        let end = at + 4 + u64::from(length);
        if content.ends_with(hash.as_bytes()) {
            return Ok(Some((at, end)));
        }
        at = end;
    }
}
