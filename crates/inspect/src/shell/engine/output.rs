//! What goes into a command and what comes out of it, as far as that is known before it runs.

use std::rc::Rc;

use crate::shell::word::Word;

/// What a command reads.
#[derive(Clone, Debug, Default)]
pub(in crate::shell) enum Stdin {
    /// What the text as a whole reads: a terminal, or nothing that stands in the text.
    #[default]
    Terminal,
    /// This text.
    Text(Rc<str>),
    /// Something that is only known at run time.
    Data,
    /// Names that commands list: paths, identifiers, numbers.
    Names,
    /// The script itself, which a shell reads from standard input.
    Script,
    /// Nothing.
    Empty,
}

/// What a command prints.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::shell) enum Output {
    Text(String),
    /// One number.
    Number,
    /// Paths, a line each.
    Paths,
    /// Words of a harmless form: letters, digits, and no sign that a shell or a program reads as its own.
    Written,
    #[default]
    Unknown,
}

impl Stdin {
    /// As it is for a command that is not the only one to read it.
    pub(in crate::shell) fn shared(&self) -> Self {
        match self {
            Self::Text(_) | Self::Names => Self::Data,
            other => other.clone(),
        }
    }
}

impl Output {
    /// What the next command of a pipeline reads.
    pub(in crate::shell) fn into_stdin(self) -> Stdin {
        match self {
            Self::Text(text) => Stdin::Text(Rc::from(text)),
            Self::Paths | Self::Number | Self::Written => Stdin::Names,
            Self::Unknown => Stdin::Data,
        }
    }
}

/// What a program prints, where its words settle that.
pub(super) fn of(name: &str, argv: &[Word], stdin: &Stdin) -> Output {
    let arguments: Option<Vec<&str>> =
        argv.iter().skip(1).map(|word| (!word.is_dynamic()).then_some(word.text.as_str())).collect();
    let Some(arguments) = arguments else { return Output::Unknown };
    match (name, arguments.as_slice()) {
        ("cat", []) => match stdin {
            Stdin::Text(text) => Output::Text(text.to_string()),
            _ => Output::Unknown,
        },
        ("cat", [path]) if is_pid_file(path) => Output::Number,
        ("wc", [flag, ..]) if matches!(*flag, "-l" | "-c" | "-w" | "-m") && arguments.len() == 1 => {
            Output::Number
        }
        ("grep", [flag, ..]) if matches!(*flag, "-c" | "-ci" | "-ic") => Output::Number,
        ("nproc" | "pidof" | "pgrep", arguments) if !arguments.iter().any(|word| is_naming(word)) => {
            Output::Number
        }
        ("id", ["-u" | "-g"]) => Output::Number,
        ("lsof", arguments) if arguments.first().is_some_and(|flag| flag.starts_with("-t")) => Output::Number,
        ("date", ["+%s" | "+%Y" | "+%m" | "+%d" | "+%H" | "+%M" | "+%u" | "+%Y%m%d" | "+%s%N"]) => {
            Output::Number
        }
        ("date", arguments) if arguments.iter().all(|argument| is_date_word(argument)) => Output::Written,
        ("hostname", [] | ["-s" | "-f" | "-i"]) => Output::Written,
        ("whoami" | "logname" | "pwd" | "arch" | "tty", []) | ("id", ["-un" | "-gn"]) => Output::Written,
        ("pwd", ["-P" | "-L"]) => Output::Written,
        ("uname", [flag]) if matches!(*flag, "-r" | "-s" | "-m" | "-n" | "-p" | "-i" | "-o") => {
            Output::Written
        }
        ("mktemp", [] | ["-d"]) => Output::Written,
        ("git", ["rev-parse", "HEAD" | "--short", ..] | ["rev-parse", "--verify", "HEAD"])
            if arguments.iter().skip(1).all(|word| word.starts_with("--") || *word == "HEAD") =>
        {
            Output::Written
        }
        ("docker" | "podman", ["ps" | "images", rest @ ..]) if is_quiet(rest) => Output::Written,
        ("find", arguments)
            if !arguments.iter().any(|word| FIND_PRINTS.iter().any(|print| word.starts_with(print))) =>
        {
            Output::Paths
        }
        ("grep" | "egrep" | "fgrep" | "rg", arguments) if arguments.iter().any(|word| is_listing(word)) => {
            Output::Paths
        }
        ("git", ["ls-files", ..]) => Output::Paths,
        ("git", ["diff", rest @ ..]) if rest.contains(&"--name-only") => Output::Paths,
        ("ls", arguments) if arguments.iter().all(|word| lists_names(word)) => Output::Paths,
        ("grep" | "egrep" | "fgrep" | "sort" | "uniq" | "head" | "tail", _)
            if matches!(stdin, Stdin::Names) =>
        {
            Output::Paths
        }
        _ => Output::Unknown,
    }
}

/// Where the system's own daemons put the number of their process, and nobody else writes.
fn is_pid_file(path: &str) -> bool {
    let inside = path.strip_prefix("/var/run/").or_else(|| path.strip_prefix("/run/"));
    inside.and_then(|path| path.strip_suffix(".pid")).is_some_and(|name| {
        name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'.' | b'-' | b'_'))
            && !name.contains("..")
            && !name.starts_with("user/")
    })
}

/// Whether `ls` prints names alone with such a word: an operand, or an option that orders or filters.
fn lists_names(word: &str) -> bool {
    word.strip_prefix('-').is_none_or(|flags| flags.chars().all(|flag| "1aAdtrRSUcufvXB".contains(flag)))
}

/// What makes `find` print something else than paths.
const FIND_PRINTS: [&str; 6] = ["-exec", "-ok", "-printf", "-fprint", "-fls", "-ls"];

/// `-l`, in a cluster too.
fn is_listing(word: &str) -> bool {
    word == "--files-with-matches"
        || word.strip_prefix('-').is_some_and(|flags| {
            // What stands behind an option with a value is the value.
            let flags = flags
                .split(['-', 'e', 'f', 'm', 'A', 'B', 'C', 'd', 'D', 'g', 't'])
                .next()
                .unwrap_or_default();
            flags.contains('l')
        })
}

/// Options with which process ids come with names.
fn is_naming(word: &str) -> bool {
    word.starts_with('-') && word.contains(['l', 'a', 'd'])
}

/// A format of `date` whose every directive is letters and digits, or an option that names a time.
fn is_date_word(word: &str) -> bool {
    if word == "-u" || word == "--utc" {
        return true;
    }
    let Some(format) = word.strip_prefix('+').filter(|format| !format.starts_with('-')) else { return false };
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        let is_plain = match c {
            '%' => chars.next().is_some_and(|directive| "YmdHMSFTjsyuVGaAbBNZ".contains(directive)),
            c => c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':'),
        };
        if !is_plain {
            return false;
        }
    }
    !format.is_empty()
}

/// Only identifiers are printed.
fn is_quiet(arguments: &[&str]) -> bool {
    arguments.iter().any(|word| {
        *word == "--quiet"
            || word
                .strip_prefix('-')
                .is_some_and(|flags| flags.contains('q') && flags.chars().all(char::is_alphabetic))
    }) && !arguments.iter().any(|word| word.starts_with("--format"))
}

/// What `echo` prints, in bash.
pub(in crate::shell) fn echo(arguments: &[&str], in_bash: bool) -> Output {
    if !in_bash && arguments.first().is_some_and(|first| first.starts_with('-')) {
        return Output::Unknown;
    }
    let mut newline = true;
    let mut escapes = false;
    let mut rest = arguments;
    while let [first, others @ ..] = rest {
        let is_flags = first.strip_prefix('-').is_some_and(|flags| {
            !flags.is_empty() && flags.chars().all(|flag| matches!(flag, 'n' | 'e' | 'E'))
        });
        if !is_flags {
            break;
        }
        newline &= !first.contains('n');
        escapes = first.rfind('e') > first.rfind('E');
        rest = others;
    }
    let text = rest.join(" ");
    if text.contains('\\') {
        // With -e, or in another shell without it, these are escapes.
        if !escapes {
            return Output::Unknown;
        }
        return match unescape(&text, true) {
            Some(text) => Output::Text(if newline { format!("{text}\n") } else { text }),
            None => Output::Unknown,
        };
    }
    Output::Text(if newline { format!("{text}\n") } else { text })
}

/// What `printf` prints: strings only.
pub(in crate::shell) fn printf(arguments: &[&str]) -> Output {
    let arguments = if let ["--", rest @ ..] = arguments { rest } else { arguments };
    let [format, values @ ..] = arguments else { return Output::Unknown };
    let Some(format) = unescape(format, false) else { return Output::Unknown };
    let pieces: Vec<&str> = format.split("%s").collect();
    if pieces.iter().any(|piece| piece.contains('%')) || format.starts_with('-') {
        return Output::Unknown;
    }
    let mut values = values.iter();
    let mut text = String::new();
    loop {
        for (index, piece) in pieces.iter().enumerate() {
            if index > 0 {
                text.push_str(values.next().copied().unwrap_or_default());
            }
            text.push_str(piece);
        }
        if pieces.len() < 2 || values.len() == 0 || text.len() > 65_536 {
            break;
        }
    }
    if text.len() > 65_536 { Output::Unknown } else { Output::Text(text) }
}

/// The escapes of `printf` and `echo -e`, which differ in octal numbers; nothing where they are not plain.
fn unescape(text: &str, is_echo: bool) -> Option<String> {
    let mut result = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            result.push(c);
            continue;
        }
        match chars.next()? {
            'n' => result.push('\n'),
            't' => result.push('\t'),
            '\\' => result.push('\\'),
            '"' => result.push('"'),
            'x' => {
                let mut value = chars.next()?.to_digit(16)?;
                if let Some(second) = chars.peek().and_then(|c| c.to_digit(16)) {
                    chars.next();
                    value = value * 16 + second;
                }
                result.push(char::from_u32(value).filter(|c| c.is_ascii() && *c != '\0')?);
            }
            first @ '0'..='7' if !is_echo || first == '0' => {
                let mut value = first.to_digit(8)?;
                for _ in 0..if is_echo { 3 } else { 2 } {
                    let Some(digit) = chars.peek().and_then(|c| c.to_digit(8)) else { break };
                    chars.next();
                    value = value * 8 + digit;
                }
                result.push(char::from_u32(value).filter(|c| c.is_ascii() && *c != '\0')?);
            }
            _ => return None,
        }
    }
    Some(result)
}
