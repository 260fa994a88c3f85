//! Variables that change what other programs do, or how the text is read.

use sallyport_core::{UnknownCode, Verb};

use super::{Engine, Stdin, Value};
use crate::shell::syntax::Dialect;

/// What a variable decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Decides {
    /// Nothing that matters here.
    Nothing,
    /// Its value is a command.
    Command,
    /// Its value is code that programs load.
    Library,
    /// Where programs are found.
    Path,
    /// A prompt, which is expanded.
    Prompt,
    /// A file of settings, in which a command may stand.
    Settings,
    /// Another host.
    Host,
    /// What programs do, by files or options that are not read here.
    Behaviour,
}

const COMMANDS: [&str; 35] = [
    "PROMPT_COMMAND",
    "PAGER",
    "GIT_PAGER",
    "MANPAGER",
    "PSQL_PAGER",
    "SYSTEMD_PAGER",
    "BAT_PAGER",
    "DELTA_PAGER",
    "AWS_PAGER",
    "GH_PAGER",
    "EDITOR",
    "VISUAL",
    "GIT_EDITOR",
    "GIT_SEQUENCE_EDITOR",
    "KUBE_EDITOR",
    "SUDO_EDITOR",
    "PSQL_EDITOR",
    "SYSTEMD_EDITOR",
    "HGEDITOR",
    "SVN_EDITOR",
    "FCEDIT",
    "GIT_SSH_COMMAND",
    "GIT_SSH",
    "RSYNC_RSH",
    "CVS_RSH",
    "SVN_SSH",
    "GIT_EXTERNAL_DIFF",
    "KUBECTL_EXTERNAL_DIFF",
    "BROWSER",
    "LESSOPEN",
    "LESSCLOSE",
    "GH_EDITOR",
    "GH_BROWSER",
    "FZF_DEFAULT_COMMAND",
    "FZF_CTRL_T_COMMAND",
];

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

const LIBRARIES: [&str; 15] = [
    "LD_PRELOAD",
    "LD_AUDIT",
    "LD_LIBRARY_PATH",
    "DYLD_INSERT_LIBRARIES",
    "DYLD_LIBRARY_PATH",
    "GCONV_PATH",
    "PYTHONSTARTUP",
    "BASH_ENV",
    "ENV",
    "PERL5DB",
    "BASH_LOADABLES_PATH",
    "OPENSSL_CONF",
    "OPENSSL_ENGINES",
    "OPENSSL_MODULES",
    "LIBMYSQL_PLUGIN_DIR",
];

/// Files or folders of settings that programs take in place of the user's own.
const SETTINGS: [&str; 5] =
    ["KUBECONFIG", "DOCKER_CONFIG", "AZURE_CONFIG_DIR", "CLOUDSDK_CONFIG", "GH_CONFIG_DIR"];

/// Where clients connect to.
const HOSTS: [&str; 4] = ["DOCKER_HOST", "CONTAINER_HOST", "PGHOST", "PGHOSTADDR"];

const BEHAVIOUR: [&str; 100] = [
    "BASH_ALIASES",
    "BASH_CMDS",
    "MAIL",
    "MAILPATH",
    "TEXTDOMAIN",
    "TEXTDOMAINDIR",
    "histchars",
    "GOFLAGS",
    "RUSTC_WRAPPER",
    "RUSTC",
    "SSLKEYLOGFILE",
    "PYTHONUSERBASE",
    "SHELLOPTS",
    "BASHOPTS",
    "POSIXLY_CORRECT",
    "BASH_COMPAT",
    "EXECIGNORE",
    "GLOBIGNORE",
    "CDPATH",
    "FPATH",
    "SHELL",
    "HOME",
    "BASH_XTRACEFD",
    "INPUTRC",
    "LESS",
    "LESSKEY",
    "LESSKEYIN",
    "MANOPT",
    "PERL5OPT",
    "PERL5LIB",
    "PERLLIB",
    "PYTHONPATH",
    "PYTHONHOME",
    "PYTHONINSPECT",
    "PYTHONBREAKPOINT",
    "RUBYOPT",
    "RUBYLIB",
    "GEM_PATH",
    "NODE_OPTIONS",
    "NODE_PATH",
    "JAVA_TOOL_OPTIONS",
    "_JAVA_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "CLASSPATH",
    "LUA_INIT",
    "LUA_PATH",
    "TAR_OPTIONS",
    "ZIPOPT",
    "UNZIP",
    "GREP_OPTIONS",
    "RSYNC_CONNECT_PROG",
    "RSYNC_PROXY",
    "SSH_ASKPASS",
    "SUDO_ASKPASS",
    "SSH_AUTH_SOCK",
    "MAKEFLAGS",
    "GNUMAKEFLAGS",
    "PSQLRC",
    "PGSERVICEFILE",
    "PGSYSCONFDIR",
    "CURL_HOME",
    "WGETRC",
    "HGRCPATH",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "TF_CLI_CONFIG_FILE",
    "HELM_PLUGINS",
    "TERMINFO",
    "VIMINIT",
    "EXINIT",
    "XDG_CONFIG_HOME",
    "ZDOTDIR",
    "MYSQL_HOME",
    "APT_CONFIG",
    "MANROFFOPT",
    "GROFF_COMMAND_PREFIX",
    "GROFF_TYPESETTER",
    "LESSEDIT",
    "AWKPATH",
    "AWKLIBPATH",
    "RIPGREP_CONFIG_PATH",
    "ACKRC",
    "BUNDLE_GEMFILE",
    "YARN_RC_FILENAME",
    "SYSTEM_WGETRC",
    "REDISCLI_RCFILE",
    "RPM_CONFIGDIR",
    "VIMRUNTIME",
    "EMACSLOADPATH",
    "CLOUDSDK_PYTHON",
    "AZ_PYTHON",
    "FZF_DEFAULT_OPTS",
    "FZF_DEFAULT_OPTS_FILE",
    "GOENV",
    "GOVCS",
    "GOTOOLCHAIN",
    "RUSTFMT",
    "RUSTUP_HOME",
    "HOSTALIASES",
    "PGOPTIONS",
];

/// Variables of git that only say who, or where to.
const GIT_HARMLESS: [&str; 14] = [
    "GIT_AUTHOR_NAME",
    "GIT_AUTHOR_EMAIL",
    "GIT_AUTHOR_DATE",
    "GIT_COMMITTER_NAME",
    "GIT_COMMITTER_EMAIL",
    "GIT_COMMITTER_DATE",
    "GIT_TERMINAL_PROMPT",
    "GIT_TRACE",
    "GIT_CURL_VERBOSE",
    "GIT_OPTIONAL_LOCKS",
    "GIT_SHA",
    "GIT_COMMIT",
    "GIT_BRANCH",
    "GIT_TAG",
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

fn decides(name: &str) -> Decides {
    match name {
        "PATH" => Decides::Path,
        "PS0" | "PS1" | "PS2" | "PS3" | "PS4" => Decides::Prompt,
        name if COMMANDS.contains(&name) => Decides::Command,
        name if LIBRARIES.contains(&name) || name.starts_with("LD_") || name.starts_with("DYLD_") => {
            Decides::Library
        }
        name if SETTINGS.contains(&name) => Decides::Settings,
        name if HOSTS.contains(&name) => Decides::Host,
        name if BEHAVIOUR.contains(&name) => Decides::Behaviour,
        name if GIT_HARMLESS.contains(&name) => Decides::Nothing,
        name if ["GIT_", "BASH_FUNC_", "TF_CLI_ARGS", "ANSIBLE_", "NPM_CONFIG_", "npm_config_", "PIP_"]
            .iter()
            .any(|prefix| name.starts_with(prefix)) =>
        {
            Decides::Behaviour
        }
        _ => Decides::Nothing,
    }
}

impl Engine {
    /// A variable gets a value. `written` is the assignment as it stands. True when the variable decides
    /// more than itself.
    pub(in crate::shell) fn assigned(&mut self, name: &str, value: &Value, written: &str) -> bool {
        let decides = decides(name);
        match (decides, value) {
            // A path here is written to.
            (Decides::Nothing, Value::Text(text)) if name == "GIT_TRACE" && text.starts_with('/') => {
                self.found.file(Verb::WriteFile, text);
            }
            // A compiler by its name is nothing that is run now.
            (Decides::Nothing, Value::Text(text))
                if matches!(name, "CC" | "CXX") && text.contains([' ', '/', ';', '$']) =>
            {
                self.found.unknown(UnknownCode::Ambiguous, format!("{name} is a command"));
            }
            (Decides::Nothing, _) => return false,
            (Decides::Command, Value::Text(text)) => {
                if !PLAIN_COMMANDS.contains(&text.as_ref()) {
                    let text = text.trim_start_matches(['|', '-']).to_owned();
                    self.other_shell(&text, Dialect::Posix, &Stdin::Terminal);
                }
            }
            (Decides::Command, _) => self.anonymous(written, "a variable that holds a command"),
            (Decides::Library, _) => {
                let value = written.split_once('=').map_or("", |(_, value)| value);
                self.found.does(Verb::LoadLibrary, "file", value);
                self.found.unknown(UnknownCode::Ambiguous, format!("{name} makes programs load code"));
            }
            (Decides::Path, Value::Text(text)) if is_trusted_path(text) => {}
            (Decides::Path, _) if is_trusted_path(written.strip_prefix("PATH=").unwrap_or_default()) => {}
            (Decides::Path, _) => {
                self.found.unknown(UnknownCode::Ambiguous, "PATH decides which programs are run");
            }
            // `\$` becomes a `$` before the prompt is expanded.
            (Decides::Prompt, Value::Text(text)) if !text.contains("\\$(") && !text.contains("\\${") => {
                let text = text.replace("\\$", "");
                self.expanded(&text);
            }
            (Decides::Settings | Decides::Host, Value::Unknown) => {
                self.found.unknown(UnknownCode::Dynamic, format!("{name} is not known"));
            }
            (Decides::Settings, _) => {
                // Those in the home are the user's own.
                let own = |path: &&str| !path.is_empty() && !path.starts_with(['~', '$']);
                let paths = written.split_once('=').map_or("", |(_, paths)| paths);
                for path in paths.trim_matches(['"', '\'']).split(':').filter(own) {
                    self.found.file(Verb::ReadFile, path);
                }
            }
            (Decides::Host, _) => {
                let address = written.split_once('=').map_or("", |(_, address)| address);
                let host = address.split_once("://").map_or(address, |(_, host)| host);
                let host = host.rsplit('@').next().unwrap_or_default().split([':', '/']).next();
                if let Some(host) = host.filter(|host| !host.is_empty()) {
                    self.found.does(Verb::Connect, "host", host);
                }
            }
            (Decides::Prompt, _) => self.anonymous(written, "a prompt that runs commands"),
            (Decides::Behaviour, _) => {
                self.found.unknown(UnknownCode::Ambiguous, format!("{name} changes what programs do"));
            }
        }
        true
    }
}

fn is_trusted_path(path: &str) -> bool {
    let path = path.trim_matches('"');
    !path.is_empty() && path.split(':').all(|directory| TRUSTED_PATH.contains(&directory))
}
