//! Which server a target is: its version and what it offers, as it greets. Remembered, since callers are greeted
//! before they say which target they want.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sallyport_core::Target;
use sallyport_inspect::mysql::Flavour;
use tokio::time::Instant;

use super::upstream;
use crate::house::House;

/// What a caller is told when no target has been reached yet.
const UNKNOWN: &str = "8.0.0-sallyport";
/// A target that did not answer is asked again after so long.
const BACK_OFF: Duration = Duration::from_secs(10);
/// How long a caller's greeting waits for a target that was never reached.
const PATIENCE: Duration = Duration::from_secs(4);

/// The kind and version that a greeting's text names.
pub(super) fn flavour(version: &str) -> Flavour {
    let maria = version.contains("MariaDB");
    // MariaDB before 11 puts a version before its own, for old replicas.
    let text = if maria { version.strip_prefix("5.5.5-").unwrap_or(version) } else { version };
    let mut numbers = text.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse::<u32>().ok());
    let mut next = || numbers.next().flatten().filter(|number| *number < 100);
    match (next(), next(), next()) {
        (Some(major), Some(minor), Some(patch)) => {
            let number = major * 10_000 + minor * 100 + patch;
            if maria { Flavour::MariaDb(number) } else { Flavour::MySql(number) }
        }
        _ => Flavour::Either,
    }
}

/// Whether a greeting's version is MariaDB's.
pub(super) fn is_mariadb(version: &str) -> bool {
    version.contains("MariaDB")
}

/// What a target greets with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Greets {
    pub(super) version: String,
    /// Capabilities that it offers.
    pub(super) offers: u64,
}

impl Greets {
    fn unknown() -> Self {
        Self { version: UNKNOWN.to_owned(), offers: 0 }
    }
}

/// What targets greeted with, by target name.
#[derive(Debug, Default)]
pub(super) struct Versions {
    known: Mutex<BTreeMap<String, Greets>>,
    /// When a target was last asked in vain.
    asked: tokio::sync::Mutex<Option<Instant>>,
}

impl Versions {
    /// Remembers what a target greeted with.
    pub(super) fn learn(&self, target: &str, upstream: &upstream::Upstream) -> Greets {
        let greets = Greets { version: upstream.version.clone(), offers: upstream.offers };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(target.to_owned(), greets.clone());
        greets
    }

    fn of(&self, target: &str) -> Option<Greets> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(target).cloned()
    }

    /// What a caller is greeted by: the target whose listener it came by, on the shared one the first target.
    /// One that was never reached is asked, which counts as a sign-in there and happens once.
    pub(super) async fn told(&self, house: &House, own: Option<&str>) -> Greets {
        let first = {
            let targets = house.targets.get();
            let ours = |it: &&crate::house::ReachableTarget| {
                it.target.protocol == super::super::MYSQL && own.is_none_or(|own| it.target.name == own)
            };
            let mut ours = targets.values().filter(ours);
            ours.next().map(|it| (Arc::clone(&it.target), it.tls.clone()))
        };
        let Some((target, tls)) = first else { return Greets::unknown() };
        if let Some(known) = self.of(&target.name) {
            return known;
        }
        let mut asked = self.asked.lock().await;
        if let Some(known) = self.of(&target.name) {
            return known;
        }
        if asked.is_some_and(|at| at.elapsed() < BACK_OFF) {
            return Greets::unknown();
        }
        *asked = Some(Instant::now());
        self.ask(house, &target, tls).await.unwrap_or_else(Greets::unknown)
    }

    async fn ask(
        &self,
        house: &House,
        target: &Target,
        tls: Option<Arc<tokio_rustls::rustls::ClientConfig>>,
    ) -> Option<Greets> {
        let credentials = house.credentials.get();
        let wish = upstream::Wish::own(target);
        match upstream::dial(target, &credentials, tls, &wish, PATIENCE).await {
            Ok(upstream) => {
                let greets = self.learn(&target.name, &upstream);
                upstream.leave().await;
                Some(greets)
            }
            Err(error) => {
                tracing::warn!(target = %target.name, detail = error.detail(), "its version could not be asked");
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_greeting_names_kind_and_version() {
        assert_eq!(flavour("5.5.5-10.11.6-MariaDB-0+deb12u1"), Flavour::MariaDb(101_106));
        assert_eq!(flavour("11.4.2-MariaDB"), Flavour::MariaDb(110_402));
        assert_eq!(flavour("8.4.3"), Flavour::MySql(80_403));
        assert_eq!(flavour("8.0.36-28-percona"), Flavour::MySql(80_036));
        assert_eq!(flavour("proxy"), Flavour::Either);
    }
}
