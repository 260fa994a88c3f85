//! `BR_CNPJ`: the number of a Brazilian company.

use super::National;
use crate::detectors::{Kind, Topic, scan};

/// The rule.
pub(crate) static BR_CNPJ: National = National {
    kind: Kind {
        id: "br-cnpj",
        entity: "BR_CNPJ",
        description: "A Brazilian company's tax number: both check digits right, a branch under 100.",
    },
    digits: &[14],
    written: &[
        "99.999.999/9999-99",
        "99 999 999 9999 99",
        "99.999.999.9999.99",
        "99-999-999-9999-99",
        "99.999.999/999999",
        "99999999/9999-99",
    ],
    alone: &[14],
    unnamed: &[],
    words: Topic::BrCnpj,
    valid,
};

/// Two remainders modulo 11. Branches are counted from one; with under a hundred, dates are left out.
fn valid(digits: &[u8]) -> bool {
    let check = |weights: &[u32]| {
        let rest = scan::weighted(digits, weights) % 11;
        u8::try_from(if rest < 2 { 0 } else { 11 - rest }).ok()
    };
    (1..100).contains(&scan::part(digits, 8, 4))
        && digits.get(12).copied() == check(&[5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2])
        && digits.get(13).copied() == check(&[6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2])
}
