//! Which host names the API answers to.
//!
//! The API listens on loopback, where every web page in a browser on the machine can send it requests
//! once a name of the page's own resolves to 127.0.0.1 (DNS rebinding). The Host header still says that
//! name, so a name that is not ours is refused before anything else looks at the request.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::problem::Problem;

/// The names, besides loopback's own.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hosts(Arc<[String]>);

impl Hosts {
    pub(crate) fn new(names: &[String]) -> Self {
        Self(names.iter().map(|name| name.to_ascii_lowercase()).collect())
    }

    fn takes(&self, host: &str) -> bool {
        let name = without_port(host).to_ascii_lowercase();
        matches!(name.as_str(), "localhost" | "127.0.0.1" | "[::1]") || self.0.contains(&name)
    }
}

/// `name:port` or `[v6]:port` without the port. A port that is none makes the whole a name nobody has.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port))
            if !port.is_empty()
                && port.bytes().all(|b| b.is_ascii_digit())
                && (!name.contains(':') || name.ends_with(']')) =>
        {
            name
        }
        _ => host,
    }
}

/// Refuses what asks for another host, or for two, or for none.
pub(crate) async fn check(State(hosts): State<Hosts>, request: Request, next: Next) -> Response {
    let mut names = request.headers().get_all(header::HOST).iter();
    let taken = match (names.next().map(|name| name.to_str()), names.next(), request.uri().authority()) {
        (Some(Ok(name)), None, None) => hosts.takes(name),
        // A target in absolute form must say the same as the header.
        (Some(Ok(name)), None, Some(authority)) => authority.as_str() == name && hosts.takes(name),
        _ => false,
    };
    if taken { next.run(request).await } else { Problem::wrong_host().into_response() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_and_configured_names_are_served() {
        let hosts = Hosts::new(&["gw.Example.com".to_owned()]);
        for good in
            ["localhost", "LOCALHOST:6480", "127.0.0.1:1", "[::1]", "[::1]:6480", "gw.example.com:443"]
        {
            assert!(hosts.takes(good), "{good}");
        }
        for bad in [
            "",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.nip.io",
            "127.0.0.2",
            "localhost:",
            "localhost:80:80",
            "::1",
            "evil@localhost",
            "gw.example.com.",
        ] {
            assert!(!hosts.takes(bad), "{bad}");
        }
    }
}
