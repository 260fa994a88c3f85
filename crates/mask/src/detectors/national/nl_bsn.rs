//! `NL_BSN`: the number of a citizen of the Netherlands.

use super::National;
use crate::detectors::{Kind, Topic, scan};

/// The rule.
pub(crate) static NL_BSN: National = National {
    kind: Kind {
        id: "nl-bsn",
        entity: "NL_BSN",
        description: "A Dutch citizen's number that passes the eleven test, beside a word for it.",
    },
    digits: &[9],
    written: &[],
    alone: &[],
    unnamed: &[],
    words: Topic::NlBsn,
    valid,
};

/// The eleven test: the last digit counts against the others.
fn valid(digits: &[u8]) -> bool {
    let sum = scan::weighted(digits, &[9, 8, 7, 6, 5, 4, 3, 2]);
    let last = digits.last().map_or(0, |digit| u32::from(*digit));
    sum > 0 && (sum + 11 - last).is_multiple_of(11)
}
