//! `CREDIT_CARD`: a number of a known issuer whose Luhn sum is right.

use super::number::{Number, Rule};
use super::{Kind, Topic, scan};

pub(super) static KIND: Kind = Kind {
    id: "luhn-card",
    entity: "CREDIT_CARD",
    description: "A payment card number: known issuer, right length, right Luhn sum; with or without separators.",
};

/// The rule.
#[derive(Debug)]
pub(super) struct CreditCard;

impl Rule for CreditCard {
    fn kind(&'static self) -> &'static Kind {
        &KIND
    }

    fn wants(&self, digits: usize) -> bool {
        (12..=19).contains(&digits)
    }

    fn knows_alone(&self) -> bool {
        true
    }

    fn judge(&self, number: &Number<'_, '_>) -> f32 {
        let digits = number.digits();
        let Some(strength) = issuer(digits) else { return 0.0 };
        // Cards are written in groups, digit by digit, or in one; a part of a row only in the usual groups.
        let usual = matches!(
            number.form(),
            [
                b'9', b'9', b'9', b'9', a, b'9', b'9', b'9', b'9', b, b'9', b'9', b'9', b'9', c, b'9', b'9', b'9', b'9'
            ] if a == b && b == c
        ) || matches!(
            number.form(),
            [b'9', b'9', b'9', b'9', a, b'9', b'9', b'9', b'9', b'9', b'9', b, b'9', b'9', b'9', b'9', ..]
            if a == b && matches!(digits.len(), 14 | 15)
        );
        let written = number.is_bare()
            || number.evenly
            || (number.is_spread() && number.uniform)
            || (number.uniform && number.groups > 3);
        let stands = number.whole || (number.loose && !number.among && (usual || number.is_bare()));
        if !written || !stands || !scan::luhn(digits) {
            return 0.0;
        }
        match strength {
            Strength::Common => 1.0,
            Strength::Rare if (number.groups > 2 && number.evenly) || number.says(Topic::Card) => 0.8,
            // Thirteen digits are an article number more often than a card, unless that sum is wrong.
            Strength::Old if number.says(Topic::Card) || !is_article(digits) => 0.7,
            _ => 0.0,
        }
    }
}

/// Whether the digits are those of a card as nearly every card has them.
pub(super) fn is_common(digits: &[u8]) -> bool {
    matches!(issuer(digits), Some(Strength::Common)) && scan::luhn(digits)
}

/// Whether the sum of an article number (GS1: EAN-13) is right.
fn is_article(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| u32::from(*digit) * if at % 2 == 0 { 1 } else { 3 })
        .sum();
    sum.is_multiple_of(10)
}

enum Strength {
    /// What nearly every card has.
    Common,
    /// Also what other numbers have: wants separators or a word.
    Rare,
    /// Visa of thirteen digits.
    Old,
}

/// The issuers' ranges and lengths (ISO/IEC 7812 numbers as the schemes publish them).
fn issuer(digits: &[u8]) -> Option<Strength> {
    use Strength::{Common, Old, Rare};
    let (two, three, four, six) =
        (scan::prefix(digits, 2), scan::prefix(digits, 3), scan::prefix(digits, 4), scan::prefix(digits, 6));
    let visa = two / 10 == 4;
    let mastercard = (51..=55).contains(&two) || (2221..=2720).contains(&four);
    let amex = two == 34 || two == 37;
    let diners = (300..=305).contains(&three) || three == 309 || matches!(two, 36 | 38 | 39);
    let discover =
        four == 6011 || (644..=649).contains(&three) || two == 65 || (622_126..=622_925).contains(&six);
    // JCB's own range is 3528 to 3589; makers of test data take all of 35.
    let jcb = two == 35;
    let unionpay = two == 62 || two == 81;
    let maestro = matches!(four, 5018 | 5020 | 5038 | 5893 | 6304 | 6390 | 6759 | 6761..=6763 | 604);
    let wide_maestro = matches!(two, 50 | 56..=58 | 67);
    let mir = (2200..=2204).contains(&four);
    let rupay = two == 60 || matches!(three, 508 | 353 | 356) || two == 82;
    let elo = matches!(six, 636_368 | 438_935 | 504_175 | 451_416 | 636_297 | 506_699);
    match digits.len() {
        16 if visa || mastercard || discover || jcb || unionpay || maestro || mir || rupay || elo => {
            Some(Common)
        }
        15 if amex || matches!(four, 2131 | 1800) => Some(Common),
        14 if diners => Some(Common),
        12 if maestro || matches!(two, 56..=58) => Some(Common),
        13 if visa => Some(Old),
        19 if visa => Some(Common),
        16..=19 if diners || discover || jcb || unionpay => Some(Rare),
        12..=19 if maestro || wide_maestro => Some(Rare),
        _ => None,
    }
}
