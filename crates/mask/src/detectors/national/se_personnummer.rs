//! `SE_PERSONNUMMER`: the number of a person in the Swedish register.

use super::National;
use crate::detectors::{Kind, Topic, scan};

/// The rule.
pub(crate) static SE_PERSONNUMMER: National = National {
    kind: Kind {
        id: "se-personnummer",
        entity: "SE_PERSONNUMMER",
        description: "A Swedish person's number: a day of birth, right Luhn sum.",
    },
    digits: &[10, 12],
    written: &["999999-9999", "99999999-9999"],
    alone: &[12],
    unnamed: &[],
    words: Topic::SePersonnummer,
    valid,
};

/// A day of birth (with 60 added to the day in coordination numbers), three digits, Luhn. Twelve digits begin
/// with the century; the last years are left out, since points in time look alike. Ten digits alone are an order as often.
fn valid(digits: &[u8]) -> bool {
    let short = digits.get(digits.len().saturating_sub(10)..).unwrap_or(&[]);
    let (year, month, day) = (scan::prefix(short, 2), scan::part(short, 2, 2), scan::part(short, 4, 2));
    let born = match digits.len() {
        12 => (1900..=2015).contains(&scan::prefix(digits, 4)),
        _ => !(16..=21).contains(&year),
    };
    born && (scan::is_day(month, day) || (61..=91).contains(&day) && scan::is_day(month, day - 60))
        && scan::luhn(short)
}
