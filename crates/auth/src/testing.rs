//! A store in a temporary folder, a still clock, an identity provider on loopback, and its keys.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use sallyport_core::{ApiRole, Clock, Principal, PrincipalKind, Secret, Timestamp};
use sallyport_store::Store;
use serde_json::{Value, json};

use crate::{Authenticator, Directory, DirectoryEntry, OidcSettings};

pub(crate) const NOW: i64 = 1_800_000_000;
pub(crate) const AUDIENCE: &str = "sallyport";
pub(crate) const SUBJECT: &str = "00u1a2b3";

/// A clock that moves only when told.
#[derive(Debug)]
pub(crate) struct StillClock(AtomicI64);

impl StillClock {
    pub(crate) fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }
}

impl Clock for StillClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

pub(crate) fn principal(name: &str, kind: PrincipalKind, groups: &[&str]) -> Principal {
    Principal {
        name: name.into(),
        kind,
        on_behalf_of: None,
        groups: groups.iter().map(|group| (*group).to_owned()).collect(),
        roles: BTreeSet::from([ApiRole::Approver]),
    }
}

pub(crate) fn entries(issuer: &str) -> Vec<DirectoryEntry> {
    vec![
        DirectoryEntry {
            principal: principal("alice@example.com", PrincipalKind::Human, &["dba"]),
            oidc_subject: Some(SUBJECT.into()),
            oidc_issuer: Some(issuer.into()),
        },
        principal("claude-code", PrincipalKind::Agent, &["agents"]).into(),
    ]
}

/// An authenticator with a real store, and what it hangs on.
pub(crate) struct Fixture {
    pub(crate) auth: Authenticator,
    pub(crate) store: Store,
    pub(crate) clock: Arc<StillClock>,
    _dir: tempfile::TempDir,
}

pub(crate) async fn fixture(issuer: &str, oidc: Vec<OidcSettings>) -> Fixture {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(StillClock(AtomicI64::new(NOW * 1_000_000)));
    let store = Store::open(&dir.path().join("store.db"), clock.clone()).await.unwrap();
    let directory = Directory::new(entries(issuer)).unwrap();
    let auth = Authenticator::new(store.clone(), directory, oidc, clock.clone()).unwrap();
    Fixture { auth, store, clock, _dir: dir }
}

pub(crate) struct SigningKey {
    pub(crate) kid: &'static str,
    pub(crate) algorithm: Algorithm,
    pub(crate) private: Vec<u8>,
    /// The public key as bytes that anybody can have.
    pub(crate) public: Vec<u8>,
    pub(crate) jwk: Value,
}

fn b64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn ec_key(kid: &'static str) -> SigningKey {
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref()).unwrap();
    let public = pair.public_key().as_ref().to_vec();
    let jwk = json!({ "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": kid,
        "x": b64(&public[1..33]), "y": b64(&public[33..65]) });
    SigningKey { kid, algorithm: Algorithm::ES256, private: pkcs8.as_ref().to_vec(), public, jwk }
}

fn rsa_key(kid: &'static str) -> SigningKey {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let public = pair.public_key().as_ref().to_vec();
    let key = pair.public_key();
    let (n, e) =
        (key.modulus().big_endian_without_leading_zero(), key.exponent().big_endian_without_leading_zero());
    let jwk = json!({ "kty": "RSA", "use": "sig", "kid": kid, "n": b64(n), "e": b64(e) });
    // jsonwebtoken reads RSAPrivateKey (PKCS #1): of 2048 bits, it starts 26 bytes into PKCS #8.
    let pkcs8 = AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&pair).unwrap();
    let private = pkcs8.as_ref()[26..].to_vec();
    SigningKey { kid, algorithm: Algorithm::RS256, private, public, jwk }
}

pub(crate) static EC: LazyLock<SigningKey> = LazyLock::new(|| ec_key("ec-1"));
pub(crate) static EC_NEW: LazyLock<SigningKey> = LazyLock::new(|| ec_key("ec-2"));
/// Has the id of `EC` and is another key.
pub(crate) static EC_FORGED: LazyLock<SigningKey> = LazyLock::new(|| ec_key("ec-1"));
pub(crate) static RSA: LazyLock<SigningKey> = LazyLock::new(|| rsa_key("rsa-1"));

/// An identity provider on loopback that answers one body to `/keys` and a discovery document.
pub(crate) struct Provider {
    pub(crate) issuer: String,
    pub(crate) answer: Arc<Mutex<Answer>>,
    pub(crate) asked: Arc<AtomicUsize>,
}

#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) status: &'static str,
    pub(crate) headers: String,
    pub(crate) keys: String,
    pub(crate) discovery: Option<String>,
}

impl Provider {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let keys = json!({ "keys": [EC.jwk, RSA.jwk,
            { "kty": "oct", "kid": "shared", "k": b64(b"everybody reads this") },
            { "kty": "LATTICE", "kid": "from-the-future" }] });
        let answer =
            Answer { status: "200 OK", headers: String::new(), keys: keys.to_string(), discovery: None };
        let provider =
            Self { issuer, answer: Arc::new(Mutex::new(answer)), asked: Arc::new(AtomicUsize::new(0)) };
        let (issuer, answer, asked) =
            (provider.issuer.clone(), Arc::clone(&provider.answer), Arc::clone(&provider.asked));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut head = [0_u8; 4096];
                let read = stream.read(&mut head).unwrap_or(0);
                let head = String::from_utf8_lossy(&head[..read]).into_owned();
                let answer = answer.lock().unwrap().clone();
                let body = if head.starts_with("GET /.well-known/openid-configuration ") {
                    let usual = json!({ "issuer": issuer, "jwks_uri": format!("{issuer}/keys") }).to_string();
                    answer.discovery.unwrap_or(usual)
                } else {
                    asked.fetch_add(1, Ordering::SeqCst);
                    answer.keys
                };
                let _gone = write!(
                    stream,
                    "HTTP/1.1 {}\r\n{}content-length: {}\r\nconnection: close\r\n\r\n{body}",
                    answer.status,
                    answer.headers,
                    body.len()
                );
            }
        });
        provider
    }

    pub(crate) fn settings(&self) -> OidcSettings {
        OidcSettings { groups_claim: Some("groups".into()), ..OidcSettings::new(&self.issuer, AUDIENCE) }
    }

    /// The claims of a good token.
    pub(crate) fn claims(&self) -> Value {
        json!({ "iss": self.issuer, "aud": AUDIENCE, "sub": SUBJECT, "iat": NOW, "nbf": NOW, "exp": NOW + 300,
            "email": "mallory@example.com" })
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Answer)) {
        change(&mut self.answer.lock().unwrap());
    }
}

/// Signs claims.
pub(crate) fn sign(key: &SigningKey, claims: &Value) -> Secret<String> {
    sign_with(key, claims, |_| {})
}

pub(crate) fn sign_with(
    key: &SigningKey,
    claims: &Value,
    change: impl FnOnce(&mut Header),
) -> Secret<String> {
    let mut header = Header::new(key.algorithm);
    header.kid = Some(key.kid.into());
    change(&mut header);
    let encoding = match key.algorithm {
        Algorithm::RS256 => EncodingKey::from_rsa_der(&key.private),
        _ => EncodingKey::from_ec_der(&key.private),
    };
    Secret::new(jsonwebtoken::encode(&header, claims, &encoding).unwrap())
}

/// A token with a header of any kind and no true signature.
pub(crate) fn forge(header: &Value, claims: &Value, signature: &[u8]) -> Secret<String> {
    Secret::new(format!(
        "{}.{}.{}",
        b64(header.to_string().as_bytes()),
        b64(claims.to_string().as_bytes()),
        b64(signature)
    ))
}
