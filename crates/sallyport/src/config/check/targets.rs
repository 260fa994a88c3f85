//! What is protected: addresses, references to credentials, TLS towards targets.

use std::collections::BTreeSet;
use std::net::IpAddr;

use sallyport_core::{CredentialRef, Target, TlsIdentity, TlsMode, TlsSettings, visible};

use super::super::model::{TargetEntry, TargetTlsEntry, TlsModeEntry};
use super::super::problem::Step;
use super::Checker;

impl Checker<'_> {
    pub(super) fn targets(&mut self, entries: &[TargetEntry]) -> Vec<Target> {
        let mut seen = BTreeSet::new();
        if entries.is_empty() {
            self.notes.push("no target is configured: nothing can be reached yet".to_owned());
        }
        entries
            .iter()
            .enumerate()
            .filter_map(|(index, entry)| {
                let fresh = seen.insert(entry.name.clone());
                if !fresh {
                    self.problem(
                        &[Step::Key("target"), Step::At(index), Step::Key("name")],
                        format!("a second target called {}", visible::line(&entry.name)),
                    );
                }
                self.target(index, entry).filter(|_| fresh)
            })
            .collect()
    }

    fn target(&mut self, index: usize, entry: &TargetEntry) -> Option<Target> {
        let at = |key| [Step::Key("target"), Step::At(index), Step::Key(key)];
        let before = self.problems.len();
        if !is_target_name(&entry.name) {
            self.problem(
                &at("name"),
                "a target's name is 1 to 63 lower-case letters, digits, `-`, `_` or `.`, and starts with a letter or digit",
            );
        }
        if !matches!(entry.protocol.as_str(), "postgres" | "mysql") {
            self.problem_with(
                &at("protocol"),
                format!("no protocol `{}`", visible::line(&entry.protocol)),
                Some("protocols: postgres, mysql (MariaDB too)"),
            );
        }
        let address = host_and_port(&entry.address);
        if address.is_none() {
            self.problem_with(
                &at("address"),
                format!("`{}` is not a host and a port", visible::line(&entry.address)),
                Some("as db.internal:5432 or [fd00::1]:5432"),
            );
        }
        let (host, port) = address.unwrap_or_default();
        for (key, value) in [("database", &entry.database), ("user", &entry.user)] {
            if value.is_empty() || value.len() > 63 || value.chars().any(char::is_control) {
                self.problem(&at(key), "must be 1 to 63 bytes, without control characters");
            }
        }
        for (place, database) in entry.databases.iter().enumerate() {
            let bad = database.is_empty() || database.len() > 63 || database.chars().any(char::is_control);
            if bad || *database == entry.database || entry.databases.iter().take(place).any(|d| d == database)
            {
                self.problem(
                    &at("databases"),
                    "each must be a database's name, once, and not `database` itself",
                );
            }
        }
        let credential = self.credential(&at("credential"), &entry.credential);
        let tls = self.target_tls(index, &entry.tls, &host);
        if self.problems.len() > before {
            return None;
        }
        Some(Target {
            name: entry.name.clone(),
            protocol: entry.protocol.clone(),
            host,
            port,
            database: entry.database.clone(),
            databases: entry.databases.clone(),
            user: entry.user.clone(),
            credential: credential?,
            tls,
            tags: entry.tags.clone(),
        })
    }

    pub(super) fn credential(&mut self, at: &[Step<'_>], text: &str) -> Option<CredentialRef> {
        match CredentialRef::parse(text) {
            Some(CredentialRef::File(path)) => {
                self.secret_file(at, &path.to_string_lossy(), 0o077).map(CredentialRef::File)
            }
            Some(other) => Some(other),
            // The text is not shown: whoever wrote a password here would find it in a log.
            None => {
                self.problem_with(
                    at,
                    "not a reference to a credential",
                    Some("write env:NAME, file:PATH or none; the credential itself never stands here"),
                );
                None
            }
        }
    }

    fn target_tls(&mut self, index: usize, entry: &TargetTlsEntry, host: &str) -> TlsSettings {
        let at = |key| [Step::Key("target"), Step::At(index), Step::Key("tls"), Step::Key(key)];
        let mode = match entry.mode {
            TlsModeEntry::VerifyFull => TlsMode::VerifyFull,
            TlsModeEntry::VerifyCa => TlsMode::VerifyCa,
            TlsModeEntry::Disable => TlsMode::Disable,
        };
        if mode == TlsMode::Disable {
            if !is_loopback_host(host) && !host.is_empty() {
                self.problem_with(
                    &at("mode"),
                    "mode = \"disable\" is for targets on loopback: the credential would cross the network in the clear",
                    Some("use verify-full, with `ca` when the authority is your own"),
                );
            }
            for (key, set) in [("ca", &entry.ca), ("certificate", &entry.certificate), ("key", &entry.key)] {
                if set.is_some() {
                    self.problem(
                        &at(key),
                        format!("mode = \"disable\", so `{key}` could not act; remove one of the two"),
                    );
                }
            }
        }
        let ca = entry.ca.as_ref().and_then(|ca| self.file(&at("ca"), ca));
        let identity = match (&entry.certificate, &entry.key) {
            (Some(certificate), Some(key)) => {
                let certificate = self.file(&at("certificate"), certificate);
                let key = self.secret_file(&at("key"), key, 0o027);
                certificate.zip(key).map(|(certificate, key)| TlsIdentity { certificate, key })
            }
            (Some(_), None) => {
                self.problem(&at("certificate"), "a certificate without `key`");
                None
            }
            (None, Some(_)) => {
                self.problem(&at("key"), "a key without `certificate`");
                None
            }
            (None, None) => None,
        };
        TlsSettings { mode, ca, identity }
    }
}

fn is_target_name(name: &str) -> bool {
    name.len() <= 63
        && name.bytes().next().is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'.'))
}

/// `host:port`, an IPv6 address in brackets.
fn host_and_port(text: &str) -> Option<(String, u16)> {
    let (host, port) = text.rsplit_once(':')?;
    let port: u16 = port.parse().ok().filter(|port| *port != 0)?;
    let host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(inner) => inner.parse::<std::net::Ipv6Addr>().ok()?.to_string(),
        None => host.to_owned(),
    };
    let plain = !host.is_empty()
        && host.len() <= 253
        && (host.parse::<IpAddr>().is_ok()
            || host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_')));
    plain.then_some((host, port))
}

fn is_loopback_host(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// An `https://` address, or `http://` on loopback, without user, query or fragment.
pub(super) fn is_https_or_loopback(url: &str) -> bool {
    if url.contains(['?', '#']) || url.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return false;
    }
    if let Some(rest) = url.strip_prefix("https://") {
        return !rest.is_empty() && !rest.contains('@');
    }
    url.strip_prefix("http://").is_some_and(|rest| {
        let authority = rest.split('/').next().unwrap_or_default();
        let host = host_and_port(authority).map_or_else(|| authority.to_owned(), |(host, _)| host);
        is_loopback_host(&host)
    })
}
