//! Azure Key Vault and Managed HSM
//! (<https://learn.microsoft.com/rest/api/keyvault/keys/wrap-key/wrap-key>).
//!
//! A key is asked for its present version before it wraps, and the version stands in the segment's header:
//! a key that was rotated unwraps what earlier versions wrapped. RSA keys wrap by RSA-OAEP-256, AES keys of
//! an HSM by A256KW.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Client;
use sallyport_core::Secret;
use sallyport_gateway::credentials;
use sallyport_record::WrappedKey;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{Problem, ask, text};
use crate::config::AzureSource;
use crate::environment;

const WHOSE: &str = "Azure Key Vault";
const TOKENS: &str = "Microsoft Entra";
const VERSION: &str = "api-version=7.4";
const PREFIX: &str = "azure:";
const RSA: &str = "RSA-OAEP-256";
const AES: &str = "A256KW";
/// Where a machine in Azure asks who it is. Plain HTTP, and never beyond the machine it runs on.
const IDENTITY: &str = "http://169.254.169.254/metadata/identity/oauth2/token";
const AUTHORITY: &str = "https://login.microsoftonline.com";
/// A token is not used in its last moments.
const MARGIN: Duration = Duration::from_secs(120);

#[derive(Debug)]
pub(super) struct Azure {
    source: AzureSource,
    client: Client,
    token: Option<(Secret<String>, Instant)>,
    who: Who,
    /// Where the machine says who it is.
    pub(super) identity: String,
}

/// By what the token is asked for.
#[derive(Debug)]
enum Who {
    Secret { tenant: String, client: String, secret: Secret<String> },
    Federated { tenant: String, client: String, file: String },
    Machine { client: Option<String> },
}

impl Azure {
    pub(super) fn new(source: AzureSource, client: Client) -> Result<Self, Problem> {
        let variable = environment::variable;
        let tenant = source.tenant.clone().or_else(|| variable("AZURE_TENANT_ID"));
        let application = source.client.clone().or_else(|| variable("AZURE_CLIENT_ID"));
        let secret = match &source.credential {
            None => None,
            Some(reference) => {
                credentials::read("recording.key", reference, &variable).map_err(|error| error.to_string())?
            }
        };
        let who = match (tenant, application, secret, variable("AZURE_FEDERATED_TOKEN_FILE")) {
            (Some(tenant), Some(client), Some(secret), _) => Who::Secret { tenant, client, secret },
            (_, _, Some(_), _) => return Err("a client's secret needs `tenant` and `client`".into()),
            (Some(tenant), Some(client), None, Some(file)) => Who::Federated { tenant, client, file },
            (_, client, None, _) => Who::Machine { client },
        };
        Ok(Self { source, client, token: None, who, identity: IDENTITY.into() })
    }

    fn resource(&self) -> &'static str {
        if self.source.key.contains(".managedhsm.azure.net/") {
            "https://managedhsm.azure.net"
        } else {
            "https://vault.azure.net"
        }
    }

    async fn token(&mut self) -> Result<Secret<String>, Problem> {
        if let Some((token, until)) = &self.token
            && Instant::now() < *until
        {
            return Ok(token.clone());
        }
        let scope = format!("{}/.default", self.resource());
        let authority = self.source.authority.as_deref().unwrap_or(AUTHORITY).trim_end_matches('/');
        let endpoint = |tenant: &str| format!("{authority}/{tenant}/oauth2/v2.0/token");
        let request = match &self.who {
            Who::Secret { tenant, client, secret } => self.client.post(endpoint(tenant)).form(&[
                ("grant_type", "client_credentials"),
                ("client_id", client),
                ("client_secret", secret.expose()),
                ("scope", &scope),
            ]),
            Who::Federated { tenant, client, file } => {
                let assertion = std::fs::read_to_string(file).map(Zeroizing::new);
                let assertion = assertion
                    .map_err(|error| format!("the workload's token cannot be read: {}", error.kind()))?;
                self.client.post(endpoint(tenant)).form(&[
                    ("grant_type", "client_credentials"),
                    ("client_id", client),
                    ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
                    ("client_assertion", assertion.trim()),
                    ("scope", &scope),
                ])
            }
            Who::Machine { client } => {
                let mut query = vec![("api-version", "2018-02-01"), ("resource", self.resource())];
                query.extend(client.as_deref().map(|client| ("client_id", client)));
                self.client.get(&self.identity).header("Metadata", "true").query(&query)
            }
        };
        let said = ask(request, TOKENS).await?;
        let token = Secret::new(text(&said, "/access_token", TOKENS)?.to_owned());
        // A number, or a number in quotes.
        let life = said.get("expires_in");
        let life = life.and_then(|life| life.as_u64().or_else(|| life.as_str()?.parse().ok())).unwrap_or(300);
        let until = Instant::now() + Duration::from_secs(life.min(86_400)).saturating_sub(MARGIN);
        self.token = Some((token.clone(), until));
        Ok(token)
    }

    /// The key's present version and how it wraps.
    async fn present(&mut self) -> Result<(String, &'static str), Problem> {
        let token = self.token().await?;
        let url = format!("{}?{VERSION}", self.source.key);
        let said = ask(self.client.get(url).bearer_auth(token.expose()), WHOSE).await?;
        let kid = text(&said, "/key/kid", WHOSE)?;
        if !self.is_ours(kid) {
            return Err("Azure Key Vault names another key than it was asked for".into());
        }
        let algorithm = match text(&said, "/key/kty", WHOSE)? {
            "RSA" | "RSA-HSM" => RSA,
            "oct" | "oct-HSM" => AES,
            _ => return Err("keys of this type do not wrap: make an RSA key".into()),
        };
        Ok((kid.to_owned(), algorithm))
    }

    /// Whether an address is that of a version of the configured key: nothing else is ever asked.
    fn is_ours(&self, kid: &str) -> bool {
        let configured = &self.source.key;
        kid == configured
            || kid.strip_prefix(self.base()).and_then(|rest| rest.strip_prefix('/')).is_some_and(|version| {
                !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_alphanumeric())
            })
    }

    /// The key without a version.
    fn base(&self) -> &str {
        let key = self.source.key.as_str();
        let parts = key.split('/').count();
        if parts > 5 { key.rsplit_once('/').map_or(key, |(base, _)| base) } else { key }
    }

    async fn ask(&mut self, kid: &str, what: &str, algorithm: &str, value: &[u8]) -> Result<Value, Problem> {
        let token = self.token().await?;
        let value = Zeroizing::new(URL_SAFE_NO_PAD.encode(value));
        let body = json!({ "alg": algorithm, "value": *value });
        let request =
            self.client.post(format!("{kid}/{what}?{VERSION}")).bearer_auth(token.expose()).json(&body);
        ask(request, WHOSE).await
    }

    pub(super) async fn wrap(&mut self, plain: &[u8]) -> Result<WrappedKey, Problem> {
        let (kid, algorithm) = self.present().await?;
        let said = self.ask(&kid, "wrapkey", algorithm, plain).await?;
        let bytes = URL_SAFE_NO_PAD.decode(text(&said, "/value", WHOSE)?);
        let bytes = bytes.map_err(|_| "Azure Key Vault answers with something else than a wrapped key")?;
        Ok(WrappedKey { key_id: format!("{PREFIX}{algorithm}:{kid}"), bytes })
    }

    pub(super) async fn unwrap(&mut self, wrapped: &WrappedKey) -> Result<Zeroizing<Vec<u8>>, Problem> {
        let id = wrapped.key_id.strip_prefix(PREFIX).ok_or("this was recorded with another key service")?;
        let (algorithm, kid) = id.split_once(':').ok_or("a wrapped key is none of Azure's")?;
        if ![RSA, AES].contains(&algorithm) || !self.is_ours(kid) {
            return Err("this was recorded with another key than the one under [recording.key]".into());
        }
        let said = self.ask(kid, "unwrapkey", algorithm, &wrapped.bytes).await?;
        let plain = URL_SAFE_NO_PAD.decode(text(&said, "/value", WHOSE)?);
        plain.map(Zeroizing::new).map_err(|_| "Azure Key Vault answers with something else than a key".into())
    }
}
