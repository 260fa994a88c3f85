//! The API's client, as the command line uses it.
//!
//! Where the gateway is and who asks come from `SALLYPORT_URL` and `SALLYPORT_TOKEN`; without them from
//! the configuration file beside us and the administrator's token that `sallyport init` left there. That
//! token is for the gateway of that file: it is never sent to an address that came from elsewhere.

use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use sallyport_api::Problem;
use sallyport_auth::egress;
use sallyport_core::Secret;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::config;
use crate::environment::Environment;
use crate::failure::{Exit, Failure};

/// Where the API is when nothing says otherwise.
const DEFAULT_URL: &str = "http://127.0.0.1:6480";

/// For ordinary requests: longer than the gateway takes to give one up.
const DEADLINE: Duration = Duration::from_secs(30);

/// For a whole recording.
const STREAM_DEADLINE: Duration = Duration::from_secs(3600);

/// Largest line of a stream: an entry's bytes, at most 64 MiB, in base64.
const LINE_LIMIT: usize = 100 << 20;

/// Largest answer that is read at once.
const ANSWER_LIMIT: usize = 64 << 20;

/// A client with its address and token.
#[derive(Debug)]
pub(crate) struct Api {
    client: Client,
    url: String,
    token: Secret<String>,
    config: String,
}

impl Api {
    /// Finds address and token.
    ///
    /// # Errors
    /// When there is no token, or the address is not one that a token may be sent to.
    pub(crate) fn find(environment: &Environment, file: &Path) -> Result<Self, Failure> {
        let local = config::glance(file);
        let url = match (&environment.url, &local) {
            (Some(url), _) => url.trim_end_matches('/').to_owned(),
            (None, Some((api, _))) => format!("http://{api}"),
            (None, None) => DEFAULT_URL.to_owned(),
        };
        egress::address(&url).map_err(|error| Failure::usage(format!("SALLYPORT_URL: {error}")))?;
        let token = match (&environment.token, &local) {
            (Some(token), _) => token.clone(),
            (None, Some((_, data))) if environment.url.is_none() => {
                read_token(&data.join(config::ADMIN_TOKEN))?
            }
            _ => {
                return Err(Failure::new(Exit::NotPermitted, "this needs a token")
                    .hint("set SALLYPORT_TOKEN; an administrator makes one with `sallyport tokens create`"));
            }
        };
        let client = egress::client().map_err(|error| Failure::failed(error.to_string()))?;
        Ok(Self { client, url, token, config: file.display().to_string() })
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client
            .request(method, format!("{}{path}", self.url))
            .bearer_auth(self.token.expose())
            .timeout(DEADLINE)
    }

    /// GET, with the query's pairs that have a value.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, Option<String>)],
    ) -> Result<T, Failure> {
        let path = with_query(path, query);
        read(self.send(self.request(Method::GET, &path)).await?).await
    }

    /// POST.
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        read(self.send(self.request(Method::POST, path).json(body)).await?).await
    }

    /// DELETE, without an answer.
    pub(crate) async fn delete(&self, path: &str) -> Result<(), Failure> {
        self.send(self.request(Method::DELETE, path)).await.map(|_| ())
    }

    /// A stream of lines.
    pub(crate) async fn lines(&self, path: &str) -> Result<Lines, Failure> {
        let request = self.request(Method::GET, path).timeout(STREAM_DEADLINE);
        Ok(Lines { response: self.send(request).await?, held: Vec::new(), over: false })
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, Failure> {
        let response = request.send().await.map_err(|error| self.not_there(&error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let bytes = whole(response).await?;
        Err(match serde_json::from_slice::<Problem>(&bytes) {
            Ok(problem) => refused(&problem),
            Err(_) => Failure::failed(format!("{} answered {status}, and not as a gateway does", self.url)),
        })
    }

    fn not_there(&self, error: &reqwest::Error) -> Failure {
        if error.is_timeout() && !error.is_connect() {
            return Failure::new(Exit::Unreachable, format!("the gateway at {} does not answer", self.url));
        }
        let start = format!("start it with `sallyport serve --config {}`", self.config);
        Failure::new(Exit::Unreachable, format!("there is no gateway at {}", self.url))
            .hint(format!("{start}, or say where it is with SALLYPORT_URL"))
    }
}

/// Lines of an answer, read as they come.
#[derive(Debug)]
pub(crate) struct Lines {
    response: Response,
    held: Vec<u8>,
    over: bool,
}

impl Lines {
    /// The next line without its end; nothing at the end of the stream.
    ///
    /// # Errors
    /// When the stream breaks off.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        loop {
            if let Some(end) = self.held.iter().position(|byte| *byte == b'\n') {
                let rest = self.held.split_off(end + 1);
                let mut line = std::mem::replace(&mut self.held, rest);
                line.pop();
                return Ok(Some(line));
            }
            if self.over {
                return Ok((!self.held.is_empty()).then(|| std::mem::take(&mut self.held)));
            }
            if self.held.len() > LINE_LIMIT {
                return Err(Failure::failed("a line of the answer is too long"));
            }
            match self.response.chunk().await {
                Ok(Some(bytes)) => self.held.extend_from_slice(&bytes),
                Ok(None) => self.over = true,
                Err(_) => return Err(Failure::failed("the recording broke off; what came is not all of it")),
            }
        }
    }
}

/// A refusal of the API as a failed command.
pub(crate) fn refused(problem: &Problem) -> Failure {
    let exit = match problem.status {
        401 | 403 => Exit::NotPermitted,
        _ => Exit::Failed,
    };
    let failure = Failure::new(exit, format!("{} ({})", problem.title, problem.code));
    match &problem.hint {
        Some(hint) => failure.hint(hint.clone()),
        None => failure,
    }
}

async fn read<T: DeserializeOwned>(response: Response) -> Result<T, Failure> {
    let status = response.status();
    let bytes = whole(response).await?;
    serde_json::from_slice(&bytes).map_err(|_| {
        let version = if status == StatusCode::OK { "; is it another version?" } else { "" };
        Failure::failed(format!("the gateway's answer cannot be read{version}"))
    })
}

async fn whole(mut response: Response) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if bytes.len() + chunk.len() <= ANSWER_LIMIT => bytes.extend_from_slice(&chunk),
            Ok(Some(_)) => return Err(Failure::failed("the answer is too large")),
            Ok(None) => return Ok(bytes),
            Err(_) => return Err(Failure::new(Exit::Unreachable, "the gateway's answer broke off")),
        }
    }
}

fn with_query(path: &str, query: &[(&str, Option<String>)]) -> String {
    let mut text = path.to_owned();
    let mut mark = '?';
    for (name, value) in query {
        if let Some(value) = value {
            text.push(mark);
            text.push_str(name);
            text.push('=');
            text.push_str(&encode(value));
            mark = '&';
        }
    }
    text
}

/// Percent-encodes all but unreserved characters (RFC 3986 section 2.3): safe in a path and in a query.
pub(crate) fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// Reads a token file that nobody else may read.
fn read_token(path: &Path) -> Result<Secret<String>, Failure> {
    let no_token = || {
        Failure::new(Exit::NotPermitted, "this needs a token")
            .hint(format!("set SALLYPORT_TOKEN; there is none at {}", path.display()))
    };
    let file = std::fs::File::open(path).map_err(|_| no_token())?;
    let mode = file.metadata().map_or(0o777, |metadata| metadata.mode());
    if mode & 0o077 != 0 {
        return Err(Failure::new(
            Exit::NotPermitted,
            format!("others may read {}, so it is not used", path.display()),
        )
        .hint("chmod 600, and better make a new token: this one may be known"));
    }
    let mut text = String::new();
    file.take(4096).read_to_string(&mut text).map_err(|_| no_token())?;
    let token = text.trim().to_owned();
    if token.is_empty() { Err(no_token()) } else { Ok(Secret::new(token)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_encoded() {
        let query = [("a", Some("x y&z".to_owned())), ("b", None), ("c", Some("1".to_owned()))];
        assert_eq!(with_query("/v1/x", &query), "/v1/x?a=x%20y%26z&c=1");
        assert_eq!(encode("../a"), "..%2Fa");
    }

    /// A folder with a configuration that has a problem elsewhere, and a token of that mode.
    fn folder(name: &str, mode: u32) -> std::path::PathBuf {
        let path = std::env::temp_dir().join(format!("sallyport-client-{}-{name}", std::process::id()));
        let _gone = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(path.join("data")).unwrap();
        let text = "data_dir = 'data'\ntypo = 1\n[listen]\napi = '127.0.0.1:1'\n";
        std::fs::write(path.join("sallyport.toml"), text).unwrap();
        crate::folder::write_new(&path.join("data").join(config::ADMIN_TOKEN), b"slp_local\n", mode).unwrap();
        path
    }

    #[test]
    fn the_local_token_is_for_the_local_gateway_alone() {
        let folder = folder("local", 0o600);
        let file = folder.join("sallyport.toml");
        let here = Api::find(&Environment::default(), &file).unwrap();
        assert_eq!((here.url.as_str(), here.token.expose().as_str()), ("http://127.0.0.1:1", "slp_local"));
        let elsewhere = Environment { url: Some("https://elsewhere.example".into()), ..Default::default() };
        assert_eq!(Api::find(&elsewhere, &file).unwrap_err().exit, Exit::NotPermitted);
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_file_cannot_send_the_local_token_elsewhere() {
        let folder = folder("away", 0o600);
        let file = folder.join("sallyport.toml");
        let text = "data_dir = 'data'\n[listen]\napi = '203.0.113.7:80'\n";
        std::fs::write(&file, text).unwrap();
        assert_eq!(Api::find(&Environment::default(), &file).unwrap_err().exit, Exit::NotPermitted);
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_token_that_others_can_read_is_not_used() {
        let folder = folder("open", 0o644);
        let failure = Api::find(&Environment::default(), &folder.join("sallyport.toml")).unwrap_err();
        assert!(failure.message.contains("others may read"), "{failure}");
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[tokio::test]
    async fn a_gateway_that_is_not_there_is_said_so_with_how_to_start_it() {
        let port = {
            let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            taken.local_addr().unwrap().port()
        };
        let environment = Environment {
            url: Some(format!("http://127.0.0.1:{port}")),
            token: Some(Secret::new("t".into())),
            ..Default::default()
        };
        let api = Api::find(&environment, Path::new("gw/sallyport.toml")).unwrap();
        let failure = api.get::<serde_json::Value>("/v1/sessions", &[]).await.unwrap_err();
        assert_eq!(failure.exit, Exit::Unreachable);
        assert!(failure.hint.unwrap().contains("sallyport serve --config gw/sallyport.toml"));
    }

    #[test]
    fn refusals_have_their_exit_codes() {
        let code = |status: u16| {
            refused(&Problem { status, code: "x".into(), title: "t".into(), hint: None }).exit.code()
        };
        assert_eq!([401, 403, 404, 409, 503].map(code), [4, 4, 1, 1, 1]);
    }

    #[test]
    fn a_token_goes_over_plain_http_to_loopback_only() {
        let environment = Environment {
            url: Some("http://gw.example.com".into()),
            token: Some(Secret::new("t".into())),
            ..Default::default()
        };
        assert_eq!(Api::find(&environment, Path::new("none")).unwrap_err().exit, Exit::Usage);
    }
}
