//! What a line of `sallyport inspect --language mysql` holds beside its `text`.

use sallyport_core::Facts;
use serde::Deserialize;
use serde_json::Value;

use super::{Context, Flavour, SqlMode, inspect};

/// One line of input; what else it holds is for other languages.
#[derive(Debug, Deserialize)]
struct Line {
    text: String,
    #[serde(default)]
    database: Option<String>,
    #[serde(default)]
    flavour: Option<String>,
    #[serde(default)]
    sql_mode: Option<String>,
    #[serde(default, alias = "character_set", alias = "character_set_client")]
    client_encoding: Option<String>,
    #[serde(default)]
    lower_case_table_names: Option<u8>,
}

pub(crate) fn facts(line: Value) -> Result<Facts, serde_json::Error> {
    let line: Line = serde_json::from_value(line)?;
    let context = Context {
        flavour: line.flavour.as_deref().map_or(Flavour::Either, flavour_of),
        // A line says how its session differs from a server as it comes.
        sql_mode: Some(line.sql_mode.as_deref().map_or(SqlMode::DEFAULT, SqlMode::named)),
        character_set: line.client_encoding.as_deref().unwrap_or("utf8mb4"),
        database: line.database.as_deref(),
        lower_case_table_names: line.lower_case_table_names.unwrap_or(0),
    };
    Ok(inspect(line.text.as_bytes(), &context).facts)
}

/// `mariadb-10.11`, `mysql-8.4`, `mysql-8.0.36-log`, `10.11.6-MariaDB`: a part of the version that is missing
/// is the last of its kind. A server that is not known may be either.
fn flavour_of(text: &str) -> Flavour {
    let text = text.to_ascii_lowercase();
    let (number, default): (fn(u32) -> Flavour, [u32; 3]) = if text.contains("mariadb") {
        (Flavour::MariaDb, [12, 99, 99])
    } else if text.contains("mysql") || text.contains("percona") {
        (Flavour::MySql, [9, 99, 99])
    } else {
        return Flavour::Either;
    };
    let version = text.find(|c: char| c.is_ascii_digit()).and_then(|at| text.get(at..)).unwrap_or_default();
    let end = version.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(version.len());
    let mut parts = version.get(..end).unwrap_or_default().split('.').filter(|part| !part.is_empty());
    let mut whole = 0;
    for missing in default {
        match parts.next().map(str::parse::<u32>) {
            None => whole = whole * 100 + missing,
            Some(Ok(part)) if part <= 99 => whole = whole * 100 + part,
            Some(_) => return Flavour::Either,
        }
    }
    number(whole)
}

#[cfg(test)]
mod tests {
    use sallyport_core::UnknownCode;
    use serde_json::json;

    use super::*;

    #[test]
    fn flavours_are_numbered_as_executable_comments_are() {
        assert_eq!(flavour_of("mariadb-10.11.6"), Flavour::MariaDb(101_106));
        assert_eq!(flavour_of("10.11.6-MariaDB-log"), Flavour::MariaDb(101_106));
        assert_eq!(flavour_of("MySQL-8.4"), Flavour::MySql(80_499));
        assert_eq!(flavour_of("mysql-5.7.44"), Flavour::MySql(50_744));
        assert_eq!(flavour_of("mysql"), Flavour::MySql(99_999));
        assert_eq!(flavour_of("mariadb"), Flavour::MariaDb(129_999));
        for text in ["postgres-15", "mysql-8.400", "", "tidb-8.0"] {
            assert_eq!(flavour_of(text), Flavour::Either, "{text}");
        }
    }

    #[test]
    fn what_the_line_says_decides_the_reading() {
        let object = |line: Value| facts(line).unwrap().actions[0].object.clone().unwrap().to_string();
        assert_eq!(object(json!({"text": "DELETE FROM Users"})), "`Users`");
        assert_eq!(object(json!({"text": "DELETE FROM Users", "database": "shop"})), "shop.`Users`");
        let lower = json!({"text": "DELETE FROM Users", "database": "Shop", "lower_case_table_names": 1});
        assert_eq!(object(lower), "shop.users");
        assert_eq!(object(json!({"text": "DELETE FROM \"u\"", "sql_mode": "STRICT_ALL_TABLES,ANSI"})), "u");
        let comment = "/*!80000 DELETE FROM t */";
        assert_eq!(object(json!({"text": comment, "flavour": "mysql-8.4"})), "t");
        let doubt = facts(json!({"text": comment})).unwrap().unknown.unwrap();
        assert_eq!(doubt.code, UnknownCode::Ambiguous);
        let gbk = json!({"text": "SELECT 1", "client_encoding": "utf16"});
        assert_eq!(facts(gbk).unwrap().unknown.unwrap().code, UnknownCode::Encoding);
        assert!(facts(json!({"database": "shop"})).is_err());
    }
}
