//! `CREDIT_CARD`: a number of a known issuer whose Luhn sum is right.

use super::{Detector, FieldContext, Found, Needs, scan};

/// Words in a column's name or before the number that say it is a card.
const WORDS: &[&str] = &[
    "card",
    "cc",
    "pan",
    "ccn",
    "creditcard",
    "cardno",
    "cardnumber",
    "ccnum",
    "visa",
    "mastercard",
    "amex",
];

/// The detector.
#[derive(Debug)]
pub(super) struct CreditCard;

impl Detector for CreditCard {
    fn id(&self) -> &'static str {
        "luhn-card"
    }

    fn entity(&self) -> &'static str {
        "CREDIT_CARD"
    }

    fn description(&self) -> &'static str {
        "A payment card number: known issuer, right length, right Luhn sum; with or without separators."
    }

    fn needs(&self) -> Needs {
        Needs::digits(12)
    }

    fn find(&self, text: &str, context: &FieldContext<'_>) -> Vec<Found> {
        let bytes = text.as_bytes();
        let groups = scan::digit_groups(bytes);
        let mut found = Vec::new();
        let mut first = 0;
        while first < groups.len() {
            match longest_card(text, &groups, first, context) {
                Some((last, card)) => {
                    found.push(card);
                    first = last + 1;
                }
                None => first += 1,
            }
        }
        found
    }
}

/// The longest card that starts with that group, and its last group.
fn longest_card(
    text: &str,
    groups: &[scan::Group],
    first: usize,
    context: &FieldContext<'_>,
) -> Option<(usize, Found)> {
    let bytes = text.as_bytes();
    let start = groups.get(first)?;
    if !may_start(bytes, start.span.start) {
        return None;
    }
    let mut digits = Vec::with_capacity(20);
    let mut best = None;
    for (index, group) in groups.iter().enumerate().skip(first).take(19) {
        let joined = index == first
            || groups.get(index - 1).is_some_and(|before| {
                before.separator.is_some_and(|byte| matches!(byte, b' ' | b'-' | b'.'))
                    && before.separator == start.separator
            });
        if !joined {
            break;
        }
        digits.extend(scan::digits_of(bytes, group.span.clone()));
        if digits.len() > 19 {
            break;
        }
        if !may_end(bytes, group.span.end) || !scan::luhn(&digits) {
            continue;
        }
        let sizes = groups.iter().skip(first).take(index - first + 1).map(|group| group.span.len());
        if !is_grouped(sizes) {
            continue;
        }
        let Some(strength) = issuer(&digits) else { continue };
        let said = || context.suggests(WORDS) || scan::said_before(text, start.span.start, WORDS);
        let confidence = match strength {
            Strength::Common => 1.0,
            Strength::Rare if index > first || said() => 0.8,
            Strength::Rare => continue,
        };
        best = Some((index, Found::new(start.span.start..group.span.end, confidence)));
    }
    best
}

/// Card numbers are written in groups of three to seven digits, the last of any size, or digit by digit.
fn is_grouped(sizes: impl Iterator<Item = usize> + Clone) -> bool {
    let count = sizes.clone().count();
    count == 1
        || sizes.clone().all(|size| size == 1)
        || sizes.clone().take(count - 1).all(|size| (3..=7).contains(&size))
}

/// Not inside a word, a longer token (`…-4111-…` of a UUID), a decimal fraction or a path of versions.
fn may_start(bytes: &[u8], start: usize) -> bool {
    match scan::before(bytes, start) {
        b'.' | b'-' => !scan::is_word(scan::before(bytes, start - 1)),
        byte => !scan::is_word(byte),
    }
}

fn may_end(bytes: &[u8], end: usize) -> bool {
    match scan::at(bytes, end) {
        b'-' | b'.' => !scan::at(bytes, end + 1).is_ascii_alphabetic() || scan::at(bytes, end) == b'.',
        byte => !scan::is_word(byte),
    }
}

enum Strength {
    /// What nearly every card has.
    Common,
    /// Also what other numbers have: wants separators or a word.
    Rare,
}

/// The issuers' ranges and lengths (ISO/IEC 7812 numbers as the schemes publish them).
fn issuer(digits: &[u8]) -> Option<Strength> {
    use Strength::{Common, Rare};
    let (two, three, four, six) =
        (scan::prefix(digits, 2), scan::prefix(digits, 3), scan::prefix(digits, 4), scan::prefix(digits, 6));
    let visa = two / 10 == 4;
    let mastercard = (51..=55).contains(&two) || (2221..=2720).contains(&four);
    let amex = two == 34 || two == 37;
    let diners = (300..=305).contains(&three) || three == 309 || matches!(two, 36 | 38 | 39);
    let discover =
        four == 6011 || (644..=649).contains(&three) || two == 65 || (622_126..=622_925).contains(&six);
    let jcb = (3528..=3589).contains(&four);
    let unionpay = two == 62 || two == 81;
    let maestro = matches!(four, 5018 | 5020 | 5038 | 5893 | 6304 | 6759 | 6761..=6763);
    let mir = (2200..=2204).contains(&four);
    match digits.len() {
        16 if visa || mastercard || discover || jcb || unionpay || maestro || mir => Some(Common),
        15 if amex => Some(Common),
        14 if diners => Some(Common),
        13 | 19 if visa => Some(Rare),
        16..=19 if diners || discover || jcb || unionpay => Some(Rare),
        12..=19 if maestro => Some(Rare),
        _ => None,
    }
}
