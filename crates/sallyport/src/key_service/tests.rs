//! Key services, played by doubles that are written from their documents, over plain HTTP on loopback.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use sallyport_core::CredentialRef;
use serde_json::{Value, json};

use super::*;
use crate::config::{AwsSource, AzureSource, VaultSource};

/// A request as it came.
struct Asked {
    line: String,
    head: String,
    body: Value,
    form: String,
}

/// A service that answers by a function, until the test ends.
fn double(answer: impl Fn(&Asked) -> (u16, Value) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut lines = Vec::new();
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line).unwrap() == 0 || line.trim().is_empty() {
                    break;
                }
                lines.push(line.trim().to_owned());
            }
            if lines.is_empty() {
                continue;
            }
            let head = lines.join("\n").to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            let mut body = vec![0; length.unwrap_or(0)];
            reader.read_exact(&mut body).unwrap();
            let asked = Asked {
                line: lines.remove(0),
                head: lines.join("\n"),
                body: serde_json::from_slice(&body).unwrap_or_default(),
                form: String::from_utf8_lossy(&body).into_owned(),
            };
            let (status, said) = answer(&asked);
            let said = said.to_string();
            write!(
                stream,
                "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{said}",
                said.len()
            )
            .unwrap();
        }
    });
    address
}

fn reversed(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().rev().map(|byte| byte ^ 0x55).collect()
}

fn secret_file(text: &str) -> (tempfile::TempDir, CredentialRef) {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("secret");
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    (dir, CredentialRef::File(path))
}

fn client() -> reqwest::Client {
    egress::client().unwrap()
}

/// What every service has to do: give the key back for its segment, and for no other.
#[track_caller]
fn holds(service: &KeyService) -> WrappedKey {
    let key: DataKey = Zeroizing::new([9; 32]);
    let wrapped = service.wrap(7, &key).unwrap();
    assert_eq!(*service.unwrap(7, &wrapped).unwrap(), *key);
    assert!(
        matches!(service.unwrap(8, &wrapped), Err(RecordError::Key(what)) if what.contains("this segment"))
    );
    assert!(wrapped.key_id.contains(MARK) && wrapped.key_id.len() < 256);
    wrapped
}

fn vault(address: String, credential: CredentialRef) -> KeyService {
    let source = VaultSource {
        address,
        mount: "transit".into(),
        key: "rec".into(),
        namespace: Some("ns".into()),
        credential,
    };
    KeyService::start(Service::Vault(vault::Vault::new(source, client()))).unwrap()
}

#[test]
fn vault_wraps_by_its_transit_engine_and_the_token_is_read_again_each_time() {
    let address = double(|asked| {
        assert!(asked.head.to_lowercase().contains("x-vault-namespace: ns"), "{}", asked.head);
        if !asked.head.to_lowercase().contains("x-vault-token: hvs.new") {
            return (403, json!({ "errors": ["permission denied"] }));
        }
        let text = |name: &str| asked.body[name].as_str().unwrap().to_owned();
        match asked.line.split(' ').nth(1).unwrap() {
            "/v1/transit/encrypt/rec" => {
                let sealed = STANDARD.encode(reversed(&STANDARD.decode(text("plaintext")).unwrap()));
                (200, json!({ "data": { "ciphertext": format!("vault:v1:{sealed}"), "key_version": 1 } }))
            }
            "/v1/transit/decrypt/rec" => {
                let sealed = text("ciphertext");
                let sealed = STANDARD.decode(sealed.strip_prefix("vault:v1:").unwrap()).unwrap();
                (200, json!({ "data": { "plaintext": STANDARD.encode(reversed(&sealed)) } }))
            }
            other => (404, json!({ "errors": [other] })),
        }
    });
    let (_dir, credential) = secret_file("hvs.old");
    let service = vault(address.clone(), credential.clone());
    let refused = service.wrap(1, &Zeroizing::new([1; 32]));
    assert!(
        matches!(&refused, Err(RecordError::Key(what)) if what == "Vault refuses with status 403"),
        "{refused:?}"
    );
    let CredentialRef::File(path) = &credential else { unreachable!() };
    std::fs::write(path, "hvs.new\n").unwrap();
    let wrapped = holds(&service);
    assert_eq!(wrapped.key_id, "vault:transit/rec");
    let other = WrappedKey { key_id: "vault:transit/other".into(), ..wrapped };
    assert!(service.unwrap(7, &other).is_err(), "another key is not asked for");
}

#[test]
fn a_service_that_is_not_there_is_said_in_time_and_without_its_address_or_token() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (_dir, credential) = secret_file("hvs.token");
    let refused = vault(format!("http://{gone}"), credential).wrap(1, &Zeroizing::new([1; 32]));
    let Err(RecordError::Key(what)) = refused else { panic!("{refused:?}") };
    assert_eq!(what, "Vault: no answer in time");
}

fn azure_double(rotated: Arc<AtomicBool>, base: Arc<Mutex<String>>) -> String {
    double(move |asked| {
        let path = asked.line.split(' ').nth(1).unwrap();
        if path == "/tenant/oauth2/v2.0/token" {
            assert!(
                asked.form.contains("client_secret=s3cret") && asked.form.contains("client_id=app"),
                "{}",
                asked.form
            );
            assert!(asked.form.contains("scope=https%3A%2F%2Fvault.azure.net%2F.default"), "{}", asked.form);
            return (200, json!({ "access_token": "tok", "expires_in": 3600 }));
        }
        assert!(asked.head.contains("Bearer tok"), "{}", asked.head);
        let base = base.lock().unwrap().clone();
        let version = if rotated.load(Ordering::SeqCst) { "v2" } else { "v1" };
        let value = || URL_SAFE_NO_PAD.decode(asked.body["value"].as_str().unwrap()).unwrap();
        match path.trim_end_matches("?api-version=7.4") {
            "/keys/rec" => {
                (200, json!({ "key": { "kid": format!("{base}/keys/rec/{version}"), "kty": "RSA" } }))
            }
            "/keys/rec/v1/wrapkey" | "/keys/rec/v2/wrapkey" => {
                assert_eq!(asked.body["alg"], "RSA-OAEP-256");
                (200, json!({ "kid": "", "value": URL_SAFE_NO_PAD.encode(reversed(&value())) }))
            }
            "/keys/rec/v1/unwrapkey" => (200, json!({ "value": URL_SAFE_NO_PAD.encode(reversed(&value())) })),
            _ => (404, json!({ "error": { "code": "KeyNotFound", "message": "SECRET" } })),
        }
    })
}

#[test]
fn azure_wraps_by_the_keys_present_version_and_unwraps_by_the_one_that_wrapped() {
    let (rotated, base) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(String::new())));
    let address = azure_double(rotated.clone(), base.clone());
    *base.lock().unwrap() = address.clone();
    let (_dir, credential) = secret_file("s3cret");
    let source = AzureSource {
        key: format!("{address}/keys/rec"),
        tenant: Some("tenant".into()),
        client: Some("app".into()),
        authority: Some(address.clone()),
        credential: Some(credential),
    };
    let service = KeyService::start(Service::Azure(azure::Azure::new(source, client()).unwrap())).unwrap();
    let wrapped = holds(&service);
    assert_eq!(wrapped.key_id, format!("azure:RSA-OAEP-256:{address}/keys/rec/v1"));
    rotated.store(true, Ordering::SeqCst);
    assert!(service.wrap(9, &Zeroizing::new([1; 32])).unwrap().key_id.ends_with("/v2"));
    assert!(service.unwrap(9, &WrappedKey { bytes: wrapped.bytes.clone(), ..wrapped.clone() }).is_err());
    // What a file says of a key's address is not asked when it is not the configured key's.
    for kid in [
        "http://127.0.0.1:1/keys/rec/v1",
        &format!("{address}/keys/other/v1"),
        &format!("{address}/keys/rec/v1/../x"),
    ] {
        let elsewhere =
            WrappedKey { key_id: format!("azure:RSA-OAEP-256:{kid}"), bytes: wrapped.bytes.clone() };
        let refused = service.unwrap(3, &elsewhere);
        assert!(
            matches!(&refused, Err(RecordError::Key(what)) if what.contains("another key")),
            "{refused:?}"
        );
    }
    *base.lock().unwrap() = "http://127.0.0.1:1".into();
    assert!(service.wrap(1, &Zeroizing::new([1; 32])).is_err(), "nor what the service says of it");
}

#[test]
fn aws_wraps_by_kms_with_signed_requests_and_a_context() {
    let address = double(|asked| {
        let head = asked.head.to_lowercase();
        assert!(head.contains("authorization: aws4-hmac-sha256 credential=akiaexample/"), "{head}");
        assert!(head.contains("/eu-central-1/kms/aws4_request"), "{head}");
        assert!(head.contains("x-amz-target") && !head.contains("s3cret"), "{head}");
        assert_eq!(asked.body["EncryptionContext"]["purpose"], "sallyport data key v1");
        let text = |name: &str| STANDARD.decode(asked.body[name].as_str().unwrap()).unwrap();
        if asked.body["KeyId"] != "alias/rec" {
            return (400, json!({ "__type": "NotFoundException", "message": "SECRET" }));
        }
        if head.contains("trentservice.encrypt") {
            (200, json!({ "CiphertextBlob": STANDARD.encode(reversed(&text("Plaintext"))) }))
        } else {
            (200, json!({ "Plaintext": STANDARD.encode(reversed(&text("CiphertextBlob"))) }))
        }
    });
    let (_dir, credential) = secret_file("s3cret");
    let open = |key: &str| {
        let source = AwsSource {
            key: key.into(),
            region: "eu-central-1".into(),
            endpoint: Some(address.clone()),
            access_key: Some("AKIAEXAMPLE".into()),
            credential: Some(credential.clone()),
        };
        KeyService::start(Service::Aws(aws::Aws::new(source, client()).unwrap())).unwrap()
    };
    assert_eq!(holds(&open("alias/rec")).key_id, "aws:alias/rec");
    let refused = open("alias/gone").wrap(1, &Zeroizing::new([1; 32]));
    let Err(RecordError::Key(what)) = refused else { panic!("{refused:?}") };
    assert_eq!(what, "AWS KMS refuses with status 400, NotFoundException");
}
