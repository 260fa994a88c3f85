//! Every way a configuration can be wrong, each with the words a person reads.

use std::os::unix::fs::PermissionsExt as _;

use sallyport_core::CredentialRef;

use super::super::{Config, EXAMPLE, ListenerTls, Problems, parse};
use super::*;

struct Folder(PathBuf);

impl Folder {
    /// A folder with what the base configuration names.
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("sallyport-config-{}-{name}", std::process::id()));
        let _gone = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(path.join("policy")).unwrap();
        std::fs::write(path.join("labels.toml"), "").unwrap();
        std::fs::write(path.join("cert.pem"), "").unwrap();
        for (file, mode) in [("key.pem", 0o600), ("open-key.pem", 0o644)] {
            std::fs::write(path.join(file), "").unwrap();
            std::fs::set_permissions(path.join(file), std::fs::Permissions::from_mode(mode)).unwrap();
        }
        Self(path)
    }

    fn parse(&self, text: &str) -> Result<Config, Problems> {
        parse(&self.0.join("sallyport.toml"), text)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.0);
    }
}

const BASE: &str = r#"data_dir = "data"
[listen]
postgres = "127.0.0.1:6432"
api = "127.0.0.1:6480"
[[target]]
name = "shop"
protocol = "postgres"
address = "db.internal:5432"
database = "shop"
user = "app"
credential = "env:SHOP_PASSWORD"
tls = { mode = "verify-full" }
[[principal]]
name = "alice"
kind = "human"
groups = ["dba"]
roles = ["approver"]
[[principal]]
name = "bot"
kind = "agent"
on_behalf_of = "alice"
[policy]
dir = "policy"
[masking]
labels = "labels.toml"
[recording]
durability = "auto"
results = "full"
[limits]
hold_wait = "90s"
"#;

/// Replaces `from` in the base, checks, and wants a problem that says `message`, on the line that
/// holds `line_has`.
#[track_caller]
fn wrong(name: &str, from: &str, to: &str, message: &str, line_has: &str) {
    let folder = Folder::new(name);
    assert!(BASE.contains(from), "the base has no `{from}`");
    let text = BASE.replacen(from, to, 1);
    let problems = folder.parse(&text).expect_err("it should be refused");
    let all = problems.to_string();
    let found = problems.0.iter().find(|problem| problem.message.contains(message));
    let found = found.unwrap_or_else(|| panic!("no problem says `{message}`:\n{all}"));
    let line = found.line.and_then(|line| text.lines().nth(line - 1)).unwrap_or_default();
    assert!(line.contains(line_has), "wanted the line with `{line_has}`, got `{line}`:\n{all}");
}

#[test]
fn the_base_is_accepted_and_paths_are_relative_to_the_file() {
    let folder = Folder::new("base");
    let config = folder.parse(BASE).unwrap();
    assert_eq!(config.data_dir, folder.0.join("data"));
    assert_eq!(config.policy_dir, folder.0.join("policy"));
    assert_eq!(config.targets.len(), 1);
    assert_eq!(config.principals.len(), 2);
    assert_eq!(config.limits.hold_wait, Duration::from_secs(90));
    assert!(config.notes.is_empty(), "{:?}", config.notes);
}

#[test]
fn the_annotated_example_is_valid() {
    let folder = Folder::new("example");
    let config = folder.parse(EXAMPLE).unwrap();
    assert!(config.notes.is_empty(), "{:?}", config.notes);
    let defaults = LimitsEntry::default();
    assert_eq!(config.limits.hold_wait, defaults.hold_wait.0, "the example shows the defaults");
    assert_eq!(config.limits.row_limit_bytes, defaults.row_limit_bytes);
    assert_eq!(config.limits.handshake, defaults.handshake.0);
    assert_eq!(config.limits.drain, defaults.drain.0);
}

#[test]
fn what_the_example_comments_out_is_valid_too() {
    let folder = Folder::new("example-more");
    let text = EXAMPLE
        .replace("# public_url", "public_url")
        .replace("# databases", "databases")
        .replace("# sign_in", "sign_in")
        .replace("# listen", "listen")
        .replace("# [[oidc]]", "[[oidc]]")
        .replace("# issuer", "issuer")
        .replace("# audience", "audience")
        .replace("# groups_claim", "groups_claim")
        .replace("# subjects", "subjects");
    let config = folder.parse(&text).unwrap();
    assert_eq!(config.oidc.len(), 1);
    assert_eq!(config.public_host().as_deref(), Some("gw.example.com"));
}

#[test]
fn unknown_keys_are_errors_everywhere() {
    for (name, from) in [
        ("top", "data_dir = \"data\"\n"),
        ("listen", "api = \"127.0.0.1:6480\"\n"),
        ("target", "user = \"app\"\n"),
        ("principal", "kind = \"agent\"\n"),
        ("policy", "dir = \"policy\"\n"),
        ("masking", "labels = \"labels.toml\"\n"),
        ("recording", "results = \"full\"\n"),
        ("limits", "hold_wait = \"90s\"\n"),
    ] {
        let to = format!("{from}typo = 1\n");
        wrong(&format!("unknown-{name}"), from, &to, "unknown field `typo`", "typo");
    }
    wrong("unknown-tls", "mode = \"verify-full\"", "mod = 1", "unknown field `mod`", "mod");
}

#[test]
fn values_that_do_not_exist_are_errors() {
    wrong("durability", "\"auto\"", "\"none\"", "unknown variant `none`", "durability");
    wrong(
        "encryption",
        "results = \"full\"",
        "encryption = \"rot13\"",
        "unknown variant `rot13`",
        "encryption",
    );
    wrong("first-rows", "results = \"full\"", "results = { first_rows = 0 }", "no rows at all", "results");
    let other = "results = \"full\"\n[[recording.target]]\nname = \"nowhere\"";
    wrong("recorded-target", "results = \"full\"", other, "there is no target of this name", "name");
    wrong("results", "\"full\"\n[limits]", "\"hash\"\n[limits]", "unknown variant `hash`", "results");
    wrong("kind", "\"agent\"", "\"robot\"", "unknown variant `robot`", "kind");
    wrong("role", "[\"approver\"]", "[\"root\"]", "unknown variant `root`", "roles");
    wrong("duration", "\"90s\"", "\"90\"", "not a duration", "hold_wait");
    wrong("protocol", "protocol = \"postgres\"", "protocol = \"oracle\"", "no protocol `oracle`", "oracle");
    wrong("toml", "data_dir = \"data\"", "data_dir = ", "", "data_dir");
}

#[test]
fn every_address_speaks_tls_unless_it_is_loopback_and_says_off() {
    let open = "postgres = \"0.0.0.0:6432\"";
    let from = "postgres = \"127.0.0.1:6432\"";
    let folder = Folder::new("open");
    let tls = |to: &str| folder.parse(&BASE.replacen(from, to, 1)).unwrap().postgres_tls;
    assert_eq!(tls(from), ListenerTls::Own);
    assert_eq!(tls(&format!("{from}\ntls = \"off\"")), ListenerTls::Off);
    assert_eq!(tls(open), ListenerTls::Own);
    assert_eq!(tls(&format!("{from}\ntls = \"required\"")), ListenerTls::Own);
    let given = format!("{open}\ntls_certificate = \"cert.pem\"\ntls_key = \"key.pem\"");
    assert!(matches!(tls(&given), ListenerTls::Files { .. }));
    wrong("open-off", from, &format!("{open}\ntls = \"off\""), "for loopback addresses only", "tls");
}

#[test]
fn tls_settings_that_cannot_act_are_errors() {
    let from = "postgres = \"127.0.0.1:6432\"";
    let add = |more: &str| format!("{from}\n{more}");
    wrong("no-key", from, &add("tls_certificate = \"cert.pem\""), "without `tls_key`", "tls_certificate");
    wrong("no-cert", from, &add("tls_key = \"key.pem\""), "without `tls_certificate`", "tls_key");
    let both = add("tls = \"off\"\ntls_certificate = \"cert.pem\"\ntls_key = \"key.pem\"");
    wrong("off-cert", from, &both, "could not act", "tls = ");
    let open = add("tls_certificate = \"cert.pem\"\ntls_key = \"open-key.pem\"");
    wrong("open-key", from, &open, "others may read", "tls_key");
    let gone = add("tls_certificate = \"gone.pem\"\ntls_key = \"key.pem\"");
    wrong("gone-cert", from, &gone, "there is no file", "tls_certificate");
}

#[test]
fn a_listener_of_one_target_is_an_address_of_its_own() {
    let folder = Folder::new("own");
    let own =
        |address: &str| BASE.replace("user = \"app\"", &format!("user = \"app\"\nlisten = \"{address}\""));
    let config = folder.parse(&own("0.0.0.0:6433")).unwrap();
    assert_eq!(config.own_listeners["shop"], "0.0.0.0:6433".parse().unwrap());
    for (address, message) in [
        ("127.0.0.1:6432", "two listeners on one address"),
        ("127.0.0.1:6480", "two listeners on one address"),
        ("somewhere", "is not an address to listen on"),
    ] {
        let problems = folder.parse(&own(address)).unwrap_err().to_string();
        assert!(problems.contains(message), "{problems}");
    }
    let open = own("0.0.0.0:6433").replace("[[target]]", "tls = \"off\"\n[[target]]");
    assert!(folder.parse(&open).unwrap_err().to_string().contains("tokens would cross the network"));
}

#[test]
fn a_certificate_to_show_has_its_key_and_acts() {
    let from = "tls = { mode = \"verify-full\" }";
    let with = |more: &str| format!("tls = {{ {more} }}");
    let folder = Folder::new("shown");
    let both = with("certificate = \"cert.pem\", key = \"key.pem\"");
    assert!(folder.parse(&BASE.replace(from, &both)).unwrap().targets[0].tls.identity.is_some());
    wrong("shown-1", from, &with("certificate = \"cert.pem\""), "a certificate without `key`", "certificate");
    wrong("shown-2", from, &with("key = \"key.pem\""), "a key without `certificate`", "key");
    let loose = with("certificate = \"cert.pem\", key = \"open-key.pem\"");
    wrong("shown-3", from, &loose, "mode", "key");
}

#[test]
fn the_api_listens_on_loopback_only() {
    let from = "api = \"127.0.0.1:6480\"";
    wrong("api-open", from, "api = \"0.0.0.0:6480\"", "can be reached from outside", "api");
    wrong("api-name", from, "api = \"localhost:6480\"", "not an address to listen on", "api");
    wrong("api-same", from, "api = \"127.0.0.1:6432\"", "two listeners on one address", "api");
    for (name, url) in [("path", "https://a/b"), ("http", "http://gw.example.com"), ("no", "gw.example.com")]
    {
        let to = format!("{from}\npublic_url = \"{url}\"");
        wrong(&format!("public-{name}"), from, &to, "not the address of a host", "public_url");
    }
}

#[test]
fn targets_are_checked() {
    wrong("name", "name = \"shop\"", "name = \"shop/prod\"", "a target's name", "shop/prod");
    wrong("address", "db.internal:5432", "db.internal", "not a host and a port", "address");
    wrong("port", "db.internal:5432", "db.internal:0", "not a host and a port", "address");
    wrong("database", "database = \"shop\"", "database = \"\"", "1 to 63 bytes", "database");
    let twice = "databases = [\"shop\"]\nuser = \"app\"";
    wrong("databases", "user = \"app\"", twice, "not `database` itself", "databases");
    let second = "[[target]]\nname = \"shop\"\nprotocol = \"postgres\"\naddress = \"a:1\"\ndatabase = \"d\"\nuser = \"u\"\ncredential = \"none\"\n[policy]";
    wrong("twice", "[policy]", second, "a second target called shop", "name");
}

#[test]
fn a_credential_is_a_reference_and_is_not_echoed() {
    let folder = Folder::new("credential");
    let problems = folder.parse(&BASE.replace("env:SHOP_PASSWORD", "hunter2")).unwrap_err();
    let text = problems.to_string();
    assert!(text.contains("not a reference to a credential"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
    wrong("cred-open", "env:SHOP_PASSWORD", "file:open-key.pem", "others may read", "credential");
    wrong("cred-gone", "env:SHOP_PASSWORD", "file:gone", "there is no file", "credential");
    let config = folder.parse(&BASE.replace("env:SHOP_PASSWORD", "file:key.pem")).unwrap();
    assert_eq!(config.targets[0].credential, CredentialRef::File(folder.0.join("key.pem")));
}

#[test]
fn plain_text_to_a_target_is_for_loopback() {
    wrong("plain", "\"verify-full\"", "\"disable\"", "for targets on loopback", "tls");
    let folder = Folder::new("plain-loopback");
    let local = BASE.replace("db.internal:5432", "127.0.0.1:5432").replace("verify-full", "disable");
    assert!(folder.parse(&local).is_ok());
    let with_ca = local.replace("mode = \"disable\"", "mode = \"disable\", ca = \"cert.pem\"");
    let problems = folder.parse(&with_ca).unwrap_err().to_string();
    assert!(problems.contains("`ca` could not act"), "{problems}");
    wrong("ca-gone", "\"verify-full\"", "\"verify-full\", ca = \"gone\"", "there is no file", "tls");
}

#[test]
fn agents_have_no_roles_and_services_do_not_approve() {
    let agent = "kind = \"agent\"";
    wrong("agent-role", agent, "kind = \"agent\"\nroles = [\"viewer\"]", "agents have no API roles", "roles");
    let service = "kind = \"service\"\ngroups = [\"dba\"]\nroles = [\"approver\"]";
    wrong("service", agent, service, "only humans answer requests", "roles");
    wrong("no-group", "groups = [\"dba\"]\n", "", "this one is in none", "roles");
}

#[test]
fn principals_are_told_apart_without_case() {
    let agent = "name = \"bot\"";
    wrong("case", agent, "name = \"ALICE\"", "a second principal called ALICE", "ALICE");
    wrong("space", agent, "name = \" bot\"", "a principal's name", "name");
    wrong("hidden", agent, "name = \"bo\u{200b}t\"", "a principal's name", "name");
    let on = "on_behalf_of = \"alice\"";
    wrong("self", on, "on_behalf_of = \"Bot\"", "cannot act for itself", "on_behalf_of");
    let other = "[[principal]]\nname = \"helper\"\nkind = \"agent\"\non_behalf_of = \"bot\"\n[policy]";
    wrong("agent-for-agent", "[policy]", other, "bot is not a human", "on_behalf_of");
}

#[test]
fn an_unknown_human_behind_an_agent_is_noted() {
    let folder = Folder::new("noted");
    let config = folder.parse(&BASE.replace("\"alice\"\n[policy]", "\"zoe\"\n[policy]")).unwrap();
    assert!(config.notes.iter().any(|note| note.contains("zoe")), "{:?}", config.notes);
}

#[test]
fn paths_must_lead_somewhere() {
    wrong("policy-gone", "dir = \"policy\"", "dir = \"gone\"", "there is no folder", "dir");
    wrong("labels-gone", "\"labels.toml\"", "\"gone.toml\"", "there is no file", "labels");
    wrong("data-empty", "\"data\"", "\"\"", "a path is empty", "data_dir");
}

#[test]
fn limits_have_bounds() {
    let from = "hold_wait = \"90s\"";
    wrong("hold", from, "hold_wait = \"2h\"", "must be 0ms to 1h", "hold_wait");
    wrong("shake", from, "handshake = \"0s\"", "must be 1s to 5m", "handshake");
    wrong("most", from, "max_connections = 0", "must be 1 to 100000", "max_connections");
    wrong("row", from, "row_limit_bytes = 1", "must be 65536 to", "row_limit_bytes");
    wrong("drain", from, "drain = \"2h\"", "must be 0ms to 1h", "drain");
}

#[test]
fn providers_are_checked() {
    let oidc = |issuer: &str, audience: &str, more: &str| {
        format!("[[oidc]]\nissuer = \"{issuer}\"\naudience = \"{audience}\"\n{more}\n[policy]")
    };
    wrong("nobody", "[policy]", &oidc("https://a", "a", ""), "nobody can sign in", "issuer");
    let hmac = oidc("https://a", "a", "subjects = { s = \"alice\" }\nalgorithms = [\"HS256\"]");
    wrong("hmac", "[policy]", &hmac, "never taken with HMAC", "algorithms");
    let good = oidc("https://login.example.com", "sallyport", "subjects = { s = \"alice\" }");
    let folder = Folder::new("oidc");
    assert_eq!(folder.parse(&BASE.replacen("[policy]", &good, 1)).unwrap().oidc.len(), 1);
    for (name, issuer) in
        [("http", "http://login.example.com"), ("query", "https://a?b"), ("user", "https://a@b")]
    {
        wrong(&format!("issuer-{name}"), "[policy]", &oidc(issuer, "a", ""), "an issuer is", "issuer");
    }
    wrong("audience", "[policy]", &oidc("https://a", "", ""), "made for any other service", "audience");
    let stranger = oidc("https://a", "a", "subjects = { s = \"zoe\" }");
    wrong("subject", "[policy]", &stranger, "zoe is no principal here", "subjects");
}

#[test]
fn all_problems_are_shown_at_once_in_order() {
    let folder = Folder::new("many");
    let text =
        BASE.replace("db.internal:5432", "x").replace("\"127.0.0.1:6480\"", "\"y\"").replace("90s", "9h");
    let problems = folder.parse(&text).unwrap_err();
    let lines: Vec<_> = problems.0.iter().map(|problem| problem.line).collect();
    assert_eq!(problems.0.len(), 3, "{problems}");
    assert!(lines.is_sorted(), "{lines:?}");
    assert!(problems.to_string().contains("sallyport.toml:4: listen.api: "), "{problems}");
}

#[test]
fn the_schema_names_every_table() {
    let schema = super::super::schema();
    for key in
        ["data_dir", "listen", "target", "principal", "oidc", "policy", "masking", "recording", "limits"]
    {
        assert!(schema["properties"].get(key).is_some(), "{key}");
    }
}
