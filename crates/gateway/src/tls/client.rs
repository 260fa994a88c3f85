//! How targets are checked.
//!
//! Settings in, a rustls client configuration out, or nothing where the configuration says `disable`.
//! There is no mode between: TLS without a checked chain is not offered.

use std::sync::Arc;

use sallyport_core::{TlsMode, TlsSettings};
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::client::{WebPkiServerVerifier, verify_server_cert_signed_by_trust_anchor};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::files::{self, Keeping, content_error};
use super::{ALPN_POSTGRESQL, TlsError, provider};

/// Makes the configuration for dialling a target; `None` when it says that there is no TLS.
///
/// # Errors
/// No authorities to trust, or a `ca` file that cannot be read or used.
pub fn client_config(settings: &TlsSettings) -> Result<Option<Arc<ClientConfig>>, TlsError> {
    if settings.mode == TlsMode::Disable {
        return Ok(None);
    }
    let roots = Arc::new(roots(settings)?);
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsError::Setup(error.to_string()))?;
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::clone(&roots), provider())
        .build()
        .map_err(|error| TlsError::Setup(error.to_string()))?;
    let builder = match settings.mode {
        TlsMode::VerifyCa => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(ChainOnly { roots, signatures: verifier })),
        TlsMode::VerifyFull | TlsMode::Disable => builder.with_webpki_verifier(verifier),
    };
    let mut config = match &settings.identity {
        Some(identity) => {
            let chain = files::certificates(&identity.certificate)?;
            let key = files::key(&identity.key, Keeping::GroupMayRead)?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| content_error(&identity.certificate, format!("cannot be used: {error}")))?
        }
        None => builder.with_no_client_auth(),
    };
    // As psql 17 does; older servers ignore it. It keeps a certificate's other services out.
    config.alpn_protocols = vec![ALPN_POSTGRESQL.to_vec()];
    Ok(Some(Arc::new(config)))
}

/// Whom to trust: the `ca` file alone if there is one, else the system's authorities.
fn roots(settings: &TlsSettings) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    match &settings.ca {
        Some(path) => {
            for certificate in files::certificates(path)? {
                roots
                    .add(certificate)
                    .map_err(|error| content_error(path, format!("holds an unusable authority: {error}")))?;
            }
        }
        None => {
            // Single unreadable files among the system's are its own affair; an empty result is ours.
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if roots.is_empty() {
                return Err(TlsError::NoRoots);
            }
        }
    }
    Ok(roots)
}

/// `verify-ca`: everything is checked as usual, except for whom the certificate was issued.
#[derive(Debug)]
struct ChainOnly {
    roots: Arc<RootCertStore>,
    signatures: Arc<WebPkiServerVerifier>,
}

impl ServerCertVerifier for ChainOnly {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let certificate = ParsedCertificate::try_from(end_entity)?;
        verify_server_cert_signed_by_trust_anchor(
            &certificate,
            &self.roots,
            intermediates,
            now,
            provider().signature_verification_algorithms.all,
        )?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signatures.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signatures.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.signatures.supported_verify_schemes()
    }
}
