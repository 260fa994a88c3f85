//! `UK_NHS`: the number of a patient of the National Health Service.

use super::National;
use crate::detectors::{Kind, Topic, scan};

/// The rule.
pub(crate) static UK_NHS: National = National {
    kind: Kind {
        id: "uk-nhs",
        entity: "UK_NHS",
        description: "A number of a patient in the United Kingdom: right check digit.",
    },
    digits: &[10],
    written: &["999 999 9999"],
    alone: &[],
    unnamed: &[4, 6, 7],
    words: Topic::UkNhs,
    valid,
};

/// The remainder modulo 11 (NHS data dictionary).
fn valid(digits: &[u8]) -> bool {
    let sum = scan::weighted(digits, &[10, 9, 8, 7, 6, 5, 4, 3, 2]);
    let check = (11 - sum % 11) % 11;
    Some(check) == digits.last().map(|digit| u32::from(*digit)) && digits.first() != Some(&0)
}
