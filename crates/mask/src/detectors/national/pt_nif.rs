//! `PT_NIF`: the number of a Portuguese taxpayer.

use super::National;
use crate::detectors::{Kind, Topic, scan};

/// The rule.
pub(crate) static PT_NIF: National = National {
    kind: Kind {
        id: "pt-nif",
        entity: "PT_NIF",
        description: "A Portuguese taxpayer's number: right first digits and check digit, beside a word for it.",
    },
    digits: &[9],
    written: &[],
    alone: &[],
    unnamed: &[1, 2],
    words: Topic::PtNif,
    valid,
};

/// The remainder modulo 11; 0 for what would be 10 or 11.
fn valid(digits: &[u8]) -> bool {
    let rest = scan::weighted(digits, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11;
    let check = if rest < 2 { 0 } else { 11 - rest };
    matches!(digits.first(), Some(1..=3 | 5 | 6 | 8 | 9))
        && digits.last().map(|digit| u32::from(*digit)) == Some(check)
}
