//! Commands that run elsewhere: `exec` of Kubernetes, scripts that a provider runs on a machine.

use sallyport_core::{Action, ObjectName, UnknownCode, Verb};

use crate::http::call::Call;
use crate::http::found::Found;
use crate::http::json::Json;

/// The command of the query: `command=` once for each word, or `cmd=` of a kubelet.
pub(super) fn exec(call: &Call<'_>, found: &mut Found) {
    let words: Vec<&str> = call.parameters("command").collect();
    let words = if words.is_empty() {
        call.parameters("cmd").flat_map(str::split_ascii_whitespace).collect()
    } else {
        words
    };
    let given =
        |name: &str| call.parameters(name).any(|value| matches!(value, "true" | "1" | "t" | "True" | "TRUE"));
    if words.is_empty() {
        found.unknown(UnknownCode::Dynamic, "a command that the request does not say");
        found.add(call.action(Verb::Interactive, "container"));
        return;
    }
    run(&words, found);
    if given("stdin") || given("tty") {
        found.add(call.action(Verb::Interactive, "container"));
    }
}

/// Reports a program and its words.
fn run(words: &[&str], found: &mut Found) {
    let program = words.first().copied().unwrap_or_default();
    let name = program.rsplit('/').next().unwrap_or(program);
    found.add(Action {
        argv: words.iter().map(|word| (*word).to_owned()).collect(),
        ..Action::on_object(Verb::Run, "program", ObjectName::verbatim(name))
    });
    let shells = ["sh", "bash", "dash", "ash", "zsh", "ksh", "busybox", "env", "sudo"];
    if shells.contains(&name) && words.len() > 1 {
        found.unknown(UnknownCode::Dynamic, "a shell text that is not read here");
    }
}

/// Members that hold a script or a command, wherever they stand.
const SCRIPTS: [&str; 5] = ["script", "commands", "scriptContent", "commandToExecute", "source"];

/// Code that the body carries and the provider runs.
pub(super) fn code(call: &Call<'_>, found: &mut Found) {
    found.add(call.action(Verb::Anonymous, "script"));
    let mut lines = Vec::new();
    if let Some(json) = call.content.json() {
        scripts(json, &mut lines);
    }
    found.unknown(UnknownCode::Dynamic, format!("code that a provider runs: {} lines", lines.len()));
}

fn scripts<'j>(json: &'j Json, lines: &mut Vec<&'j str>) {
    for (name, value) in json.members() {
        if SCRIPTS.iter().any(|script| name.eq_ignore_ascii_case(script)) {
            lines.extend(value.as_text());
            lines.extend(value.items().iter().filter_map(Json::as_text));
        }
        scripts(value, lines);
    }
    for item in json.items() {
        scripts(item, lines);
    }
}
