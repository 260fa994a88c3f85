//! `DE_TAX_ID`: the identification number of a German taxpayer.

use super::National;
use crate::detectors::{Kind, Topic};

/// The rule.
pub(crate) static DE_TAX_ID: National = National {
    kind: Kind {
        id: "de-tax-id",
        entity: "DE_TAX_ID",
        description: "A German taxpayer's identification number: right pattern of digits, right check digit.",
    },
    digits: &[11],
    written: &["99 999 999 999", "99-999-999-999"],
    alone: &[11],
    unnamed: &[],
    words: Topic::DeTaxId,
    valid,
};

/// No 0 in front; among ten digits one stands twice or three times, the others once at most; ISO 7064, MOD 11,10.
fn valid(digits: &[u8]) -> bool {
    let Some((check, body)) = digits.split_last() else { return false };
    let count = |digit: u8| body.iter().filter(|other| **other == digit).count();
    let often = (0..=9).map(count).filter(|count| *count > 1).collect::<Vec<_>>();
    let product = body.iter().fold(10, |product, digit| {
        let sum = (u32::from(*digit) + product) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    digits.first() != Some(&0)
        && matches!(often.as_slice(), [2 | 3])
        && (11 - product) % 10 == u32::from(*check)
}
