//! Patterns put into a label file, line by line, so that its comments and order stay; and the difference as
//! `git apply` and people read it.
//!
//! A pattern goes into the `columns` of the label of its name, where there is one, else into a new entry at the
//! end. Whoever calls reads the result back: a file that is written in a way that is not foreseen here is
//! then found out.

use std::collections::BTreeMap;

/// Lines of a difference around what changed.
const CONTEXT: usize = 3;

/// In place of so many lines from a line on, these.
#[derive(Debug)]
struct Change {
    at: usize,
    removed: usize,
    added: Vec<String>,
}

/// A file before and after.
#[derive(Debug)]
pub(super) struct Edited {
    before: Vec<String>,
    changes: Vec<Change>,
}

impl Edited {
    /// The file with these patterns, by label. What has no place in an entry that is there is put into a new
    /// one.
    pub(super) fn with(text: &str, patterns: &BTreeMap<String, Vec<String>>) -> Self {
        let before: Vec<String> = text.lines().map(str::to_owned).collect();
        let mut changes = Vec::new();
        let mut fresh = Vec::new();
        for (label, patterns) in patterns {
            match columns_of(&before, label) {
                Some((open, close)) => changes.extend(extend(&before, open, close, patterns)),
                None => {
                    if !(before.is_empty() && fresh.is_empty()) {
                        fresh.push(String::new());
                    }
                    fresh.push("[[label]]".to_owned());
                    fresh.push(format!("name = {}", quoted(label)));
                    fresh.push("columns = [".to_owned());
                    fresh.extend(patterns.iter().map(|pattern| format!("    {},", quoted(pattern))));
                    fresh.push("]".to_owned());
                }
            }
        }
        changes.sort_by_key(|change| change.at);
        if !fresh.is_empty() {
            changes.push(Change { at: before.len(), removed: 0, added: fresh });
        }
        Self { before, changes }
    }

    /// The new text.
    pub(super) fn text(&self) -> String {
        let mut out = String::new();
        let mut at = 0;
        for change in &self.changes {
            for line in self.before.iter().skip(at).take(change.at.saturating_sub(at)) {
                push(&mut out, "", line);
            }
            for line in &change.added {
                push(&mut out, "", line);
            }
            at = change.at + change.removed;
        }
        for line in self.before.iter().skip(at) {
            push(&mut out, "", line);
        }
        out
    }

    /// The unified difference; `exists` says whether the file is there already.
    pub(super) fn diff(&self, name: &str, exists: bool) -> String {
        let mut out = String::new();
        let old = if exists { format!("a/{name}") } else { "/dev/null".to_owned() };
        out.push_str(&format!("--- {old}\n+++ b/{name}\n"));
        let mut shift: isize = 0;
        let mut next = 0;
        while let Some(first) = self.changes.get(next) {
            let from = first.at.saturating_sub(CONTEXT);
            let mut last = next;
            let mut until = first.at + first.removed + CONTEXT;
            while let Some(change) = self.changes.get(last + 1).filter(|it| it.at <= until + CONTEXT) {
                last += 1;
                until = change.at + change.removed + CONTEXT;
            }
            let until = until.min(self.before.len());
            let hunk: Vec<&Change> = self.changes.iter().skip(next).take(last + 1 - next).collect();
            let removed: usize = hunk.iter().map(|change| change.removed).sum();
            let added: usize = hunk.iter().map(|change| change.added.len()).sum();
            let count = until.saturating_sub(from);
            let start = |count: usize, from: usize| if count == 0 { from } else { from + 1 };
            let now = from.saturating_add_signed(shift);
            let new_count = count + added - removed;
            let (old, new) = (start(count, from), start(new_count, now));
            out.push_str(&format!("@@ -{old},{count} +{new},{new_count} @@\n"));
            let mut at = from;
            for change in hunk {
                for line in self.before.iter().skip(at).take(change.at.saturating_sub(at)) {
                    push(&mut out, " ", line);
                }
                for line in self.before.iter().skip(change.at).take(change.removed) {
                    push(&mut out, "-", line);
                }
                for line in &change.added {
                    push(&mut out, "+", line);
                }
                at = change.at + change.removed;
            }
            for line in self.before.iter().skip(at).take(until.saturating_sub(at)) {
                push(&mut out, " ", line);
            }
            shift = shift.saturating_add_unsigned(added).saturating_sub_unsigned(removed);
            next = last + 1;
        }
        out
    }
}

fn push(out: &mut String, sign: &str, line: &str) {
    out.push_str(sign);
    out.push_str(line);
    out.push('\n');
}

/// A TOML string; a literal one where the pattern quotes a name.
pub(super) fn quoted(text: &str) -> String {
    if text.contains('"') && !text.contains('\'') { format!("'{text}'") } else { format!("{text:?}") }
}

/// The lines on which the `columns` of a label begin and end.
fn columns_of(lines: &[String], label: &str) -> Option<(usize, usize)> {
    let mut entry: Option<usize> = None;
    for (at, line) in lines.iter().enumerate() {
        let code = line.trim();
        if code.starts_with('[') && code.starts_with("[[label]]") {
            entry = Some(at);
        } else if key(code, "name").is_some_and(|value| unquoted(value) == Some(label)) {
            let start = entry?;
            let entry_lines = lines.iter().enumerate().skip(start + 1);
            let open = entry_lines
                .take_while(|(_, line)| !line.trim().starts_with("[["))
                .find(|(_, line)| key(line.trim(), "columns").is_some_and(|value| value.starts_with('[')))?
                .0;
            let close = lines.iter().enumerate().skip(open).find(|(_, line)| closing(line).is_some())?.0;
            return Some((open, close));
        }
    }
    None
}

/// The value of `key = value`.
fn key<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    line.strip_prefix(name)?.trim_start().strip_prefix('=').map(str::trim_start)
}

/// The text of a simple string, whatever follows it.
fn unquoted(value: &str) -> Option<&str> {
    let quote = value.chars().next().filter(|it| matches!(it, '"' | '\''))?;
    value.get(1..)?.split(quote).next()
}

/// Where an array closes on a line: the first `]` outside strings and comments.
fn closing(line: &str) -> Option<usize> {
    let mut quote: Option<char> = None;
    for (at, character) in line.char_indices() {
        match (quote, character) {
            (Some(open), it) if it == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(character),
            (None, '#') => return None,
            (None, ']') => return Some(at),
            _ => {}
        }
    }
    None
}

fn extend(lines: &[String], open: usize, close: usize, patterns: &[String]) -> Vec<Change> {
    let list: Vec<String> = patterns.iter().map(|pattern| quoted(pattern)).collect();
    let Some(last) = lines.get(close) else { return Vec::new() };
    if open == close {
        let Some((head, tail)) = closing(last).and_then(|at| last.split_at_checked(at)) else {
            return Vec::new();
        };
        let head = head.trim_end();
        let comma = if head.ends_with(['[', ',']) { "" } else { "," };
        let space = if head.ends_with('[') { "" } else { " " };
        let line = format!("{head}{comma}{space}{}{tail}", list.join(", "));
        return vec![Change { at: open, removed: 1, added: vec![line] }];
    }
    let mut changes = Vec::new();
    let mut added: Vec<String> = list.iter().map(|pattern| format!("    {pattern},")).collect();
    // The element before needs its comma.
    let before = lines.iter().enumerate().take(close).skip(open + 1).rev();
    let element = before.into_iter().find(|(_, line)| {
        let code = line.trim();
        !code.is_empty() && !code.starts_with('#')
    });
    if let Some((at, line)) = element
        && !line.trim_end().ends_with(',')
    {
        changes.push(Change { at, removed: 1, added: vec![format!("{},", line.trim_end())] });
    }
    match closing(last).and_then(|at| last.split_at_checked(at)) {
        // `"b" ]` on the last line: it is taken apart.
        Some((head, tail)) if !head.trim().is_empty() => {
            let head = head.trim_end();
            let comma = if head.ends_with(',') { "" } else { "," };
            added.insert(0, format!("{head}{comma}"));
            added.push(tail.to_owned());
            changes.push(Change { at: close, removed: 1, added });
        }
        _ => changes.push(Change { at: close, removed: 0, added }),
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"# ours
[[label]]
name = "pii.email"
columns = ["*/*/public.users.email"] # the old one

[[label]]
columns = [
    "*/*/public.cards.number"
    # more to come
]
name = 'pci.card'
operator = "partial"
"#;

    fn patterns(all: &[(&str, &[&str])]) -> BTreeMap<String, Vec<String>> {
        let owned = |list: &[&str]| list.iter().map(|it| (*it).to_owned()).collect();
        all.iter().map(|(label, list)| ((*label).to_owned(), owned(list))).collect()
    }

    #[test]
    fn patterns_join_their_label_and_everything_else_stays() {
        let edited = Edited::with(
            FILE,
            &patterns(&[
                ("pii.email", &["a/b/c.d.e"]),
                ("pci.card", &["a/b/c.\"D\".pan"]),
                ("pii.new", &["a/b/c.d.x", "a/b/c.d.y"]),
            ]),
        );
        let text = edited.text();
        let labels = sallyport_mask::Labels::parse(&text).unwrap();
        assert_eq!(labels.patterns().count(), 6);
        assert!(
            text.contains(r#"columns = ["*/*/public.users.email", "a/b/c.d.e"] # the old one"#),
            "{text}"
        );
        assert!(
            text.contains("    \"*/*/public.cards.number\",\n    # more to come\n    'a/b/c.\"D\".pan',\n]"),
            "{text}"
        );
        assert!(text.ends_with(
            "\n[[label]]\nname = \"pii.new\"\ncolumns = [\n    \"a/b/c.d.x\",\n    \"a/b/c.d.y\",\n]\n"
        ));
        assert!(text.starts_with("# ours\n"));
    }

    #[test]
    fn the_difference_applies() {
        let all = patterns(&[("pii.email", &["a/b/c.d.e"]), ("pii.new", &["a/b/c.d.x"])]);
        let diff = Edited::with(FILE, &all).diff("labels.toml", true);
        assert!(
            diff.starts_with("--- a/labels.toml\n+++ b/labels.toml\n@@ -1,7 +1,7 @@\n # ours\n"),
            "{diff}"
        );
        assert!(diff.contains("@@ -10,3 +10,9 @@\n"), "{diff}");
        assert!(
            diff.contains("-columns = [\"*/*/public.users.email\"] # the old one\n+columns = "),
            "{diff}"
        );
        let fresh = Edited::with("", &all).diff("labels.toml", false);
        assert!(
            fresh.starts_with("--- /dev/null\n+++ b/labels.toml\n@@ -0,0 +1,11 @@\n+[[label]]\n"),
            "{fresh}"
        );
        assert!(sallyport_mask::Labels::parse(&Edited::with("", &all).text()).is_ok());
    }

    #[test]
    fn arrays_of_every_layout_take_another_element() {
        for columns in [
            "[]",
            "[ ]",
            "['a/b/c.d.e']",
            "['a/b/c.d.e',]",
            "[\n'a/b/c.d.e', ]",
            "[\n  'a/b/c.d.e'\n]",
            "[\n]",
        ] {
            let file = format!("[[label]]\nname = 'x'\ncolumns = {columns}\n");
            let before = sallyport_mask::Labels::parse(&file).unwrap().patterns().count();
            let text = Edited::with(&file, &patterns(&[("x", &["a/b/c.d.f"])])).text();
            let after =
                sallyport_mask::Labels::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
            assert_eq!(after.patterns().count(), before + 1, "{text}");
        }
    }
}
