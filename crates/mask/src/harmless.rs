//! Values that need no detector: identifiers, digests and moments, told by their whole shape.
//!
//! They are what most cells of most tables are, and every digit and letter of them would ask some detector. What
//! [cannot be](may_be) one is not looked at twice.

/// Whether the whole value may be one of those: a look at its length and a few of its bytes, before anything else is
/// looked at.
#[inline]
pub(crate) fn may_be(bytes: &[u8]) -> bool {
    let at = |at: usize| bytes.get(at).copied().unwrap_or(0);
    match bytes.len() {
        10..=35 if at(4) == b'-' => at(7) == b'-' && at(0).is_ascii_digit(),
        36 => at(8) == b'-' && at(13) == b'-' || at(4) == b'-' && at(7) == b'-',
        32 | 40 | 56 | 64 | 96 | 128 => {
            [0, 1, 9, 17, 30].into_iter().all(|place| matches!(at(place), b'0'..=b'9' | b'a'..=b'f'))
        }
        _ => false,
    }
}

/// Whether the whole value is a UUID, or a date with or without a time. A day of birth looks the same: whoever
/// asks makes sure that nothing says that it is one.
pub(crate) fn is_identifier_or_moment(bytes: &[u8]) -> bool {
    match bytes.len() {
        36 => is_uuid(bytes) || is_moment(bytes),
        10..=35 => is_moment(bytes),
        _ => false,
    }
}

/// Whether the whole value is a digest: so many hexadecimal digits as digests have, in one case, letters among
/// them. It may still encode a text.
pub(crate) fn is_digest(bytes: &[u8]) -> bool {
    matches!(bytes.len(), 32 | 40 | 56 | 64 | 96 | 128)
        && bytes.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        && bytes.iter().any(u8::is_ascii_alphabetic)
}

fn is_uuid(bytes: &[u8]) -> bool {
    bytes.iter().enumerate().all(|(at, byte)| match at {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    })
}

/// `2026-11-24`, `2026-11-24T10:30:00.123456+02:00`.
fn is_moment(bytes: &[u8]) -> bool {
    let Some((date, time)) = bytes.split_at_checked(10) else { return false };
    let fits = |text: &[u8], form: &[u8]| {
        text.len() == form.len()
            && text
                .iter()
                .zip(form)
                .all(|(byte, form)| if *form == b'9' { byte.is_ascii_digit() } else { byte == form })
    };
    if !fits(date, b"9999-99-99") {
        return false;
    }
    let Some((sign, time)) = time.split_first() else { return true };
    let Some((clock, rest)) = time.split_at_checked(5) else { return false };
    if !matches!(sign, b'T' | b' ') || !fits(clock, b"99:99") {
        return false;
    }
    let rest = match rest {
        [b':', a, b, rest @ ..] if a.is_ascii_digit() && b.is_ascii_digit() => rest,
        rest => rest,
    };
    let rest = match rest {
        [b'.' | b',', rest @ ..] => {
            let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if !(1..=9).contains(&digits) {
                return false;
            }
            rest.get(digits..).unwrap_or(&[])
        }
        rest => rest,
    };
    match rest {
        [] | b"Z" | b" UTC" => true,
        [b'+' | b'-', zone @ ..] => fits(zone, b"99") || fits(zone, b"9999") || fits(zone, b"99:99"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_values_of_the_shape_are_harmless() {
        for text in [
            "550e8400-e29b-41d4-a716-446655440000",
            "2026-11-24",
            "2026-11-24T10:30:00Z",
            "2026-11-24 10:30:00.123456+00",
            "2026-11-24 10:30",
            "2026-11-24T10:30:00-02:00",
        ] {
            assert!(is_identifier_or_moment(text.as_bytes()), "{text}");
        }
        for text in [
            "550e8400-e29b-41d4-a716-44665544000g",
            "2026-11-24T10:30:00 4111111111111111",
            "2026-11-24 4111 1111 1111 1111",
            "2026-11-24 10:30:00+4155550132",
            "2026-11-24 10:30:00.4155550132",
            "2026-11-2",
        ] {
            assert!(!is_identifier_or_moment(text.as_bytes()), "{text}");
        }
        assert!(is_digest(b"9dd4e461268c8034f5c8564e155c67a6"));
        assert!(
            !is_digest(b"41111111111111114111111111111111") && !is_digest(b"9dd4e461268c8034f5c8564e155c67a")
        );
    }
}
