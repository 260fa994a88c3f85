//! Readers of one word with a grammar of its own.

use sallyport_core::{UnknownCode, Verb};

use super::description::Special;
use super::outcome::Outcome;
use super::{awk, sed};
use crate::shell::effect::Effect;
use crate::shell::word::Word;

const SPECIALS: &[Special] = &[
    Special { name: "assignment", read: assignment },
    Special { name: "dd", read: dd },
    Special { name: "remote-read", read: remote_read },
    Special { name: "remote-write", read: remote_write },
    Special { name: "at-file", read: at_file },
    Special { name: "volume", read: volume },
    Special { name: "mount-option", read: mount_option },
    Special { name: "editor-command", read: editor_command },
    Special { name: "git-config", read: git_config },
    Special { name: "ssh-option", read: ssh_option },
    Special { name: "checkpoint", read: checkpoint },
    Special { name: "url", read: url },
    Special { name: "git-url", read: git_url },
    Special { name: "connection", read: connection },
    Special { name: "socat", read: socat },
    Special { name: "kube-resource", read: kube_resource },
    Special { name: "manifest", read: manifest },
    Special { name: "sed-script", read: sed::script },
    Special { name: "awk-script", read: awk::script },
    Special { name: "awk-file", read: awk::file },
    Special { name: "awk-include", read: awk::include },
    Special { name: "xargs-mark", read: xargs_mark },
    Special { name: "split-string", read: split_string },
];

/// The reader of that name.
pub(super) fn special(name: &str) -> Option<Special> {
    SPECIALS.iter().find(|special| special.name == name).copied()
}

/// The same word with another text.
fn part(word: &Word, text: &str) -> Word {
    Word { text: text.to_owned(), sure: word.sure }
}

/// `NAME=value` among a program's own words.
fn assignment(word: &Word, outcome: &mut Outcome) {
    outcome.push(Effect::Sets(word.clone()));
}

/// `if=FILE` and `of=FILE`.
fn dd(word: &Word, outcome: &mut Outcome) {
    match word.text.split_once('=') {
        Some(("if", path)) => outcome.reads(&part(word, path)),
        Some(("of", path)) => outcome.writes(&part(word, path)),
        Some(_) if !word.is_dynamic() => {}
        _ => outcome.dynamic(word),
    }
}

/// Where a path is on another host: `host:path`, `user@host:path`, `scp://…`, `rsync://…`.
fn remote(text: &str) -> Option<&str> {
    if let Some((_, after)) = text.split_once("://") {
        return Some(after.split('/').next().unwrap_or(after));
    }
    let (host, _) = text.split_once(':')?;
    (!host.is_empty() && !host.contains('/')).then_some(host)
}

fn remote_read(word: &Word, outcome: &mut Outcome) {
    copied(word, Verb::ReadFile, outcome);
}

fn remote_write(word: &Word, outcome: &mut Outcome) {
    copied(word, Verb::WriteFile, outcome);
}

/// A path here or on another host; the object is the path as it is given either way.
fn copied(word: &Word, verb: Verb, outcome: &mut Outcome) {
    if let Some(host) = remote(&word.text) {
        outcome.names(Verb::Connect, "host", host);
    }
    outcome.file(verb, word);
}

/// `@FILE`, or a text.
fn at_file(word: &Word, outcome: &mut Outcome) {
    match word.text.split_once('@') {
        Some((before, path)) if before.is_empty() || before.ends_with('=') || word.is_dynamic() => {
            outcome.reads(&part(word, path));
        }
        _ if word.is_dynamic() => outcome.dynamic(word),
        _ => {}
    }
}

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
        Some(("source" | "src", path)) => Some(path),
        _ => None,
    });
    if let Some(source) = source.filter(|path| path.contains('/')) {
        outcome.names(Verb::Mount, "file", source);
    }
}

/// A command of vi's or emacs's own: it can run anything, and what is known of it is little.
fn editor_command(word: &Word, outcome: &mut Outcome) {
    let text = word.text.trim().trim_start_matches(':');
    let harmless = !word.is_dynamic()
        && (text.is_empty()
            || text.bytes().all(|b| b.is_ascii_digit())
            || matches!(text, "$" | "q" | "q!" | "qa" | "qa!" | "set nu" | "set number" | "syntax on"));
    if let Some(command) = text.strip_prefix('!') {
        outcome.push(Effect::RunsShell(part(word, command)));
    } else if !harmless && !text.starts_with('/') {
        outcome.push(Effect::RunsCode(outcome.program().to_owned()));
    }
}

/// `name=value` of `git -c`: some of them run programs.
fn git_config(word: &Word, outcome: &mut Outcome) {
    let name = word.text.split('=').next().unwrap_or_default().to_ascii_lowercase();
    let harmless = ["user.", "color.", "advice.", "init.defaultbranch", "core.quotepath", "http.postbuffer"];
    let known = ["commit.gpgsign", "protocol.version", "pull.rebase", "push.default", "core.autocrlf"];
    let safe = harmless.iter().any(|start| name.starts_with(start)) || known.contains(&name.as_str());
    if word.is_dynamic() || !safe {
        outcome.unknown(UnknownCode::Dynamic, &format!("-c {}", word.text));
    }
}

/// `-o Name=value` of ssh.
fn ssh_option(word: &Word, outcome: &mut Outcome) {
    if word.is_dynamic() {
        return outcome.dynamic(word);
    }
    let (name, value) = word.text.split_once(['=', ' ']).unwrap_or((&word.text, ""));
    let value = part(word, value.trim().trim_matches('"'));
    let yes = !matches!(value.text.as_str(), "no" | "none");
    match name.trim().to_ascii_lowercase().as_str() {
        "proxycommand" | "localcommand" | "knownhostscommand" if yes => {
            outcome.push(Effect::RunsShell(value));
        }
        "remotecommand" => outcome.push(Effect::RunsShell(value)),
        "proxyjump" if yes => outcome.does(Verb::Connect, "host", &value),
        "localforward" => outcome.does(Verb::ForwardLocal, "address", &value),
        "remoteforward" => outcome.does(Verb::ForwardRemote, "address", &value),
        "dynamicforward" => outcome.does(Verb::Socks, "address", &value),
        "forwardagent" if yes => outcome.bare(Verb::ForwardAgent, None),
        "forwardx11" | "forwardx11trusted" if yes => outcome.bare(Verb::ForwardX11, None),
        "include"
        | "match"
        | "pkcs11provider"
        | "securitykeyprovider"
        | "tunnel"
        | "controlpath"
        | "controlmaster"
        | "xauthlocation"
        | "permitlocalcommand"
            if yes =>
        {
            outcome.unknown(UnknownCode::Unsupported, &word.text);
        }
        _ => {}
    }
}

/// An action of tar's checkpoints.
fn checkpoint(word: &Word, outcome: &mut Outcome) {
    match word.text.split_once('=') {
        Some(("exec", command)) => outcome.push(Effect::RunsShell(part(word, command))),
        _ if word.is_dynamic() => outcome.dynamic(word),
        _ => {}
    }
}

/// What curl and wget fetch. `file:` reads here, and other schemes talk other protocols.
fn url(word: &Word, outcome: &mut Outcome) {
    let lower = word.text.to_ascii_lowercase();
    if let Some(path) = lower.strip_prefix("file:") {
        let start = word.text.len() - path.len();
        let path = word.text.get(start..).unwrap_or_default();
        let path = path.strip_prefix("//").unwrap_or(path);
        outcome.reads(&part(word, path.strip_prefix("localhost").unwrap_or(path)));
        return outcome.names(Verb::Download, "url", &word.text);
    }
    outcome.does(Verb::Download, "url", word);
}

/// A repository: a URL, `host:path`, a path; `ext::` runs a program.
fn git_url(word: &Word, outcome: &mut Outcome) {
    if word.text.contains("::") {
        outcome.unknown(UnknownCode::Dynamic, &word.text);
    }
    if remote(&word.text).is_some() || word.is_dynamic() {
        outcome.does(Verb::Download, "url", word);
    } else {
        outcome.reads(word);
    }
}

/// A database's name, or a connection string with its host.
fn connection(word: &Word, outcome: &mut Outcome) {
    if word.is_dynamic() {
        return outcome.dynamic(word);
    }
    if let Some((_, after)) = word.text.split_once("://") {
        let authority = after.split(['/', '?']).next().unwrap_or_default();
        let host = authority.rsplit('@').next().unwrap_or_default();
        if !host.is_empty() {
            outcome.names(Verb::Connect, "host", host);
        }
        for parameter in after.split(['?', '&']).filter_map(|field| field.strip_prefix("host=")) {
            outcome.names(Verb::Connect, "host", parameter);
        }
    } else if word.text.contains('=') {
        for field in word.text.split_whitespace() {
            if let Some(host) = field.strip_prefix("host=").or_else(|| field.strip_prefix("hostaddr=")) {
                outcome.names(Verb::Connect, "host", host.trim_matches('\''));
            }
        }
    }
}

/// One of socat's two addresses.
fn socat(word: &Word, outcome: &mut Outcome) {
    if word.is_dynamic() {
        return outcome.dynamic(word);
    }
    for address in word.text.split("!!") {
        let (name, value) = address.split_once(':').unwrap_or((address, ""));
        let (value, options) = value.split_once(',').unwrap_or((value, ""));
        let value = part(word, value);
        let name = name.to_ascii_lowercase();
        match name.as_str() {
            "exec" | "system" | "shell" => {
                let text = address.split_once(':').map_or("", |(_, text)| text);
                let end = if name == "exec" { value.text.as_str() } else { text };
                outcome.push(Effect::RunsShell(part(word, end)));
            }
            "-" | "stdio" | "stdin" | "stdout" | "stderr" | "fd" | "pipe" | "pty" | "readline"
            | "socketpair" => {
                if value.text.starts_with('/') {
                    outcome.writes(&value);
                }
            }
            "open" | "file" | "gopen" | "create" => {
                outcome.reads(&value);
                outcome.writes(&value);
            }
            name if name.starts_with('/') || name.starts_with('.') => {
                let path = part(word, address.split(',').next().unwrap_or_default());
                outcome.reads(&path);
                outcome.writes(&path);
            }
            name if name.contains("listen") || name.contains("recv") || name.ends_with("-l") => {
                outcome.does(Verb::ListenOn, "port", &value);
            }
            "tcp" | "tcp4" | "tcp6" | "tcp-connect" | "tcp4-connect" | "tcp6-connect" | "udp" | "udp4"
            | "udp6" | "udp-connect" | "openssl" | "openssl-connect" | "ssl" | "sctp" | "sctp-connect"
            | "proxy" | "proxy-connect" | "socks" | "socks4" | "socks4a" | "socks5" | "unix"
            | "unix-connect" | "unix-client" | "abstract-connect" | "udp-sendto" | "ip-sendto"
            | "interface" | "tun" => {
                outcome.does(Verb::Connect, "host", &value);
            }
            _ => outcome.unknown(UnknownCode::Unsupported, address),
        }
        if options.split(',').any(|option| option.starts_with("openssl-") || option.contains("su=")) {
            outcome.unknown(UnknownCode::Unsupported, options);
        }
    }
}

/// A kind of object in a cluster, or one object of it (`secret`, `secret/token`, `pods,secrets`).
fn kube_resource(word: &Word, outcome: &mut Outcome) {
    if word.is_dynamic() {
        return outcome.dynamic(word);
    }
    for item in word.text.split(',') {
        let kind = item.split(['/', '.']).next().unwrap_or_default();
        let privileges = [
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
        ];
        if privileges.contains(&kind.to_ascii_lowercase().as_str()) {
            outcome.names(Verb::IamChange, "cluster-resource", item);
        }
    }
}

/// A file or URL of what a cluster should hold. Standard input is read by nobody.
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

/// What `xargs -I` replaces.
fn xargs_mark(word: &Word, outcome: &mut Outcome) {
    if word.is_dynamic() {
        outcome.dynamic(word);
    }
    outcome.set_mark(if word.text.is_empty() { "{}" } else { &word.text });
}

/// `env -S`: words in one text. What is quoted in it is not read.
fn split_string(word: &Word, outcome: &mut Outcome) {
    let plain = |c: char| c.is_ascii_alphanumeric() || " ./_-=:,+@%".contains(c);
    if word.as_constant().is_none() || !word.text.chars().all(plain) {
        return outcome.unknown(UnknownCode::Dynamic, &word.text);
    }
    let words: Vec<Word> = word.text.split_whitespace().map(Word::constant).collect();
    let start = words.iter().position(|word| !word.text.contains('=')).unwrap_or(words.len());
    for word in words.iter().take(start) {
        outcome.push(Effect::Sets(word.clone()));
    }
    outcome.push(Effect::Runs(words.into_iter().skip(start).collect()));
}
