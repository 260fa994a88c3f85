//! What decides how the session's texts are read, and how it is kept true.
//!
//! `sql_mode`, the client's character set and the current database may be changed by any statement that says
//! so, and by code that nobody has read. After either the gateway asks, on the session's own connection, before
//! it reads the next text. The status flags of every answer are held against what is known, too.

use std::collections::BTreeMap;

use sallyport_core::Blame;
use sallyport_core::{Event, Refusal, RefusalCode};
use sallyport_inspect::mysql::{Context, Flavour, SqlMode};
use sallyport_wire::mysql::reply::status;

/// How the session's texts are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    /// The server.
    pub(super) flavour: Flavour,
    /// `sql_mode` as the server shows it.
    pub(super) sql_mode: String,
    /// `character_set_client`
    pub(super) character_set: String,
    /// The current database.
    pub(super) database: Option<String>,
    /// `lower_case_table_names`
    pub(super) lower_case_table_names: u8,
}

impl Reading {
    /// Before anything was asked.
    pub(super) fn new(flavour: Flavour) -> Self {
        Self {
            flavour,
            sql_mode: String::new(),
            character_set: String::new(),
            database: None,
            lower_case_table_names: 0,
        }
    }

    /// The context of an inspection.
    pub(super) fn context(&self) -> Context<'_> {
        Context {
            flavour: self.flavour,
            sql_mode: Some(SqlMode::named(&self.sql_mode)),
            character_set: &self.character_set,
            database: self.database.as_deref(),
            lower_case_table_names: self.lower_case_table_names,
        }
    }

    /// Takes the answer to [`super::control::QUESTION`].
    pub(super) fn answered(&mut self, row: &[Option<Vec<u8>>]) -> Option<()> {
        let [mode, set, database, lower] = row else { return None };
        self.sql_mode = text(mode.as_deref()?)?;
        self.character_set = text(set.as_deref()?)?;
        self.database = match database {
            Some(name) => Some(text(name)?),
            None => None,
        };
        // A number's hexadecimal is the number's: 0, 1 or 2 all the same.
        let digits: Vec<u8> = lower.as_deref()?.iter().copied().filter(|byte| *byte != 0).collect();
        self.lower_case_table_names = match digits.as_slice() {
            b"0" => 0,
            b"1" => 1,
            b"2" => 2,
            _ => return None,
        };
        Some(())
    }

    /// Whether an answer's flags contradict what is known.
    pub(super) fn contradicts(&self, flags: u16) -> bool {
        let mode = SqlMode::named(&self.sql_mode);
        let backslash = flags & status::NO_BACKSLASH_ESCAPES != 0;
        let quotes = flags & status::ANSI_QUOTES != 0;
        let tells_quotes = matches!(self.flavour, Flavour::MariaDb(_));
        backslash != mode.no_backslash_escapes || (tells_quotes && quotes != mode.ansi_quotes)
    }

    /// The part of it that an approval is bound to.
    pub(super) fn bound(&self, in_transaction: bool) -> BTreeMap<&'static str, String> {
        BTreeMap::from([
            ("current_database", self.database.clone().unwrap_or_default()),
            ("sql_mode", self.sql_mode.clone()),
            ("character_set_client", self.character_set.clone()),
            ("transaction", if in_transaction { "open" } else { "none" }.to_owned()),
        ])
    }

    /// What the gateway learnt, for the recording.
    pub(super) fn event(&self) -> Event {
        let answer = [
            ("sql_mode", self.sql_mode.clone()),
            ("character_set_client", self.character_set.clone()),
            ("current_database", self.database.clone().unwrap_or_default()),
        ];
        let answer = answer.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Event::GatewayAsked { text: "how are texts read now".to_owned(), answer }
    }
}

/// The text that hexadecimal digits stand for. In a wide character set each digit has NULs around it.
fn text(hex: &[u8]) -> Option<String> {
    let digits: Option<Vec<u8>> = hex
        .iter()
        .filter(|byte| **byte != 0)
        .map(|byte| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    let digits = digits?;
    if digits.len() % 2 != 0 {
        return None;
    }
    let bytes: Vec<u8> = digits
        .chunks_exact(2)
        .map(|pair| pair.iter().fold(0_u8, |byte, digit| byte.wrapping_mul(16).wrapping_add(*digit)))
        .collect();
    String::from_utf8(bytes).ok()
}

/// The session's state could not be read: nothing can be decided any more.
pub(super) fn unread() -> Refusal {
    Refusal::new(
        RefusalCode::Ended,
        Blame::Gateway,
        "it could not be read how this session's texts are to be understood",
    )
    .hint("connect again")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Option<Vec<u8>> {
        Some(text.bytes().map(|byte| format!("{byte:02X}")).collect::<String>().into_bytes())
    }

    #[test]
    fn an_answer_decides_how_the_next_text_is_read() {
        let mut reading = Reading::new(Flavour::MariaDb(101_106));
        let row = [hex("ANSI_QUOTES,NO_BACKSLASH_ESCAPES"), hex("gbk"), None, Some(b"1".to_vec())];
        reading.answered(&row).unwrap();
        let context = reading.context();
        assert!(context.sql_mode.is_some_and(|mode| mode.ansi_quotes && mode.no_backslash_escapes));
        assert_eq!(
            (context.character_set, context.database, context.lower_case_table_names),
            ("gbk", None, 1)
        );
        assert!(!reading.contradicts(status::ANSI_QUOTES | status::NO_BACKSLASH_ESCAPES));
        assert!(reading.contradicts(status::ANSI_QUOTES) && reading.contradicts(0));
    }

    #[test]
    fn an_answer_reads_in_a_wide_character_set_and_a_strange_one_does_not() {
        let wide: Vec<u8> = b"6762 6B".iter().filter(|b| **b != b' ').flat_map(|b| [0, *b]).collect();
        assert_eq!(text(&wide).as_deref(), Some("gbk"));
        assert_eq!(text(b"6"), None);
        assert_eq!(text(b"6X"), None);
        let mut reading = Reading::new(Flavour::Either);
        assert_eq!(reading.answered(&[hex("x"), hex("y"), None, Some(b"3".to_vec())]), None);
        assert_eq!(reading.answered(&[]), None);
    }
}
