//! Reads the data files into descriptions.
//!
//! A section of a file is a program or a sub-command, its name a path of words: `["git push"]`, `["cp|mv"]`
//! for two that are alike, `["aws * list-*"]` for all that match. A name that starts with `@` is a set of
//! options to `use`. A line of `options` is a list of spellings, then what its value is, then what it does:
//!
//! ```text
//! -b -d --ignore-case          options without a value
//! -o --output = write          a value, in the same word or the next, that is a path written to
//! --backup ?= value            a value, if there is one, in the same word
//! --arg = value value          two values
//! -h : end                     does something else than the program's work
//! -t = write : operands read...    the operands are something else then
//! ```
//!
//! `-#` stands for a number (`head -5`), `+` for a word that starts so (`less +F`). Values and operands have
//! roles: [`ROLES`], `group.verb/kind`, or the readers of `values`; several are joined with `+`. Operands
//! are `role`, at most one `role...` for many, or one reader of `rests` with three dots for all the words
//! that are left. `all:name` is a reader that gets the operands together. `@name` keeps a value, or that the
//! option was given, for such a reader.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock};

use sallyport_core::{Language, UnknownCode, Verb};
use serde::Deserialize;

use super::description::{Act, Body, Node, Operands, Role, Roles, Rule, Takes};
use super::{find, rests, values};

/// The programs, by name; or what is wrong with the data, which a test holds to be nothing.
pub(super) type Table = HashMap<String, Node>;

const FILES: &[(&str, &str)] = &[
    ("archives", include_str!("data/archives.toml")),
    ("cloud", include_str!("data/cloud.toml")),
    ("containers", include_str!("data/containers.toml")),
    ("coreutils", include_str!("data/coreutils.toml")),
    ("databases", include_str!("data/databases.toml")),
    ("editors", include_str!("data/editors.toml")),
    ("findutils", include_str!("data/findutils.toml")),
    ("git", include_str!("data/git.toml")),
    ("infrastructure", include_str!("data/infrastructure.toml")),
    ("interpreters", include_str!("data/interpreters.toml")),
    ("kubernetes", include_str!("data/kubernetes.toml")),
    ("packages", include_str!("data/packages.toml")),
    ("remote", include_str!("data/remote.toml")),
    ("services", include_str!("data/services.toml")),
    ("system", include_str!("data/system.toml")),
    ("text", include_str!("data/text.toml")),
    ("transfer", include_str!("data/transfer.toml")),
    ("wrappers", include_str!("data/wrappers.toml")),
];

/// Words for actions that are met all the time.
const ROLES: &[(&str, Verb, &str)] = &[
    ("read", Verb::ReadFile, "file"),
    ("write", Verb::WriteFile, "file"),
    ("remove", Verb::RemoveFile, "file"),
    ("permissions", Verb::Permissions, "file"),
    ("mount", Verb::Mount, "file"),
    ("connect", Verb::Connect, "host"),
    ("fetch", Verb::Download, "url"),
    ("listen", Verb::ListenOn, "port"),
    ("package", Verb::Package, "package"),
    ("service", Verb::Service, "service"),
    ("kill", Verb::Kill, "process"),
    ("schedule", Verb::Schedule, "schedule"),
    ("elevate", Verb::Elevate, "user"),
    ("iam-change", Verb::IamChange, "identity"),
];

static TABLE: LazyLock<Result<Table, String>> = LazyLock::new(|| build(FILES));

pub(super) fn table() -> Result<&'static Table, &'static String> {
    TABLE.as_ref()
}

/// A section as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct Section {
    flags: String,
    options: String,
    global: String,
    late: String,
    operands: String,
    does: Vec<String>,
    none: Vec<String>,
    bare: Vec<String>,
    after_dashes: Option<String>,
    lenient: Option<bool>,
    values: bool,
    posix: bool,
    target: bool,
    equals: bool,
    long: bool,
    groups: bool,
    bundle: bool,
    reader: Option<String>,
    r#use: Vec<String>,
}

type Sections = BTreeMap<String, Section>;

fn build(files: &[(&str, &str)]) -> Result<Table, String> {
    let mut read = Vec::new();
    for (file, text) in files {
        let sections: Sections = toml::from_str(text).map_err(|fault| format!("{file}.toml: {fault}"))?;
        read.extend(sections.into_iter().map(|(name, section)| (*file, name, section)));
    }
    let mut faults = Vec::new();
    let mut sets: HashMap<String, BTreeMap<String, Rule>> = HashMap::new();
    for (file, name, section) in read.iter().filter(|(_, name, _)| name.starts_with('@')) {
        let mut rules = BTreeMap::new();
        if let Err(fault) = options(section, &mut rules) {
            faults.push(format!("{file}.toml, {name}: {fault}"));
        }
        sets.insert(name.clone(), rules);
    }
    let mut root = Node::default();
    for (file, name, section) in read.iter().filter(|(_, name, _)| !name.starts_with('@')) {
        let words: Vec<&str> = name.split_whitespace().collect();
        let placed = body(section, &sets).and_then(|body| place(&mut root, &words, &Arc::new(body)));
        if let Err(fault) = placed {
            faults.push(format!("{file}.toml, {name}: {fault}"));
        }
    }
    if !faults.is_empty() {
        return Err(faults.join("\n"));
    }
    order(&mut root);
    Ok(root.subs.into_iter().collect())
}

/// Puts a description at every path that its name stands for.
fn place(node: &mut Node, words: &[&str], body: &Arc<Body>) -> Result<(), String> {
    let Some((first, more)) = words.split_first() else {
        return match node.body.replace(Arc::clone(body)) {
            Some(_) => Err("is described twice".to_owned()),
            None => Ok(()),
        };
    };
    for name in first.split('|') {
        let sub = if name.contains('*') {
            if !node.patterns.iter().any(|(pattern, _)| pattern == name) {
                node.patterns.push((name.to_owned(), Node::default()));
            }
            node.patterns.iter_mut().find(|(pattern, _)| pattern == name).map(|(_, node)| node)
        } else {
            Some(node.subs.entry(name.to_owned()).or_default())
        };
        if let Some(sub) = sub {
            place(sub, more, body)?;
        }
    }
    Ok(())
}

/// The longest pattern is the most telling.
fn order(node: &mut Node) {
    node.patterns.sort_by_key(|(pattern, _)| std::cmp::Reverse(pattern.len()));
    node.subs.values_mut().for_each(order);
    node.patterns.iter_mut().for_each(|(_, node)| order(node));
}

fn body(section: &Section, sets: &HashMap<String, BTreeMap<String, Rule>>) -> Result<Body, String> {
    let mut node = Body::default();
    for name in &section.r#use {
        let set = sets.get(&format!("@{name}")).ok_or_else(|| format!("no set of options @{name}"))?;
        node.options.extend(set.iter().map(|(spelling, rule)| (spelling.clone(), rule.clone())));
    }
    let mut own = BTreeMap::new();
    options(section, &mut own)?;
    node.options.extend(own);
    lines(&section.global, &mut node.global)?;
    lines(&section.late, &mut node.late)?;
    node.operands = operands(&section.operands)?;
    node.does = section.does.iter().map(|text| act(text)).collect::<Result<_, _>>()?;
    node.none = section.none.iter().map(|text| act(text)).collect::<Result<_, _>>()?;
    node.bare = section.bare.iter().map(|text| act(text)).collect::<Result<_, _>>()?;
    node.after_dashes = section.after_dashes.as_deref().map(roles).transpose()?;
    node.lenient = section.lenient;
    node.values = section.values;
    node.posix = section.posix;
    node.target = section.target;
    node.equals = section.equals;
    node.long = section.long;
    node.groups = section.groups;
    node.bundle = section.bundle;
    node.reader = match section.reader.as_deref() {
        None => None,
        Some("find") => Some(find::read),
        Some(name) => Some(rests::rest(name).ok_or_else(|| format!("no reader {name}"))?.read),
    };
    Ok(node)
}

fn options(section: &Section, into: &mut BTreeMap<String, Rule>) -> Result<(), String> {
    for letter in section.flags.chars().filter(|c| !c.is_whitespace()) {
        add(into, &format!("-{letter}"), Rule::default())?;
    }
    lines(&section.options, into)
}

fn lines(text: &str, into: &mut BTreeMap<String, Rule>) -> Result<(), String> {
    for line in text.lines() {
        let (line, acts) = match line.split_once(" : ") {
            Some((line, acts)) => (line, acts.split(';').map(|text| act(text.trim())).collect()),
            None => (line, Ok(Vec::new())),
        };
        let (spellings, takes, roles) = match line.split_once(" ?= ") {
            Some((spellings, roles)) => (spellings, Takes::Optional, roles),
            None => match line.split_once(" = ") {
                Some((spellings, roles)) => (spellings, Takes::Required, roles),
                None => (line, Takes::Nothing, ""),
            },
        };
        let roles = roles.split_whitespace().map(self::roles).collect::<Result<_, _>>()?;
        let rule = Rule { takes, roles, acts: acts? };
        for spelling in spellings.split_whitespace() {
            add(into, spelling, rule.clone())?;
        }
    }
    Ok(())
}

fn add(into: &mut BTreeMap<String, Rule>, spelling: &str, rule: Rule) -> Result<(), String> {
    if !(spelling.starts_with('-') || spelling == "+") || spelling.contains('=') {
        return Err(format!("{spelling} is no option"));
    }
    match into.insert(spelling.to_owned(), rule) {
        Some(_) => Err(format!("{spelling} is said twice")),
        None => Ok(()),
    }
}

fn operands(text: &str) -> Result<Operands, String> {
    let mut operands = Operands::default();
    for token in text.split_whitespace() {
        let ended = operands.rest.is_some();
        if let Some(name) = token.strip_prefix("all:") {
            operands.all = Some(rests::rest(name).ok_or_else(|| format!("no reader {name}"))?);
            continue;
        }
        match token.strip_suffix("...") {
            _ if ended => return Err(format!("{token} comes after all the rest")),
            Some(name) if operands.many.is_none() => match rests::rest(name) {
                Some(rest) => operands.rest = Some(rest),
                None => operands.many = Some(roles(name)?),
            },
            Some(_) => return Err(format!("{token}: many twice")),
            None if operands.many.is_none() => operands.before.push(roles(token)?),
            None => operands.after.push(roles(token)?),
        }
    }
    Ok(operands)
}

fn roles(text: &str) -> Result<Roles, String> {
    text.split('+').map(role).collect()
}

fn role(name: &str) -> Result<Role, String> {
    Ok(match name {
        "value" => Role::Value,
        "shell" => Role::Shell,
        "code" => Role::Code,
        "script" => Role::Script,
        "sql.postgres" => Role::Sql(Language::Postgres),
        "sql.mysql" => Role::Sql(Language::Mysql),
        "dynamic" => Role::Unknown(UnknownCode::Dynamic),
        "unsupported" => Role::Unknown(UnknownCode::Unsupported),
        name if name.starts_with('@') => Role::Mark(name.to_owned()),
        name => match (values::special(name), verb(name)) {
            (Some(special), _) => Role::Special(special),
            (None, Some((verb, Some(kind)))) => Role::Does(verb, kind),
            _ => return Err(format!("no role {name}")),
        },
    })
}

/// `read`, `admin.configure`, `process.package/package`.
fn verb(name: &str) -> Option<(Verb, Option<String>)> {
    if let Some((_, verb, kind)) = ROLES.iter().find(|(role, ..)| *role == name) {
        return Some((*verb, Some((*kind).to_owned())));
    }
    let (group, word) = name.split_once('.')?;
    let (word, kind) = match word.split_once('/') {
        Some((word, kind)) => (word, Some(kind.to_owned())),
        None => (word, None),
    };
    Verb::ALL
        .iter()
        .find(|verb| verb.group().as_str() == group && verb.as_str() == word)
        .map(|verb| (*verb, kind))
}

fn act(text: &str) -> Result<Act, String> {
    if let Some(text) = text.strip_prefix("operands ") {
        return operands(text).map(Act::Operands);
    }
    if let Some(text) = text.strip_prefix("also ") {
        return roles(text).map(Act::Also);
    }
    Ok(match text {
        "end" => Act::End,
        "rest" => Act::Rest,
        "code" => Act::Code,
        "interactive" => Act::Interactive,
        "shell-input" => Act::ShellInput,
        "sql-input.postgres" => Act::SqlInput(Language::Postgres),
        "sql-input.mysql" => Act::SqlInput(Language::Mysql),
        "dynamic" => Act::Unknown(UnknownCode::Dynamic),
        "unsupported" => Act::Unknown(UnknownCode::Unsupported),
        text if text.starts_with('@') => Act::Mark(text.to_owned()),
        text => {
            let (name, object) = match text.split_once('=') {
                Some((name, object)) => (name, Some(object.to_owned())),
                None => (text, None),
            };
            let (verb, kind) = verb(name).ok_or_else(|| format!("no effect {text}"))?;
            // What has no object has no kind, except where the data says one.
            let kind = kind.filter(|_| object.is_some() || name.contains('/'));
            Act::Does(verb, kind, object)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_says_only_what_is_known() {
        if let Err(faults) = table() {
            panic!("{faults}");
        }
    }

    #[test]
    fn no_reader_has_the_name_of_a_role() {
        for (name, ..) in ROLES {
            assert!(rests::rest(name).is_none(), "{name}");
            assert!(values::special(name).is_none(), "{name}");
        }
    }

    #[test]
    fn what_the_format_does_not_know_is_refused() {
        for text in [
            "[x]\nwhatever = 1",
            "[x]\noptions = '-a = nothing-known'",
            "[x]\noperands = 'nothing-known...'",
            "[x]\noperands = 'read... write...'",
            "[x]\noperands = 'command... read'",
            "[x]\nflags = 'aa'",
            "[x]\noptions = 'word'",
            "[x]\nuse = ['nothing']",
            "[x]\ndoes = ['file.nothing']",
            "[x]\nreader = 'nothing'",
            "[x]\nlenient = true\n['x|y']\nlenient = true",
        ] {
            assert!(build(&[("test", text)]).is_err(), "{text}");
        }
    }
}
