//! What may stand in a text, by the number of its collation on the wire.

use std::borrow::Cow;

use sallyport_wire::mysql::column::BINARY;

/// How a column's text is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// No text.
    Bytes,
    /// UTF-8.
    Utf8,
    /// ASCII reads as itself; the rest is not known.
    Narrow,
    /// Two or four bytes a character, or not known at all.
    Wide,
}

/// The encoding of a collation.
pub(super) fn encoding(collation: u16) -> Encoding {
    match collation {
        BINARY => Encoding::Bytes,
        33
        | 45
        | 46
        | 76
        | 83
        | 192..=215
        | 223..=247
        | 254..=323
        | 576..=578
        | 608..=610
        | 1057
        | 1069
        | 1070
        | 1107
        | 1216
        | 1238
        | 1248
        | 1270 => Encoding::Utf8,
        // ucs2, utf16, utf32 of both servers.
        35 | 54..=56 | 60..=62 | 90 | 101..=124 | 128..=151 | 159..=183 => Encoding::Wide,
        0..=191 => Encoding::Narrow,
        // MariaDB's UCA 14: utf8mb3 and utf8mb4 come first.
        2048..=2559 => Encoding::Utf8,
        _ => Encoding::Wide,
    }
}

impl Encoding {
    /// A mark of ours, so that it reads in this encoding.
    pub(super) fn mark(self, text: String) -> String {
        if self == Self::Utf8 {
            return text;
        }
        text.chars()
            .map(|c| match c {
                '‹' => '<',
                '›' => '>',
                '…' => '.',
                c if c.is_ascii() => c,
                _ => '?',
            })
            .collect()
    }

    /// The bytes as detectors can read them.
    pub(super) fn readable(self, value: &[u8]) -> Cow<'_, [u8]> {
        if self == Self::Wide {
            Cow::Owned(value.iter().copied().filter(|byte| *byte != 0).collect())
        } else {
            Cow::Borrowed(value)
        }
    }
}
