//! AWS KMS (<https://docs.aws.amazon.com/kms/latest/APIReference/API_Encrypt.html>).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Client;
use sallyport_gateway::credentials;
use sallyport_record::{AwsIdentity, WrappedKey};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{Problem, ask, text};
use crate::config::AwsSource;
use crate::environment;

const WHOSE: &str = "AWS KMS";
/// What stands before the key in a segment's header.
const PREFIX: &str = "aws:";

#[derive(Debug)]
pub(super) struct Aws {
    source: AwsSource,
    identity: AwsIdentity,
    client: Client,
}

impl Aws {
    pub(super) fn new(source: AwsSource, client: Client) -> Result<Self, Problem> {
        let secret = match &source.credential {
            None => None,
            Some(reference) => credentials::read("recording.key", reference, &environment::variable)
                .map_err(|error| error.to_string())?,
        };
        let access_key = source.access_key.as_deref().zip(secret.as_ref());
        let identity =
            AwsIdentity::open(&source.region, access_key, &crate::sink::identity(), client.clone())
                .map_err(|error| error.to_string())?;
        Ok(Self { source, identity, client })
    }

    async fn ask(&self, action: &str, body: &Value) -> Result<Value, Problem> {
        let regional = format!("https://kms.{}.amazonaws.com", self.source.region);
        let url = format!("{}/", self.source.endpoint.as_deref().unwrap_or(&regional).trim_end_matches('/'));
        let target = format!("TrentService.{action}");
        let body = Zeroizing::new(body.to_string().into_bytes());
        let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target.as_str())];
        let signed =
            self.identity.sign("kms", &url, &headers, &body).await.map_err(|error| error.to_string())?;
        let request = self.client.post(&url).body(body.to_vec());
        let request = signed.into_iter().fold(request, |request, (name, value)| request.header(name, value));
        ask(request, WHOSE).await
    }

    pub(super) async fn wrap(&self, plain: &[u8]) -> Result<WrappedKey, Problem> {
        let plain = Zeroizing::new(STANDARD.encode(plain));
        let body = json!({ "KeyId": self.source.key, "Plaintext": *plain, "EncryptionContext": context() });
        let said = self.ask("Encrypt", &body).await?;
        let bytes = STANDARD.decode(text(&said, "/CiphertextBlob", WHOSE)?);
        let bytes = bytes.map_err(|_| "AWS KMS answers with something else than a wrapped key")?;
        Ok(WrappedKey { key_id: format!("{PREFIX}{}", self.source.key), bytes })
    }

    pub(super) async fn unwrap(&self, wrapped: &WrappedKey) -> Result<Zeroizing<Vec<u8>>, Problem> {
        // An earlier key of the same account and region, perhaps: who may use it is for KMS to say.
        let key = wrapped.key_id.strip_prefix(PREFIX).ok_or("this was recorded with another key service")?;
        let blob = STANDARD.encode(&wrapped.bytes);
        let body = json!({ "KeyId": key, "CiphertextBlob": blob, "EncryptionContext": context() });
        let said = self.ask("Decrypt", &body).await?;
        let plain = STANDARD.decode(text(&said, "/Plaintext", WHOSE)?);
        plain.map(Zeroizing::new).map_err(|_| "AWS KMS answers with something else than a key".into())
    }
}

/// Stands in AWS's own log of who used the key for what.
fn context() -> Value {
    json!({ "purpose": "sallyport data key v1" })
}
