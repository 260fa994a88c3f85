//! Words of containers and clusters: what of the host a container is given, and which objects of a cluster are
//! read, changed or removed.

use sallyport_core::{UnknownCode, Verb};

use super::description::{Rest, Special};
use super::outcome::Outcome;
use crate::shell::word::Word;

pub(super) const SPECIALS: &[Special] = &[
    Special { name: "volume", read: volume },
    Special { name: "mount-option", read: mount_option },
    Special { name: "host-namespace", read: host_namespace },
    Special { name: "security-option", read: security_option },
    Special { name: "manifest", read: manifest },
    Special { name: "kube-raw", read: kube_raw },
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
    if word.text.contains("secrets") || word.text.contains("proxy") {
        outcome.names(Verb::ReadFile, "secret", &word.text);
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
