//! A provider's public keys, fetched when needed and kept for a while.
//!
//! Keys are fetched again when they are older than [`FRESH`], or when a token names a key that is not
//! among them; either way not more often than every [`MIN_INTERVAL`], however many such tokens come,
//! and by one task at a time. When the provider does not answer, the keys it last gave serve until
//! they are [`STALE`] old, and then nobody signs in through it: a key that the provider has withdrawn
//! leaves within the hour.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey};
use reqwest::{Client, Url};
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::egress;
use crate::error::AuthError;

const MIN_INTERVAL: Duration = Duration::from_secs(30);
const FRESH: Duration = Duration::from_secs(15 * 60);
const STALE: Duration = Duration::from_secs(60 * 60);
const MAX_BODY: usize = 256 * 1024;
const MAX_KEYS: usize = 256;

/// Where the keys are.
#[derive(Clone, Debug)]
pub(crate) enum KeySource {
    /// At this address.
    Jwks(Url),
    /// Where the issuer's discovery document says (OpenID Connect Discovery 1.0, section 4).
    Discovery {
        /// The issuer, which the document must repeat exactly.
        issuer: String,
        /// The document's address.
        url: Url,
    },
}

#[derive(Debug)]
struct Cached {
    keys: Vec<Jwk>,
    at: Instant,
}

/// One provider's keys.
#[derive(Debug)]
pub(crate) struct Keys {
    source: KeySource,
    client: Client,
    cached: RwLock<Option<Arc<Cached>>>,
    /// When a fetch was last tried; held while one runs.
    tried: Mutex<Option<Instant>>,
}

impl Keys {
    pub(crate) fn new(source: KeySource, client: Client) -> Self {
        Self { source, client, cached: RwLock::new(None), tried: Mutex::new(None) }
    }

    /// The key with this id that fits the algorithm.
    ///
    /// # Errors
    /// When there is none, or the provider's keys cannot be had.
    pub(crate) async fn key(&self, kid: &str, algorithm: Algorithm) -> Result<DecodingKey, AuthError> {
        let cached = self.usable();
        if let Some(cached) = &cached
            && cached.at.elapsed() < FRESH
            && let Some(key) = find(&cached.keys, kid, algorithm)
        {
            return Ok(key);
        }
        let refreshed = self.refresh(cached.as_ref().map(|cached| cached.at)).await;
        match self.usable() {
            Some(cached) => find(&cached.keys, kid, algorithm).ok_or(AuthError::UnknownKey),
            None => Err(refreshed.err().unwrap_or(AuthError::Provider("its keys are too old"))),
        }
    }

    fn usable(&self) -> Option<Arc<Cached>> {
        let cached = self.cached.read().unwrap_or_else(PoisonError::into_inner).clone();
        cached.filter(|cached| cached.at.elapsed() < STALE)
    }

    /// Fetches the keys, unless they changed since the caller looked, or a fetch was tried just now.
    async fn refresh(&self, seen: Option<Instant>) -> Result<(), AuthError> {
        let mut tried = self.tried.lock().await;
        if self.usable().map(|cached| cached.at) != seen {
            return Ok(());
        }
        if tried.is_some_and(|at| at.elapsed() < MIN_INTERVAL) {
            return Err(AuthError::Provider("its keys were asked for just now"));
        }
        *tried = Some(Instant::now());
        let keys = self.fetch().await?;
        let cached = Arc::new(Cached { keys, at: Instant::now() });
        *self.cached.write().unwrap_or_else(PoisonError::into_inner) = Some(cached);
        Ok(())
    }

    async fn fetch(&self) -> Result<Vec<Jwk>, AuthError> {
        let url = match &self.source {
            KeySource::Jwks(url) => url.clone(),
            KeySource::Discovery { issuer, url } => self.discover(issuer, url).await?,
        };
        let body = self.get(url).await?;
        let set: KeySet =
            serde_json::from_slice(&body).map_err(|_| AuthError::Provider("its key set cannot be read"))?;
        // A key of a kind that we do not know must not hide the others, so each is read by itself.
        Ok(set.keys.into_iter().take(MAX_KEYS).filter_map(|key| serde_json::from_value(key).ok()).collect())
    }

    async fn discover(&self, issuer: &str, url: &Url) -> Result<Url, AuthError> {
        let body = self.get(url.clone()).await?;
        let document: Document = serde_json::from_slice(&body)
            .map_err(|_| AuthError::Provider("its discovery document cannot be read"))?;
        if document.issuer != issuer {
            return Err(AuthError::Provider("its discovery document names another issuer"));
        }
        let keys = egress::address(&document.jwks_uri)
            .map_err(|_| AuthError::Provider("its key address is not https"))?;
        // A document that came over TLS cannot point at a plain-text or loopback address.
        if url.scheme() == "https" && keys.scheme() != "https" {
            return Err(AuthError::Provider("its key address is not https"));
        }
        Ok(keys)
    }

    async fn get(&self, url: Url) -> Result<Vec<u8>, AuthError> {
        egress::get(&self.client, url, MAX_BODY).await.map_err(|error| {
            AuthError::Provider(match error {
                egress::EgressError::TooLarge => "its answer is too large",
                egress::EgressError::Status => "its answer's status is not 200",
                _ => "it did not answer",
            })
        })
    }
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    jwks_uri: String,
}

fn find(keys: &[Jwk], kid: &str, algorithm: Algorithm) -> Option<DecodingKey> {
    let key = keys.iter().find(|key| key.common.key_id.as_deref() == Some(kid) && fits(key, algorithm))?;
    DecodingKey::from_jwk(key).ok()
}

/// Whether the key may verify this algorithm: a key for encryption, of another type or curve, or that
/// names another algorithm, may not. A symmetric key never may, for a public one would be known to all.
fn fits(key: &Jwk, algorithm: Algorithm) -> bool {
    let kind = match (&key.algorithm, algorithm.family()) {
        (AlgorithmParameters::RSA(_), AlgorithmFamily::Rsa) => true,
        (AlgorithmParameters::EllipticCurve(key), AlgorithmFamily::Ec) => matches!(
            (&key.curve, algorithm),
            (EllipticCurve::P256, Algorithm::ES256) | (EllipticCurve::P384, Algorithm::ES384)
        ),
        (AlgorithmParameters::OctetKeyPair(key), AlgorithmFamily::Ed) => key.curve == EllipticCurve::Ed25519,
        _ => false,
    };
    let for_signatures =
        key.common.public_key_use.as_ref().is_none_or(|r#use| *r#use == PublicKeyUse::Signature);
    let same_algorithm =
        key.common.key_algorithm.as_ref().is_none_or(|named| named.to_string().parse() == Ok(algorithm));
    kind && for_signatures && same_algorithm
}

#[cfg(test)]
#[path = "keys_tests.rs"]
mod tests;
