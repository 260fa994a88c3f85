//! A path in its normal form, and the other ways in which servers read it.
//!
//! The strict reading is RFC 3986, section 6.2.2: unreserved characters decoded, hexadecimal digits in upper
//! case, dot segments removed, all else as it is. The loose reading is what servers make of it that decode
//! before they split, merge slashes, drop `;parameters` or take `\` for `/`. Where the two differ in a way
//! that servers are known to differ, the request is ambiguous and both are reported.

use sallyport_core::UnknownCode;

use super::found::Found;
use super::percent;

/// A path: how it is shown, and its segments decoded for matching.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path {
    /// From its first slash on.
    pub(super) shown: String,
    /// Between the slashes, decoded once.
    pub(super) segments: Vec<String>,
}

/// The ways to read one path.
#[derive(Debug)]
pub(super) struct Readings {
    pub(super) strict: Path,
    /// When it differs.
    pub(super) loose: Option<Path>,
    /// Whether the loose reading counts beside the strict one, not only where it reaches something guarded.
    pub(super) both: bool,
}

impl Path {
    fn new(shown: String) -> Self {
        let segments =
            shown.split('/').skip(1).map(|segment| percent::decode_text(segment.as_bytes())).collect();
        Self { shown, segments }
    }

    /// The last segment that is not empty.
    pub(super) fn last(&self) -> &str {
        self.segments.iter().rev().find(|segment| !segment.is_empty()).map_or("", String::as_str)
    }
}

/// Reads a path that starts with a slash (an empty one is `/`).
pub(super) fn read(raw: &[u8], found: &mut Found) -> Readings {
    let raw = if raw.is_empty() { b"/" } else { raw };
    if std::str::from_utf8(&percent::decode(raw)).is_err() {
        found.unknown(UnknownCode::Encoding, "a path that is not UTF-8");
    }
    let encoded_dots = percent_encoded(raw, b'.');
    let spelled = spell(raw, found);
    let strict = remove_dots(&spelled);
    let mut both = false;
    let mut doubt = |is: bool, why: &str, found: &mut Found| {
        if is {
            found.ambiguous(why);
            both = true;
        }
    };
    doubt(strict.removed && encoded_dots, "a dot segment in percent-encoding", found);
    doubt(strict.climbed, "dot segments that lead above the root", found);
    doubt(spelled.contains("//"), "doubled slashes: some servers merge them", found);
    doubt(raw.contains(&b';'), "a path parameter: some servers drop it before they route", found);
    doubt(raw.contains(&b'\\'), "a backslash: some servers take it for a slash", found);
    if !needs_loose(raw, &spelled) {
        return Readings { strict: Path::new(strict.path), loose: None, both };
    }
    let loosely = loosen(raw);
    doubt(
        loosely.removed != strict.removed
            || (loosely.removed && (percent_encoded(raw, b'/') || percent_encoded(raw, b'\\'))),
        "dot segments that only some servers see",
        found,
    );
    doubt(loosely.path.contains("%00"), "a NUL behind two encodings", found);
    let strict = Path::new(strict.path);
    let loose = Path::new(loosely.path);
    let differs = loose.segments != strict.segments;
    Readings { strict, loose: differs.then_some(loose), both }
}

fn percent_encoded(raw: &[u8], wanted: u8) -> bool {
    raw.windows(3).any(|window| percent::octet(window) == Some(wanted))
}

/// Whether decoding first could make another path of it.
fn needs_loose(raw: &[u8], spelled: &str) -> bool {
    raw.contains(&b';')
        || spelled.contains("//")
        || ["%2F", "%5C", "%3B", "%25", "%EF%BC", "%E2%8"].iter().any(|code| spelled.contains(code))
}

/// Unreserved characters decoded, what may not stand in a path encoded, digits in upper case.
fn spell(raw: &[u8], found: &mut Found) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((first, after)) = rest.split_first() {
        if *first == b'%' {
            if let Some(value) = percent::octet(rest) {
                match value {
                    0 => found.unknown(UnknownCode::Encoding, "a NUL in the path"),
                    1..=31 | 127 => found.ambiguous("a control character in the path"),
                    _ => {}
                }
                if percent::is_unreserved(value) {
                    out.push(char::from(value));
                } else {
                    percent::push_encoded(&mut out, value);
                }
                rest = rest.get(3..).unwrap_or_default();
                continue;
            }
            found.ambiguous("a percent sign that encodes nothing");
        }
        match *first {
            0 => found.unknown(UnknownCode::Encoding, "a NUL in the path"),
            1..=32 | 127 => found.ambiguous("white space or a control character in the path"),
            128.. => found.ambiguous("a path that is not ASCII"),
            _ => {}
        }
        if *first == b'/' || percent::is_path_character(*first) {
            out.push(char::from(*first));
        } else {
            percent::push_encoded(&mut out, *first);
        }
        rest = after;
    }
    out
}

struct Resolved {
    path: String,
    removed: bool,
    climbed: bool,
}

/// RFC 3986, section 5.2.4.
fn remove_dots(path: &str) -> Resolved {
    let mut kept: Vec<&str> = Vec::new();
    let (mut removed, mut climbed) = (false, false);
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        match segment {
            "." | ".." => {
                removed = true;
                if segment == ".." && kept.pop().is_none() {
                    climbed = true;
                }
                if is_last {
                    kept.push("");
                }
            }
            _ => kept.push(segment),
        }
    }
    Resolved { path: format!("/{}", kept.join("/")), removed, climbed }
}

fn without_parameters(path: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(path.len());
    for (at, segment) in path.split(|byte| *byte == b'/').enumerate() {
        if at > 0 {
            out.push(b'/');
        }
        out.extend(segment.split(|byte| *byte == b';').next().unwrap_or_default());
    }
    out
}

/// As the most forgiving server reads it.
fn loosen(raw: &[u8]) -> Resolved {
    let mut text = without_parameters(raw);
    for _ in 0..3 {
        let decoded = percent::decode(&text);
        if decoded == text {
            break;
        }
        text = decoded;
    }
    // Some drop parameters after they decode.
    let text = without_parameters(&text);
    let text = String::from_utf8_lossy(&text);
    let mut spelled = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '/' | '\\' | '\u{ff0f}' | '\u{ff3c}' | '\u{2215}' | '\u{2044}' => {
                if !spelled.ends_with('/') {
                    spelled.push('/');
                }
            }
            '\u{ff0e}' | '\u{2024}' => spelled.push('.'),
            c => {
                let mut buffer = [0; 4];
                for byte in c.encode_utf8(&mut buffer).bytes() {
                    if percent::is_path_character(byte) {
                        spelled.push(char::from(byte));
                    } else {
                        percent::push_encoded(&mut spelled, byte);
                    }
                }
            }
        }
    }
    remove_dots(&spelled)
}
