//! `US_SSN`: a social security number that the United States could have issued.

use super::National;
use crate::detectors::{Kind, Topic, scan};

/// The rule.
pub(crate) static US_SSN: National = National {
    kind: Kind {
        id: "us-ssn",
        entity: "US_SSN",
        description: "A United States social security number in issued ranges; without dashes only beside a word for it.",
    },
    digits: &[9],
    written: &["999-99-9999", "999 99 9999"],
    alone: &[],
    unnamed: &[],
    words: Topic::UsSsn,
    valid,
};

/// Areas 000, 666 and 900 to 999, group 00 and serial 0000 are never issued (SSA, "randomization").
fn valid(digits: &[u8]) -> bool {
    let (area, group, serial) = (scan::prefix(digits, 3), scan::part(digits, 3, 2), scan::part(digits, 5, 4));
    area != 0 && area != 666 && area < 900 && group != 0 && serial != 0
}
