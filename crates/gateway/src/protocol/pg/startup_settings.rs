//! What a caller may set while it connects.
//!
//! Start-up parameters and `options` are settings like any other: allowed by name here, then put to
//! policy as the `SET` that they are. `user` names nobody: the target's role is the gateway's affair.

use sallyport_core::{Blame, Effect, Refusal, RefusalCode, visible};
use sallyport_inspect::pg::{Context, Remembered, inspect};

use crate::house::House;
use crate::session::Who;
use crate::settings::SignIn;
use crate::wording;

/// Settings that may be asked for at start-up. Anything else is refused by name.
const ALLOWED: &[&str] = &[
    "bytea_output",
    "client_encoding",
    "client_min_messages",
    "datestyle",
    "default_transaction_isolation",
    "default_transaction_read_only",
    "extra_float_digits",
    "geqo",
    "idle_in_transaction_session_timeout",
    "intervalstyle",
    "jit",
    "lock_timeout",
    "search_path",
    "statement_timeout",
    "timezone",
];

/// How the caller hands over its token: `password` or `oauth`.
const SIGN_IN: &str = "sallyport.sign_in";

/// What the start-up parameters come to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct StartupSettings {
    /// The `database` parameter: `target` or `target/database`.
    pub(super) asked_for: String,
    /// The `user` parameter; recorded, not used.
    pub(super) user: String,
    /// What the caller calls itself.
    pub(super) application_name: String,
    /// Settings for the target, in order.
    pub(super) settings: Vec<(String, String)>,
    /// `sallyport.reason`.
    pub(super) reason: Option<String>,
}

/// How the caller says that it will hand over its token, if it does (`sallyport.sign_in`). It is asked before
/// anything else of a caller's words is judged.
pub(super) fn sign_in(parameters: &[(String, String)]) -> Option<SignIn> {
    let given = parameters.iter().filter(|(name, _)| name == "options");
    let mut found = given.filter_map(|(_, value)| options(value).ok()).flatten();
    let value = found.rfind(|(name, _)| name.eq_ignore_ascii_case(SIGN_IN))?.1;
    match value.as_str() {
        "oauth" => Some(SignIn::Bearer),
        "password" => Some(SignIn::Password),
        _ => None,
    }
}

fn refused(name: &str) -> Refusal {
    Refusal::new(
        RefusalCode::Protocol,
        Blame::Downstream,
        format!("the start-up setting {} is not carried", visible::echo_name(&name.to_ascii_lowercase())),
    )
    .hint("leave it out; what may be set at start-up is listed in docs/protocols/postgres.md")
}

/// Reads the parameters.
///
/// # Errors
/// A parameter or option that is not on the list.
pub(super) fn read(parameters: &[(String, String)]) -> Result<StartupSettings, Refusal> {
    let mut read = StartupSettings::default();
    for (name, value) in parameters {
        match name.as_str() {
            "user" => read.user.clone_from(value),
            "database" => read.asked_for.clone_from(value),
            "application_name" => read.application_name.clone_from(value),
            "replication" if !matches!(value.as_str(), "false" | "off" | "no" | "0") => {
                return Err(Refusal::new(
                    RefusalCode::Protocol,
                    Blame::Downstream,
                    "replication connections are not carried",
                )
                .hint("connect without the replication parameter"));
            }
            "replication" => {}
            "options" => {
                for (name, value) in options(value)? {
                    take(&mut read, &name, &value)?;
                }
            }
            name => take(&mut read, name, value)?,
        }
    }
    if read.asked_for.is_empty() {
        read.asked_for.clone_from(&read.user);
    }
    Ok(read)
}

fn take(read: &mut StartupSettings, name: &str, value: &str) -> Result<(), Refusal> {
    let name = name.to_ascii_lowercase();
    if name == SIGN_IN && matches!(value, "oauth" | "password") {
        return Ok(());
    }
    if name == "sallyport.reason" {
        read.reason = Some(value.to_owned());
        return Ok(());
    }
    if name == "application_name" {
        value.clone_into(&mut read.application_name);
        return Ok(());
    }
    if !ALLOWED.contains(&name.as_str()) {
        return Err(refused(&name));
    }
    read.settings.push((name, value.to_owned()));
    Ok(())
}

/// Splits `options` as the server does (`pg_split_opts`): at white space, a backslash takes the next
/// character as it is. `-c name=value`, `-cname=value` and `--name=value` are read.
fn options(text: &str) -> Result<Vec<(String, String)>, Refusal> {
    let mut words: Vec<String> = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            c if c.is_ascii_whitespace() => words.extend(word.take()),
            '\\' => word.get_or_insert_default().extend(chars.next()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    let mut settings = Vec::new();
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        let setting = if word == "-c" {
            words.next().unwrap_or_default()
        } else if let Some(setting) = word.strip_prefix("--").or_else(|| word.strip_prefix("-c")) {
            setting.to_owned()
        } else {
            return Err(refused("options"));
        };
        let Some((name, value)) = setting.split_once('=') else { return Err(refused("options")) };
        settings.push((name.replace('-', "_"), value.to_owned()));
    }
    Ok(settings)
}

/// Puts each setting to policy as the `SET` that it is.
///
/// # Errors
/// The first that policy does not plainly allow.
pub(super) fn check(
    house: &House,
    who: Who<'_>,
    database: &str,
    settings: &[(String, String)],
) -> Result<(), Refusal> {
    let remembered = Remembered::default();
    for (name, value) in settings {
        let text = format!("SET {name} TO '{}'", value.replace('\'', "''"));
        let context = Context {
            search_path: &[],
            standard_conforming_strings: true,
            client_encoding: "UTF8",
            catalog: None,
            remembered: &remembered,
        };
        let facts = inspect(text.as_bytes(), &context).facts;
        let decision = house.decide(who, database, &facts, false);
        if decision.effect != Effect::Allow {
            return Err(wording::denied(who, &facts, &decision));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn user_names_nobody_and_database_names_the_target() {
        let read = read(&pairs(&[("user", "postgres"), ("database", "shop-prod/other")])).unwrap();
        assert_eq!((read.user.as_str(), read.asked_for.as_str()), ("postgres", "shop-prod/other"));
        assert!(read.settings.is_empty());
    }

    #[test]
    fn options_are_read_as_the_server_reads_them() {
        let read = read(&pairs(&[(
            "options",
            r"-c search_path=a\ b --statement-timeout=5 -cgeqo=off -c sallyport.reason=fix\ it",
        )]))
        .unwrap();
        assert_eq!(
            read.settings,
            pairs(&[("search_path", "a b"), ("statement_timeout", "5"), ("geqo", "off")])
        );
        assert_eq!(read.reason.as_deref(), Some("fix it"));
    }

    #[test]
    fn a_role_by_options_is_refused() {
        for options in
            ["-c role=postgres", "--role=postgres", "-crole=postgres", "-c session_authorization=x", "-d 5"]
        {
            assert!(read(&pairs(&[("options", options)])).is_err(), "{options}");
        }
        assert!(read(&pairs(&[("role", "postgres")])).is_err());
    }

    #[test]
    fn how_to_sign_in_is_an_option_and_nothing_for_the_target() {
        let with = |options: &str| pairs(&[("user", "u"), ("options", options)]);
        assert_eq!(sign_in(&with("-c sallyport.sign_in=oauth")), Some(SignIn::Bearer));
        assert_eq!(sign_in(&with("--sallyport.sign-in=password")), Some(SignIn::Password));
        assert_eq!(sign_in(&with("-c geqo=off")), None);
        assert_eq!(sign_in(&with("-c sallyport.sign_in=trust")), None);
        assert!(read(&with("-c sallyport.sign_in=oauth")).unwrap().settings.is_empty());
        assert!(read(&with("-c sallyport.sign_in=trust")).is_err());
    }

    #[test]
    fn replication_is_refused() {
        for value in ["true", "database", "1", "on", "yes"] {
            assert!(read(&pairs(&[("replication", value)])).is_err(), "{value}");
        }
    }
}
