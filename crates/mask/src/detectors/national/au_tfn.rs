//! `AU_TFN`: the tax file number of an Australian.

use super::National;
use crate::detectors::{Kind, Topic, scan};

/// The rule.
pub(crate) static AU_TFN: National = National {
    kind: Kind {
        id: "au-tfn",
        entity: "AU_TFN",
        description: "An Australian tax file number: right weighted sum.",
    },
    digits: &[9],
    written: &["999 999 999"],
    alone: &[],
    unnamed: &[],
    words: Topic::AuTfn,
    valid,
};

/// The weighted sum is divisible by 11 (ATO).
fn valid(digits: &[u8]) -> bool {
    scan::weighted(digits, &[1, 4, 3, 7, 5, 8, 6, 9, 10]).is_multiple_of(11) && digits.first() != Some(&0)
}
