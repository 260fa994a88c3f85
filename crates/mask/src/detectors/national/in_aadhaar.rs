//! `IN_AADHAAR`: the number of a resident of India.

use super::National;
use crate::detectors::{Kind, Topic};

/// The rule.
pub(crate) static IN_AADHAAR: National = National {
    kind: Kind {
        id: "in-aadhaar",
        entity: "IN_AADHAAR",
        description: "An Indian resident's number: right Verhoeff digit.",
    },
    digits: &[12],
    // With dashes it is an order number as often.
    written: &["9999 9999 9999"],
    alone: &[],
    unnamed: &[],
    words: Topic::InAadhaar,
    valid,
};

/// The dihedral group of ten elements (Verhoeff): products, and the permutation of each place.
const PRODUCTS: [[u8; 10]; 10] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    [1, 2, 3, 4, 0, 6, 7, 8, 9, 5],
    [2, 3, 4, 0, 1, 7, 8, 9, 5, 6],
    [3, 4, 0, 1, 2, 8, 9, 5, 6, 7],
    [4, 0, 1, 2, 3, 9, 5, 6, 7, 8],
    [5, 9, 8, 7, 6, 0, 4, 3, 2, 1],
    [6, 5, 9, 8, 7, 1, 0, 4, 3, 2],
    [7, 6, 5, 9, 8, 2, 1, 0, 4, 3],
    [8, 7, 6, 5, 9, 3, 2, 1, 0, 4],
    [9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
];
const PERMUTATION: [u8; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];

/// Starts with 2 to 9, is no palindrome, and the product of all digits is the neutral element.
fn valid(digits: &[u8]) -> bool {
    let permuted = |digit: u8, times: usize| {
        (0..times % 8).fold(digit, |digit, _| PERMUTATION.get(usize::from(digit)).copied().unwrap_or(0))
    };
    let product = digits.iter().rev().enumerate().fold(0_u8, |product, (place, digit)| {
        let row = PRODUCTS.get(usize::from(product));
        row.and_then(|row| row.get(usize::from(permuted(*digit, place)))).copied().unwrap_or(0)
    });
    matches!(digits.first(), Some(2..=9)) && product == 0 && !digits.iter().eq(digits.iter().rev())
}
