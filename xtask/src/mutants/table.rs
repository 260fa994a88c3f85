//! The table of guards: read from text, applied to a file.

/// One guard, and how it is taken out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Guard {
    /// What it keeps.
    pub(super) what: String,
    /// Its class of attack in `SECURITY.md`.
    pub(super) attack: u8,
    /// The file it stands in, from the root.
    pub(super) file: String,
    /// Its lines, without indentation.
    before: Vec<String>,
    /// What stands there when it is out.
    after: Vec<String>,
    /// The package with the tests.
    pub(super) package: String,
    /// Tests that must then fail.
    pub(super) tests: Vec<String>,
}

impl Guard {
    /// Whether a word is in what it keeps, where it stands, or its class.
    pub(super) fn mentions(&self, word: &str) -> bool {
        self.what.contains(word) || self.file.contains(word) || self.attack.to_string() == word
    }

    fn is_whole(&self) -> bool {
        ![&self.what, &self.file, &self.package].iter().any(|text| text.is_empty())
            && (1..=38).contains(&self.attack)
            && !self.before.is_empty()
            && self.before != self.after
            && !self.tests.is_empty()
    }
}

/// Reads the table: blocks with an empty line between them, `#` begins a comment.
pub(super) fn parse(text: &str) -> Result<Vec<Guard>, String> {
    let mut guards = Vec::new();
    let mut guard = Guard::default();
    for (number, line) in text.lines().map(str::trim).enumerate().chain([(text.lines().count(), "")]) {
        let wrong = || format!("line {}: {line:?} is not understood", number + 1);
        if line.starts_with('#') {
            continue;
        } else if line.is_empty() {
            if guard != Guard::default() {
                if !guard.is_whole() {
                    return Err(format!("line {}: the guard {:?} lacks something", number + 1, guard.what));
                }
                guards.push(std::mem::take(&mut guard));
            }
        } else if let Some(before) = line.strip_prefix("- ") {
            guard.before.push(before.trim().to_owned());
        } else if let Some(after) = line.strip_prefix("+ ") {
            guard.after.push(after.trim().to_owned());
        } else {
            let (key, value) = line.split_once(": ").ok_or_else(wrong)?;
            match key {
                "guard" => guard.what = value.to_owned(),
                "attack" => guard.attack = value.parse().map_err(|_| wrong())?,
                "file" => guard.file = value.to_owned(),
                "tests" => {
                    let mut words = value.split(' ').map(str::to_owned);
                    guard.package = words.next().ok_or_else(wrong)?;
                    guard.tests = words.collect();
                }
                _ => return Err(wrong()),
            }
        }
    }
    Ok(guards)
}

/// The file without its guard. The guard's lines must stand there exactly once.
pub(super) fn mutate(text: &str, guard: &Guard) -> Result<String, String> {
    let lines: Vec<&str> = text.lines().collect();
    let size = guard.before.len();
    let is_here =
        |window: &[&str]| window.iter().zip(&guard.before).all(|(line, before)| line.trim() == before);
    let places: Vec<usize> =
        lines.windows(size).enumerate().filter(|(_, window)| is_here(window)).map(|(at, _)| at).collect();
    let [place] = places.as_slice() else {
        return Err(format!(
            "{:?}: its lines stand {} times in {}, not once; write them as they are now",
            guard.what,
            places.len(),
            guard.file
        ));
    };
    let rest = lines.iter().skip(place + size).copied();
    let mutated =
        lines.iter().take(*place).copied().chain(guard.after.iter().map(String::as_str)).chain(rest);
    Ok(mutated.flat_map(|line| [line, "\n"]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "# words\n\nguard: it is asked\nattack: 5\nfile: a.rs\n- if asked {\n-     yes()\n+ if true {\n+ yes()\ntests: pkg one two\n";

    #[test]
    fn a_guard_is_read_and_taken_out_once() {
        let guards = parse(TABLE).unwrap();
        assert_eq!(guards.len(), 1);
        let guard = &guards[0];
        assert_eq!((guard.package.as_str(), guard.tests.len(), guard.attack), ("pkg", 2, 5));
        let file = "fn f() {\n    if asked {\n        yes()\n    }\n}\n";
        assert_eq!(mutate(file, guard).unwrap(), "fn f() {\nif true {\nyes()\n    }\n}\n");
        assert!(mutate("fn f() {}\n", guard).is_err(), "it is not there");
        assert!(mutate(&file.repeat(2), guard).is_err(), "it is there twice");
    }

    #[test]
    fn a_row_that_lacks_something_is_an_error() {
        for missing in ["attack: 5\n", "file: a.rs\n", "tests: pkg one two\n", "guard: it is asked\n"] {
            assert!(parse(&TABLE.replace(missing, "")).is_err(), "{missing}");
        }
        assert!(parse(&TABLE.replace("attack: 5", "attack: 99")).is_err());
        assert!(parse(&TABLE.replace("one two", "")).is_err());
        assert!(parse("what is this\n").is_err());
        assert!(parse("").unwrap().is_empty());
    }
}
