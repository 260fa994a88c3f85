//! `PASSWORD` and `SECRET` that stand in a value alone, where nothing says what they are.
//!
//! Nothing but their own disorder tells them, so most identifiers must not have it: a password has signs that names
//! and codes have not, and changes its kind of character at nearly every step, or is a word, a number and a sign; a
//! key has both cases and digits in disorder, and a length that keys have and identifiers do not.

use super::secret::{PASSWORD, SECRET};
use super::{Detector, Found, Kind, Needs, Reading, entropy};
use crate::features::LONE;

/// Lengths of keys of 18, 24, 30, 36, 42 and 48 bytes in base 64, and of as many characters drawn one by one.
const KEYS: [usize; 6] = [24, 32, 40, 48, 56, 64];

/// Lengths that programs draw passwords in, and those of longer keys: looked at where nothing says what a value is.
/// Identifiers have others (11, 15, 17, 18, 20 to 22, 26 to 28).
const DRAWN: [usize; 3] = [12, 14, 16];
const LONG: [usize; 5] = [30, 36, 50, 60, 80];

/// Different characters that such a key has at least.
const DISTINCT: u32 = 15;

/// The detector.
#[derive(Debug)]
pub(super) struct Alone;

impl Detector for Alone {
    /// Those of [`Secret`](super::secret::Secret).
    fn kinds(&self) -> Vec<&'static Kind> {
        Vec::new()
    }

    fn needs(&self) -> Needs {
        Needs::all(LONE)
    }

    fn find(&self, reading: &Reading<'_>, found: &mut Vec<Found>) {
        // What somebody encoded is not drawn at random, and a row of digits decodes to anything.
        if reading.decoded {
            return;
        }
        let bytes = reading.bytes();
        if is_password(bytes) || is_famous(bytes) || reading.blind && is_drawn(bytes) {
            found.push(Found::new(&PASSWORD, 0..bytes.len(), 0.6));
        } else if is_key(bytes) || reading.blind && LONG.contains(&bytes.len()) && is_disordered(bytes) {
            found.push(Found::new(&SECRET, 0..bytes.len(), 0.6));
        }
    }
}

/// The kind of a character: small letter, capital, digit, sign, a sign that terms have too, one that parts words;
/// nothing for what passwords are not made of here.
fn kind(byte: u8) -> Option<u8> {
    Some(match byte {
        b'a'..=b'z' => 0,
        b'A'..=b'Z' => 1,
        b'0'..=b'9' => 2,
        b'!' | b'@' | b'#' | b'$' | b'%' | b'^' | b'&' | b'*' | b'?' | b'(' | b')' => 3,
        b'+' => 4,
        b'_' | b'-' => 5,
        _ => return None,
    })
}

fn is_password(bytes: &[u8]) -> bool {
    if !(8..=32).contains(&bytes.len()) {
        return false;
    }
    let mut counts = [0_usize; 6];
    let (mut changes, mut last) = (0, None);
    for byte in bytes {
        let Some(kind) = kind(*byte) else { return false };
        if let Some(count) = counts.get_mut(usize::from(kind)) {
            *count += 1;
        }
        // What parts the words of a name is no change.
        if kind < 5 {
            changes += usize::from(last.is_some_and(|last| last != kind));
            last = Some(kind);
        }
    }
    let [small, capitals, digits, signs, ..] = counts;
    if signs == 0 || small == 0 || digits == 0 {
        return false;
    }
    let random = capitals > 0
        && changes * 2 + 1 >= bytes.len()
        && !is_named_number(bytes)
        && !is_call(bytes)
        && !is_crypt(bytes)
        && !is_compound(bytes);
    random || is_word_and_number(bytes)
}

/// What people's passwords have in them and nothing else has, in small letters.
const FAMOUS: [&[u8]; 4] = [b"passw0rd", b"p@ssw", b"pa$$w", b"pa55w"];

/// `Passw0rd-horse99`.
fn is_famous(bytes: &[u8]) -> bool {
    bytes.len() <= 32
        && FAMOUS
            .iter()
            .any(|famous| bytes.windows(famous.len()).any(|part| part.eq_ignore_ascii_case(famous)))
}

/// `Alice#0042`, `user@Host2`: a name, a sign, a number or another name.
fn is_named_number(bytes: &[u8]) -> bool {
    let mut signs = bytes.iter().enumerate().filter(|(_, byte)| !byte.is_ascii_alphanumeric());
    let (Some((at, sign)), None) = (signs.next(), signs.next()) else { return false };
    let after = bytes.get(at + 1..).unwrap_or(&[]);
    match sign {
        b'#' => after.iter().all(u8::is_ascii_digit),
        b'@' => at == 0 || after.iter().any(u8::is_ascii_alphabetic) && at > 3,
        // `10%`, `Room5-B2`.
        b'%' => after.is_empty(),
        _ => false,
    }
}

/// `$2b$12$…`: what a password was hashed to.
fn is_crypt(bytes: &[u8]) -> bool {
    bytes.first() == Some(&b'$') && bytes.iter().skip(1).take(10).any(|byte| *byte == b'$')
}

/// `CuSO4*5H2O`: symbols of elements and how many of each.
fn is_compound(bytes: &[u8]) -> bool {
    let mut last = b'*';
    bytes.iter().all(|byte| {
        let follows = match byte {
            b'a'..=b'z' => last.is_ascii_uppercase(),
            b'0'..=b'9' => last != b'(',
            b'A'..=b'Z' | b'(' | b')' | b'*' => true,
            _ => false,
        };
        last = *byte;
        follows
    })
}

/// `f(X1)+g(Y2)`: a call or a term, not a password.
fn is_call(bytes: &[u8]) -> bool {
    let opens = bytes.windows(2).any(|two| matches!(two, [a, b'('] if a.is_ascii_alphanumeric()));
    opens && bytes.contains(&b')')
}

/// `Summer2024!`, `Winter@2023`, `hunter42!`: a word, a number, and a sign behind or between.
fn is_word_and_number(bytes: &[u8]) -> bool {
    let run = |from: usize, is: fn(&u8) -> bool| bytes.iter().skip(from).take_while(|byte| is(byte)).count();
    let word = run(0, u8::is_ascii_alphabetic);
    let small = bytes.iter().take(word).skip(1).all(u8::is_ascii_lowercase);
    if word < 4 || !small {
        return false;
    }
    let between = run(word, |byte| matches!(byte, b'@' | b'!'));
    let number = run(word + between, u8::is_ascii_digit);
    let behind = run(word + between + number, |byte| matches!(byte, b'!' | b'@' | b'#' | b'$' | b'*' | b'?'));
    (1..=6).contains(&number)
        && word + between + number + behind == bytes.len()
        && matches!((between, behind), (0, 1..=3) | (1, 0..=3))
        && (behind > 0 || number >= 2 && bytes.first().is_some_and(u8::is_ascii_uppercase))
}

/// `E3GCtolWmrav`: as many letters of both cases as a drawn password has, and few vowels, which words and names have.
fn is_drawn(bytes: &[u8]) -> bool {
    if !DRAWN.contains(&bytes.len()) || !bytes.iter().all(u8::is_ascii_alphanumeric) {
        return false;
    }
    let count = |is: fn(&u8) -> bool| bytes.iter().filter(|byte| is(byte)).count();
    let vowels = count(|byte| matches!(byte | 0x20, b'a' | b'e' | b'i' | b'o' | b'u' | b'y'));
    let turns = bytes.windows(2).filter(|two| matches!(two, [a, b] if kind(*a) != kind(*b))).count();
    count(u8::is_ascii_lowercase) > 2
        && count(u8::is_ascii_uppercase) > 2
        && count(u8::is_ascii_digit) > 0
        && vowels * 10 < count(u8::is_ascii_alphabetic) * 3
        && turns * 5 > bytes.len() * 2
        && entropy::distinct(bytes) > 8
}

fn is_key(bytes: &[u8]) -> bool {
    KEYS.contains(&bytes.len()) && is_disordered(bytes)
}

fn is_disordered(bytes: &[u8]) -> bool {
    bytes.iter().all(u8::is_ascii_alphanumeric)
        && !bytes.strip_prefix(b"0x").unwrap_or(bytes).iter().all(u8::is_ascii_hexdigit)
        && entropy::is_mixed(bytes)
        && entropy::distinct(bytes) >= DISTINCT
        && !entropy::reads_as_words(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_told_from_names_codes_and_terms() {
        for text in [
            "IP7NevZZ$E",
            "8wJcxX_7#S",
            "0scUO9&d^Q",
            "Z*Z8CGcg5q",
            "P@ssw0rd",
            "Summer2024!",
            "Winter@2023",
            "hunter42!",
            "Tr0ub4dor&3",
            "c3pxTpVh+AlkJ!Tp9",
        ] {
            assert!(is_password(text.as_bytes()), "{text}");
        }
        for text in [
            "Alice#0042",
            "Ticket#4411",
            "Order#12345",
            "root@Web01",
            "admin@DB-01a",
            "@Alice99",
            "f(X1)+g(Y2)",
            "CuSO4*5H2O",
            "Fe2(SO4)3",
            "iPhone15Pro",
            "C++17-Build4",
            "v2(Beta1)",
            "Save20%",
            "utf8mb4_bin",
            "Web-01-Prod",
            "SKU-99-Xl",
            "page2!",
            "user_name1",
            "a1b2c3d4",
            "Team_Alpha_2024",
            "Rev-B2-a1",
            "Q3-2024-v2",
        ] {
            assert!(!is_password(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn drawn_passwords_are_told_from_names_of_things() {
        for text in ["E3GCtolWmrav", "sYstvthXeL7D", "GWnsRiHX77tS", "QCLN7S0jbIAr", "kT9vXw2LmQ4z8RbN"] {
            assert!(is_drawn(text.as_bytes()), "{text}");
        }
        for text in [
            "MacBookPro16",
            "iPhone15Pro2",
            "GalaxyTabS9X",
            "WH1000XM5Blk",
            "OrderItem24x",
            "Version12Rc3",
            "B0CX23V2ZKQ1",
            "dQw4w9WgXcQ",
            "NaHCO3H2OMgCl2Ca",
            "UTF16LeDecoder",
        ] {
            assert!(!is_drawn(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn some_passwords_are_known_by_a_part() {
        for text in ["Passw0rd-horse99", "my-P@ssword", "PA55WORD"] {
            assert!(is_famous(text.as_bytes()), "{text}");
        }
        for text in ["Password-reset", "Passport-0rd", "pass-w0rk"] {
            assert!(!is_famous(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn keys_are_told_from_identifiers() {
        assert!(is_key(b"mK8vQ2xT9pL4wZ7nR3sYb5Hc6Jd1Fg0E"));
        for text in [
            "mK8vQ2xT9pL4wZ7nR3sYb5Hc6Jd1",
            "9dd4e461268c8034f5c8564e155c67a6",
            "9DD4e461268C8034f5c8564E155c67a6",
            "OrderConfirmationTemplateVersion2",
            "01ARZ3NDEKTSV4RRFFQ69G5FAV",
        ] {
            assert!(!is_key(text.as_bytes()), "{text}");
        }
    }
}
