//! Commands that run elsewhere: `exec` of Kubernetes, scripts that a provider runs on a machine.
//!
//! What is a shell's goes to the inspector of shells; what it finds is reported as it stands there.

use sallyport_core::{UnknownCode, Verb};

use crate::http::call::Call;
use crate::http::found::Found;
use crate::http::json::Json;
use crate::shell::{self, Flavour};

/// The command: `command=` of the query once for each word, `cmd=` of a kubelet, or `Cmd` of Docker's body.
pub(super) fn exec(call: &Call<'_>, found: &mut Found) {
    let mut commands: Vec<Vec<&str>> = Vec::new();
    for pairs in [call.target.query.as_slice(), call.content.form()] {
        let named = |wanted: &'static str| {
            pairs.iter().filter(move |(name, _)| name == wanted).map(|(_, value)| value.as_str())
        };
        commands.push(named("command").collect());
        commands.push(named("cmd").flat_map(str::split_ascii_whitespace).collect());
    }
    let stated = call.content.json().map(|json| json.at("/Cmd/*")).unwrap_or_default();
    commands.push(stated.into_iter().filter_map(Json::as_text).collect());
    commands.retain(|words| !words.is_empty());
    if commands.is_empty() {
        found.unknown(UnknownCode::Dynamic, "a command that the request does not say");
        found.add(call.action(Verb::Interactive, "container"));
        return;
    }
    if commands.len() > 1 {
        found.ambiguous("a command in more than one place");
    }
    for words in commands {
        run(&words, found);
    }
    let given = |name: &str| {
        call.parameters(name).any(|value| matches!(value, "1" | "t" | "T" | "true" | "TRUE" | "True"))
    };
    let attached = call.content.json().and_then(|json| json.get("AttachStdin")) == Some(&Json::Bool(true));
    if given("stdin") || given("tty") || attached {
        found.add(call.action(Verb::Interactive, "container"));
    }
}

/// Words that a container runs, without a shell in between.
pub(super) fn run(words: &[&str], found: &mut Found) {
    if !words.is_empty() {
        let text: Vec<String> = words.iter().map(|word| quoted(word)).collect();
        found.merge(shell::inspect(text.join(" ").as_bytes(), Flavour::Bash));
    }
}

/// A text that a container's shell runs.
pub(super) fn script_text(text: &str, found: &mut Found) {
    found.merge(shell::inspect(text.as_bytes(), Flavour::Posix));
}

fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// Documents of providers that hand their parameter to a shell.
const SHELLS: [(&str, &[&str]); 3] = [
    ("/DocumentName=AWS-RunShellScript", &["/Parameters/commands/*", "/Parameters/commands"]),
    ("/commandId=RunShellScript", &["/script/*", "/script"]),
    ("/DocumentName=AWS-StartInteractiveCommand", &["/parameters/command/*"]),
];

/// Code that the body carries and the provider runs: a script for a shell is read, all else is not.
pub(super) fn code(call: &Call<'_>, found: &mut Found) {
    let json = call.content.json();
    let shell = json.and_then(|json| SHELLS.iter().find_map(|shell| script(json, shell)));
    match shell {
        Some(text) => found.merge(shell::inspect(text.as_bytes(), Flavour::Posix)),
        None => {
            found.add(call.action(Verb::Anonymous, "script"));
            found.unknown(UnknownCode::Dynamic, "code that a provider runs");
        }
    }
}

/// The lines of the script, when the body names the document. A body with more parameters than those may
/// have them put into the script.
fn script(json: &Json, (document, places): &(&str, &[&str])) -> Option<String> {
    let (pointer, name) = document.split_once('=')?;
    if !json.at(pointer).iter().any(|value| value.as_text() == Some(name)) {
        return None;
    }
    let has_more = ["parameters", "scriptUri", "scriptShell"].iter().any(|name| json.get(name).is_some());
    let is_aws = pointer == "/DocumentName";
    if !is_aws && has_more {
        return None;
    }
    let lines: Vec<&str> = places.iter().flat_map(|place| json.at(place)).filter_map(Json::as_text).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}
