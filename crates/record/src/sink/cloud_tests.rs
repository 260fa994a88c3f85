//! A bucket in memory that answers as Google's and Amazon's XML interfaces do: what is asked of them, header
//! by header, and what becomes of their answers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use futures_util::FutureExt as _;
use http_body_util::BodyExt as _;
use object_store::client::{HttpError, HttpRequest, HttpResponse, HttpResponseBody, HttpService};
use sallyport_core::{Secret, SystemClock};

use super::*;
use crate::testing::{closed, data, folder, key, opened, session, settings};
use crate::verify::{Trust, verify};
use crate::{Recorder, RecorderSettings};

#[derive(Clone, Debug, Default)]
struct Bucket {
    objects: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
    /// Every request: its method and path.
    asked: Arc<Mutex<Vec<String>>>,
    /// What every request gets instead, when there is something.
    refuses: Arc<Mutex<Option<u16>>>,
}

fn unescaped(text: &str) -> String {
    [("%2F", "/"), ("%2D", "-"), ("%2E", "."), ("%5F", "_")]
        .iter()
        .fold(text.to_owned(), |text, (escaped, plain)| text.replace(escaped, plain))
}

#[async_trait::async_trait]
impl HttpService for Bucket {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (method, uri) = (request.method().as_str().to_owned(), request.uri().clone());
        self.asked.lock().unwrap().push(format!("{method} {}", uri.path()));
        let answer = |status: u16, body: Vec<u8>| {
            http::Response::builder()
                .status(status)
                .header("etag", "\"x\"")
                .header("x-goog-generation", "1")
                .header("last-modified", "Tue, 24 Nov 2026 10:00:00 GMT")
                .header("content-length", body.len())
                .body(HttpResponseBody::from(body))
                .unwrap()
        };
        if let Some(status) = *self.refuses.lock().unwrap() {
            return Ok(answer(
                status,
                b"<Error><Code>AccessDenied</Code><Message>SECRET</Message></Error>".to_vec(),
            ));
        }
        let name = unescaped(uri.path()).trim_start_matches("/bucket").trim_start_matches('/').to_owned();
        let mut objects = self.objects.lock().unwrap();
        match method.as_str() {
            "PUT" => {
                let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
                let creates =
                    header("if-none-match") == Some("*") || header("x-goog-if-generation-match") == Some("0");
                assert!(creates, "nothing is ever replaced: {:?}", request.headers());
                if objects.contains_key(&name) {
                    return Ok(answer(412, b"<Error><Code>PreconditionFailed</Code></Error>".to_vec()));
                }
                let body = request.into_body().collect().now_or_never().unwrap().unwrap().to_bytes();
                objects.insert(name, body.to_vec());
                Ok(answer(200, Vec::new()))
            }
            "GET" if name.is_empty() => {
                let query = unescaped(uri.query().unwrap());
                let word = |name: &str| {
                    query
                        .split('&')
                        .find_map(|pair| pair.strip_prefix(&format!("{name}=")))
                        .unwrap_or("")
                        .to_owned()
                };
                let (prefix, after) = (word("prefix"), word("start-after"));
                let found = objects.iter().filter(|(name, _)| name.starts_with(&prefix) && **name > after);
                let folders = found.clone().filter_map(|(name, _)| {
                    let rest = name.strip_prefix(&prefix)?;
                    (!word("delimiter").is_empty())
                        .then(|| rest.split_once('/'))?
                        .map(|(folder, _)| format!("{prefix}{folder}/"))
                });
                let folders: std::collections::BTreeSet<String> = folders.collect();
                let mut text = String::from("<ListBucketResult>");
                for folder in &folders {
                    text.push_str(&format!("<CommonPrefixes><Prefix>{folder}</Prefix></CommonPrefixes>"));
                }
                if folders.is_empty() {
                    for (name, body) in found {
                        text.push_str(&format!(
                            "<Contents><Key>{name}</Key><LastModified>2026-11-24T10:00:00.000Z</LastModified>\
                             <ETag>\"x\"</ETag><Size>{}</Size></Contents>",
                            body.len()
                        ));
                    }
                }
                text.push_str("</ListBucketResult>");
                Ok(answer(200, text.into_bytes()))
            }
            "GET" => Ok(objects.get(&name).map_or_else(
                || answer(404, b"<Error><Code>NoSuchKey</Code></Error>".to_vec()),
                |body| answer(200, body.clone()),
            )),
            other => panic!("{other} is never asked"),
        }
    }
}

fn settings_of(address: &str) -> SinkSettings {
    let google = address.starts_with("gs");
    let account =
        r#"{"private_key": "SECRET", "private_key_id": "x", "client_email": "x", "disable_oauth": true}"#;
    SinkSettings {
        to: SinkAddress::parse(address).unwrap(),
        endpoint: Some("http://127.0.0.1:9".into()),
        region: None,
        access_key: (!google).then(|| "AKIA".into()),
        secret: Some(Secret::new(if google { account.into() } else { "SECRET".into() })),
        identity: Vec::new(),
    }
}

#[test]
fn google_and_amazon_are_asked_to_create_and_never_to_replace_and_give_all_back() {
    for address in ["gs://bucket/a/b", "s3://bucket/a/b"] {
        let (dir, back, bucket) = (folder(), folder(), Bucket::default());
        let sink = Sink::open(&settings_of(address), bucket.clone()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let recorder = Recorder::open(
                RecorderSettings { pack: false, ..settings(dir.path(), 16 << 10) },
                key(),
                Arc::new(SystemClock),
            );
            let recorder = recorder.unwrap();
            let tape = recorder.begin(session(1));
            tape.append(&opened(), &[]).unwrap();
            for operation in 0..80 {
                tape.append(&data(operation), &[&[b'x'; 400]]).unwrap();
            }
            tape.seal(&closed()).await.unwrap();
            drop((tape, recorder));
            *bucket.refuses.lock().unwrap() = Some(403);
            let refused = send_all(dir.path(), &sink, &SystemClock).await.unwrap();
            let why = &refused.first[0].why;
            assert!(
                why.contains("refuses") && why.contains("403") && !why.contains("SECRET"),
                "{address}: {why}"
            );
            assert_eq!(refused.sent, 0);
            *bucket.refuses.lock().unwrap() = None;
            let sent = send_all(dir.path(), &sink, &SystemClock).await.unwrap();
            assert_eq!((sent.waiting, sent.alarms.len()), (0, 0), "{address}: {sent:?}");
            std::fs::remove_dir_all(dir.path().join("sink")).unwrap();
            let again = send_all(dir.path(), &sink, &SystemClock).await.unwrap();
            assert_eq!((again.waiting, again.sent), (0, sent.sent), "{address}: {again:?}");
            let found = logs(&sink).await.unwrap();
            assert_eq!(found.len(), 1, "{address}: {found:?}");
            let fetched = fetch(&sink, &found[0], back.path(), |_, _| {}).await.unwrap();
            assert_eq!((fetched.checkpoint, fetched.ahead), (Some(fetched.leaves), None), "{address}");
        });
        let report = verify(back.path(), &Trust::key(key().verifying_key()), |_| {}).unwrap();
        assert!(report.ok(), "{address}: {:?}", report.lines());
    }
}
