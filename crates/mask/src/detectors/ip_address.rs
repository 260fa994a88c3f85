//! `IP_ADDRESS`: version 4 and 6.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{Detector, FieldContext, Found, Needs, scan};
use crate::features::{COLON, DOT};

/// Words that say that four numbers are a version.
const VERSIONS: &[&str] =
    &["version", "ver", "v", "release", "build", "firmware", "kernel", "driver", "revision"];

/// The detector.
#[derive(Debug)]
pub(super) struct IpAddress;

impl Detector for IpAddress {
    fn id(&self) -> &'static str {
        "ip"
    }

    fn entity(&self) -> &'static str {
        "IP_ADDRESS"
    }

    fn description(&self) -> &'static str {
        "An Internet address, version 4 or 6; not the unspecified one, and not four numbers of a version."
    }

    fn needs(&self) -> Needs {
        Needs::digits(1).any(DOT | COLON)
    }

    fn find(&self, text: &str, context: &FieldContext<'_>) -> Vec<Found> {
        let bytes = text.as_bytes();
        let mut found = Vec::new();
        for run in scan::runs(bytes, |byte| byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':')) {
            if is_glued(scan::before(bytes, run.start)) || is_glued(scan::at(bytes, run.end)) {
                continue;
            }
            let Some(token) = text.get(run.clone()) else { continue };
            let start = run.start + (token.len() - token.trim_start_matches('.').len());
            let token = token.trim_start_matches('.').trim_end_matches('.');
            let address = token.trim_end_matches(':');
            if is_v6(token) {
                found.push(Found::new(start..start + token.len(), 0.9));
                continue;
            }
            // A port, or whatever follows a colon.
            let host = address.split(':').next().unwrap_or(address);
            if let Some(certain) = v4(text, host, start, context) {
                found.push(Found::new(start..start + host.len(), certain));
            } else if let Some(rest) = address.rsplit(':').next()
                && rest.len() < address.len()
                && let Some(certain) = v4(text, rest, start + address.len() - rest.len(), context)
            {
                let start = start + address.len() - rest.len();
                found.push(Found::new(start..start + rest.len(), certain));
            }
        }
        found
    }
}

fn is_glued(byte: u8) -> bool {
    scan::is_word(byte) || byte == b'_'
}

fn v4(text: &str, token: &str, start: usize, context: &FieldContext<'_>) -> Option<f32> {
    let address: Ipv4Addr = token.parse().ok()?;
    let version = context.suggests(VERSIONS) || scan::said_before(text, start, VERSIONS);
    (!address.is_unspecified() && !version && scan::before(text.as_bytes(), start) != b'-').then_some(0.8)
}

fn is_v6(token: &str) -> bool {
    if !token.contains(':') || token.matches(':').count() < 2 {
        return false;
    }
    let Ok(address) = token.parse::<Ipv6Addr>() else { return false };
    let groups = token.split(':').filter(|group| !group.is_empty()).count();
    // `::`, `::1`, and short forms that are operators or times elsewhere (`1::2`).
    let telling = groups >= 3 || token.split(':').any(|group| group.len() >= 3);
    // Eight pairs are an EUI-64.
    let pairs = groups == 8 && token.split(':').all(|group| group.len() == 2);
    !address.is_unspecified() && !address.is_loopback() && telling && !pairs
}
