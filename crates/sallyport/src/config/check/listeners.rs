//! Where the gateway listens, and whether callers' tokens would cross a network in the clear.

use std::net::SocketAddr;

use sallyport_core::visible;

use super::super::ListenerTls;
use super::super::model::{ListenEntry, ListenTls};
use super::super::problem::Step;
use super::Checker;

impl Checker<'_> {
    fn address(&mut self, at: &[Step<'_>], text: &str) -> Option<SocketAddr> {
        match text.parse() {
            Ok(address) => Some(address),
            Err(_) => {
                self.problem_with(
                    at,
                    format!("`{}` is not an address to listen on", visible::line(text)),
                    Some("write an IP address and a port, as 127.0.0.1:6432 or [::1]:6432"),
                );
                None
            }
        }
    }

    pub(super) fn listen(
        &mut self,
        entry: &ListenEntry,
    ) -> (Option<SocketAddr>, Option<ListenerTls>, Option<SocketAddr>) {
        const LISTEN: Step<'static> = Step::Key("listen");
        let postgres = self.address(&[LISTEN, Step::Key("postgres")], &entry.postgres);
        let api = self.address(&[LISTEN, Step::Key("api")], &entry.api);
        if let Some(api) = api
            && !api.ip().is_loopback()
        {
            self.problem_with(
                &[LISTEN, Step::Key("api")],
                format!("{api} can be reached from outside, and the API speaks plain HTTP"),
                Some("listen on 127.0.0.1 and put a TLS proxy in front"),
            );
        }
        if postgres.is_some() && postgres == api && postgres.is_some_and(|address| address.port() != 0) {
            self.problem(&[LISTEN, Step::Key("api")], "two listeners on one address");
        }
        for host in &entry.api_hosts {
            let plain = !host.is_empty()
                && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':'));
            if !plain {
                self.problem(
                    &[LISTEN, Step::Key("api_hosts")],
                    format!("`{}` is not a host name", visible::line(host)),
                );
            }
        }
        (postgres, self.listener_tls(entry, postgres), api)
    }

    fn listener_tls(&mut self, entry: &ListenEntry, postgres: Option<SocketAddr>) -> Option<ListenerTls> {
        const LISTEN: Step<'static> = Step::Key("listen");
        let loopback = postgres.is_some_and(|address| address.ip().is_loopback());
        let given = match (&entry.tls_certificate, &entry.tls_key) {
            (Some(certificate), Some(key)) => {
                let certificate = self.file(&[LISTEN, Step::Key("tls_certificate")], certificate);
                let key = self.secret_file(&[LISTEN, Step::Key("tls_key")], key);
                certificate.zip(key).map(|(certificate, key)| ListenerTls { certificate, key })
            }
            (Some(_), None) => {
                self.problem(&[LISTEN, Step::Key("tls_certificate")], "a certificate without `tls_key`");
                None
            }
            (None, Some(_)) => {
                self.problem(&[LISTEN, Step::Key("tls_key")], "a key without `tls_certificate`");
                None
            }
            (None, None) => None,
        };
        let has_files = entry.tls_certificate.is_some() || entry.tls_key.is_some();
        match entry.tls {
            Some(ListenTls::Off) => {
                if postgres.is_some() && !loopback {
                    self.problem_with(
                        &[LISTEN, Step::Key("tls")],
                        "tls = \"off\" is for loopback addresses only: tokens would cross the network in the clear",
                        Some("give tls_certificate and tls_key, or listen on 127.0.0.1"),
                    );
                }
                if has_files {
                    self.problem(
                        &[LISTEN, Step::Key("tls")],
                        "tls = \"off\", so the certificate could not act; remove one of the two",
                    );
                }
                None
            }
            Some(ListenTls::Required) if !has_files => {
                self.problem(
                    &[LISTEN, Step::Key("tls")],
                    "tls = \"required\" needs `tls_certificate` and `tls_key`",
                );
                None
            }
            None if !has_files && postgres.is_some() && !loopback => {
                self.problem_with(
                    &[LISTEN, Step::Key("postgres")],
                    "an address that can be reached from outside needs TLS: tokens would cross the network in the clear",
                    Some("give tls_certificate and tls_key, or listen on 127.0.0.1"),
                );
                None
            }
            Some(ListenTls::Required) | None => given,
        }
    }
}
