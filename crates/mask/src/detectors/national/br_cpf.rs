//! `BR_CPF`: the number of a Brazilian taxpayer.

use super::National;
use crate::detectors::{Kind, Topic, scan};

/// The rule.
pub(crate) static BR_CPF: National = National {
    kind: Kind {
        id: "br-cpf",
        entity: "BR_CPF",
        description: "A Brazilian person's tax number: both check digits right.",
    },
    digits: &[11],
    written: &[
        "999.999.999-99",
        "999 999 999 99",
        "999.999.999.99",
        "999-999-999-99",
        "999.999.99999",
        "999999999-99",
    ],
    alone: &[11],
    unnamed: &[],
    words: Topic::BrCpf,
    valid,
};

/// Two remainders modulo 11; eleven equal digits are none.
fn valid(digits: &[u8]) -> bool {
    let check = |weights: &[u32]| u8::try_from(scan::weighted(digits, weights) * 10 % 11 % 10).ok();
    digits.iter().any(|digit| digits.first() != Some(digit))
        && digits.get(9).copied() == check(&[10, 9, 8, 7, 6, 5, 4, 3, 2])
        && digits.get(10).copied() == check(&[11, 10, 9, 8, 7, 6, 5, 4, 3, 2])
}
