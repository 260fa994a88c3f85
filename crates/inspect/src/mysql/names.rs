//! What a name means: the current database, and the server's rules for the case of letters.
//!
//! Names of databases, tables and triggers follow `lower_case_table_names`; those of columns, routines,
//! events, indexes, variables and prepared statements never depend on case.

use sallyport_core::ObjectName;
use sqlparser::ast;

/// Databases whose own names, and those of their tables, never depend on case.
const CASELESS: &str = "information_schema";

/// Words that are no columns when they stand unquoted: the server reserves them.
const VALUES: [&str; 11] = [
    "current_date",
    "current_role",
    "current_time",
    "current_timestamp",
    "current_user",
    "default",
    "localtime",
    "localtimestamp",
    "utc_date",
    "utc_time",
    "utc_timestamp",
];

/// How names are resolved at one place of a text.
#[derive(Clone, Debug)]
pub(super) struct Naming {
    /// The current database, when it is known.
    pub(super) database: Option<String>,
    /// Names of tables are kept in lower case, or compared so.
    pub(super) lower: bool,
}

impl Naming {
    /// A database or table by its case rule.
    pub(super) fn folded(&self, name: &str) -> String {
        if self.lower || name.eq_ignore_ascii_case(CASELESS) { name.to_lowercase() } else { name.to_owned() }
    }

    /// A table, view, sequence or trigger.
    pub(super) fn relation(&self, parts: &[&str]) -> Option<ObjectName> {
        let (database, name) = self.split(parts)?;
        let caseless = database.as_deref() == Some(CASELESS);
        let name = if caseless { name.to_lowercase() } else { self.folded(name) };
        Some(ObjectName::mysql(database.as_deref(), &name))
    }

    /// A procedure, function or event, that stands in the current database unless the text says otherwise.
    pub(super) fn routine(&self, parts: &[&str]) -> Option<ObjectName> {
        let (database, name) = self.split(parts)?;
        Some(ObjectName::mysql(database.as_deref(), &name.to_lowercase()))
    }

    /// A function that is called: unqualified it may be a loadable one, which has no database.
    pub(super) fn function(&self, parts: &[&str]) -> Option<ObjectName> {
        match parts {
            [name] => Some(ObjectName::mysql(None, &name.to_lowercase())),
            _ => self.routine(parts),
        }
    }

    fn split<'n>(&self, parts: &[&'n str]) -> Option<(Option<String>, &'n str)> {
        match parts {
            [name] => Some((self.database.clone(), name)),
            [database, name] => Some((Some(self.folded(database)), name)),
            _ => None,
        }
    }
}

/// The parts of a name; nothing when one of them is computed.
pub(super) fn parts(name: &ast::ObjectName) -> Option<Vec<&ast::Ident>> {
    name.0
        .iter()
        .map(|part| match part {
            ast::ObjectNamePart::Identifier(ident) => Some(ident),
            ast::ObjectNamePart::Function(_) => None,
        })
        .collect()
}

/// Whether the identifier is `@user` or `@@system`.
pub(super) fn is_variable(ident: &ast::Ident) -> bool {
    ident.quote_style.is_none() && ident.value.starts_with('@')
}

/// Whether the identifier is a word of the grammar that stands for a value.
pub(super) fn is_value(ident: &ast::Ident) -> bool {
    ident.quote_style.is_none() && VALUES.iter().any(|value| ident.value.eq_ignore_ascii_case(value))
}

/// A user variable as an object, whatever its spelling: `@name`.
pub(super) fn user_variable(name: &str) -> ObjectName {
    let name = ObjectName::mysql(None, &name.trim_start_matches('@').to_lowercase());
    ObjectName::verbatim(&format!("@{name}"))
}

/// An account, `user@host` as it was written; without a host it is a role or `user@%`.
pub(super) fn account(user: &str, host: Option<&str>) -> String {
    match host {
        Some(host) => format!("{user}@{}", host.to_lowercase()),
        None => user.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn naming(database: Option<&str>, lower: bool) -> Naming {
        Naming { database: database.map(str::to_owned), lower }
    }

    #[test]
    fn tables_follow_the_current_database_and_the_case_rule() {
        let shown = |naming: &Naming, parts: &[&str]| naming.relation(parts).map(|name| name.to_string());
        assert_eq!(shown(&naming(Some("shop"), false), &["Users"]).as_deref(), Some("shop.`Users`"));
        assert_eq!(shown(&naming(Some("shop"), true), &["Users"]).as_deref(), Some("shop.users"));
        assert_eq!(shown(&naming(None, false), &["users"]).as_deref(), Some("users"));
        assert_eq!(
            shown(&naming(Some("shop"), false), &["INFORMATION_SCHEMA", "TABLES"]).as_deref(),
            Some("information_schema.tables")
        );
        assert_eq!(shown(&naming(Some("shop"), true), &["def", "a", "b"]), None);
    }

    #[test]
    fn routines_and_variables_have_no_case() {
        let here = naming(Some("shop"), false);
        assert_eq!(here.routine(&["Pay"]).unwrap().to_string(), "shop.pay");
        assert_eq!(here.function(&["Pay"]).unwrap().to_string(), "pay");
        assert_eq!(here.function(&["Hr", "Pay"]).unwrap().to_string(), "`Hr`.pay");
        assert_eq!(user_variable("@A").to_string(), "@a");
        assert_eq!(user_variable("@A b").to_string(), "@`a b`");
    }
}
