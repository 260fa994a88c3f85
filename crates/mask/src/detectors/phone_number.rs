//! `PHONE_NUMBER`: international numbers, national ones as people write them, and others where the column or
//! the text says that it is a telephone.
//!
//! What starts with a plus or has an area in parentheses is found here; forms of digits and separators come from
//! [`number`](super::number) as every number does.

use super::number::{Number, Rule};
use super::phone_plan::{is_north_american, plan};
use super::{Detector, Found, Kind, Needs, Reading, Topic, scan};
use crate::features::{OPEN, PLUS, SEVEN};

const KIND: Kind = Kind {
    id: "phone",
    entity: "PHONE_NUMBER",
    description: "A telephone number: international, national in its country's usual forms, or beside a word for it.",
};

/// The detector of numbers with a plus or parentheses.
#[derive(Debug)]
pub(super) struct PhoneNumber;

impl Detector for PhoneNumber {
    fn kinds(&self) -> Vec<&'static Kind> {
        vec![&KIND]
    }

    fn needs(&self) -> Needs {
        Needs::all(SEVEN).any(PLUS | OPEN)
    }

    fn find(&self, reading: &Reading<'_>, found: &mut Vec<Found>) {
        let bytes = reading.bytes();
        let mut from = 0;
        for start in memchr::memchr2_iter(b'+', b'(', bytes) {
            let byte = scan::at(bytes, start);
            if start < from {
                continue;
            }
            let before = scan::before(bytes, start);
            if scan::is_word(before) || matches!(before, b'_' | b'+' | b'$') {
                continue;
            }
            let hit = if byte == b'+' { international(bytes, start) } else { area(reading, start) };
            if let Some((end, confidence)) = hit {
                let end = extension_end(bytes, end);
                let closes = |number: &[u8]| number.contains(&b')') && !number.contains(&b'(');
                let start = match before {
                    _ if byte == b'(' => with_prefix(bytes, start),
                    b'(' if bytes.get(start..end).is_some_and(closes) => start - 1,
                    _ => start,
                };
                from = end;
                found.push(Found::new(&KIND, start..end, confidence));
            }
        }
    }
}

/// Digits from `start` on over the separators that telephone numbers have, most `N`.
struct Dialled {
    digits: [u8; 16],
    /// Where each digit ends.
    ends: [usize; 16],
    count: usize,
    /// Digits go on without a separator.
    goes_on: bool,
}

impl Dialled {
    fn read(bytes: &[u8], start: usize) -> Self {
        let mut dialled = Self { digits: [0; 16], ends: [0; 16], count: 0, goes_on: false };
        let (mut place, mut open) = (start, false);
        loop {
            let byte = scan::at(bytes, place);
            let next = scan::at(bytes, place + 1);
            if byte.is_ascii_digit() {
                let (Some(digit), Some(end)) =
                    (dialled.digits.get_mut(dialled.count), dialled.ends.get_mut(dialled.count))
                else {
                    dialled.goes_on = scan::before(bytes, place).is_ascii_digit();
                    break;
                };
                *digit = byte - b'0';
                *end = place + 1;
                dialled.count += 1;
            } else if byte == b'(' {
                // A trunk zero in parentheses is dialled at home alone.
                if dialled.count > 0 && next == b'0' && scan::at(bytes, place + 2) == b')' {
                    place += 2;
                } else if open || !next.is_ascii_digit() {
                    break;
                } else {
                    open = true;
                }
            } else if byte == b')' && open {
                open = false;
            } else if !goes_on(bytes, place, dialled.count) {
                break;
            }
            place += 1;
        }
        dialled
    }

    /// This and what is dialled after it.
    fn and(mut self, after: Self) -> Self {
        let both = after.digits.iter().zip(after.ends).take(after.count);
        for (digit, end) in both {
            if let (Some(place), Some(ends)) =
                (self.digits.get_mut(self.count), self.ends.get_mut(self.count))
            {
                (*place, *ends) = (*digit, end);
                self.count += 1;
            }
        }
        self
    }

    fn digits(&self) -> &[u8] {
        self.digits.get(..self.count).unwrap_or(&[])
    }

    /// The end of the number of that many digits, when no digit touches its last.
    fn end(&self, bytes: &[u8], count: usize) -> Option<usize> {
        let end = *self.ends.get(count.checked_sub(1)?).filter(|_| count <= self.count)?;
        let after = scan::at(bytes, end);
        let extended = after == b'x' && scan::at(bytes, end + 1).is_ascii_digit();
        let beyond = scan::at(bytes, end + 1);
        let runs_on = match after {
            b'_' | b'@' | b'%' => true,
            b':' => beyond.is_ascii_digit(),
            b'-' | b'.' => scan::is_word(beyond),
            byte => scan::is_word(byte) && !extended,
        };
        (!runs_on).then_some(end)
    }
}

/// Whether the separator at `place` is one within a number: before a digit or an area, or within ` - `.
fn goes_on(bytes: &[u8], place: usize, count: usize) -> bool {
    let (byte, next) = (scan::at(bytes, place), scan::at(bytes, place + 1));
    let dialled = |byte: u8| byte.is_ascii_digit() || byte == b'(';
    if !matches!(byte, b' ' | b'-' | b'.' | b'/') {
        return false;
    }
    if next == b' ' {
        return count > 0 && dialled(scan::at(bytes, place + 2));
    }
    dialled(next)
        || (byte == b' ' && count > 0 && matches!(next, b'-' | b'.' | b'/'))
        || (scan::before(bytes, place) == b' ' && count > 0)
}

/// `+49 30 901820`: the longest number that the country's plan allows.
fn international(bytes: &[u8], start: usize) -> Option<(usize, f32)> {
    let mut first = start + 1;
    while matches!(scan::at(bytes, first), b' ' | b'(') && first < start + 3 {
        first += 1;
    }
    let mut dialled = Dialled::read(bytes, first);
    // `(+358) 44 …`
    let close = first + dialled.count;
    if scan::before(bytes, start) == b'(' && scan::at(bytes, close) == b')' && dialled.count <= 3 {
        dialled =
            dialled.and(Dialled::read(bytes, close + 1 + usize::from(scan::at(bytes, close + 1) == b' ')));
    }
    let (code, least, most) = plan(dialled.digits())?;
    let most = (code + most).min(15);
    (code + least..=most).rev().find_map(|count| dialled.end(bytes, count)).map(|end| (end, 0.9))
}

/// `(415) 555-0132`, `(020) 7946 0958`, `(11) 91234-5678`.
fn area(reading: &Reading<'_>, start: usize) -> Option<(usize, f32)> {
    let bytes = reading.bytes();
    let size = bytes.iter().skip(start + 1).take(6).position(|byte| !byte.is_ascii_digit())?;
    if !(2..=5).contains(&size) || scan::at(bytes, start + 1 + size) != b')' {
        return None;
    }
    let dialled = Dialled::read(bytes, start);
    let digits = dialled.digits();
    let count = digits.len();
    let after = (start + 2 + size..=start + 3 + size)
        .find(|at| !matches!(scan::at(bytes, *at), b' ' | b'-' | b'.'))?;
    if !scan::at(bytes, after).is_ascii_digit() {
        return None;
    }
    let fits = match (size, digits.first()?) {
        (3, 2..) if is_north_american(digits.get(..10)?) => 10,
        // Russia: `8 (916) 123-45-67`.
        (3, _) if count == 10 && is_paired(bytes, after) => count,
        // Not an area of North America, and written as there.
        (3, _) if is_last_seven(bytes, after) => 10,
        (2, 1..) if count == 10 || count == 11 => count,
        (_, 0) if (9..=13).contains(&count) && digits.get(1) != Some(&0) => count,
        _ if (7..=13).contains(&count) && reading.says(start, Topic::Phone) => count,
        _ => return None,
    };
    dialled.end(bytes, fits).map(|end| (end, 0.8))
}

/// Three digits and four, with a dash.
fn is_last_seven(bytes: &[u8], at: usize) -> bool {
    bytes.get(at..at + 8).is_some_and(|number| {
        number
            .iter()
            .enumerate()
            .all(|(place, byte)| if place == 3 { *byte == b'-' } else { byte.is_ascii_digit() })
    })
}

/// Three digits, two, and two, with dashes.
fn is_paired(bytes: &[u8], at: usize) -> bool {
    bytes.get(at..at + 9).is_some_and(|number| {
        number.iter().enumerate().all(|(place, byte)| match place {
            3 | 6 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        })
    })
}

/// Where a number with an area in parentheses starts: with the digit that is dialled before it.
fn with_prefix(bytes: &[u8], start: usize) -> usize {
    let Some(at) = start.checked_sub(2) else { return start };
    let dialled = matches!(scan::at(bytes, at), b'1' | b'8' | b'0')
        && matches!(scan::at(bytes, at + 1), b' ' | b'-')
        && !scan::is_word(scan::before(bytes, at));
    if dialled { at } else { start }
}

/// The end of an extension behind the number: `x99`, ` ext. 123`.
pub(super) fn extension_end(bytes: &[u8], end: usize) -> usize {
    let mut at = end;
    while matches!(scan::at(bytes, at), b' ' | b',') && at < end + 2 {
        at += 1;
    }
    let rest = bytes.get(at..).unwrap_or(&[]);
    let Some(word) = ["extension", "ext.", "ext", "x", "durchwahl"]
        .iter()
        .find(|word| rest.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes())))
    else {
        return end;
    };
    let mut first = at + word.len();
    if scan::at(bytes, first) == b' ' {
        first += 1;
    }
    let last = scan::run_end(bytes, first, |byte| byte.is_ascii_digit());
    if (1..=6).contains(&(last - first)) && !scan::is_word(scan::at(bytes, last)) { last } else { end }
}

/// The rule for forms of digits and separators.
#[derive(Debug)]
pub(super) struct National;

impl Rule for National {
    fn kind(&'static self) -> &'static Kind {
        &KIND
    }

    fn wants(&self, digits: usize) -> bool {
        (7..=15).contains(&digits)
    }

    fn knows_alone(&self) -> bool {
        false
    }

    fn judge(&self, number: &Number<'_, '_>) -> f32 {
        let (digits, form) = (number.digits(), number.form());
        if !number.loose {
            return 0.0;
        }
        if (number.whole || form.contains(&b'-')) && is_written(digits, form) {
            return if is_date(form) || number.before().say_other() { 0.0 } else { 0.75 };
        }
        let extended = || extension_end(number.reading.bytes(), number.span.end) > number.span.end;
        if number.whole && is_like_north_american(form) && extended() {
            return 0.8;
        }
        let told = number.whole && (number.is_bare() || number.groups <= 6 || number.is_spread());
        let is_phone = told && number.says(Topic::Phone) && is_plausible(form) && !is_date(form);
        if is_phone { 0.85 } else { 0.0 }
    }
}

/// Written as in North America, whatever the digits.
fn is_like_north_american(form: &[u8]) -> bool {
    let form = form.strip_prefix(b"9-").or_else(|| form.strip_prefix(b"999-9-")).unwrap_or(form);
    matches!(form, b"999-999-9999" | b"999.999.9999" | b"999 999 9999")
}

/// Forms that nothing but telephone numbers has.
fn is_written(digits: &[u8], form: &[u8]) -> bool {
    match form {
        b"999-999-9999" | b"999.999.9999" | b"999 999-9999" | b"999/999-9999" => {
            return is_north_american(digits);
        }
        // British patients' numbers look alike; they start with 4, 6, 7 or 9.
        b"999 999 9999" => {
            let apart = matches!(digits.first(), Some(2 | 3 | 5 | 8)) || scan::part(digits, 3, 3) == 555;
            return digits.first() == Some(&0) && digits.get(1) != Some(&0)
                || (apart && is_north_american(digits));
        }
        b"9 999 999 9999" if digits.first() == Some(&8) => return true,
        b"9-999-999-9999" | b"9.999.999.9999" | b"9 999 999 9999" | b"9 999-999-9999" => {
            return digits.first() == Some(&1) && is_north_american(digits.get(1..).unwrap_or(&[]));
        }
        // Brazil, China, India.
        b"99 99999-9999" => return digits.get(2) == Some(&9),
        b"999 9999 9999" | b"999-9999-9999" if digits.first() == Some(&1) => {
            return digits.get(1) >= Some(&3);
        }
        b"99999 99999" if digits.first() >= Some(&6) => return true,
        // Brazil's land lines, Norway's mobiles, Russia.
        b"99 9999-9999" => {
            return digits
                .get(..3)
                .is_some_and(|area| matches!(area, [a, b, c] if *a > 0 && *b > 0 && *c > 1));
        }
        b"999 99 999" => return matches!(digits.first(), Some(4 | 9)),
        b"9 999 999-99-99" | b"9 999 999 99 99" => return matches!(digits.first(), Some(7 | 8)),
        b"99.9999.9999" => return digits.first() == Some(&0) && digits.get(1) != Some(&0),
        _ => {}
    }
    if !form.iter().any(|byte| *byte != b'9') || digits.first() != Some(&0) {
        return false;
    }
    if digits.get(1) == Some(&0) {
        let abroad = digits.get(2..).unwrap_or(&[]);
        // `0049 30 …`, `00 49 30 …`: the code ends where a group does, or nothing is apart before it.
        let first = form.iter().take_while(|byte| **byte == b'9').count();
        return plan(abroad).is_some_and(|(code, least, most)| {
            (code + least..=code + most).contains(&abroad.len())
                && (first == 2 || first == code + 2 || first > 5)
        });
    }
    is_trunk(digits, form)
}

/// A trunk zero, an area, and a number in the groups of some country.
fn is_trunk(digits: &[u8], form: &[u8]) -> bool {
    let mut sizes = [0_usize; 6];
    let mut count = 0;
    for group in form.split(|byte| *byte != b'9') {
        let Some(size) = sizes.get_mut(count) else { return false };
        *size = group.len();
        count += 1;
    }
    let dotted = form.contains(&b'.');
    // `08-10 77 87`
    let rest = form.get(sizes[0] + 1..).unwrap_or(&[]);
    let dashed = form.get(sizes[0]) == Some(&b'-') && rest.contains(&b' ') && !rest.contains(&b'-');
    let groups = match sizes.get(..count) {
        Some([2, 2, 2, 2, 2]) => true,
        _ if dotted => false,
        Some([2..=6, 5..=8]) => true,
        Some([2..=4, 2 | 3, 2 | 3] | [2..=4, 2 | 3, 2 | 3, 2]) if dashed => {
            return (8..=10).contains(&digits.len());
        }
        Some([2..=5, 3 | 4, 3 | 4]) => matches!(digits.len(), 10 | 11),
        Some([4 | 5, 5, 3]) => true,
        Some([2..=5, 2 | 3, 2 | 3, 2 | 3]) => true,
        Some([2..=4, 2, 2, 2, 2]) => true,
        _ => false,
    };
    groups && (9..=13).contains(&digits.len()) && !form.contains(&b'_')
}

/// Groups as somebody would dial them: not a row of single digits and long ones.
fn is_plausible(form: &[u8]) -> bool {
    !form.contains(&b'_') && form.split(|byte| *byte != b'9').all(|group| group.len() <= 15)
}

/// `2026-11-24`, `24.11.2026`, and what starts with one of them.
fn is_date(form: &[u8]) -> bool {
    [
        &b"9999-99-99"[..],
        b"99.99.9999",
        b"99/99/9999",
        b"9999/99/99",
        b"9999.99.99",
        b"99-99-9999",
        b"9999 99 99",
        b"9/99/9999",
        b"99/9/9999",
        b"9/9/9999",
        b"9.99.9999",
        b"99.9.9999",
        b"9.9.9999",
    ]
    .iter()
    .any(|date| form.strip_prefix(*date).is_some_and(|rest| rest.first() != Some(&b'9')))
}
