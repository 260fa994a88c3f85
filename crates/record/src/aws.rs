//! Requests to AWS, signed with whatever identity there is: a key, or the workload's own. The library that
//! knows sinks knows these too.

use std::fmt;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, AwsAuthorizer, AwsCredentialProvider};
use object_store::client::{HttpRequest, HttpService};
use sallyport_core::Secret;

use crate::sink::SinkError;
use crate::sink::parts::{Handed, identity, retry};

/// Who we are to AWS, in a region.
pub struct AwsIdentity {
    credentials: AwsCredentialProvider,
    region: String,
}

impl fmt::Debug for AwsIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsIdentity").field("region", &self.region).finish_non_exhaustive()
    }
}

fn unusable() -> SinkError {
    SinkError::Settings("AWS does not take these settings".into())
}

impl AwsIdentity {
    /// By an access key, its id and its secret; without one by what the environment says of the workload.
    ///
    /// # Errors
    /// When the settings cannot be used.
    pub fn open(
        region: &str,
        access_key: Option<(&str, &Secret<String>)>,
        environment: &[(String, String)],
        http: impl HttpService + Clone,
    ) -> Result<Self, SinkError> {
        // The library asks for identities on behalf of a bucket; nothing is ever asked of this one.
        let mut builder = AmazonS3Builder::new()
            .with_http_connector(Handed(http))
            .with_retry(retry())
            .with_bucket_name("none")
            .with_region(region);
        match access_key {
            Some((id, secret)) => {
                builder = builder.with_access_key_id(id).with_secret_access_key(secret.expose());
            }
            None => {
                for (key, value) in identity::<AmazonS3ConfigKey>(environment) {
                    builder = builder.with_config(key, value);
                }
            }
        }
        let store = builder.with_region(region).build().map_err(|_| unusable())?;
        Ok(Self { credentials: store.credentials().clone(), region: region.to_owned() })
    }

    /// The headers of a POST of a body to a service, its signature among them.
    ///
    /// # Errors
    /// When there is no identity to be had.
    pub async fn sign(
        &self,
        service: &str,
        url: &str,
        headers: &[(&'static str, &str)],
        body: &[u8],
    ) -> Result<Vec<(String, String)>, SinkError> {
        let credential = self.credentials.get_credential().await;
        let credential =
            credential.map_err(|_| SinkError::Refused("AWS does not say who this workload is".into()))?;
        let mut request = http::Request::post(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request: HttpRequest = request.body(body.to_vec().into()).map_err(|_| unusable())?;
        AwsAuthorizer::new(&credential, service, &self.region)
            .try_authorize(&mut request, None)
            .map_err(|_| unusable())?;
        let text = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        };
        Ok(request.headers().iter().filter_map(text).collect())
    }
}
