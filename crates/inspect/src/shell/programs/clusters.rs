//! Words of containers and clusters: what of the host a container is given, and which objects of a cluster are
//! read, changed or removed.

use sallyport_core::{UnknownCode, Verb};

use super::description::{Rest, Special};
use super::outcome::Outcome;
use super::values::part;
use crate::shell::word::Word;

pub(super) const SPECIALS: &[Special] = &[
    Special { name: "volume", read: volume },
    Special { name: "mount-option", read: mount_option },
    Special { name: "host-namespace", read: host_namespace },
    Special { name: "security-option", read: security_option },
    Special { name: "manifest", read: manifest },
    Special { name: "kube-raw", read: kube_raw },
    Special { name: "kube-raw-change", read: kube_raw_change },
    Special { name: "kube-output", read: kube_output },
    Special { name: "kube-template", read: kube_template },
    Special { name: "kustomization", read: kustomization },
];

pub(super) const RESTS: &[Rest] = &[
    Rest { name: "kube-read", read: kube_read },
    Rest { name: "kube-change", read: kube_change },
    Rest { name: "kube-remove", read: kube_remove },
    Rest { name: "kube-label", read: kube_label },
];

/// Kinds of objects that say who may do what.
const PRIVILEGES: &[&str] = &[
    "role",
    "roles",
    "rolebinding",
    "rolebindings",
    "clusterrole",
    "clusterroles",
    "clusterrolebinding",
    "clusterrolebindings",
    "serviceaccount",
    "serviceaccounts",
    "sa",
    "certificatesigningrequest",
    "certificatesigningrequests",
    "csr",
    "scc",
    "securitycontextconstraints",
    "user",
    "users",
    "group",
    "groups",
    "identity",
    "identities",
    "validatingwebhookconfiguration",
    "mutatingwebhookconfiguration",
    "validatingwebhookconfigurations",
    "mutatingwebhookconfigurations",
];

/// `/host/path:/inside[:ro]`: a path of the host is given to a container.
fn volume(word: &Word, outcome: &mut Outcome) {
    if word.is_dynamic() {
        outcome.dynamic(word);
    }
    let mut parts = word.text.split(':');
    let source = parts.next().unwrap_or_default();
    if source.starts_with(['/', '.', '~', '$', '"']) && word.text.contains(':') {
        outcome.names(Verb::Mount, "file", source);
    }
}

/// `type=bind,source=/host/path,target=/inside`.
fn mount_option(word: &Word, outcome: &mut Outcome) {
    if word.is_dynamic() {
        outcome.dynamic(word);
    }
    let source = word.text.split(',').find_map(|field| match field.split_once('=') {
        Some(("source" | "src" | "device", path)) => Some(path),
        Some(("volume-opt", option)) => option.strip_prefix("device="),
        _ => None,
    });
    if let Some(source) = source.filter(|path| path.contains('/')) {
        outcome.names(Verb::Mount, "file", source);
    }
}

/// `--pid host` and its like: the container shares what the host has.
fn host_namespace(word: &Word, outcome: &mut Outcome) {
    if word.is_dynamic() {
        outcome.dynamic(word);
    }
    if word.text == "host" || word.text.starts_with("container:") {
        outcome.bare(Verb::Elevate, None);
    }
}

/// `--security-opt`, where it takes a guard away.
fn security_option(word: &Word, outcome: &mut Outcome) {
    if word.is_dynamic() {
        outcome.dynamic(word);
    }
    if !word.text.starts_with("no-new-privileges") {
        outcome.bare(Verb::Elevate, None);
    }
}

/// A file or URL of what a cluster should hold. What comes from standard input or another host is read by
/// nobody.
fn manifest(word: &Word, outcome: &mut Outcome) {
    if word.text == "-" {
        outcome.unknown(UnknownCode::Dynamic, "a manifest from standard input");
    } else if word.text.contains("://") {
        outcome.does(Verb::Download, "url", word);
        outcome.unknown(UnknownCode::Dynamic, "a manifest that is fetched");
    } else {
        outcome.reads(word);
    }
}

/// A path of the cluster's API.
fn kube_raw(word: &Word, outcome: &mut Outcome) {
    if word.is_dynamic() {
        outcome.dynamic(word);
    }
    let path = api_path(&word.text);
    if path.contains("secrets") || path.contains("proxy") {
        outcome.names(Verb::ReadFile, "secret", &word.text);
    }
    if ["exec", "attach", "portforward"].iter().any(|verb| path.split('/').any(|part| part == *verb)) {
        outcome.unknown(UnknownCode::Dynamic, &word.text);
    }
}

/// A path of the cluster's API at which something is changed.
fn kube_raw_change(word: &Word, outcome: &mut Outcome) {
    kube_raw(word, outcome);
    let path = api_path(&word.text);
    let is_privilege = path.split('/').any(|part| {
        PRIVILEGES.contains(&part)
            || part.contains("rbac")
            || part == "token"
            || part.contains("authorization")
    });
    let verb = if is_privilege { Verb::IamChange } else { Verb::Configure };
    outcome.names(verb, "cluster-resource", &word.text);
}

/// The path without its query, decoded as the server decodes it.
fn api_path(text: &str) -> String {
    let path = text.split(['?', '#']).next().unwrap_or_default();
    let mut pieces = path.split('%');
    let mut decoded: Vec<u8> = pieces.next().unwrap_or_default().bytes().collect();
    for piece in pieces {
        let digits = piece.get(..2).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                decoded.push(byte);
                decoded.extend(piece.bytes().skip(2));
            }
            None => {
                decoded.push(b'%');
                decoded.extend(piece.bytes());
            }
        }
    }
    String::from_utf8_lossy(&decoded).to_ascii_lowercase()
}

/// `-o go-template-file=PATH` and its like print by a template in a file, and print the file when it is none.
fn kube_output(word: &Word, outcome: &mut Outcome) {
    const FROM_FILES: [&str; 4] =
        ["go-template-file", "templatefile", "jsonpath-file", "custom-columns-file"];
    if let Some((name, path)) = word.text.split_once('=')
        && FROM_FILES.contains(&name)
    {
        outcome.reads(&part(word, path));
    }
}

/// A template, or the path of one where the output is said to be from a file.
fn kube_template(word: &Word, outcome: &mut Outcome) {
    if !word.text.contains('{') {
        outcome.reads(word);
    }
}

/// A folder of manifests, or a repository that has it.
fn kustomization(word: &Word, outcome: &mut Outcome) {
    let text = word.text.as_str();
    let is_remote = text.contains("://")
        || text.contains("?ref=")
        || text.starts_with("git@")
        || ["github.com/", "gitlab.com/", "bitbucket.org/"].iter().any(|host| text.starts_with(host));
    if is_remote {
        outcome.does(Verb::Download, "url", word);
        outcome.unknown(UnknownCode::Dynamic, "manifests that are fetched");
    } else {
        outcome.reads(word);
    }
}

/// `pods,secrets`, `secret db`, `deploy/api svc/api`: kinds and names.
fn objects(words: &[Word], outcome: &mut Outcome) -> Vec<(String, Option<String>)> {
    let mut found = Vec::new();
    for word in words.iter().filter(|word| word.is_dynamic()) {
        outcome.dynamic(word);
    }
    let Some((first, names)) = words.split_first() else { return found };
    if words.iter().any(|word| word.text.contains('/')) {
        for word in words {
            match word.text.split_once('/') {
                Some((kind, name)) => found.push((kind.to_owned(), Some(name.to_owned()))),
                None => found.push((word.text.clone(), None)),
            }
        }
        return found;
    }
    for kind in first.text.split(',') {
        if names.is_empty() {
            found.push((kind.to_owned(), None));
        }
        for name in names {
            found.push((kind.to_owned(), Some(name.text.clone())));
        }
    }
    found
}

/// The kind without its group: `roles` of `roles.rbac.authorization.k8s.io`.
fn plain(kind: &str) -> String {
    kind.split('.').next().unwrap_or_default().to_ascii_lowercase()
}

fn written(kind: &str, name: Option<&str>) -> String {
    name.map_or_else(|| kind.to_owned(), |name| format!("{kind}/{name}"))
}

fn kube_read(words: &[Word], outcome: &mut Outcome) {
    for (kind, name) in objects(words, outcome) {
        if matches!(plain(&kind).as_str(), "secret" | "secrets") {
            outcome.names(Verb::ReadFile, "secret", name.as_deref().unwrap_or(&kind));
        }
    }
}

fn kube_change(words: &[Word], outcome: &mut Outcome) {
    touched(words, Verb::Configure, outcome);
}

fn kube_remove(words: &[Word], outcome: &mut Outcome) {
    touched(words, Verb::Terminate, outcome);
}

fn touched(words: &[Word], verb: Verb, outcome: &mut Outcome) {
    let objects = objects(words, outcome);
    if objects.is_empty() {
        outcome.bare(verb, Some("cluster-resource"));
    }
    for (kind, name) in objects {
        let verb = if PRIVILEGES.contains(&plain(&kind).as_str()) { Verb::IamChange } else { verb };
        outcome.names(verb, "cluster-resource", &written(&kind, name.as_deref()));
    }
}

/// `label node n1 a=b old-`: what is labelled, without the labels.
fn kube_label(words: &[Word], outcome: &mut Outcome) {
    let is_label = |word: &Word| word.text.contains('=') || word.text.ends_with('-');
    let objects: Vec<Word> = words.iter().filter(|word| !is_label(word)).cloned().collect();
    touched(&objects, Verb::Configure, outcome);
}
