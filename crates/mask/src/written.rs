//! JSON as the filter writes it: strings in slices, numbers digit by digit.

use std::fmt::Write;

const ONES: u64 = 0x0101_0101_0101_0101;
const TOPS: u64 = ONES << 7;

/// Where the first byte stands that a JSON string may not hold as it is: a quote, a backslash, a control character.
/// The length when there is none. Reads eight bytes at a time.
pub(crate) fn first_special(bytes: &[u8]) -> usize {
    // The top bit of each byte that is zero; above the first such, others may be set too.
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word & TOPS;
    let mut at = 0_usize;
    let mut eights = bytes.chunks_exact(8);
    for eight in eights.by_ref() {
        let word = u64::from_le_bytes(<[u8; 8]>::try_from(eight).unwrap_or_default());
        let control = word.wrapping_sub(ONES << 5) & !word & TOPS;
        let quote = zeros(word ^ (ONES * b'"' as u64));
        let special = control | quote | zeros(word ^ (ONES * b'\\' as u64));
        if special != 0 {
            return at + usize::try_from(special.trailing_zeros() / 8).unwrap_or(0);
        }
        at += 8;
    }
    let rest = eights.remainder();
    let special = rest.iter().position(|byte| *byte < 0x20 || matches!(byte, b'"' | b'\\'));
    at + special.unwrap_or(rest.len())
}

/// Appends the text as a JSON string.
pub(crate) fn quote(text: &str, out: &mut String) {
    out.push('"');
    escape(text, out);
    out.push('"');
}

/// Appends the text as it stands within a JSON string.
pub(crate) fn escape(text: &str, out: &mut String) {
    let mut rest = text;
    loop {
        let at = first_special(rest.as_bytes());
        let (plain, after) = rest.split_at_checked(at).unwrap_or((rest, ""));
        out.push_str(plain);
        let Some(byte) = after.as_bytes().first() else { return };
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            other => {
                let written = write!(out, "\\u{other:04x}");
                debug_assert!(written.is_ok());
            }
        }
        rest = after.get(1..).unwrap_or("");
    }
}

/// Appends a number from 0 to 1 with two places, so that 0.85 reads as 0.85.
pub(crate) fn confidence(number: f32, out: &mut String) {
    let reaches = |hundredths: &u8| f32::from(*hundredths) - 0.5 < number * 100.0;
    match (1..=100_u8).rev().find(reaches).unwrap_or(1) {
        100 => out.push_str("1.0"),
        part => {
            out.push_str("0.");
            out.push(char::from(b'0' + part / 10));
            out.push(char::from(b'0' + part % 10));
        }
    }
}

/// Appends a whole number.
pub(crate) fn decimal(mut number: usize, out: &mut String) {
    let mut digits = [0_u8; 20];
    let mut count = 0;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + u8::try_from(number % 10).unwrap_or(0);
        count += 1;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    let written = digits.get(digits.len() - count..).and_then(|digits| std::str::from_utf8(digits).ok());
    out.push_str(written.unwrap_or("0"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_special_byte_is_found_wherever_it_stands() {
        for special in 0..=255_u8 {
            for at in 0..20 {
                let mut bytes = [b'a'; 20];
                bytes[at] = special;
                let is_special = special < 0x20 || matches!(special, b'"' | b'\\');
                assert_eq!(first_special(&bytes), if is_special { at } else { 20 }, "{special} at {at}");
            }
        }
        assert_eq!(first_special("é\u{80}ß, ☃ \"".as_bytes()), 12);
    }
}
