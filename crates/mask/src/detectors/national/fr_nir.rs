//! `FR_NIR`: the number of a person in the French register.

use super::National;
use crate::detectors::{Kind, Topic, scan};

/// The rule.
pub(crate) static FR_NIR: National = National {
    kind: Kind {
        id: "fr-nir",
        entity: "FR_NIR",
        description: "A French social security number with its key: sex, month and remainder are right.",
    },
    digits: &[15],
    written: &["9 99 99 99 999 999 99"],
    alone: &[15],
    unnamed: &[],
    words: Topic::FrNir,
    valid,
};

/// Sex, year, month (20 and more where it is not known), place, order, key: 97 less the remainder modulo 97.
fn valid(digits: &[u8]) -> bool {
    let body = digits.iter().take(13).fold(0_u64, |number, digit| number * 10 + u64::from(*digit));
    let month = scan::part(digits, 3, 2);
    matches!(digits.first(), Some(1..=4 | 7 | 8))
        && ((1..=12).contains(&month) || (20..=42).contains(&month))
        && 97 - body % 97 == u64::from(scan::part(digits, 13, 2))
}
