//! `IP_ADDRESS`: version 4 and 6.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{Detector, Found, Kind, Needs, Reading, Topic, scan};
use crate::features::{COLON_PAIR, COLONS, DIGIT, DOTTED};

/// Well-known servers whose numbers are as small as a version's.
const KNOWN: &[Ipv4Addr] = &[
    Ipv4Addr::new(1, 1, 1, 1),
    Ipv4Addr::new(1, 0, 0, 1),
    Ipv4Addr::new(8, 8, 8, 8),
    Ipv4Addr::new(8, 8, 4, 4),
    Ipv4Addr::new(9, 9, 9, 9),
    Ipv4Addr::new(4, 2, 2, 2),
];

const KIND: Kind = Kind {
    id: "ip",
    entity: "IP_ADDRESS",
    description: "An Internet address, version 4 or 6; not the unspecified one, and not four numbers of a version.",
};

/// The detector.
#[derive(Debug)]
pub(super) struct IpAddress;

impl Detector for IpAddress {
    fn kinds(&self) -> Vec<&'static Kind> {
        vec![&KIND]
    }

    fn needs(&self) -> Needs {
        Needs::all(DIGIT).any(DOTTED | COLON_PAIR | COLONS)
    }

    fn find(&self, reading: &Reading<'_>, found: &mut Vec<Found>) {
        let (text, bytes) = (reading.text, reading.bytes());
        // Eight groups have seven colons.
        if !reading.features.any(DOTTED | COLON_PAIR) && memchr::memchr_iter(b':', bytes).take(7).count() < 7
        {
            return;
        }
        for run in scan::runs(bytes, |byte| byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':')) {
            if run.len() < 4 || is_glued(scan::before(bytes, run.start)) || is_glued(scan::at(bytes, run.end))
            {
                continue;
            }
            let Some(token) = text.get(run.clone()) else { continue };
            let start = run.start + (token.len() - token.trim_start_matches('.').len());
            let token = token.trim_start_matches('.').trim_end_matches('.');
            if token.contains(':')
                && let Some((from, length)) = v6(token)
            {
                found.push(Found::new(&KIND, start + from..start + from + length, 0.9));
                continue;
            }
            // A port behind the address, or a key before it.
            let mut from = start;
            for part in token.split(':') {
                if part.len() >= 7 && is_host(reading, part, from, from + part.len()) {
                    found.push(Found::new(&KIND, from..from + part.len(), 0.8));
                }
                from += part.len() + 1;
            }
        }
    }
}

fn is_glued(byte: u8) -> bool {
    scan::is_word(byte) || byte == b'_'
}

/// Whether the four numbers are the address of somebody's machine.
fn is_host(reading: &Reading<'_>, token: &str, start: usize, end: usize) -> bool {
    let Ok(address) = token.parse::<Ipv4Addr>() else { return false };
    let bytes = reading.bytes();
    let beyond = start.checked_sub(1).map_or(0, |at| scan::before(bytes, at));
    let product = match scan::before(bytes, start) {
        // `Chrome/126.0.0.1`: a word, a slash; but not a path or the end of a scheme.
        b'/' => is_product(bytes, start - 1),
        b'-' => scan::is_word(beyond),
        _ => false,
    };
    let [first, rest @ ..] = address.octets();
    if product
        || first == 0
        || matches!(scan::at(bytes, end), b'-' | b'+' | b'~') && scan::is_word(scan::at(bytes, end + 1))
    {
        return false;
    }
    let prefix = scan::at(bytes, end) == b'/' && scan::at(bytes, end + 1).is_ascii_digit();
    let port = scan::at(bytes, end) == b':' && scan::at(bytes, end + 1).is_ascii_digit();
    if prefix || port {
        return true;
    }
    let before = reading.before(start);
    if reading.column.words.say(Topic::Version) || before.words().say(Topic::Version) {
        return false;
    }
    let small = rest == [0, 0, 0] || (first != 10 && address.octets().iter().all(|octet| *octet < 32));
    !small
        || KNOWN.contains(&address)
        || reading.column.words.say(Topic::Address)
        || before.say(Topic::Address)
}

/// Whether the word that ends at `slash` is a product's name and not part of a path.
fn is_product(bytes: &[u8], slash: usize) -> bool {
    let part = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(**byte, b'-' | b'_' | b'.');
    let length = bytes.iter().take(slash).rev().take(40).take_while(part).count();
    length > 0 && !matches!(scan::before(bytes, slash - length), b'/' | b':')
}

/// Where in the token an address of version 6 stands.
fn v6(token: &str) -> Option<(usize, usize)> {
    let colons = token.bytes().filter(|byte| *byte == b':').count();
    if !(2..=9).contains(&colons) || token.len() > 60 {
        return None;
    }
    if is_v6(token) {
        return Some((0, token.len()));
    }
    // `key:2001:db8::1`, `2001:db8::1:` at the end of a clause.
    let trimmed = token.trim_end_matches(':');
    if trimmed.len() < token.len() && is_v6(trimmed) {
        return Some((0, trimmed.len()));
    }
    let (first, rest) = token.split_once(':')?;
    is_v6(rest).then_some((first.len() + 1, rest.len()))
}

fn is_v6(token: &str) -> bool {
    let Ok(address) = token.parse::<Ipv6Addr>() else { return false };
    let groups = token.split(':').filter(|group| !group.is_empty()).count();
    // `::`, `::1`, and short forms that are operators or times elsewhere (`1::2`).
    let telling = groups >= 3 || token.split(':').any(|group| group.len() >= 3);
    // Eight pairs are an EUI-64.
    let pairs = groups == 8 && token.split(':').all(|group| group.len() == 2);
    !address.is_unspecified() && !address.is_loopback() && telling && !pairs
}
