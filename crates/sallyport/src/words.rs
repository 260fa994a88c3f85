//! Facts, times and counts in plain words, for a person who decides in ten seconds.

use sallyport_core::{Action, Condition, Facts, Timestamp, Verb, visible};

/// What an operation would do, a line for each action.
pub(crate) fn facts(facts: &Facts) -> Vec<String> {
    let mut lines: Vec<String> = facts.actions.iter().map(action).collect();
    lines.dedup();
    if let Some(unknown) = &facts.unknown {
        let mut line = format!("something in it is not understood ({})", unknown.code.as_str());
        if !unknown.detail.is_empty() {
            line.push_str(": ");
            line.push_str(&visible::line(&unknown.detail));
        }
        lines.insert(0, line);
    }
    if facts.statements > 1 {
        lines.insert(0, format!("{} statements in one text:", facts.statements));
    }
    lines
}

fn action(action: &Action) -> String {
    let object = action.object.as_ref().map(|object| visible::line(&object.to_string()));
    let name = object.as_deref().unwrap_or("");
    let columns = list(&action.columns);
    let kind = action.kind.as_deref().unwrap_or("object");
    let on =
        action.on.as_ref().map_or_else(String::new, |on| format!(" on {}", visible::line(&on.to_string())));
    let rows = match action.condition {
        Some(Condition::None) => "every row of",
        Some(Condition::Constant) => "every row or none of",
        Some(Condition::Some) | None => "rows of",
    };
    let narrowed = match action.condition {
        Some(Condition::None) => "; it has no condition",
        Some(Condition::Constant) => "; its condition does not depend on the row",
        Some(Condition::Some) | None => "",
    };
    match action.action {
        Verb::Delete => format!("deletes {rows} {name}{}{narrowed}", by(&action.filters)),
        Verb::Update if columns.is_empty() => {
            format!("changes {rows} {name}{}{narrowed}", by(&action.filters))
        }
        Verb::Update => format!("changes {columns} in {rows} {name}{}{narrowed}", by(&action.filters)),
        Verb::Insert => format!("adds rows to {name}"),
        Verb::Truncate => format!("empties {name}"),
        Verb::CopyIn => format!("loads rows into {name}"),
        Verb::Lock => format!("locks {name}"),
        Verb::Select if name.is_empty() => "reads no table".to_owned(),
        Verb::Select if columns.is_empty() => format!("reads from {name}{}", by(&action.filters)),
        Verb::Select => format!("reads {columns} from {name}{}", by(&action.filters)),
        Verb::CopyOut => format!("copies {name} out"),
        Verb::Explain => format!("shows the plan for {name}"),
        Verb::Create => format!("creates {kind} {name}{on}"),
        Verb::Alter => format!("changes the definition of {kind} {name}{on}"),
        Verb::Drop => format!("drops {kind} {name}{on}"),
        Verb::Grant => format!("grants privileges on {name} to {}", list(&action.to)),
        Verb::Revoke => format!("revokes privileges on {name} from {}", list(&action.to)),
        Verb::SetRole => format!("becomes role {name}"),
        Verb::Call => format!("calls function {name}, whose code nobody has read"),
        Verb::Procedure => format!("calls procedure {name}, whose code nobody has read"),
        Verb::Anonymous => "runs a block of code that nobody has read".to_owned(),
        Verb::Program => "runs a program on the database's host".to_owned(),
        Verb::FileRead => format!("reads a file on the database's host {name}").trim_end().to_owned(),
        Verb::FileWrite => format!("writes a file on the database's host {name}").trim_end().to_owned(),
        Verb::Network => format!("makes the database connect elsewhere {name}").trim_end().to_owned(),
        Verb::LoadLibrary => format!("loads a library into the database {name}").trim_end().to_owned(),
        other => format!("{other} {name}{on}").trim_end().to_owned(),
    }
}

fn by(filters: &[String]) -> String {
    if filters.is_empty() { String::new() } else { format!(", chosen by {}", list(filters)) }
}

fn list(names: &[String]) -> String {
    let all: Vec<String> = names
        .iter()
        .map(|name| if name == "*" { "all columns".to_owned() } else { visible::line(name) })
        .collect();
    all.join(", ")
}

/// `in 4 min`, `2 h ago`, `now`.
pub(crate) fn relative(at: Timestamp, now: Timestamp) -> String {
    let seconds = at.seconds_since(now);
    if seconds > 0 {
        format!("in {}", span(seconds.unsigned_abs()))
    } else if seconds > -2 {
        "now".to_owned()
    } else {
        format!("{} ago", span(seconds.unsigned_abs()))
    }
}

/// `45 s`, `4 min`, `3 h`, `12 d`: whole units, rounded down, so that nobody counts on time that is gone.
pub(crate) fn span(seconds: u64) -> String {
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7199 => format!("{} min", seconds / 60),
        7200..=172_799 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// A time without its fraction: `2026-11-24 10:32:07Z`.
pub(crate) fn time(at: Timestamp) -> String {
    let text = at.to_string();
    let whole: String = text.chars().take(19).collect();
    format!("{}Z", whole.replace('T', " "))
}

/// `1 284 003`, with thin gaps that copy as spaces.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

/// `1 row`, `2 rows`.
pub(crate) fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use sallyport_core::{Language, ObjectName, Unknown, UnknownCode};

    use super::*;

    #[test]
    fn a_condition_that_is_missing_is_said_out_loud() {
        let users = || ObjectName::in_schema("public", "users");
        let mut delete = Action::on_object(Verb::Delete, "table", users());
        delete.condition = Some(Condition::None);
        assert_eq!(action(&delete), "deletes every row of public.users; it has no condition");
        delete.condition = Some(Condition::Some);
        delete.filters = vec!["id".into()];
        assert_eq!(action(&delete), "deletes rows of public.users, chosen by id");
        let mut update = Action::on_object(Verb::Update, "table", users());
        update.columns = vec!["email".into()];
        update.condition = Some(Condition::Constant);
        assert_eq!(
            action(&update),
            "changes email in every row or none of public.users; its condition does not depend on the row"
        );
    }

    #[test]
    fn what_is_not_understood_comes_first() {
        let mut some = Facts::unknown(Language::Postgres, UnknownCode::Dynamic, "do\u{202e}");
        some.actions.push(Action::new(Verb::Anonymous));
        some.unknown = Some(Unknown { code: UnknownCode::Dynamic, detail: "do\u{202e}".into() });
        assert_eq!(
            facts(&some),
            [
                "something in it is not understood (dynamic): do\\u{202e}",
                "runs a block of code that nobody has read"
            ]
        );
    }

    #[test]
    fn times_and_counts_read_well() {
        let now = Timestamp::from_micros(1_800_000_000_000_000);
        assert_eq!(relative(now.plus_seconds(299), now), "in 4 min");
        assert_eq!(relative(now.plus_seconds(-7300), now), "2 h ago");
        assert_eq!(relative(now, now), "now");
        assert_eq!(time(now), "2027-01-15 08:00:00Z");
        assert_eq!(count(1_284_003), "1 284 003");
        assert_eq!(count(999), "999");
        assert_eq!(counted(1, "row", "rows"), "1 row");
        assert_eq!(counted(0, "row", "rows"), "0 rows");
        assert_eq!(counted(1204, "row", "rows"), "1 204 rows");
    }
}
