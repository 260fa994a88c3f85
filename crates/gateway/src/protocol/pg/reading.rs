//! The settings that change how a text is read, and how they are kept true.
//!
//! `client_encoding` and `standard_conforming_strings` are reported by the server at the end of a cycle;
//! `search_path` and the role are not reported at all, and a function can change any of them. After
//! anything that could have, the gateway asks (`SHOW`) on the session's own connection before it reads
//! the next text.
//!
//! A session that has temporary relations reads unqualified names as theirs first: what they hold is in
//! no catalog, so the path given to the inspector then begins with `pg_temp`.

use std::collections::BTreeMap;

use sallyport_core::Event;

use sallyport_wire::pg::backend::TransactionStatus;

use super::admit::{Admit, broken};
use super::control::{Control, Setting};
use super::expected::{Expected, Questions};
use super::fault::Fault;
use crate::wording;

/// How the session's texts are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    /// `search_path` as the server shows it.
    pub(super) search_path: String,
    /// The same, resolved: `"$user"` replaced.
    pub(super) schemas: Vec<String>,
    /// The current role.
    pub(super) role: String,
    /// `client_encoding`
    pub(super) client_encoding: String,
    /// `standard_conforming_strings`
    pub(super) standard_conforming_strings: bool,
    /// The session has, or may have, temporary relations.
    pub(super) temporary: bool,
}

impl Reading {
    /// From what the server reported while signing in.
    pub(super) fn reported(parameters: &BTreeMap<String, String>) -> Self {
        let mut reading = Self {
            search_path: String::new(),
            schemas: Vec::new(),
            role: String::new(),
            client_encoding: String::new(),
            standard_conforming_strings: false,
            temporary: false,
        };
        for (name, value) in parameters {
            reading.report(name, value);
        }
        reading
    }

    /// Takes a `ParameterStatus`.
    pub(super) fn report(&mut self, name: &str, value: &str) {
        match name {
            "client_encoding" => value.clone_into(&mut self.client_encoding),
            "standard_conforming_strings" => self.standard_conforming_strings = value == "on",
            _ => {}
        }
    }

    /// Takes the answers to questions, in order.
    fn answered(&mut self, asked: &[Setting], answers: &[String]) -> Option<()> {
        if asked.len() != answers.len() {
            return None;
        }
        let mut session_role = String::new();
        for (setting, answer) in asked.iter().zip(answers) {
            match setting {
                Setting::SearchPath => self.search_path.clone_from(answer),
                Setting::Role => self.role.clone_from(answer),
                Setting::SessionAuthorization => session_role.clone_from(answer),
                Setting::ClientEncoding | Setting::StandardConformingStrings => {
                    self.report(setting.name(), answer);
                }
                Setting::TemporarySchema => self.temporary |= answer != "0",
            }
        }
        if self.role == "none" {
            self.role = session_role;
        }
        self.resolve()
    }

    /// The session has made a temporary relation.
    pub(super) fn made_temporary(&mut self) {
        if !self.temporary {
            self.temporary = true;
            self.schemas.splice(0..0, ["pg_temp".to_owned(), "pg_catalog".to_owned()]);
        }
    }

    fn resolve(&mut self) -> Option<()> {
        self.schemas = schemas(&self.search_path, &self.role)?;
        if self.temporary {
            self.schemas.splice(0..0, ["pg_temp".to_owned(), "pg_catalog".to_owned()]);
        }
        Some(())
    }

    /// The part of it that an approval is bound to.
    pub(super) fn bound(&self, in_transaction: bool) -> BTreeMap<&'static str, String> {
        BTreeMap::from([
            ("search_path", self.search_path.clone()),
            ("role", self.role.clone()),
            ("client_encoding", self.client_encoding.clone()),
            ("standard_conforming_strings", self.standard_conforming_strings.to_string()),
            ("transaction", if in_transaction { "open" } else { "none" }.to_owned()),
        ])
    }
}

/// Splits a shown `search_path` (`SplitIdentifierString`): identifiers between commas, quoted or folded.
fn schemas(text: &str, role: &str) -> Option<Vec<String>> {
    let mut schemas = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (name, after) = match rest.strip_prefix('"') {
            Some(quoted) => {
                let mut name = String::new();
                let mut chars = quoted.char_indices().peekable();
                let end = loop {
                    match chars.next()? {
                        (_, '"') if chars.peek().is_some_and(|(_, next)| *next == '"') => {
                            chars.next();
                            name.push('"');
                        }
                        (at, '"') => break at + 1,
                        (_, c) => name.push(c),
                    }
                };
                (name, quoted.get(end..)?)
            }
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                (rest.get(..end)?.trim().to_lowercase(), rest.get(end..)?)
            }
        };
        schemas.push(if name == "$user" { role.to_owned() } else { name });
        rest = after.trim_start();
        rest = match rest.strip_prefix(',') {
            Some(next) => next.trim_start(),
            None if rest.is_empty() => rest,
            None => return None,
        };
    }
    Some(schemas)
}

impl Admit {
    /// Makes sure that the next text is read as the target would read it: waits for whatever could still
    /// change that, and asks for what the server does not report. In a failed transaction it cannot be
    /// asked, and nothing but its end can run.
    pub(super) async fn read_session(&mut self) -> Result<(), Fault> {
        if std::mem::take(&mut self.state.lock().barrier) {
            self.settle().await?;
        }
        if !self.state.lock().dirty {
            return Ok(());
        }
        // Only once everything is answered is it known whether the transaction has failed.
        self.settle().await?;
        let failed = {
            let inner = self.state.lock();
            inner.failed || inner.status == TransactionStatus::Failed
        };
        if failed {
            return Ok(());
        }
        let (to, answers) = tokio::sync::oneshot::channel();
        let synced = !self.unsynced;
        let mut settings = Setting::ALWAYS.to_vec();
        if std::mem::take(&mut self.state.lock().code_ran) {
            settings.push(Setting::TemporarySchema);
        }
        let questions =
            Questions { settings: settings.clone(), answers: Vec::new(), synced, closed: 0, to: Some(to) };
        self.expect(Expected::Reading(questions)).await?;
        for setting in &settings {
            self.upstream.forward_control(&Control::Ask(*setting));
        }
        self.upstream.forward_control(&if synced { Control::Sync } else { Control::Flush });
        self.flush().await?;
        let Ok(answers) = answers.await else {
            // The target refused. Inside a pipeline it skips to the Sync, and nothing can run unread.
            return if synced { Err(broken("the settings could not be read")) } else { Ok(()) };
        };
        let read = {
            let mut inner = self.state.lock();
            inner.dirty = false;
            inner.reading.answered(&settings, &answers)
        };
        if read.is_none() {
            return Err(wording::internal("a search_path that cannot be read").into());
        }
        let answer = settings.iter().map(|setting| setting.name().to_owned()).zip(answers).collect();
        let asked = Event::GatewayAsked { text: "how are texts read now".to_owned(), answer };
        self.session.tape.append(&asked, &[]).map_err(|error| wording::recorder(&error))?;
        Ok(())
    }

    /// Sends on what waits and waits for every reply so far. Before any wait the target is asked to
    /// flush, else earlier answers would never come.
    pub(super) async fn settle(&mut self) -> Result<(), Fault> {
        if self.unsynced {
            self.upstream.forward_control(&Control::Flush);
        }
        self.flush().await?;
        self.state.answered().await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_path_is_split_as_the_server_splits_it() {
        let split = |text| schemas(text, "app");
        assert_eq!(split("\"$user\", public"), Some(vec!["app".into(), "public".into()]));
        assert_eq!(
            split("\"a,b\", \"q\"\"q\", Plain"),
            Some(vec!["a,b".into(), "q\"q".into(), "plain".into()])
        );
        assert_eq!(split("\"\""), Some(vec![String::new()]));
        assert_eq!(split(""), Some(vec![]));
        assert_eq!(split("\"open"), None);
        assert_eq!(split("\"a\" \"b\""), None);
    }

    #[test]
    fn the_role_is_the_session_s_when_none_is_set() {
        let asked = [Setting::SearchPath, Setting::Role, Setting::SessionAuthorization];
        let mut reading = Reading::reported(&BTreeMap::from([("client_encoding".into(), "UTF8".into())]));
        reading.answered(&asked, &["\"$user\"".into(), "none".into(), "app".into()]).unwrap();
        assert_eq!((reading.role.as_str(), reading.schemas.as_slice()), ("app", &["app".to_owned()][..]));
        reading.answered(&asked, &["\"$user\"".into(), "boss".into(), "app".into()]).unwrap();
        assert_eq!(reading.schemas, ["boss"]);
        assert_eq!(reading.answered(&asked, &["x".into()]), None);
    }

    #[test]
    fn a_session_with_temporary_relations_reads_names_as_theirs_first() {
        let mut reading = Reading::reported(&BTreeMap::new());
        let asked = [Setting::SearchPath, Setting::TemporarySchema];
        reading.answered(&asked, &["public".into(), "0".into()]).unwrap();
        assert_eq!(reading.schemas, ["public"]);
        reading.answered(&asked, &["public".into(), "16999".into()]).unwrap();
        assert_eq!(reading.schemas, ["pg_temp", "pg_catalog", "public"]);
        reading.made_temporary();
        assert_eq!(reading.schemas, ["pg_temp", "pg_catalog", "public"]);
    }
}
