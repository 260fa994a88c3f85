//! The recording's sink, out of the configuration and the environment.

use std::path::Path;
use std::sync::Arc;

use sallyport_auth::egress;
use sallyport_core::Clock;
use sallyport_gateway::credentials;
use sallyport_record::sink::{Sending, Sink, SinkAddress, SinkSettings};
use sallyport_record::{Post, Witnesses};

use crate::config::{Config, SinkSource};
use crate::environment;
use crate::failure::Failure;

/// By what names providers tell a workload who it is. Their libraries read the same.
const IDENTITY: &[&str] = &[
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AZURE_TENANT_ID",
    "AZURE_CLIENT_ID",
    "AZURE_CLIENT_SECRET",
    "AZURE_AUTHORITY_HOST",
    "AZURE_FEDERATED_TOKEN_FILE",
    "AZURE_STORAGE_ACCOUNT_KEY",
    "AZURE_STORAGE_SAS_TOKEN",
    "IDENTITY_ENDPOINT",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "GOOGLE_SERVICE_ACCOUNT",
];

/// What the environment says of the workload.
pub(crate) fn identity() -> Vec<(String, String)> {
    let known = |name: &&str| environment::variable(name).map(|value| ((*name).to_owned(), value));
    IDENTITY.iter().filter_map(known).collect()
}

fn open_with(settings: &SinkSettings) -> Result<Sink, Failure> {
    let http = egress::client_for_files().map_err(|error| Failure::failed(error.to_string()))?;
    Sink::open(settings, http).map_err(|error| Failure::usage(format!("recording.sink: {error}")))
}

/// The sink that the configuration names.
pub(crate) fn open(source: &SinkSource) -> Result<Sink, Failure> {
    let secret = match &source.credential {
        None => None,
        Some(reference) => credentials::read("recording.sink", reference, &environment::variable)
            .map_err(|error| Failure::usage(error.to_string()))?,
    };
    open_with(&SinkSettings {
        to: source.to.clone(),
        endpoint: source.endpoint.clone(),
        region: source.region.clone(),
        access_key: source.access_key.clone(),
        identity: if secret.is_none() { identity() } else { Vec::new() },
        secret,
    })
}

/// A sink that no configuration names, by the environment alone.
pub(crate) fn open_at(address: &str, endpoint: Option<&str>) -> Result<Sink, Failure> {
    let to = SinkAddress::parse(address).map_err(|what| Failure::usage(format!("{address}: {what}")))?;
    // Opening a folder makes it; one that is read from has to be there.
    if let Some(folder) = address.strip_prefix("file://")
        && !Path::new(folder).is_dir()
    {
        return Err(Failure::usage(format!("there is no folder {folder}")));
    }
    if let Some(endpoint) = endpoint {
        egress::address(endpoint).map_err(|error| Failure::usage(format!("--endpoint: {error}")))?;
    }
    open_with(&SinkSettings {
        to,
        endpoint: endpoint.map(str::to_owned),
        region: None,
        access_key: None,
        secret: None,
        identity: identity(),
    })
}

/// Most bytes of what a witness answers.
const MOST_ANSWER: usize = 64 << 10;

/// Who signs the log's checkpoints besides.
pub(crate) fn witnesses(config: &Config) -> Result<Option<Witnesses>, Failure> {
    if config.witnesses.is_empty() {
        return Ok(None);
    }
    let http = egress::client().map_err(|error| Failure::failed(error.to_string()))?;
    let post = Post(Arc::new(move |url, body| {
        let request = http.post(url).body(body);
        Box::pin(async move {
            let answer = egress::send(request, MOST_ANSWER).await.ok()?;
            Some((answer.status, answer.body))
        })
    }));
    Ok(Some(Witnesses { all: config.witnesses.clone(), post }))
}

/// Starts to send, when there is somewhere to send to.
pub(crate) fn start(config: &Config, clock: &Arc<dyn Clock>) -> Result<Option<Sending>, Failure> {
    let Some(source) = &config.sink else { return Ok(None) };
    let sink = open(source)?;
    tracing::info!(sink = %source.to, "what is recorded is sent to a sink");
    let sending = Sending::start(config.recordings(), sink, source.adopt.clone(), Arc::clone(clock));
    sending.map(Some).map_err(|error| Failure::failed(format!("recording.sink: {error}")))
}
