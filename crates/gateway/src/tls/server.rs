//! What callers see: the gateway's certificate.
//!
//! Without a given certificate the gateway is its own authority. First run: an authority and a leaf
//! are made in the data directory; later runs reuse them; a leaf that ends soon, or that lacks a name
//! asked for, is made anew under the same authority, so that callers who trust `ca.pem` notice
//! nothing. Only when the authority itself ends is there a new one to hand out.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PublicKeyData, date_time_ymd,
};
use sallyport_core::{Clock, Timestamp};
use sha2::{Digest, Sha256};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::CertificateDer;

use super::files::{self, Keeping, content_error};
use super::{ALPN_POSTGRESQL, TlsError, provider, x509};

const DAY: i64 = 86_400;
/// Browsers and mobile clients refuse leaves that are valid for longer than 398 days.
const LEAF_DAYS: i64 = 397;
const CA_DAYS: i64 = 3650;
/// A certificate is made anew this long before it ends, since configurations are read at start.
const RENEW_DAYS: i64 = 30;

/// The listeners' TLS.
#[derive(Clone, Debug)]
pub struct ServerTls {
    /// For `tokio_rustls::TlsAcceptor`. Offers the ALPN name `postgresql`, for direct TLS.
    pub config: Arc<ServerConfig>,
    /// SHA-256 of the leaf's DER, upper-case hex with colons, as `openssl x509 -fingerprint` prints it.
    pub fingerprint: String,
    /// The authority that callers may trust (`sslrootcert`); for a given certificate, that file itself.
    pub ca_pem_path: PathBuf,
}

/// Makes the listeners' TLS: from `given` (certificate chain, key; both PEM), else from `dir`, which
/// is filled on the first run. `names` are DNS names and addresses that the leaf must carry besides
/// `localhost`, the loopback addresses and the machine's host name.
///
/// # Errors
/// Files that cannot be read, written or believed; a key that does not belong to its certificate.
pub fn server_config(
    dir: &Path,
    given: Option<(&Path, &Path)>,
    names: &[String],
    clock: &dyn Clock,
) -> Result<ServerTls, TlsError> {
    let (certificate_path, key_path, ca_pem_path, keeping) = match given {
        Some((certificate, key)) => {
            (certificate.to_owned(), key.to_owned(), certificate.to_owned(), Keeping::GroupMayRead)
        }
        None => {
            let own = Own::in_directory(dir);
            own.ensure(&wanted_names(names), clock.now())?;
            (own.leaf, own.leaf_key, own.ca, Keeping::OwnerOnly)
        }
    };
    let chain = files::certificates(&certificate_path)?;
    let key = files::key(&key_path, keeping)?;
    let leaf = chain.first().ok_or_else(|| content_error(&certificate_path, "holds no certificate"))?;
    let fingerprint = fingerprint(leaf);
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsError::Setup(error.to_string()))?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| content_error(&certificate_path, format!("cannot be used: {error}")))?;
    config.alpn_protocols = vec![ALPN_POSTGRESQL.to_vec()];
    Ok(ServerTls { config: Arc::new(config), fingerprint, ca_pem_path })
}

/// SHA-256 of a certificate, as people compare it.
fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    let hash = Sha256::digest(certificate.as_ref());
    hash.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
}

fn wanted_names(extra: &[String]) -> Vec<String> {
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    // Linux only; elsewhere the configuration names the host.
    if let Ok(host) = std::fs::read_to_string("/proc/sys/kernel/hostname") {
        names.push(host.trim().to_ascii_lowercase());
    }
    names.extend(extra.iter().map(|name| canonical(name)));
    names.retain(|name| name.parse::<IpAddr>().is_ok() || is_dns_name(name));
    let mut seen = std::collections::BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}

/// One spelling for each name, so that a present one is recognised.
fn canonical(name: &str) -> String {
    name.parse::<IpAddr>().map_or_else(|_| name.to_ascii_lowercase(), |address| address.to_string())
}

fn is_dns_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 253
        && name.split('.').all(|label| {
            !label.is_empty()
                && label.len() <= 63
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'*'))
        })
}

/// The gateway's own authority and leaf, and where they are kept.
struct Own {
    dir: PathBuf,
    ca: PathBuf,
    ca_key: PathBuf,
    leaf: PathBuf,
    leaf_key: PathBuf,
}

impl Own {
    fn in_directory(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
            ca: dir.join("ca.pem"),
            ca_key: dir.join("ca-key.pem"),
            leaf: dir.join("server.pem"),
            leaf_key: dir.join("server-key.pem"),
        }
    }

    /// Makes what is missing or about to end.
    fn ensure(&self, names: &[String], now: Timestamp) -> Result<(), TlsError> {
        files::make_directory(&self.dir)?;
        let fresh_ca = !(self.ca.exists() && self.ca_key.exists() && lasts(&self.ca, now)?);
        let issuer = if fresh_ca { self.make_ca(now)? } else { self.read_ca(now)? };
        let good = !fresh_ca && self.leaf.exists() && self.leaf_key.exists() && lasts(&self.leaf, now)? && {
            let chain = files::certificates(&self.leaf)?;
            let present = chain.first().and_then(|leaf| x509::names(leaf)).unwrap_or_default();
            names.iter().all(|name| present.contains(name))
        };
        if good { Ok(()) } else { self.make_leaf(&issuer, names, now) }
    }

    fn make_ca(&self, now: Timestamp) -> Result<Issuer<'static, KeyPair>, TlsError> {
        let key = KeyPair::generate().map_err(setup)?;
        let params = ca_params(&key, now)?;
        let certificate = params.self_signed(&key).map_err(setup)?;
        // The key first: a certificate without its key would be handed out for nothing.
        files::write(&self.ca_key, zeroize::Zeroizing::new(key.serialize_pem()).as_bytes(), 0o600)?;
        files::write(&self.ca, certificate.pem().as_bytes(), 0o644)?;
        Ok(Issuer::new(params, key))
    }

    fn read_ca(&self, now: Timestamp) -> Result<Issuer<'static, KeyPair>, TlsError> {
        let text = files::key_text(&self.ca_key, Keeping::OwnerOnly)?;
        let key = std::str::from_utf8(&text)
            .ok()
            .and_then(|text| KeyPair::from_pem(text).ok())
            .ok_or_else(|| content_error(&self.ca_key, "holds no private key in PEM"))?;
        // Issuer name and key identifier follow from the key alone, so the parameters are the same.
        Ok(Issuer::new(ca_params(&key, now)?, key))
    }

    fn make_leaf(
        &self,
        issuer: &Issuer<'static, KeyPair>,
        names: &[String],
        now: Timestamp,
    ) -> Result<(), TlsError> {
        let key = KeyPair::generate().map_err(setup)?;
        let mut params = CertificateParams::new(names).map_err(setup)?;
        params.distinguished_name = named("Sallyport".to_owned());
        set_validity(&mut params, now, LEAF_DAYS)?;
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key, issuer).map_err(setup)?;
        files::write(&self.leaf_key, zeroize::Zeroizing::new(key.serialize_pem()).as_bytes(), 0o600)?;
        files::write(&self.leaf, certificate.pem().as_bytes(), 0o644)
    }
}

fn setup(error: rcgen::Error) -> TlsError {
    TlsError::Setup(error.to_string())
}

/// Whether a certificate will do for a while yet. One whose end cannot be read will not.
fn lasts(path: &Path, now: Timestamp) -> Result<bool, TlsError> {
    let chain = files::certificates(path)?;
    let end = chain.first().and_then(|certificate| x509::not_after(certificate));
    Ok(end.is_some_and(|end| end.seconds_since(now) > RENEW_DAYS * DAY))
}

fn ca_params(key: &KeyPair, now: Timestamp) -> Result<CertificateParams, TlsError> {
    let mut params = CertificateParams::default();
    // The name says which key: two gateways' authorities in one trust store are not mixed up.
    let hash = Sha256::digest(key.der_bytes());
    let mark: String = hash.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    params.distinguished_name = named(format!("Sallyport authority {mark}"));
    set_validity(&mut params, now, CA_DAYS)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

fn named(common_name: String) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    name
}

/// Valid from yesterday (clocks differ) for `days` days, in whole days.
fn set_validity(params: &mut CertificateParams, now: Timestamp, days: i64) -> Result<(), TlsError> {
    let unreadable = || TlsError::Setup("the clock shows a date that certificates cannot carry".to_owned());
    let (year, month, day) = date(now.plus_seconds(-DAY)).ok_or_else(unreadable)?;
    params.not_before = date_time_ymd(year, month, day);
    let (year, month, day) = date(now.plus_seconds(days * DAY)).ok_or_else(unreadable)?;
    params.not_after = date_time_ymd(year, month, day);
    Ok(())
}

/// Year, month and day of a time, from its RFC 3339 form.
fn date(time: Timestamp) -> Option<(i32, u8, u8)> {
    let text = time.to_string();
    let mut parts = text.split_once('T')?.0.splitn(3, '-');
    let year = parts.next()?.parse().ok()?;
    let month = parts.next()?.parse().ok()?;
    let day = parts.next()?.parse().ok()?;
    // Beyond these, X.509's times end.
    (1970..=9999).contains(&year).then_some((year, month, day))
}
