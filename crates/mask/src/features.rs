//! What a text is made of, in one pass over its bytes: the prefilter before every detector.
//!
//! Most values hold nothing that any detector could want (a name, a status, a short number). One table
//! look-up per byte settles that, and nothing else runs.

/// Kinds of bytes, as bits.
pub(crate) const DIGIT: u16 = 1;
pub(crate) const LETTER: u16 = 1 << 1;
pub(crate) const AT: u16 = 1 << 2;
pub(crate) const COLON: u16 = 1 << 3;
pub(crate) const DOT: u16 = 1 << 4;
pub(crate) const DASH: u16 = 1 << 5;
pub(crate) const UNDERSCORE: u16 = 1 << 6;
pub(crate) const EQUALS: u16 = 1 << 7;
/// `+` and `/`.
pub(crate) const BASE64: u16 = 1 << 8;
/// `%`, `&`, `\`: may write another character.
pub(crate) const ESCAPE: u16 = 1 << 9;
/// Not ASCII.
pub(crate) const HIGH: u16 = 1 << 10;
/// Everything else.
pub(crate) const OTHER: u16 = 1 << 11;
/// `<` and `>`.
pub(crate) const ANGLE: u16 = 1 << 12;
pub(crate) const SPACE: u16 = 1 << 13;
/// A capital; counts as a letter too.
pub(crate) const UPPER: u16 = 1 << 14;

const fn kind(byte: u8) -> u16 {
    match byte {
        b'0'..=b'9' => DIGIT,
        b'a'..=b'z' => LETTER,
        b'A'..=b'Z' => LETTER | UPPER,
        b' ' => SPACE,
        b'<' | b'>' => ANGLE,
        b'@' => AT,
        b':' => COLON,
        b'.' => DOT,
        b'-' => DASH,
        b'_' => UNDERSCORE,
        b'=' => EQUALS,
        b'+' | b'/' => BASE64,
        b'%' | b'&' | b'\\' => ESCAPE,
        0x80.. => HIGH,
        _ => OTHER,
    }
}

/// What a text is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Features {
    bits: u16,
    digits: usize,
    length: usize,
    longest: usize,
}

/// What words of base64 and tokens are made of.
const WORD: u16 = LETTER | DIGIT | BASE64 | DASH | UNDERSCORE | EQUALS;

/// The kinds of each byte.
const KINDS: [u16; 256] = {
    let mut kinds = [0; 256];
    let mut byte = 0_u8;
    loop {
        #[expect(clippy::indexing_slicing, reason = "a byte is an index of 256; checked when it is compiled")]
        {
            kinds[byte as usize] = kind(byte);
        }
        match byte.checked_add(1) {
            Some(next) => byte = next,
            None => break kinds,
        }
    }
};

impl Features {
    /// One pass over the bytes.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let mut bits = 0;
        let mut digits = 0;
        let (mut run, mut longest) = (0, 0);
        for byte in bytes {
            let kind = KINDS.get(usize::from(*byte)).copied().unwrap_or(0);
            bits |= kind;
            digits += usize::from(kind & DIGIT);
            run = if kind & WORD != 0 { run + 1 } else { 0 };
            longest = longest.max(run);
        }
        Self { bits, digits, length: bytes.len(), longest }
    }

    /// Whether any of the kinds occurs.
    pub(crate) fn any(self, kinds: u16) -> bool {
        self.bits & kinds != 0
    }

    /// The kinds that occur.
    pub(crate) fn bits(self) -> u16 {
        self.bits
    }

    /// How many digits.
    pub(crate) fn digits(self) -> usize {
        self.digits
    }

    /// Bytes of the longest word of letters, digits and what base64 has besides.
    pub(crate) fn longest(self) -> usize {
        self.longest
    }

    /// Bytes.
    pub(crate) fn length(self) -> usize {
        self.length
    }
}

/// The least a text must have for a detector to be asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Needs {
    /// Bytes.
    length: usize,
    /// Digits.
    digits: usize,
    /// Kinds that must all occur.
    all: u16,
    /// Kinds of which one must occur; none when 0.
    any: u16,
}

impl Needs {
    /// At least so many bytes.
    pub(crate) const fn length(length: usize) -> Self {
        Self { length, digits: 0, all: 0, any: 0 }
    }

    /// At least so many digits.
    pub(crate) const fn digits(digits: usize) -> Self {
        Self { length: digits, digits, all: 0, any: 0 }
    }

    /// And at least so many bytes.
    pub(crate) const fn and_length(self, length: usize) -> Self {
        Self { length, ..self }
    }

    /// And all of these kinds.
    pub(crate) const fn all(self, all: u16) -> Self {
        Self { all, ..self }
    }

    /// And one of these kinds.
    pub(crate) const fn any(self, any: u16) -> Self {
        Self { any, ..self }
    }

    /// The kinds that must all occur.
    pub(crate) fn required(&self) -> u16 {
        self.all
    }

    /// The kinds of which one must occur; none when 0.
    pub(crate) fn one_of(&self) -> u16 {
        self.any
    }

    pub(crate) fn least_digits(&self) -> usize {
        self.digits
    }

    pub(crate) fn least_length(&self) -> usize {
        self.length
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needs_are_met_by_what_is_there() {
        let features = Features::of("a-1@b.com 22".as_bytes());
        assert_eq!((features.digits(), features.length(), features.longest()), (3, 12, 3));
        assert!(features.any(AT | DOT));
        assert!(!features.any(HIGH) && Features::of("é".as_bytes()).any(HIGH));
        assert!(Features::of(b"Ab").any(UPPER) && !Features::of(b"ab").any(UPPER));
    }
}
