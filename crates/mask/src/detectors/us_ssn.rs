//! `US_SSN`: a number of the form 123-45-6789 that the United States could have issued.

use super::{Detector, FieldContext, Found, Needs, scan};

/// Words that say it is one.
const WORDS: &[&str] = &["ssn", "social", "socialsecurity", "ssns", "itin", "taxid", "ss"];

/// The detector.
#[derive(Debug)]
pub(super) struct UsSsn;

impl Detector for UsSsn {
    fn id(&self) -> &'static str {
        "us-ssn"
    }

    fn entity(&self) -> &'static str {
        "US_SSN"
    }

    fn description(&self) -> &'static str {
        "A United States social security number in issued ranges; without separators only beside a word for it."
    }

    fn needs(&self) -> Needs {
        Needs::digits(9)
    }

    fn find(&self, text: &str, context: &FieldContext<'_>) -> Vec<Found> {
        let bytes = text.as_bytes();
        let groups = scan::digit_groups(bytes);
        let says_so = |at| context.suggests(WORDS) || scan::said_before(text, at, WORDS);
        let mut found = Vec::new();
        let mut from = 0;
        for (index, group) in groups.iter().enumerate() {
            let start = group.span.start;
            if start < from || !is_free(bytes, start) {
                continue;
            }
            let (end, confidence) = match (group.span.len(), groups.get(index + 1), groups.get(index + 2)) {
                (9, _, _) if says_so(start) => (group.span.end, 0.7),
                (3, Some(middle), Some(last))
                    if middle.span.len() == 2
                        && last.span.len() == 4
                        && group.separator.is_some_and(|byte| matches!(byte, b'-' | b' ' | b'.'))
                        && group.separator == middle.separator =>
                {
                    let dashed = group.separator == Some(b'-');
                    if !dashed && !says_so(start) && group.separator != Some(b' ') {
                        continue;
                    }
                    (last.span.end, if dashed { 0.85 } else { 0.6 })
                }
                _ => continue,
            };
            let after = scan::at(bytes, end);
            let goes_on = scan::is_word(after)
                || (matches!(after, b'-' | b'.' | b' ')
                    && scan::at(bytes, end + 1).is_ascii_digit()
                    && after != b' ')
                || (after == b'-' && scan::is_word(scan::at(bytes, end + 1)));
            if !goes_on && is_issued(&scan::digits_of(bytes, start..end)) {
                found.push(Found::new(start..end, confidence));
                from = end;
            }
        }
        found
    }
}

fn is_free(bytes: &[u8], start: usize) -> bool {
    match scan::before(bytes, start) {
        b'-' | b'.' | b'+' => {
            !scan::is_word(scan::before(bytes, start - 1)) && scan::before(bytes, start) != b'+'
        }
        byte => !scan::is_word(byte),
    }
}

/// Areas 000, 666 and 900 to 999, group 00 and serial 0000 are never issued.
fn is_issued(digits: &[u8]) -> bool {
    let area = scan::prefix(digits, 3);
    let group = scan::prefix(digits, 5) % 100;
    let serial = scan::prefix(digits, 9) % 10_000;
    digits.len() == 9 && area != 0 && area != 666 && area < 900 && group != 0 && serial != 0
}
