//! Vault's transit engine (<https://developer.hashicorp.com/vault/api-docs/secret/transit>).
//!
//! The token is read again each time: an agent beside us renews it in its file.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Client;
use sallyport_gateway::credentials;
use sallyport_record::WrappedKey;
use serde_json::json;
use zeroize::Zeroizing;

use super::{Problem, ask, text};
use crate::config::VaultSource;
use crate::environment;

const WHOSE: &str = "Vault";

#[derive(Debug)]
pub(super) struct Vault {
    source: VaultSource,
    client: Client,
}

impl Vault {
    pub(super) fn new(source: VaultSource, client: Client) -> Self {
        Self { source, client }
    }

    fn id(&self) -> String {
        format!("vault:{}/{}", self.source.mount, self.source.key)
    }

    async fn ask(&self, what: &str, body: &serde_json::Value) -> Result<serde_json::Value, Problem> {
        let VaultSource { address, mount, key, .. } = &self.source;
        let token = credentials::read("recording.key", &self.source.credential, &environment::variable)
            .map_err(|error| error.to_string())?
            .ok_or("there is no token for Vault")?;
        let url = format!("{}/v1/{mount}/{what}/{key}", address.trim_end_matches('/'));
        let mut request = self
            .client
            .post(url)
            .header("X-Vault-Request", "true")
            .header("X-Vault-Token", token.expose())
            .json(body);
        if let Some(namespace) = &self.source.namespace {
            request = request.header("X-Vault-Namespace", namespace);
        }
        ask(request, WHOSE).await
    }

    pub(super) async fn wrap(&self, plain: &[u8]) -> Result<WrappedKey, Problem> {
        let plain = Zeroizing::new(STANDARD.encode(plain));
        let said = self.ask("encrypt", &json!({ "plaintext": *plain })).await?;
        let ciphertext = text(&said, "/data/ciphertext", WHOSE)?;
        Ok(WrappedKey { key_id: self.id(), bytes: ciphertext.as_bytes().to_vec() })
    }

    pub(super) async fn unwrap(&self, wrapped: &WrappedKey) -> Result<Zeroizing<Vec<u8>>, Problem> {
        if wrapped.key_id != self.id() {
            return Err("this was recorded with another key than the one under [recording.key]".into());
        }
        let ciphertext =
            std::str::from_utf8(&wrapped.bytes).map_err(|_| "a wrapped key is none of Vault's")?;
        let said = self.ask("decrypt", &json!({ "ciphertext": ciphertext })).await?;
        let plain = STANDARD.decode(text(&said, "/data/plaintext", WHOSE)?);
        plain.map(Zeroizing::new).map_err(|_| "Vault answers with something else than a key".into())
    }
}
