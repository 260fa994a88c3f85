//! Whether characters look drawn at random.

/// Lower case, upper case and digits, many different characters.
pub(super) fn is_mixed(token: &[u8]) -> bool {
    let has = |class: fn(&u8) -> bool| token.iter().any(class);
    has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_digit)
        && distinct(token) >= 12
}

/// How many different characters.
pub(super) fn distinct(token: &[u8]) -> u32 {
    token
        .iter()
        .fold(0_u128, |seen, byte| seen | 1_u128.checked_shl(u32::from(*byte)).unwrap_or(0))
        .count_ones()
}

/// Whether most of it is runs of lower-case letters as words and paths have them.
pub(super) fn reads_as_words(token: &[u8]) -> bool {
    let mut inside = 0;
    let mut run = 0;
    for byte in token.iter().copied().chain([b' ']) {
        if byte.is_ascii_lowercase() {
            run += 1;
        } else {
            inside += if run >= 4 { run } else { 0 };
            run = 0;
        }
    }
    inside * 2 > token.len()
}

/// Whether a token beside a secret's name is one: random enough for its length.
pub(super) fn is_secret(token: &[u8]) -> bool {
    let has = |class: fn(&u8) -> bool| token.iter().any(class);
    let letters = has(u8::is_ascii_alphabetic);
    let digits = has(u8::is_ascii_digit);
    let classes = [
        has(u8::is_ascii_lowercase),
        has(u8::is_ascii_uppercase),
        digits,
        has(|byte| !byte.is_ascii_alphanumeric()),
    ];
    let kinds = classes.iter().filter(|class| **class).count();
    match token.len() {
        0..=7 => false,
        8..=15 => letters && digits && kinds >= 2 && distinct(token) >= 6 && !is_moment(token),
        16..=23 => ((letters && digits) || kinds >= 3) && distinct(token) >= 8 && !is_moment(token),
        _ => {
            ((letters && digits) || kinds >= 2 || distinct(token) >= 14)
                && distinct(token) >= 8
                && !reads_as_sentence(token)
        }
    }
}

/// `2026-11-24T10:30:00Z`.
fn is_moment(token: &[u8]) -> bool {
    token.iter().take(4).all(u8::is_ascii_digit) && token.get(4) == Some(&b'-') && token.get(7) == Some(&b'-')
}

/// Words joined by dashes, dots or underscores, without a digit.
fn reads_as_sentence(token: &[u8]) -> bool {
    !token.iter().any(u8::is_ascii_digit)
        && token.iter().filter(|byte| !byte.is_ascii_alphanumeric()).count() >= 2
        && reads_as_words(token)
}
