//! `PL_PESEL`: the number of a person in the Polish register.

use super::National;
use crate::detectors::{Kind, Topic, scan};

/// The rule.
pub(crate) static PL_PESEL: National = National {
    kind: Kind {
        id: "pl-pesel",
        entity: "PL_PESEL",
        description: "A Polish person's number: a day of birth, right check digit.",
    },
    digits: &[11],
    written: &[],
    alone: &[11],
    unnamed: &[],
    words: Topic::PlPesel,
    valid,
};

/// A day of birth from 1920 to 2030, whose century is in the month, and a weighted sum.
fn valid(digits: &[u8]) -> bool {
    let (year, month, day) = (scan::prefix(digits, 2), scan::part(digits, 2, 2), scan::part(digits, 4, 2));
    let born = match month {
        1..=12 => year >= 20 && scan::is_day(month, day),
        21..=32 => year <= 30 && scan::is_day(month - 20, day),
        _ => false,
    };
    born && scan::weighted(digits, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]).is_multiple_of(10)
}
