//! What the recording asks of others: copies on S3 and on Azure Blob Storage, keys wrapped by KMS, each played
//! by a server of its own. What is fetched from a sink verifies, with nothing of the machine that recorded it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use sallyport_e2e::services::{AZURITE_ACCOUNT, AZURITE_KEY, Service, free_port};
use sallyport_e2e::{Gateway, Options, within};
use serde_json::Value;

/// A gateway whose target is of no interest, with a sink.
fn gateway(sink: &str, secret: &str) -> Gateway {
    gateway_with(
        &format!("[recording.sink]\n{sink}\ncredential = \"file:secret\"\nwithin = \"5s\"\n"),
        secret,
    )
}

/// The same with whatever it asks.
fn gateway_with(more: &str, secret: &str) -> Gateway {
    let mut gateway = Gateway::with(Options { target_down: true, ..Options::default() });
    gateway.signal("TERM");
    gateway.ended();
    gateway.write("secret", secret);
    std::fs::set_permissions(gateway.path("secret"), std::fs::Permissions::from_mode(0o600)).unwrap();
    let file = gateway.path("sallyport.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{text}\n{more}")).unwrap();
    gateway.launch();
    gateway
}

fn status(gateway: &Gateway) -> Option<Value> {
    let ran = gateway.offline(&["recording", "sink", "status", "--json"]);
    serde_json::from_str(&ran.out).ok()
}

fn until(gateway: &Gateway, what: &str, is: impl Fn(&Value) -> bool) -> Value {
    within(Duration::from_secs(60), what, &mut || status(gateway).filter(&is))
}

/// That so many files are in the sink, the last of them with something new in it, and nothing waits.
fn has(status: &Value, files: u64) -> bool {
    status["waiting"] == 0 && status["sent"].as_u64().unwrap() >= files && status["checkpoint"].is_u64()
}

fn fetched_verifies(gateway: &Gateway, into: &Path) {
    let into = into.to_str().unwrap();
    gateway.offline(&["recording", "sink", "fetch", into]).ok();
    let key = gateway.path("sallyport-data/keys/recording.pub.pem");
    let report =
        gateway.offline(&["recording", "verify", into, "--key", key.to_str().unwrap(), "--json"]).ok();
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["ok"], true, "{report}");
    assert!(!report["report"]["checkpoints"].as_array().unwrap().is_empty(), "{report}");
}

#[test]
fn what_is_recorded_is_on_s3_within_the_time_that_was_asked_for_and_verifies_from_there() {
    let s3 = Service::aws();
    s3.make_bucket("audit");
    let gateway = gateway(
        &format!("to = \"s3://audit/gw\"\nendpoint = \"{}\"\naccess_key = \"AKIAEXAMPLE\"", s3.url()),
        "hunter2-of-s3",
    );
    let mut seen = 1;
    for who in ["claude-code", "codex"] {
        gateway.new_token(who, &[]);
        let found = until(&gateway, "it is there", |status| has(status, seen + 1));
        seen = found["sent"].as_u64().unwrap();
    }
    let back = tempfile::tempdir().unwrap();
    fetched_verifies(&gateway, &back.path().join("copy"));
    assert!(!gateway.log().contains("hunter2"), "the secret is in the log");
    // Something else under a name that is taken: an alarm, and what follows is sent all the same.
    let taken = std::fs::read_dir(gateway.path("sallyport-data/recordings/segments")).unwrap().flatten();
    let mut taken: Vec<String> = taken.map(|entry| entry.file_name().into_string().unwrap()).collect();
    taken.sort();
    let log = std::fs::read_dir(gateway.path("sallyport-data/recordings/sink")).unwrap().flatten();
    let log =
        log.map(|entry| entry.file_name().into_string().unwrap()).find(|name| name.starts_with("sent-"));
    let log = log.unwrap().trim_start_matches("sent-").to_owned();
    s3.put_object("audit", &format!("gw/{log}/segments/{}", taken[0]), "something else");
    gateway.signal("KILL");
    gateway.ended();
    std::fs::remove_file(gateway.path(&format!("sallyport-data/recordings/sink/sent-{log}"))).unwrap();
    let mut gateway = gateway;
    gateway.launch();
    gateway.new_token("codex", &[]);
    let found = until(&gateway, "an alarm", |status| {
        has(status, seen + 1) && status["alarms"].as_array().unwrap().len() == 1
    });
    assert_eq!(found["alarms"][0]["name"], format!("segments/{}", taken[0]));
    assert_eq!(gateway.offline(&["recording", "sink", "status"]).code, 1);
}

#[test]
fn azure_that_was_away_gets_all_when_it_is_back_and_a_wrong_key_is_said_without_showing_it() {
    let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
    let azure = Service::azure(folder.path(), port);
    azure.make_container("audit");
    let to = format!(
        "to = \"az://{AZURITE_ACCOUNT}/audit/gw\"\nendpoint = \"http://127.0.0.1:{port}/{AZURITE_ACCOUNT}\""
    );
    let mut gateway = gateway(&to, AZURITE_KEY);
    gateway.new_token("claude-code", &[]);
    let found = until(&gateway, "it is there", |status| has(status, 2));
    azure.stop();
    gateway.new_token("codex", &[]);
    let found = until(&gateway, "it says what waits and why", |status| {
        status["waiting"].as_u64() > Some(0)
            && status["first"][0]["tries"].as_u64() > Some(0)
            && status["sent"] == found["sent"]
    });
    assert_eq!(found["alarms"].as_array().unwrap().len(), 0, "{found}");
    gateway.new_token("codex", &[]);
    // Stopped and started while the sink is away.
    gateway.signal("KILL");
    gateway.ended();
    gateway.launch();
    gateway.new_token("codex", &[]);
    let azure = Service::azure(folder.path(), port);
    until(&gateway, "it is all there", |status| has(status, found["sent"].as_u64().unwrap() + 2));
    let back = tempfile::tempdir().unwrap();
    fetched_verifies(&gateway, &back.path().join("copy"));
    // Another key than the account's.
    gateway.signal("TERM");
    gateway.ended();
    let wrong = AZURITE_KEY.replace("Eby8", "Abcd");
    gateway.write("secret", &wrong);
    gateway.launch();
    gateway.new_token("codex", &[]);
    let found = until(&gateway, "it is refused", |status| {
        status["first"][0]["why"].as_str().is_some_and(|why| why.contains("refuses"))
    });
    assert!(found["first"][0]["why"].as_str().unwrap().contains("403"), "{found}");
    for key in [AZURITE_KEY, &wrong] {
        assert!(!gateway.log().contains(key), "the key is in the log");
    }
    drop(azure);
}

#[test]
fn keys_are_wrapped_by_kms_and_a_start_without_it_is_refused() {
    let aws = Service::aws();
    let key = aws.make_key();
    let mut gateway = gateway_with(
        &format!(
            "[recording]\nencryption = \"service\"\n[recording.key]\nservice = \"aws\"\nkey = \"{key}\"\n\
             region = \"us-east-1\"\naddress = \"{}\"\naccess_key = \"AKIAEXAMPLE\"\ncredential = \"file:secret\"",
            aws.url()
        ),
        "hunter2-of-kms",
    );
    gateway.new_token("codex", &[]);
    // What was encrypted under a file's key before, and under the service's since, is read by both.
    gateway.signal("TERM");
    gateway.ended();
    let report = gateway.offline(&["recording", "verify", "--own-keys", "--json"]).ok();
    assert!(report.contains("\"ok\":true") || report.contains("\"ok\": true"), "{report}");
    let segments = gateway.path("sallyport-data/recordings/segments");
    let wrapped = std::fs::read_dir(&segments).unwrap().flatten().any(|entry| {
        let bytes = std::fs::read(entry.path()).unwrap();
        let id = format!("aws:{key}");
        bytes.windows(id.len()).any(|there| there == id.as_bytes())
    });
    assert!(wrapped, "a segment's header names the key");
    drop(aws);
    let refused = gateway.offline(&["serve"]);
    assert_eq!(refused.code, 1, "{refused:?}");
    let said = format!("{}{}", refused.out, refused.err);
    assert!(said.contains("AWS KMS: no answer in time"), "{said}");
    assert!(!said.contains("hunter2") && !gateway.log().contains("hunter2"), "the secret is in the log");
    // A new start that encrypts by files goes on with the same log.
    let file = gateway.path("sallyport.toml");
    let text =
        std::fs::read_to_string(&file).unwrap().replace("encryption = \"service\"", "encryption = \"file\"");
    std::fs::write(&file, text).unwrap();
    gateway.launch();
    gateway.new_token("codex", &[]);
}
