//! Where the gateway listens, and whether callers' tokens would cross a network in the clear.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use sallyport_core::visible;

use super::super::ListenerTls;
use super::super::model::{ConfigFile, ListenEntry, ListenTls};
use super::super::problem::Step;
use super::Checker;
use super::targets::is_https_or_loopback;

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
    ) -> (Option<SocketAddr>, ListenerTls, Option<SocketAddr>) {
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
        (postgres, self.listener_tls(entry, postgres), api)
    }

    /// Addresses that belong to one target each. TLS is `[listen]`'s for all of them.
    pub(super) fn own_listeners(
        &mut self,
        model: &ConfigFile,
        postgres: Option<SocketAddr>,
        api: Option<SocketAddr>,
    ) -> BTreeMap<String, SocketAddr> {
        let mut found = BTreeMap::new();
        for (index, target) in model.targets.iter().enumerate() {
            let Some(text) = &target.listen else { continue };
            let at = [Step::Key("target"), Step::At(index), Step::Key("listen")];
            let Some(address) = self.address(&at, text) else { continue };
            let mysql = model.listen.mysql.as_deref().and_then(|text| text.parse().ok());
            let taken = [postgres, mysql, api].into_iter().flatten().chain(found.values().copied());
            if address.port() != 0 && taken.into_iter().any(|other| other == address) {
                self.problem(&at, "two listeners on one address");
            }
            if model.listen.tls == Some(ListenTls::Off) && !address.ip().is_loopback() {
                self.problem_with(
                    &at,
                    "tls = \"off\" in [listen] is for loopback addresses only: tokens would cross the network in the clear",
                    Some("leave `tls` out there, or listen on loopback here"),
                );
            }
            found.insert(target.name.clone(), address);
        }
        found
    }

    /// The listener for MySQL and MariaDB. It has the TLS of the other one, so the same addresses may be plain.
    pub(super) fn listen_mysql(&mut self, entry: &ListenEntry) -> Option<SocketAddr> {
        const AT: [Step<'static>; 2] = [Step::Key("listen"), Step::Key("mysql")];
        let mysql = self.address(&AT, entry.mysql.as_deref()?)?;
        let taken = [entry.postgres.parse(), entry.api.parse::<SocketAddr>()];
        if mysql.port() != 0 && taken.iter().flatten().any(|other| *other == mysql) {
            self.problem(&AT, "two listeners on one address");
        }
        if entry.tls == Some(ListenTls::Off) && !mysql.ip().is_loopback() {
            self.problem_with(
                &AT,
                "tls = \"off\" is for loopback addresses only: tokens would cross the network in the clear",
                Some("leave `tls` out, and the gateway makes a certificate of its own"),
            );
        }
        Some(mysql)
    }

    pub(super) fn public_url(&mut self, entry: &ListenEntry) -> Option<String> {
        let text = entry.public_url.as_deref()?;
        let plain = text.strip_suffix('/').unwrap_or(text);
        if is_https_or_loopback(plain) && plain.matches('/').count() == 2 {
            return Some(plain.to_owned());
        }
        self.problem_with(
            &[Step::Key("listen"), Step::Key("public_url")],
            format!("`{}` is not the address of a host", visible::line(text)),
            Some("as https://gw.example.com; http:// is taken for loopback only"),
        );
        None
    }

    fn listener_tls(&mut self, entry: &ListenEntry, postgres: Option<SocketAddr>) -> ListenerTls {
        const LISTEN: Step<'static> = Step::Key("listen");
        let loopback = postgres.is_none_or(|address| address.ip().is_loopback());
        let files = match (&entry.tls_certificate, &entry.tls_key) {
            (Some(certificate), Some(key)) => {
                let certificate = self.file(&[LISTEN, Step::Key("tls_certificate")], certificate);
                // A group may read it: that is how distributions hand keys to services.
                let key = self.secret_file(&[LISTEN, Step::Key("tls_key")], key, 0o027);
                certificate.zip(key).map(|(certificate, key)| ListenerTls::Files { certificate, key })
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
                if !loopback {
                    self.problem_with(
                        &[LISTEN, Step::Key("tls")],
                        "tls = \"off\" is for loopback addresses only: tokens would cross the network in the clear",
                        Some("leave it out, and the gateway makes a certificate of its own"),
                    );
                }
                if has_files {
                    self.problem(
                        &[LISTEN, Step::Key("tls")],
                        "tls = \"off\", so the certificate could not act; remove one of the two",
                    );
                }
                ListenerTls::Off
            }
            Some(ListenTls::Required) | None => files.unwrap_or(ListenerTls::Own),
        }
    }
}
