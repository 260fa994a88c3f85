//! Statements that are prepared in SQL by one text and executed by another.
//!
//! A text that is `PREPARE name FROM 'constant'` and nothing else is remembered, with how it was read. An EXECUTE
//! of it is decided, shown, bound and recorded as both texts, one behind the other; to the target goes what came.
//! The target keeps such a statement with the mode and the database that it was prepared under: where they are
//! others now, and behind everything that may have prepared something unseen, it is unknown what it does.

use std::collections::BTreeMap;
use std::sync::Arc;

use sallyport_inspect::mysql::{Inspection, StatementKind};

use super::reading::Reading;
use super::talk::Talk;

/// Most statements that are remembered, and the longest of their texts, bytes.
const MOST: usize = 64;
const LONGEST: usize = 64 << 10;
/// What stands between the two texts; the first may end in a comment.
const BETWEEN: &[u8] = b"\n;\n";
const WORD: &[u8] = b"prepare";

/// The statements that this session prepared in SQL, by their names in lower case.
#[derive(Debug, Default)]
pub(super) struct Named(BTreeMap<String, Prepared>);

#[derive(Debug)]
struct Prepared {
    text: Arc<[u8]>,
    reading: Reading,
}

impl Named {
    /// Nothing is known any more.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }

    /// An operation goes out: what it may prepare anew or take away is not known any more.
    pub(super) fn began(&mut self, inspection: &Inspection, text: &[u8], ran_code: bool, reading: &Reading) {
        if ran_code {
            return self.forget();
        }
        let kinds: Vec<&StatementKind> =
            inspection.statements.iter().map(|statement| &statement.kind).take(3).collect();
        match kinds.as_slice() {
            [StatementKind::Prepare(name)] => {
                self.0.remove(name);
            }
            // Behind its own preparation, as it is known: nothing changes.
            [StatementKind::Prepare(name), StatementKind::Execute(other)]
                if name == other && self.is_known(name, text, reading) => {}
            // DEALLOCATE PREPARE has the word, too.
            _ if text.windows(WORD.len()).any(|part| part.eq_ignore_ascii_case(WORD)) => self.forget(),
            _ => {}
        }
    }

    fn is_known(&self, name: &str, text: &[u8], reading: &Reading) -> bool {
        self.0.get(name).is_some_and(|known| {
            let rest = text.strip_prefix(&*known.text);
            known.reading == *reading && rest.is_some_and(|rest| rest.starts_with(BETWEEN))
        })
    }

    /// It ended well.
    pub(super) fn ended(&mut self, inspection: &Inspection, text: &Arc<[u8]>, reading: &Reading) {
        let [only] = inspection.statements.as_slice() else { return };
        let StatementKind::Prepare(name) = &only.kind else { return };
        if inspection.facts.unknown.is_none() && self.0.len() < MOST && text.len() <= LONGEST {
            let prepared = Prepared { text: Arc::clone(text), reading: reading.clone() };
            self.0.insert(name.clone(), prepared);
        }
    }

    /// The text by which an EXECUTE of that name is decided.
    fn whole(&self, name: &str, text: &[u8], reading: &Reading) -> Option<Arc<[u8]>> {
        let known = self.0.get(name).filter(|known| known.reading == *reading)?;
        Some(Arc::from([&*known.text, BETWEEN, text].concat()))
    }
}

impl Talk {
    /// The text by which a text is decided, with what it would do: that of an EXECUTE behind its PREPARE.
    pub(super) fn with_prepared(
        &self,
        text: Arc<[u8]>,
        inspection: Arc<Inspection>,
    ) -> (Arc<[u8]>, Arc<Inspection>) {
        if let [only] = inspection.statements.as_slice()
            && let StatementKind::Execute(name) = &only.kind
            && let Some(whole) = self.named.whole(name, &text, &self.reading)
        {
            let read = self.inspect(&whole);
            let kinds: Vec<&StatementKind> =
                read.statements.iter().map(|statement| &statement.kind).collect();
            if kinds == [&StatementKind::Prepare(name.clone()), &StatementKind::Execute(name.clone())] {
                return (whole, read);
            }
        }
        (text, inspection)
    }
}

#[cfg(test)]
mod tests {
    use sallyport_inspect::mysql::{Flavour, inspect};

    use super::*;

    struct Session {
        named: Named,
        reading: Reading,
    }

    impl Session {
        fn new() -> Self {
            let mut reading = Reading::new(Flavour::MariaDb(101_106));
            reading.character_set = "utf8mb4".to_owned();
            Self { named: Named::default(), reading }
        }

        fn read(&self, text: &str) -> Inspection {
            inspect(text.as_bytes(), &self.reading.context())
        }

        /// A text that runs, and how it ends.
        fn run(&mut self, text: &str, well: bool) {
            let inspection = self.read(text);
            let ran_code = inspection.statements.iter().any(|statement| statement.unclassed_code);
            let facts = &inspection.facts;
            let ran_code = ran_code || facts.unknown.is_some() || facts.touches(sallyport_core::Group::Code);
            let bytes: Arc<[u8]> = Arc::from(text.as_bytes());
            self.named.began(&inspection, &bytes, ran_code, &self.reading);
            if well {
                self.named.ended(&inspection, &bytes, &self.reading);
            }
        }

        fn follows(&self, name: &str) -> Option<String> {
            let whole = self.named.whole(name, format!("EXECUTE {name}").as_bytes(), &self.reading)?;
            assert!(self.read(std::str::from_utf8(&whole).unwrap()).facts.unknown.is_none());
            Some(String::from_utf8(whole.to_vec()).unwrap())
        }
    }

    #[test]
    fn an_execution_is_read_behind_its_preparation() {
        let mut session = Session::new();
        session.run("PREPARE P FROM 'DELETE FROM orders' -- so", true);
        assert_eq!(
            session.follows("p").as_deref(),
            Some("PREPARE P FROM 'DELETE FROM orders' -- so\n;\nEXECUTE p")
        );
        // Executing it leaves it as it is, and so does what has nothing to do with it.
        session.run("PREPARE P FROM 'DELETE FROM orders' -- so\n;\nEXECUTE p", true);
        session.run("SELECT 1", true);
        session.run("SELECT oops", false);
        assert!(session.follows("p").is_some());
        // Again under that name: the newest counts.
        session.run("PREPARE p FROM 'SELECT 1'", true);
        assert!(session.follows("p").is_some_and(|text| text.contains("SELECT 1")));
    }

    #[test]
    fn attack_18_what_may_have_been_prepared_unseen_is_not_followed() {
        for (text, well) in [
            ("PREPARE p FROM 'oops'", false),
            ("PREPARE p FROM 'SELECT 2'", false),
            ("PREPARE p FROM @x", true),
            ("DEALLOCATE PREPARE p", true),
            ("DROP PREPARE p", true),
            ("SELECT 1; PREPARE p FROM 'SELECT 2'", true),
            ("PREPARE p FROM 'SELECT 2'; EXECUTE p", true),
            // It begins as the one that is known.
            ("PREPARE p FROM 'SELECT 1'' AS x'; EXECUTE p", true),
            ("PREPARE p FROM 'SELECT 1' -- \n; EXECUTE p", true),
            ("/*!50000 PREPARE p FROM 'SELECT 2' */", true),
            ("BEGIN NOT ATOMIC PREPARE p FROM 'SELECT 2'; END", true),
            ("CALL something()", true),
            ("EXECUTE q", true),
            ("no SQL at all", true),
        ] {
            let mut session = Session::new();
            session.run("PREPARE p FROM 'SELECT 1'", true);
            assert!(session.follows("p").is_some());
            session.run(text, well);
            let followed = session.named.whole("p", b"EXECUTE p", &session.reading);
            let anew = [text.as_bytes(), BETWEEN].concat();
            assert!(
                followed.is_none_or(|whole| whole.starts_with(&anew)),
                "{text} leaves what was known before"
            );
        }
    }

    #[test]
    fn attack_18_a_statement_that_was_prepared_under_another_mode_is_not_followed() {
        let mut session = Session::new();
        session.run("PREPARE p FROM 'SELECT 1'", true);
        let changes: [fn(&mut Reading); 3] = [
            |reading| reading.sql_mode = "ANSI_QUOTES".to_owned(),
            |reading| reading.database = Some("other".to_owned()),
            |reading| reading.character_set = "gbk".to_owned(),
        ];
        for change in changes {
            let before = session.reading.clone();
            change(&mut session.reading);
            assert!(session.follows("p").is_none());
            // The same words under another mode are another statement.
            session.run("PREPARE p FROM 'SELECT 1'\n;\nEXECUTE p", true);
            session.reading = before;
            assert!(session.follows("p").is_none());
            session.run("PREPARE p FROM 'SELECT 1'", true);
        }
    }

    #[test]
    fn only_so_many_are_remembered() {
        let mut session = Session::new();
        for number in 0..=MOST {
            session.run(&format!("PREPARE p{number} FROM 'SELECT 1'"), true);
        }
        assert!(session.follows("p0").is_some() && session.follows(&format!("p{MOST}")).is_none());
        session.named.forget();
        assert!(session.follows("p0").is_none());
    }
}
