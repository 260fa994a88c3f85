//! `US_ITIN`: an individual taxpayer's number of the United States.

use super::National;
use crate::detectors::{Kind, Topic, scan};

/// The rule.
pub(crate) static US_ITIN: National = National {
    kind: Kind {
        id: "us-itin",
        entity: "US_ITIN",
        description: "A United States taxpayer number for who has no social security number, beside a word for it.",
    },
    digits: &[9],
    written: &[],
    alone: &[],
    unnamed: &[],
    words: Topic::UsItin,
    valid,
};

/// Starts with 9; the fourth and fifth digit from 50 to 65, 70 to 88, 90 to 92, 94 to 99 (IRS).
fn valid(digits: &[u8]) -> bool {
    digits.first() == Some(&9) && matches!(scan::part(digits, 3, 2), 50..=65 | 70..=88 | 90..=92 | 94..=99)
}
