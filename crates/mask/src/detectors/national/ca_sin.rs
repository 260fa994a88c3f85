//! `CA_SIN`: the social insurance number of a Canadian.

use super::National;
use crate::detectors::{Kind, Topic, scan};

/// The rule.
pub(crate) static CA_SIN: National = National {
    kind: Kind {
        id: "ca-sin",
        entity: "CA_SIN",
        description: "A Canadian social insurance number: right Luhn sum.",
    },
    digits: &[9],
    written: &["999-999-999", "999 999 999"],
    alone: &[],
    unnamed: &[],
    words: Topic::CaSin,
    valid,
};

/// Luhn; neither 0 nor 8 is issued as the first digit.
fn valid(digits: &[u8]) -> bool {
    !matches!(digits.first(), Some(0 | 8)) && scan::luhn(digits)
}
