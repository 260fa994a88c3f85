//! Words of Java's tools: options of the virtual machine that write, load and run, the archives of `jar`, the
//! stores of `keytool`, and the commands of `jcmd`.

use sallyport_core::{UnknownCode, Verb};

use super::description::{Rest, Special};
use super::outcome::Outcome;
use super::values::part;
use crate::shell::effect::Effect;
use crate::shell::word::Word;

pub(super) const SPECIALS: &[Special] = &[
    Special { name: "java-flag", read: flag },
    Special { name: "java-log", read: log },
    Special { name: "jinfo-flag", read: jinfo_flag },
    Special { name: "file-field", read: file_field },
];

pub(super) const RESTS: &[Rest] = &[
    Rest { name: "jar", read: jar },
    Rest { name: "keytool", read: keytool },
    Rest { name: "jcmd", read: jcmd },
];

/// `-XX:Name=value`: values that are paths are written to, but for a few that are read, and some name commands.
fn flag(word: &Word, outcome: &mut Outcome) {
    if word.is_dynamic() {
        return outcome.dynamic(word);
    }
    if word.text == "+LogVMOutput" {
        outcome.names(Verb::WriteFile, "file", "hotspot.log");
    }
    let Some((name, value)) = word.text.split_once(['=', ':']) else { return };
    match name {
        "OnError" | "OnOutOfMemoryError" => outcome.push(Effect::RunsShell(part(word, value))),
        "Flags" | "VMOptionsFile" => {
            outcome.reads(&part(word, value));
            outcome.unknown(UnknownCode::Dynamic, &word.text);
        }
        "SharedArchiveFile"
        | "SharedClassListFile"
        | "ExtraSharedClassListFile"
        | "CompileCommandFile"
        | "CompilerDirectivesFile"
        | "AOTConfiguration"
        | "AOTCache"
        | "ReplayDataFile" => {
            outcome.reads(&part(word, value));
        }
        "StartFlightRecording" | "FlightRecorderOptions" => {
            fields(word, value, &["filename", "repository", "dumppath"], outcome);
        }
        _ if value.contains(['/', '.', '~', '$']) || name.ends_with("File") || name.ends_with("Path") => {
            outcome.writes(&part(word, value));
        }
        _ => {}
    }
}

/// `-Xlog:what:output:…`: the output is a file, unless it is one of the streams.
fn log(word: &Word, outcome: &mut Outcome) {
    if word.is_dynamic() {
        return outcome.dynamic(word);
    }
    let output = word.text.split(':').nth(1).unwrap_or_default();
    let path = output.strip_prefix("file=").unwrap_or(output).trim_matches('"');
    if !matches!(path, "" | "stdout" | "stderr") {
        outcome.writes(&part(word, path));
    }
}

/// A flag of a machine that runs: with a value or a sign it is changed.
fn jinfo_flag(word: &Word, outcome: &mut Outcome) {
    if word.is_dynamic() {
        return outcome.dynamic(word);
    }
    if word.text.starts_with(['+', '-']) || word.text.contains('=') {
        outcome.names(Verb::Configure, "process", &word.text);
        flag(word, outcome);
    }
}

/// `live,format=b,file=PATH`.
fn file_field(word: &Word, outcome: &mut Outcome) {
    if word.is_dynamic() {
        return outcome.dynamic(word);
    }
    fields(word, &word.text, &["file", "filename"], outcome);
}

fn fields(word: &Word, text: &str, names: &[&str], outcome: &mut Outcome) {
    for (name, value) in text.split(',').filter_map(|field| field.split_once('=')) {
        if names.contains(&name) {
            outcome.writes(&part(word, value));
        }
    }
}

/// `jar cf ARCHIVE file…`, `jar --create --file ARCHIVE file…`: the letters of the first word take their values
/// in their order, with a dash or without.
fn jar(words: &[Word], outcome: &mut Outcome) {
    let mut words = words.iter();
    let mut letters = String::new();
    let mut archive: Option<Word> = None;
    let mut folder: Option<Word> = None;
    let mut operands: Vec<&Word> = Vec::new();
    let mut is_first = true;
    while let Some(word) = words.next() {
        if word.is_dynamic() {
            outcome.dynamic(word);
        }
        let text = word.text.as_str();
        if let Some(long) = text.strip_prefix("--") {
            let (name, value) =
                long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
            let mut value = || value.map(|value| part(word, value)).or_else(|| words.next().cloned());
            match name {
                "create" => letters.push('c'),
                "update" => letters.push('u'),
                "extract" => letters.push('x'),
                "list" | "validate" | "describe-module" => letters.push('t'),
                "generate-index" => {
                    letters.push('u');
                    archive = value();
                }
                "file" => archive = value(),
                "dir" => folder = value(),
                "manifest" => {
                    if let Some(path) = value() {
                        outcome.reads(&path);
                    }
                }
                "main-class" | "module-version" | "hash-modules" | "module-path" | "release" | "date" => {
                    value();
                }
                "help"
                | "version"
                | "help-extra"
                | "verbose"
                | "no-compress"
                | "no-manifest"
                | "warn-if-resolved"
                | "do-not-resolve-by-default"
                | "keep-old-files" => {}
                _ => outcome.unknown(UnknownCode::Unsupported, text),
            }
        } else if text == "-C" {
            words.next();
        } else if let Some(option) = text.strip_prefix("-J") {
            outcome.unknown(UnknownCode::Dynamic, option);
        } else if is_first || text.starts_with('-') && text.len() > 1 {
            for letter in text.trim_start_matches('-').chars() {
                match letter {
                    'f' | 'i' => archive = words.next().cloned(),
                    'm' => {
                        if let Some(path) = words.next() {
                            outcome.reads(path);
                        }
                    }
                    'e' | 'p' => {
                        words.next();
                    }
                    _ => {}
                }
                letters.push(if letter == 'i' { 'u' } else { letter });
            }
        } else if let Some(path) = text.strip_prefix('@') {
            outcome.reads(&part(word, path));
            outcome.unknown(UnknownCode::Dynamic, text);
        } else {
            operands.push(word);
        }
        is_first = false;
    }
    let changes = letters.contains(['c', 'u']);
    if let Some(archive) = &archive {
        if letters.contains('c') {
            outcome.writes(archive);
        } else {
            outcome.reads(archive);
            if changes {
                outcome.writes(archive);
            }
        }
    }
    if changes {
        operands.iter().for_each(|word| outcome.reads(word));
    } else if letters.contains('x') {
        match &folder {
            Some(folder) => outcome.writes(folder),
            None => outcome.bare(Verb::WriteFile, Some("file")),
        }
    }
}

/// `keytool -command …`: most commands change the store, a few read it.
fn keytool(words: &[Word], outcome: &mut Outcome) {
    let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
    for word in words.iter().filter(|word| word.is_dynamic()) {
        outcome.dynamic(word);
    }
    let given = |names: &[&str]| texts.iter().any(|text| names.contains(text));
    let only_reads = given(&[
        "-list",
        "-printcert",
        "-printcertreq",
        "-printcrl",
        "-exportcert",
        "-export",
        "-certreq",
        "-showinfo",
        "-help",
        "-gencert",
        "-gencrl",
    ]) || texts.is_empty();
    let takes_in = given(&["-importcert", "-import", "-printcert", "-printcertreq", "-printcrl"]);
    let stores = ["-keystore", "-destkeystore"];
    for pair in words.windows(2) {
        let [name, value] = pair else { continue };
        match name.text.as_str() {
            store if stores.contains(&store) && only_reads => outcome.reads(value),
            store if stores.contains(&store) => outcome.writes(value),
            "-srckeystore" | "-infile" => outcome.reads(value),
            "-outfile" => outcome.writes(value),
            "-file" if takes_in => outcome.reads(value),
            "-file" => outcome.writes(value),
            "-sslserver" => outcome.does(Verb::Connect, "host", value),
            "-providerpath" | "-providerclass" | "-addprovider" | "-provider" | "-providername" => {
                outcome.does(Verb::LoadLibrary, "library", value);
            }
            "-conf" => {
                outcome.reads(value);
                outcome.unknown(UnknownCode::Dynamic, &value.text);
            }
            _ => {}
        }
    }
    if given(&["-cacerts"]) && !only_reads {
        outcome.names(Verb::WriteFile, "file", "cacerts");
    } else if !only_reads && !given(&stores) {
        outcome.names(Verb::WriteFile, "file", "~/.keystore");
    }
    if texts.iter().any(|text| text.starts_with("-J")) {
        outcome.unknown(UnknownCode::Dynamic, "-J");
    }
}

/// `jcmd PROCESS COMMAND argument…`: what a machine that runs is told to do.
fn jcmd(words: &[Word], outcome: &mut Outcome) {
    for word in words.iter().filter(|word| word.is_dynamic()) {
        outcome.dynamic(word);
    }
    let mut words = words.iter().skip(1);
    let Some(command) = words.next() else { return };
    let arguments: Vec<&Word> = words.collect();
    if command.text == "-f" {
        if let Some(path) = arguments.first() {
            outcome.reads(path);
        }
        return outcome.unknown(UnknownCode::Dynamic, "commands from a file");
    }
    let plain = || arguments.iter().find(|word| !word.text.starts_with('-') && !word.text.contains('='));
    let named = ["filename=", "output=", "path-to-gc-roots=", "file="];
    for (word, path) in arguments.iter().filter_map(|word| {
        named.iter().find_map(|name| word.text.strip_prefix(name)).map(|path| (*word, path))
    }) {
        if !matches!(path, "stdout" | "stderr" | "true" | "false") {
            outcome.writes(&part(word, path));
        }
    }
    match command.text.as_str() {
        "JVMTI.agent_load" => match arguments.first() {
            Some(library) => outcome.does(Verb::LoadLibrary, "library", library),
            None => outcome.bare(Verb::LoadLibrary, None),
        },
        "GC.heap_dump" | "Thread.dump_to_file" | "Compiler.perfmap" | "System.dump_map" | "VM.cds" => {
            for path in arguments.iter().filter(|word| {
                !word.text.starts_with('-') && !matches!(word.text.as_str(), "static_dump" | "dynamic_dump")
            }) {
                outcome.writes(path);
            }
        }
        "Compiler.directives_add" | "Compiler.directives_replace" => {
            if let Some(path) = plain() {
                outcome.reads(path);
            }
            outcome.bare(Verb::Configure, Some("process"));
        }
        "ManagementAgent.start" | "ManagementAgent.start_local" => outcome.bare(Verb::ListenOn, None),
        "VM.set_flag"
        | "VM.log"
        | "GC.run"
        | "GC.run_finalization"
        | "JFR.start"
        | "JFR.stop"
        | "JFR.dump"
        | "JFR.configure"
        | "Compiler.directives_clear"
        | "Compiler.directives_remove"
        | "ManagementAgent.stop" => {
            outcome.bare(Verb::Configure, Some("process"));
            if command.text == "VM.set_flag"
                && let [name, value] = arguments.as_slice()
            {
                flag(&part(value, &format!("{}={}", name.text, value.text)), outcome);
            }
        }
        "help"
        | "PerfCounter.print"
        | "Thread.print"
        | "JFR.check"
        | "JFR.view"
        | "ManagementAgent.status" => {}
        text if ["VM.", "GC.", "Compiler.", "System."].iter().any(|group| text.starts_with(group)) => {}
        text => outcome.unknown(UnknownCode::Unsupported, text),
    }
}
