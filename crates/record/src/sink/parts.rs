//! What a sink's store and AWS's other services are both made with.

use std::str::FromStr;
use std::time::Duration;

use object_store::RetryConfig;
use object_store::client::{ClientOptions, HttpClient, HttpConnector, HttpService};

/// The library tries a request so often by itself; after that the file waits for its next turn.
const RETRIES: usize = 2;
const RETRY_FOR: Duration = Duration::from_secs(30);

/// Hands the house's HTTP client to whatever asks for one.
#[derive(Debug)]
pub(crate) struct Handed<S>(pub(crate) S);

impl<S: HttpService + Clone> HttpConnector for Handed<S> {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.0.clone()))
    }
}

pub(crate) fn retry() -> RetryConfig {
    RetryConfig { max_retries: RETRIES, retry_timeout: RETRY_FOR, ..RetryConfig::default() }
}

/// The environment's words that are a provider's, as its settings.
pub(crate) fn identity<K: FromStr>(environment: &[(String, String)]) -> impl Iterator<Item = (K, String)> {
    let known = |(name, value): &(String, String)| Some((name.to_lowercase().parse().ok()?, value.clone()));
    environment.iter().filter_map(known)
}
