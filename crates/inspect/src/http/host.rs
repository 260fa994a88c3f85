//! A host and port in their normal form.
//!
//! Lower case, no default port, no trailing dot, addresses as their library writes them. What could name
//! another host to another reader is ambiguous, and the reading of the URL standard is reported.

use std::net::{Ipv4Addr, Ipv6Addr};

use sallyport_core::UnknownCode;

use super::found::Found;
use super::percent;

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(super) struct Host {
    /// The name or address alone.
    pub(super) name: String,
    /// When it is not the scheme's own.
    pub(super) port: Option<u16>,
}

impl Host {
    /// As it stands before the path.
    pub(super) fn shown(&self) -> String {
        match self.port {
            Some(port) => format!("{}:{port}", self.name),
            None => self.name.clone(),
        }
    }
}

/// Reads `[userinfo@]host[:port]`.
pub(super) fn read(authority: &[u8], scheme: Option<&str>, found: &mut Found) -> Option<Host> {
    let authority = match authority.iter().rposition(|byte| *byte == b'@') {
        Some(at) => {
            found.ambiguous("user information before the host");
            authority.get(at + 1..).unwrap_or_default()
        }
        None => authority,
    };
    let Ok(text) = std::str::from_utf8(authority) else {
        found.unknown(UnknownCode::Encoding, "a host that is not UTF-8");
        return None;
    };
    let (name, port) = split_port(text);
    let name = if name.starts_with('[') { address(name, found) } else { domain(name, found) }?;
    let port = match port {
        None | Some("") => None,
        Some(digits) => match digits.parse::<u16>() {
            Ok(port) if digits.bytes().all(|byte| byte.is_ascii_digit()) => Some(port),
            _ => {
                found.unknown(UnknownCode::Unparsable, "a port that is no number");
                return None;
            }
        },
    };
    let default = match scheme {
        Some("http" | "ws") => 80,
        _ => 443,
    };
    Some(Host { name, port: port.filter(|port| *port != default) })
}

fn split_port(text: &str) -> (&str, Option<&str>) {
    let after_address = text.rfind(']').unwrap_or(0);
    match text.rfind(':').filter(|at| *at >= after_address) {
        Some(at) => (text.get(..at).unwrap_or_default(), text.get(at + 1..)),
        None => (text, None),
    }
}

fn address(text: &str, found: &mut Found) -> Option<String> {
    let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    match inner.and_then(|inner| inner.parse::<Ipv6Addr>().ok()) {
        Some(address) => Some(format!("[{address}]")),
        None => {
            found.unknown(UnknownCode::Unparsable, "a host in brackets that is no address");
            None
        }
    }
}

fn domain(text: &str, found: &mut Found) -> Option<String> {
    let mut name = percent::decode_text(text.as_bytes()).to_lowercase();
    let dotted = name.strip_suffix('.').map(str::to_owned);
    let is_dotted = dotted.is_some();
    name = dotted.unwrap_or(name);
    let is_sound = |label: &str| {
        !label.is_empty()
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_' || c.is_alphanumeric())
    };
    if name.len() > 255 || !name.split('.').all(is_sound) {
        found.unknown(UnknownCode::Unparsable, "a host that is no name");
        return None;
    }
    if text.contains('%') {
        found.ambiguous("percent-encoding in the host");
    }
    if !name.is_ascii() {
        found.ambiguous("a host that is not ASCII");
    }
    if is_dotted {
        found.ambiguous("a dot behind the host");
    }
    let Some(address) = old_address(&name) else { return Some(name) };
    let canonical = address.map(|address| address.to_string());
    if canonical.as_deref() != Some(name.as_str()) {
        found.ambiguous("an address in an unusual spelling");
    }
    Some(canonical.unwrap_or(name))
}

/// What `inet_aton` takes for an address: one to four numbers, each decimal, octal or hexadecimal.
/// `Some(None)` is a number that is too large for one.
#[expect(clippy::option_option, reason = "no address, or one that is out of range")]
fn old_address(name: &str) -> Option<Option<Ipv4Addr>> {
    let last = name.rsplit('.').next()?;
    if !(last.bytes().all(|byte| byte.is_ascii_digit()) || is_hexadecimal(last)) {
        return None;
    }
    let numbers: Option<Vec<u64>> = name.split('.').map(number).collect();
    let value = numbers.and_then(|numbers| {
        let (last, before) = numbers.split_last()?;
        let room = 4u32.checked_sub(u32::try_from(before.len()).ok()?)?;
        if before.iter().any(|number| *number > 255) || *last >= 256u64.checked_pow(room)? {
            return None;
        }
        let high = before.iter().fold(0u64, |high, number| high * 256 + number);
        u32::try_from(high * 256u64.checked_pow(room)? + last).ok()
    });
    Some(value.map(Ipv4Addr::from))
}

fn is_hexadecimal(label: &str) -> bool {
    label.strip_prefix("0x").is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn number(label: &str) -> Option<u64> {
    match label.strip_prefix("0x") {
        Some("") => Some(0),
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None if label.len() > 1 && label.starts_with('0') => u64::from_str_radix(label, 8).ok(),
        None => label.parse().ok(),
    }
}
