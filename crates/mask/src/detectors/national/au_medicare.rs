//! `AU_MEDICARE`: the number of an Australian Medicare card.

use super::National;
use crate::detectors::{Kind, Topic, scan};

/// The rule.
pub(crate) static AU_MEDICARE: National = National {
    kind: Kind {
        id: "au-medicare",
        entity: "AU_MEDICARE",
        description: "An Australian Medicare number: right check digit.",
    },
    digits: &[10, 11],
    written: &["9999 99999 9", "9999 99999 9 9", "9999-99999-9"],
    alone: &[],
    unnamed: &[],
    words: Topic::AuMedicare,
    valid,
};

/// Starts with 2 to 6; the ninth digit is a weighted sum of the first eight, modulo 10.
fn valid(digits: &[u8]) -> bool {
    let sum = scan::weighted(digits, &[1, 3, 7, 9, 1, 3, 7, 9]);
    matches!(digits.first(), Some(2..=6))
        && digits.get(8).map(|digit| u32::from(*digit)) == Some(sum % 10)
        && digits.get(9) != Some(&0)
}
