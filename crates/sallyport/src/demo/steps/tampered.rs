//! Tampered with, and caught: one byte changed in a copy of the record, one entry taken out of another.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use crate::demo::house::House;
use crate::demo::tour::Tour;
use crate::failure::Failure;

/// What somebody would rather not have on record.
const ATTEMPT: &str = "drop table customers";

/// Where the entries of a segment begin (docs/recording-format.md).
const HEADER: u64 = 160;

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

    let mallory = House::outsider("mallory");
    tour.screen.say("Mallory has the disk, and would like another history. One letter, in a copy:")?;
    tour.run(&mallory, "cp -r gateway/sallyport-data/recordings copy-1")?.went_well()?;
    let sed = format!("LC_ALL=C sed -i 's/{ATTEMPT}/drop table customerz/' \\\n    copy-1/segments/*.slr");
    tour.run(&mallory, &sed)?.went_well()?;
    tour.run(&carol, &verify("copy-1"))?.was_refused()?.says(&["the entry was altered", "1 broken"])?;

    let (from, to) = entry(&segment, ATTEMPT)?
        .ok_or_else(|| Failure::failed("the record has no entry with the attempt"))?;
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

/// Where the first entry lies whose bytes hold the text alone as a statement: from, and up to but without.
fn entry(segment: &Path, text: &str) -> Result<Option<(u64, u64)>, Failure> {
    let mut file = File::open(segment)?;
    let mut at = HEADER;
    file.seek(SeekFrom::Start(at))?;
    loop {
        let mut word = [0; 4];
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
        let has = |wanted: &[u8]| content.windows(wanted.len()).any(|window| window == wanted);
        if has(br#""event":"refused""#) && has(text.as_bytes()) {
            return Ok(Some((at, end)));
        }
        at = end;
    }
}
