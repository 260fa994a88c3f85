//! Sinks, key services and witnesses that could not act, each with the words a person reads.

use std::os::unix::fs::PermissionsExt as _;

use super::super::super::{Config, EXAMPLE, KeySource, Problems, parse};
use super::*;

const BASE: &str = r#"data_dir = "data"
[listen]
postgres = "127.0.0.1:6432"
api = "127.0.0.1:6480"
[policy]
dir = "policy"
"#;

fn read(more: &str) -> Result<Config, Problems> {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("policy")).unwrap();
    std::fs::create_dir(dir.path().join("replicas")).unwrap();
    for (name, mode) in [("secret", 0o600), ("open", 0o644)] {
        std::fs::write(dir.path().join(name), "x").unwrap();
        std::fs::set_permissions(dir.path().join(name), std::fs::Permissions::from_mode(mode)).unwrap();
    }
    parse(&dir.path().join("sallyport.toml"), &format!("{BASE}{more}"))
}

#[track_caller]
fn wrong(more: &str, message: &str) {
    let problems = read(more).expect_err("it should be refused").to_string();
    assert!(problems.contains(message), "{message}: {problems}");
}

#[test]
fn a_sink_is_read_with_its_defaults() {
    let config = read("[recording.sink]\nto = \"s3://bucket/a\"\nadopt = \"replicas\"").unwrap();
    let sink = config.sink.unwrap();
    assert_eq!((sink.to.to_string().as_str(), sink.within), ("s3://bucket/a", Duration::from_secs(300)));
    assert_eq!((sink.credential, sink.adopt.is_some()), (None, true));
}

#[test]
fn a_sink_that_could_not_act_is_refused() {
    for (more, message) in [
        ("to = \"bucket\"", "an address is file:///folder"),
        ("to = \"az://account/container\"\nregion = \"x\"", "a sink of this kind has no such setting"),
        ("to = \"file:///mnt/x\"\ncredential = \"file:secret\"", "a sink of this kind has no such setting"),
        ("to = \"s3://b\"\naccess_key = \"A\"", "go together"),
        ("to = \"s3://b\"\nendpoint = \"http://minio.internal\"", "must be https://"),
        ("to = \"s3://b\"\nendpoint = \"https://user@minio.internal\"", "must be https://"),
        ("to = \"gs://b\"\ncredential = \"none\"", "leave it out"),
        ("to = \"gs://b\"\ncredential = \"hunter2\"", "not a reference to a credential"),
        ("to = \"gs://b\"\ncredential = \"file:open\"", "others may read"),
        ("to = \"s3://b\"\nwithin = \"1s\"", "must be 5s to 1d"),
        ("to = \"s3://b\"\nadopt = \"nowhere\"", "there is no folder"),
        ("to = \"s3://b\"\nbucket = \"b\"", "unknown field"),
    ] {
        wrong(&format!("[recording.sink]\n{more}"), message);
    }
}

#[test]
fn a_key_service_that_could_not_act_is_refused() {
    let service = "[recording]\nencryption = \"service\"\n[recording.key]\n";
    let vault =
        "service = \"vault\"\nkey = \"rec\"\ncredential = \"file:secret\"\naddress = \"https://v:8200\"";
    let config = read(&format!("{service}{vault}")).unwrap();
    assert!(matches!(config.key_service, Some(KeySource::Vault(vault)) if vault.mount == "transit"));
    wrong("[recording]\nencryption = \"service\"", "name the service under [recording.key]");
    wrong(&format!("[recording]\nencryption = \"off\"\n[recording.key]\n{vault}"), "`encryption` is `off`");
    let only_reads = read(&format!("[recording.key]\n{vault}")).unwrap();
    assert!(only_reads.notes.iter().any(|note| note.contains("only reads")), "{:?}", only_reads.notes);
    for (more, message) in [
        ("service = \"vault\"\nkey = \"rec\"\ncredential = \"file:secret\"", "needs `address`"),
        ("service = \"vault\"\nkey = \"rec\"\naddress = \"https://v\"", "needs `credential`"),
        (
            "service = \"vault\"\nkey = \"../sys\"\ncredential = \"file:secret\"\naddress = \"https://v\"",
            "no key of this service",
        ),
        (
            "service = \"vault\"\nkey = \"rec\"\ncredential = \"file:secret\"\naddress = \"http://v\"",
            "must be https://",
        ),
        ("service = \"azure\"\nkey = \"https://v.vault.azure.net/secrets/x\"", "no key of this service"),
        ("service = \"azure\"\nkey = \"http://v.vault.azure.net/keys/x\"", "must be https://"),
        (
            "service = \"azure\"\nkey = \"https://v.vault.azure.net/keys/x\"\nregion = \"r\"",
            "has no such setting",
        ),
        ("service = \"aws\"\nkey = \"alias/x\"", "needs `region`"),
        ("service = \"aws\"\nkey = \"alias/x\"\nregion = \"r\"\ncredential = \"file:secret\"", "go together"),
        ("service = \"gcp\"\nkey = \"x\"", "unknown variant"),
    ] {
        wrong(&format!("{service}{more}"), message);
    }
}

#[test]
fn a_witness_is_named_by_a_witnesss_key_and_once() {
    let witness =
        |key: &str| format!("[[recording.witness]]\nkey = \"{key}\"\nurl = \"https://w.example\"\n");
    // The log's kind of key, and none at all.
    wrong(&witness("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"), "no witness's key");
    wrong(&witness("x"), "no witness's key");
}

#[test]
fn what_the_example_comments_out_of_these_is_valid_too() {
    let (mut text, mut on) = (String::new(), false);
    for line in EXAMPLE.lines() {
        // A commented-out table goes on to the next line that is no comment.
        on = (on || line.starts_with("# [recording.") || line.starts_with("# [[recording."))
            && line.starts_with('#');
        let setting = on && (line.starts_with("# [") || line.contains(" = "));
        text.push_str(if setting { line.trim_start_matches("# ") } else { line });
        text.push('\n');
    }
    let text = text.replace("encryption = \"file\"", "encryption = \"service\"");
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("policy")).unwrap();
    std::fs::write(dir.path().join("labels.toml"), "").unwrap();
    std::fs::write(dir.path().join("vault-token"), "").unwrap();
    std::fs::set_permissions(dir.path().join("vault-token"), std::fs::Permissions::from_mode(0o600)).unwrap();
    let config = parse(&dir.path().join("sallyport.toml"), &text)
        .unwrap_or_else(|problems| panic!("{problems}\n{text}"));
    assert!(config.sink.is_some() && config.key_service.is_some() && config.witnesses.len() == 1);
}
