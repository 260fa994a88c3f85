//! What a line of `sallyport inspect --language mysql` holds beside its `text`.

use sallyport_core::{Facts, Language, UnknownCode};
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
    let Some(flavour) = line.flavour.as_deref().map_or(Some(Flavour::Either), flavour_of) else {
        return Ok(Facts::unknown(Language::Mysql, UnknownCode::Ambiguous, "a flavour that is not known"));
    };
    let context = Context {
        flavour,
        // A line says how its session differs from a server as it comes.
        sql_mode: Some(line.sql_mode.as_deref().map_or(SqlMode::DEFAULT, SqlMode::named)),
        character_set: line.client_encoding.as_deref().unwrap_or("utf8mb4"),
        database: line.database.as_deref(),
        lower_case_table_names: line.lower_case_table_names.unwrap_or(0),
    };
    Ok(inspect(line.text.as_bytes(), &context).facts)
}

/// `mariadb-10.11`, `mysql-8.4`, `mysql-8.0.36`, `mariadb`: a missing part is the last of its kind.
fn flavour_of(text: &str) -> Option<Flavour> {
    let text = text.to_ascii_lowercase();
    let (name, version) = text.split_once('-').unwrap_or((text.as_str(), ""));
    let mut parts = version.split('.').filter(|part| !part.is_empty()).map(str::parse::<u32>);
    let mut part = |default: u32| match parts.next() {
        None => Some(default),
        Some(Ok(part)) if part <= 99 => Some(part),
        Some(_) => None,
    };
    let (major, minor, patch) = match name {
        "mariadb" => (part(11)?, part(8)?, part(99)?),
        "mysql" => (part(9)?, part(7)?, part(99)?),
        _ => return None,
    };
    let number = major * 10_000 + minor * 100 + patch;
    Some(if name == "mariadb" { Flavour::MariaDb(number) } else { Flavour::MySql(number) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flavours_are_numbered_as_executable_comments_are() {
        assert_eq!(flavour_of("mariadb-10.11.6"), Some(Flavour::MariaDb(101_106)));
        assert_eq!(flavour_of("MySQL-8.4"), Some(Flavour::MySql(80_499)));
        assert_eq!(flavour_of("mysql-5.7.44"), Some(Flavour::MySql(50_744)));
        assert!(flavour_of("mariadb").is_some());
        for text in ["postgres-15", "mysql-8.x", "mysql-8.400", ""] {
            assert_eq!(flavour_of(text), None, "{text}");
        }
    }
}
