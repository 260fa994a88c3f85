//! Variables that change what other programs do, or how the text is read.

use sallyport_core::{UnknownCode, Verb};

use super::deciding::{Decides, decides};
use super::programs_by_path::is_unread;
use super::{Engine, Stdin, Value};
use crate::shell::settings;
use crate::shell::syntax::Dialect;

/// Values of those that run nothing of interest: what they name is harmless or waits for a person.
const PLAIN_COMMANDS: [&str; 14] = [
    "",
    "cat",
    "less",
    "more",
    "less -R",
    "less -FRX",
    "less -S",
    "vim",
    "vi",
    "nano",
    "emacs",
    "true",
    ":",
    "code --wait",
];

/// Directories in which only the system's owner puts programs.
const TRUSTED_PATH: [&str; 12] = [
    "/bin",
    "/sbin",
    "/usr/bin",
    "/usr/sbin",
    "/usr/local/bin",
    "/usr/local/sbin",
    "/snap/bin",
    "$PATH",
    "${PATH}",
    "/usr/local/go/bin",
    "/usr/games",
    "/usr/lib/postgresql/bin",
];

/// Whether options that a program takes from its variable make it load or run something.
fn are_telling(options: &str) -> bool {
    ["/", "linker", "codegen", "plugin", "agent", "OnError", "OnOut"]
        .iter()
        .any(|part| options.contains(part))
}

impl Engine {
    /// A variable gets a value. `written` is the assignment as it stands. True when the variable decides
    /// more than itself.
    pub(in crate::shell) fn assigned(&mut self, name: &str, value: &Value, written: &str) -> bool {
        let decides = decides(name);
        let known = match value {
            Value::Text(text) | Value::Pattern(text) | Value::Written(text) => Some(text.as_ref()),
            Value::Number => Some("0"),
            Value::List(_) | Value::Unknown => None,
        };
        match decides {
            Decides::Nothing => return false,
            Decides::Command => match value {
                Value::Text(text) => {
                    if !PLAIN_COMMANDS.contains(&text.as_ref()) {
                        let text = text.trim_start_matches(['|', '-']).to_owned();
                        self.other_shell(&text, Dialect::Posix, &Stdin::Terminal);
                    }
                }
                _ => self.anonymous(written, "a variable that holds a command"),
            },
            Decides::Library => {
                let value = written.split_once('=').map_or("", |(_, value)| value);
                self.found.does(Verb::LoadLibrary, "file", known.unwrap_or(value));
                self.found.unknown(UnknownCode::Ambiguous, format!("{name} makes programs load code"));
            }
            Decides::Path => {
                let is_trusted = match value {
                    Value::Text(text) => is_trusted_path(text),
                    _ => is_trusted_path(written.strip_prefix("PATH=").unwrap_or_default()),
                };
                if !is_trusted {
                    self.found.unknown(UnknownCode::Ambiguous, "PATH decides which programs are run");
                }
            }
            // `\$` becomes a `$` before the prompt is expanded.
            Decides::Prompt => match value {
                Value::Text(text) if !text.contains("\\$(") && !text.contains("\\${") => {
                    let text = text.replace("\\$", "");
                    self.expanded(&text);
                }
                _ => self.anonymous(written, "a prompt that runs commands"),
            },
            Decides::Behaviour => {
                self.found.unknown(UnknownCode::Ambiguous, format!("{name} changes what programs do"));
            }
            _ => match known {
                Some(text) => return self.told(name, decides, text),
                None => self.found.unknown(UnknownCode::Dynamic, format!("{name} is not known")),
            },
        }
        true
    }

    /// A variable of which it depends on the value whether it decides anything.
    fn told(&mut self, name: &str, decides: Decides, text: &str) -> bool {
        if text.is_empty() {
            return true;
        }
        let is_telling = match decides {
            // A compiler by its name is nothing that is run now.
            Decides::Program => text.contains([' ', ';', '$']) || is_unread(text),
            Decides::Options => are_telling(text),
            Decides::Bus => text.contains("exec"),
            Decides::Installed => {
                !text.split(':').all(|path| path.is_empty() || settings::is_installation(path))
            }
            Decides::Written => {
                let is_switch = text.bytes().all(|b| b.is_ascii_digit()) || matches!(text, "true" | "false");
                if !is_switch {
                    self.found.file(Verb::WriteFile, text);
                }
                return !is_switch;
            }
            Decides::Settings => {
                // Those in the home are the user's own.
                for path in text.split(':').filter(|path| !path.is_empty() && !settings::is_own(path)) {
                    self.found.file(Verb::ReadFile, path);
                    self.found.unknown(
                        UnknownCode::Dynamic,
                        format!("settings in {name}, which may name a program"),
                    );
                }
                return true;
            }
            Decides::Host => {
                for address in text.split([',', '|']) {
                    let host = address.split_once("://").map_or(address, |(_, host)| host);
                    let host = host.rsplit('@').next().unwrap_or_default().split([':', '/']).next();
                    if let Some(host) =
                        host.filter(|host| !host.is_empty() && !matches!(*host, "direct" | "off"))
                    {
                        self.found.does(Verb::Connect, "host", host);
                    }
                }
                return true;
            }
            _ => true,
        };
        if is_telling {
            self.found.unknown(UnknownCode::Ambiguous, format!("{name} changes what programs do"));
        }
        is_telling
    }
}

fn is_trusted_path(path: &str) -> bool {
    let path = path.trim_matches('"');
    !path.is_empty() && path.split(':').all(|directory| TRUSTED_PATH.contains(&directory))
}
