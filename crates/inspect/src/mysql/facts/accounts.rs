//! Accounts and roles, and what is granted to them.

use sallyport_core::{Action, ObjectName as Named, Verb};

use super::own::words_of;
use super::{Reader, names};
use crate::mysql::own::{Account, Grant, GrantObject};

impl Reader {
    pub(super) fn create_accounts(&mut self, accounts: &[Account], or_replace: bool) {
        if or_replace {
            self.accounts(Verb::DropRole, accounts);
        }
        self.accounts(Verb::CreateRole, accounts);
    }

    pub(super) fn accounts(&mut self, verb: Verb, accounts: &[Account]) {
        for account in accounts {
            self.role(verb, &shown(account));
        }
    }

    pub(super) fn act_to(&mut self, verb: Verb, kind: &str, object: Option<Named>, to: &[Account]) {
        let mut to: Vec<String> = to.iter().map(shown).collect();
        to.sort();
        self.add(Action { to, object, kind: Some(kind.to_owned()), ..Action::new(verb) });
    }

    pub(super) fn grant(&mut self, verb: Verb, grant: &Grant) {
        let Grant { privileges, roles, on, to, option: _, identified } = grant;
        if *identified {
            self.accounts(Verb::AlterRole, to);
        }
        for role in roles {
            self.act_to(verb, "role", Some(Named::verbatim(&shown(role))), to);
        }
        let (kind, object) = match on {
            GrantObject::None if !roles.is_empty() => return,
            GrantObject::None => ("role", None),
            GrantObject::Everything => ("global", Some(Named::verbatim("*.*"))),
            GrantObject::CurrentDatabase => {
                ("database", self.naming.database.as_deref().map(|name| Named::mysql(None, name)))
            }
            GrantObject::Database(name) => {
                ("database", Some(Named::mysql(None, &self.naming.folded(&name.value))))
            }
            GrantObject::Table(name) => ("table", self.relation(name)),
            GrantObject::Procedure(name) => ("procedure", self.naming.routine(&words_of(name))),
            GrantObject::Function(name) => ("function", self.naming.routine(&words_of(name))),
            GrantObject::Package(name) => ("package", self.naming.routine(&words_of(name))),
            GrantObject::Proxy(account) => ("role", Some(Named::verbatim(&shown(account)))),
        };
        let mut to: Vec<String> = to.iter().map(shown).collect();
        to.sort();
        let columns =
            privileges.iter().flat_map(|(_, columns)| columns).map(|column| column.value.to_lowercase());
        self.add(Action {
            columns: columns.collect(),
            to,
            object,
            kind: Some(kind.to_owned()),
            ..Action::new(verb)
        });
    }
}

pub(super) fn shown(account: &Account) -> String {
    names::account(&account.name, account.host.as_deref())
}
