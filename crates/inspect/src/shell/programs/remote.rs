//! Words that name other hosts: addresses, URLs, paths on another host, and what ssh, nc and socat do there.

use sallyport_core::{UnknownCode, Verb};

use super::description::{Rest, Special};
use super::outcome::Outcome;
use super::values::part;
use crate::shell::effect::Effect;
use crate::shell::word::Word;

pub(super) const SPECIALS: &[Special] = &[
    Special { name: "host", read: named_host },
    Special { name: "remote-read", read: remote_read },
    Special { name: "remote-write", read: remote_write },
    Special { name: "remote-remove", read: remote_remove },
    Special { name: "ssh-option", read: ssh_option },
    Special { name: "svn-address", read: svn_address },
    Special { name: "sshfs-option", read: sshfs_option },
    Special { name: "url", read: url },
    Special { name: "saved-url", read: saved_url },
    Special { name: "page", read: page },
    Special { name: "recursive-url", read: recursive_url },
    Special { name: "connect-to", read: connect_to },
    Special { name: "resolved", read: resolved },
    Special { name: "remote-name", read: remote_name },
    Special { name: "cookie", read: cookie },
    Special { name: "write-out", read: write_out },
    Special { name: "socat", read: socat },
    Special { name: "proxy", read: named_host },
    Special { name: "rclone-read", read: rclone_read },
    Special { name: "rclone-write", read: rclone_write },
];

pub(super) const RESTS: &[Rest] = &[
    Rest { name: "nc", read: nc },
    Rest { name: "httpie", read: httpie },
    Rest { name: "network", read: network },
    Rest { name: "ansible", read: ansible },
];

/// The host of `host:path`, `user@host:path`, `scp://user@host/…`; nothing for a path here.
pub(super) fn host(text: &str) -> Option<&str> {
    if let Some((_, after)) = text.split_once("://") {
        return Some(bare_host(after.split(['/', '?']).next().unwrap_or(after)));
    }
    let (host, _) = text.split_once(':')?;
    (!host.is_empty() && !host.contains('/')).then(|| bare_host(host))
}

/// Without the user and the port.
fn bare_host(text: &str) -> &str {
    let host = text.rsplit('@').next().unwrap_or(text);
    match host.split_once(':') {
        Some((name, port)) if !port.contains(':') && !host.starts_with('[') => name,
        _ => host,
    }
}

/// A host by itself, with a user or a port perhaps.
fn named_host(word: &Word, outcome: &mut Outcome) {
    if word.is_dynamic() {
        return outcome.does(Verb::Connect, "host", word);
    }
    for one in word.text.split(',') {
        let name = if one.contains("://") { host(one).unwrap_or(one) } else { bare_host(one) };
        outcome.names(Verb::Connect, "host", name);
    }
}
/// A path here or on another host; the object is the path as it is given either way.
fn copied(word: &Word, verb: Verb, outcome: &mut Outcome) {
    if let Some(host) = host(&word.text) {
        outcome.names(Verb::Connect, "host", host);
    }
    outcome.file(verb, word);
}

fn remote_read(word: &Word, outcome: &mut Outcome) {
    copied(word, Verb::ReadFile, outcome);
}

fn remote_write(word: &Word, outcome: &mut Outcome) {
    copied(word, Verb::WriteFile, outcome);
}

fn remote_remove(word: &Word, outcome: &mut Outcome) {
    copied(word, Verb::RemoveFile, outcome);
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
        "hostname" => named_host(&value, outcome),
        "proxyjump" if yes => named_host(&value, outcome),
        "identityfile" | "certificatefile" | "revokedhostkeys" if yes => outcome.reads(&value),
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

/// A path or an address of subversion's; `svn+name://` runs the program that its settings name.
fn svn_address(word: &Word, outcome: &mut Outcome) {
    if word.text.starts_with("svn+") && !word.text.starts_with("svn+ssh:") || word.is_dynamic() {
        outcome.unknown(UnknownCode::Dynamic, &word.text);
    }
    if let Some(host) = word.text.contains("://").then(|| host(&word.text)).flatten() {
        outcome.names(Verb::Connect, "host", host);
    }
}

/// Options of sshfs: its own, and those of the ssh that it runs.
fn sshfs_option(word: &Word, outcome: &mut Outcome) {
    if word.is_dynamic() {
        return outcome.dynamic(word);
    }
    for option in word.text.split(',') {
        match option.split_once('=') {
            Some(("ssh_command" | "sftp_server", program)) => {
                outcome.push(Effect::RunsShell(part(word, program)));
            }
            _ => ssh_option(&part(word, option), outcome),
        }
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

/// An address or a file, for a program that shows both.
fn page(word: &Word, outcome: &mut Outcome) {
    if !word.text.contains("://") {
        outcome.reads(word);
    }
    url(word, outcome);
}

/// What is fetched into a file with the last name of its address.
fn saved_url(word: &Word, outcome: &mut Outcome) {
    url(word, outcome);
    remote_name(word, outcome);
}

fn remote_name(word: &Word, outcome: &mut Outcome) {
    let path = word.text.split_once("://").map_or(word.text.as_str(), |(_, path)| path);
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let name = match path.rsplit_once('/') {
        Some((_, name)) if !name.is_empty() => name,
        _ => "index.html",
    };
    outcome.writes(&part(word, name));
}

/// What is fetched with all that it links to, into a folder with the host's name.
fn recursive_url(word: &Word, outcome: &mut Outcome) {
    url(word, outcome);
    outcome.writes(&part(word, host(&word.text).unwrap_or(&word.text).split('/').next().unwrap_or_default()));
}

/// `HOST:PORT:OTHER:PORT`: what is meant for one host goes to another.
fn connect_to(word: &Word, outcome: &mut Outcome) {
    if word.is_dynamic() {
        return outcome.dynamic(word);
    }
    let other = match word.text.rsplit_once(':').map(|(start, _)| start) {
        Some(start) if start.ends_with(']') => {
            start.rsplit_once('[').map_or("", |(_, name)| name.trim_end_matches(']'))
        }
        Some(start) => start.rsplit(':').next().unwrap_or_default(),
        None => word.text.as_str(),
    };
    if !other.is_empty() {
        outcome.names(Verb::Connect, "host", other);
    }
}

/// `HOST:PORT:ADDRESS,…`: where a name leads.
fn resolved(word: &Word, outcome: &mut Outcome) {
    if word.is_dynamic() {
        return outcome.dynamic(word);
    }
    for address in word.text.splitn(3, ':').nth(2).unwrap_or_default().split(',') {
        let address = address.trim_matches(['[', ']']);
        if !address.is_empty() {
            outcome.names(Verb::Connect, "host", address);
        }
    }
}

/// Cookies, or the file that has them.
fn cookie(word: &Word, outcome: &mut Outcome) {
    if word.is_dynamic() || !word.text.contains('=') {
        outcome.reads(word);
    }
}

/// A format, which may come from a file or go to one.
fn write_out(word: &Word, outcome: &mut Outcome) {
    if let Some(path) = word.text.strip_prefix('@') {
        outcome.reads(&part(word, path));
    }
    if let Some((_, path)) = word.text.split_once("%output{") {
        let path = path.split('}').next().unwrap_or_default();
        outcome.writes(&part(word, path.trim_start_matches('>')));
    }
    if word.is_dynamic() {
        outcome.dynamic(word);
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

/// `nc`'s operands: a host and a port; with `-l` it waits for others.
fn nc(words: &[Word], outcome: &mut Outcome) {
    let port = outcome.mark("@port");
    if outcome.is_marked("@listen") {
        match port.as_ref().or(words.last()) {
            Some(port) => outcome.does(Verb::ListenOn, "port", port),
            None => outcome.bare(Verb::ListenOn, None),
        }
    } else if let Some(first) = words.first() {
        named_host(first, outcome);
    }
}

/// httpie's operands: a method perhaps, an address, and items of the request.
fn httpie(words: &[Word], outcome: &mut Outcome) {
    let is_method = |word: &&Word| word.text.len() > 2 && word.text.bytes().all(|b| b.is_ascii_uppercase());
    let skip = usize::from(words.first().filter(is_method).is_some());
    let mut words = words.iter().skip(skip);
    if let Some(address) = words.next() {
        url(address, outcome);
        if outcome.is_marked("@save") {
            remote_name(address, outcome);
        }
    }
    for item in words {
        if item.is_dynamic() {
            outcome.dynamic(item);
        } else if let Some((_, path)) = item.text.split_once('@') {
            outcome.reads(&part(item, path));
        }
    }
}

/// `ip`, `ifconfig` and their like: a word that changes something, or only questions.
fn network(words: &[Word], outcome: &mut Outcome) {
    let changes = [
        "add",
        "del",
        "delete",
        "set",
        "change",
        "replace",
        "append",
        "prepend",
        "flush",
        "up",
        "down",
        "exec",
        "save",
        "restore",
        "attach",
        "connect",
        "disconnect",
        "modify",
        "on",
        "off",
        "enable",
        "disable",
        "allow",
        "deny",
        "reject",
        "limit",
        "insert",
        "reset",
        "reload",
        "default",
        "link-set",
        "addbr",
        "delbr",
        "addif",
        "delif",
        "create",
        "rename",
        "netmask",
        "mtu",
        "hw",
        "promisc",
    ];
    let mut found = false;
    for (at, word) in words.iter().enumerate() {
        if word.is_dynamic() {
            outcome.dynamic(word);
        }
        if word.text == "exec" {
            // `ip netns exec NAME command`
            let command = words.get(at + 2..).unwrap_or_default();
            outcome.push(Effect::Runs(command.to_vec()));
            return outcome.bare(Verb::Elevate, None);
        }
        found |= changes.contains(&word.text.as_str());
    }
    // A short form of a word (`ip a a …`) is not told apart; so what is neither question nor change is unknown.
    let questions = ["show", "list", "ls", "lst", "get", "status", "help", "verbose", "numbered", "monitor"];
    let asks = words.len() <= 1 || words.iter().any(|word| questions.contains(&word.text.as_str()));
    if found {
        outcome.bare(Verb::Configure, Some("network"));
    } else if !asks {
        outcome.unknown(UnknownCode::Unsupported, "its words");
    }
}

fn rclone_read(word: &Word, outcome: &mut Outcome) {
    rclone(word, Verb::ReadFile, outcome);
}

fn rclone_write(word: &Word, outcome: &mut Outcome) {
    rclone(word, Verb::WriteFile, outcome);
}

/// `remote:path`; the remote is a name in rclone's settings, or settings themselves.
fn rclone(word: &Word, verb: Verb, outcome: &mut Outcome) {
    if let Some((remote, _)) = word.text.split_once(':')
        && !remote.contains('/')
    {
        outcome.names(Verb::Connect, "host", remote);
    }
    outcome.file(verb, word);
}

/// `ansible hosts -m module -a text`: the usual modules run the text on the hosts.
fn ansible(words: &[Word], outcome: &mut Outcome) {
    for word in words {
        outcome.does(Verb::Connect, "host", word);
    }
    let module = outcome.mark("@module").map(|word| word.text);
    let text = outcome.mark("@text");
    let module = module.as_deref().unwrap_or("command").trim_start_matches("ansible.builtin.");
    match (module, text) {
        ("ping" | "setup" | "gather_facts", _) => {}
        ("command" | "shell" | "raw", Some(text)) => outcome.push(Effect::RunsShell(text)),
        (module, _) => outcome.unknown(UnknownCode::Unsupported, module),
    }
}
