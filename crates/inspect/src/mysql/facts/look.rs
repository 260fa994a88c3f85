//! Statements that look at what there is, or at what another statement would do: SHOW and EXPLAIN.

use sallyport_core::{Action, Verb};

use super::accounts::shown;
use super::own::words_of;
use super::{Mode, Reader};
use crate::mysql::own::Show;
use crate::mysql::reading::Parsed;

impl Reader {
    /// EXPLAIN: each table that the statement touches, and the calls that planning may run; when it executes,
    /// all that the statement does.
    pub(super) fn explain(&mut self, executes: bool, statement: &Parsed) {
        if executes {
            return self.deeper(|reader| {
                reader.parsed(statement);
            });
        }
        let (naming, sql_mode, prepared) = (self.naming.clone(), self.sql_mode, self.prepared.clone());
        let effects = self.effects.len();
        let planning = std::mem::replace(&mut self.planning, true);
        let own = self.apart(|reader| {
            reader.parsed(statement);
        });
        self.planning = planning;
        self.effects.truncate(effects);
        (self.naming, self.sql_mode, self.prepared) = (naming, sql_mode, prepared);
        let mut explained = false;
        for action in own.actions() {
            match action.action {
                Verb::Select | Verb::Insert | Verb::Update | Verb::Delete if action.object.is_some() => {
                    explained = true;
                    self.add(Action {
                        kind: action.kind,
                        object: action.object,
                        columns: action.columns,
                        filters: action.filters,
                        ..Action::new(Verb::Explain)
                    });
                }
                Verb::Call => self.add(action),
                _ => {}
            }
        }
        if !explained {
            self.add(Action::new(Verb::Explain));
        }
        if let Some(unknown) = own.unknown {
            self.gap(unknown.code, unknown.detail);
        }
    }

    pub(super) fn show(&mut self, show: &Show) {
        let Show { what, object, database, account, filter } = show;
        let kind = match what.split(' ').next_back().unwrap_or_default() {
            "VIEW" => "view",
            "PROCEDURE" => "procedure",
            "FUNCTION" => "function",
            "EVENT" => "event",
            "TRIGGER" => "trigger",
            "SEQUENCE" => "sequence",
            "PACKAGE" | "BODY" => "package",
            _ => "table",
        };
        match (object, database, account) {
            (Some(object), _, _) => match self.naming.relation(&words_of(object)) {
                Some(object) => self.act(Verb::Show, kind, object),
                None => self.unsupported("a name of more than two parts"),
            },
            (None, Some(database), _) => self.database(Verb::Show, database),
            (None, None, Some(account)) => self.role(Verb::Show, &shown(account)),
            (None, None, None) => self.add(Action::new(Verb::Show)),
        }
        if let Some(filter) = filter {
            self.expr(filter, Mode::Filter);
        }
    }
}
