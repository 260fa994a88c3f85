//! Certificates are made once, kept well, and renewed in time.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use sallyport_core::{Clock, Timestamp, TlsMode, TlsSettings};
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;

use super::*;

#[derive(Debug)]
struct At(&'static str);

impl Clock for At {
    fn now(&self) -> Timestamp {
        Timestamp::parse(self.0).unwrap()
    }
}

const START: At = At("2026-11-24T12:00:00Z");

fn leaf(dir: &Path) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(dir.join("server.pem")).unwrap()
}

#[test]
fn the_first_run_makes_an_authority_and_a_leaf_and_the_next_reuses_them() {
    let dir = tempfile::tempdir().unwrap();
    let tls_dir = dir.path().join("tls");
    let first = server_config(&tls_dir, None, &["gw.internal".into()], &START).unwrap();
    assert_eq!(first.fingerprint.len(), 32 * 3 - 1);
    assert_eq!(first.ca_pem_path, tls_dir.join("ca.pem"));
    assert_eq!(first.config.alpn_protocols, [b"postgresql".to_vec()]);
    let names = x509::names(&leaf(&tls_dir)).unwrap();
    for name in ["localhost", "127.0.0.1", "::1", "gw.internal"] {
        assert!(names.contains(&name.to_owned()), "{name} in {names:?}");
    }
    for key in ["ca-key.pem", "server-key.pem"] {
        let mode = std::fs::metadata(tls_dir.join(key)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{key}");
    }
    let second = server_config(&tls_dir, None, &["GW.internal".into()], &START).unwrap();
    assert_eq!(first.fingerprint, second.fingerprint);
}

#[test]
fn a_leaf_that_ends_soon_is_renewed_under_the_same_authority() {
    let dir = tempfile::tempdir().unwrap();
    let first = server_config(dir.path(), None, &[], &START).unwrap();
    let ca = std::fs::read(dir.path().join("ca.pem")).unwrap();
    let later = server_config(dir.path(), None, &[], &At("2027-12-10T00:00:00Z")).unwrap();
    assert_ne!(first.fingerprint, later.fingerprint);
    assert_eq!(ca, std::fs::read(dir.path().join("ca.pem")).unwrap());
    // The renewed leaf must chain to the authority as it was handed out.
    let anchor = CertificateDer::from_pem_slice(&ca).unwrap();
    let mut roots = tokio_rustls::rustls::RootCertStore::empty();
    roots.add(anchor).unwrap();
    let leaf = leaf(dir.path());
    let parsed = tokio_rustls::rustls::server::ParsedCertificate::try_from(&leaf).unwrap();
    let now = u64::try_from(Timestamp::parse("2028-01-01T00:00:00Z").unwrap().micros() / 1_000_000).unwrap();
    tokio_rustls::rustls::client::verify_server_cert_signed_by_trust_anchor(
        &parsed,
        &roots,
        &[],
        tokio_rustls::rustls::pki_types::UnixTime::since_unix_epoch(std::time::Duration::from_secs(now)),
        provider().signature_verification_algorithms.all,
    )
    .unwrap();
}

#[test]
fn an_authority_that_ended_is_replaced_with_its_leaf() {
    let dir = tempfile::tempdir().unwrap();
    server_config(dir.path(), None, &[], &START).unwrap();
    let ca = std::fs::read(dir.path().join("ca.pem")).unwrap();
    server_config(dir.path(), None, &[], &At("2036-12-01T00:00:00Z")).unwrap();
    assert_ne!(ca, std::fs::read(dir.path().join("ca.pem")).unwrap());
}

#[test]
fn a_name_that_the_leaf_lacks_brings_a_new_leaf() {
    let dir = tempfile::tempdir().unwrap();
    let first = server_config(dir.path(), None, &[], &START).unwrap();
    let second = server_config(dir.path(), None, &["10.1.2.3".into()], &START).unwrap();
    assert_ne!(first.fingerprint, second.fingerprint);
    assert!(x509::names(&leaf(dir.path())).unwrap().contains(&"10.1.2.3".to_owned()));
}

#[test]
fn a_key_that_others_may_read_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    server_config(dir.path(), None, &[], &START).unwrap();
    let key = dir.path().join("server-key.pem");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(server_config(dir.path(), None, &[], &START), Err(TlsError::Content { .. })));
}

#[test]
fn a_given_certificate_is_used_and_must_fit_its_key() {
    let dir = tempfile::tempdir().unwrap();
    let other = tempfile::tempdir().unwrap();
    let own = server_config(dir.path(), None, &[], &START).unwrap();
    server_config(other.path(), None, &[], &START).unwrap();
    let certificate = dir.path().join("server.pem");
    let unused = dir.path().join("unused");
    let given = |key: &Path| server_config(&unused, Some((&certificate, key)), &[], &START);
    assert_eq!(given(&dir.path().join("server-key.pem")).unwrap().fingerprint, own.fingerprint);
    assert!(matches!(given(&other.path().join("server-key.pem")), Err(TlsError::Content { .. })));
    assert!(!unused.exists());
}

#[test]
fn fields_of_a_certificate_are_read() {
    let dir = tempfile::tempdir().unwrap();
    server_config(dir.path(), None, &[], &START).unwrap();
    let leaf = leaf(dir.path());
    assert_eq!(x509::not_after(&leaf), Timestamp::parse("2027-12-26T00:00:00Z"));
    assert_eq!(x509::signature_hash(&leaf), Some(x509::SignatureHash::Sha256));
    for cut in 0..leaf.len() {
        // Truncated input is nothing, never a crash.
        assert_eq!(x509::not_after(&leaf[..cut]), None);
    }
}

#[test]
fn disable_is_the_only_mode_without_tls() {
    let dir = tempfile::tempdir().unwrap();
    server_config(dir.path(), None, &[], &START).unwrap();
    let ca = Some(dir.path().join("ca.pem"));
    let config = |mode| client_config(&TlsSettings { mode, ca: ca.clone(), identity: None }).unwrap();
    assert!(config(TlsMode::VerifyFull).is_some() && config(TlsMode::VerifyCa).is_some());
    assert!(config(TlsMode::Disable).is_none());
}

#[test]
fn a_ca_file_without_certificates_is_an_error_and_not_the_systems_authorities() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("empty.pem");
    std::fs::write(&path, "").unwrap();
    let settings = TlsSettings { mode: TlsMode::VerifyFull, ca: Some(path), identity: None };
    assert!(matches!(client_config(&settings), Err(TlsError::Content { .. })));
}
