//! What each function of the servers does, from a curated table (`functions.txt`).
//!
//! A test holds the table against what a server has: `functions.mariadb.txt` lists each name with whether the
//! server takes it for its own when it is quoted.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::context::Flavour;

/// What calling the function does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Computes, and nothing else.
    Harmless,
    /// As harmless; its first argument is a word of the grammar (`DAY`), not a column.
    Unit,
    /// Waits, locks or works for long.
    Calls,
    /// Reads or moves a sequence, which its first argument names.
    Sequence,
    /// Reads a file of the server's.
    ReadsFile,
    /// Runs a program on the server.
    Program,
    /// Talks to another host.
    Network,
    /// Steers replication.
    Replicates,
}

impl Class {
    fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "harmless" => Self::Harmless,
            "unit" => Self::Unit,
            "calls" => Self::Calls,
            "sequence" => Self::Sequence,
            "reads-file" => Self::ReadsFile,
            "program" => Self::Program,
            "network" => Self::Network,
            "replicates" => Self::Replicates,
            _ => return None,
        })
    }

    /// How many of its first arguments are no expressions.
    pub(super) fn words_first(self) -> usize {
        usize::from(matches!(self, Self::Unit | Self::Sequence))
    }
}

/// Which server has a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Only {
    Both,
    MySql,
    MariaDb,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    class: Class,
    /// A word of the grammar: the quoted name is another function's.
    is_word: bool,
    only: Only,
}

fn table() -> &'static HashMap<&'static str, Known> {
    static TABLE: OnceLock<HashMap<&'static str, Known>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut table = HashMap::new();
        for line in include_str!("functions.txt").lines().filter(|line| !line.starts_with('#')) {
            let mut words = line.split(' ');
            let (Some(name), Some(class)) = (words.next(), words.next().and_then(Class::parse)) else {
                continue;
            };
            let mut known = Known { class, is_word: false, only: Only::Both };
            for word in words {
                match word {
                    "word" => known.is_word = true,
                    "mysql" => known.only = Only::MySql,
                    "mariadb" => known.only = Only::MariaDb,
                    _ => {}
                }
            }
            table.insert(name, known);
        }
        table
    })
}

/// What an unqualified function does; nothing when it is a user's.
pub(super) fn class_of(name: &str, quoted: bool, flavour: Flavour) -> Option<Class> {
    let known = if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        table().get(name.to_ascii_lowercase().as_str())
    } else {
        table().get(name)
    }?;
    let elsewhere = match (known.only, flavour) {
        (Only::MySql, Flavour::MariaDb(_)) | (Only::MariaDb, Flavour::MySql(_)) => true,
        // On the server that does not have it the name is a user's, and a call is the graver reading.
        (Only::MySql | Only::MariaDb, Flavour::Either) => known.class == Class::Harmless,
        _ => false,
    };
    if elsewhere || (quoted && known.is_word) { None } else { Some(known.class) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_read() {
        let lines: Vec<&str> = include_str!("functions.txt")
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .collect();
        assert!(lines.len() > 450);
        for line in &lines {
            let words: Vec<&str> = line.split(' ').collect();
            assert!(Class::parse(words[1]).is_some(), "{line}");
            assert!(words[2..].iter().all(|word| ["word", "mysql", "mariadb"].contains(word)), "{line}");
        }
        assert_eq!(table().len(), lines.len(), "a name stands twice");
    }

    #[test]
    fn every_function_of_a_real_server_is_classed_and_no_other_is_claimed() {
        let mut names = Vec::new();
        for line in include_str!("functions.mariadb.txt").lines().filter(|line| !line.starts_with('#')) {
            let (name, how) = line.split_once(' ').unwrap();
            names.push(name);
            let flavour = Flavour::MariaDb(101_100);
            assert!(class_of(name, false, flavour).is_some(), "{name} is not classed");
            // Where the server looks for a stored function, so must we.
            if how == "bare" {
                assert_eq!(class_of(name, true, flavour), None, "`{name}` may be a user's");
            }
        }
        assert!(names.len() > 400);
        // Written with the grammar's own words, so that trying them as f(1) says nothing.
        let grammar = [
            "convert",
            "date_add",
            "date_sub",
            "extract",
            "values",
            "interval",
            "row",
            "distance",
            "row_number",
        ];
        for (name, known) in table() {
            let loadable = matches!(known.class, Class::Program | Class::Network | Class::Replicates);
            let elsewhere = known.only == Only::MySql;
            assert!(names.contains(name) || loadable || elsewhere || grammar.contains(name), "{name}");
        }
    }

    #[test]
    fn a_function_of_one_server_is_a_users_on_the_other() {
        let (mysql, maria) = (Flavour::MySql(80_400), Flavour::MariaDb(101_100));
        assert_eq!(class_of("BIN_TO_UUID", false, mysql), Some(Class::Harmless));
        assert_eq!(class_of("bin_to_uuid", false, maria), None);
        assert_eq!(class_of("json_detailed", false, mysql), None);
        assert_eq!(class_of("json_detailed", false, Flavour::Either), None, "a user's on one of them");
        assert_ne!(class_of("master_gtid_wait", false, Flavour::Either), None);
        assert_eq!(class_of("nosuch", false, Flavour::Either), None);
    }
}
