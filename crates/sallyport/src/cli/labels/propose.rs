//! Which label a column asks for: by its name, and by what detectors found in some of its values.
//!
//! The rules are data (`names.toml`). A proposal carries its evidence, never a value.

use sallyport_gateway::survey::SurveyedColumn;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// Findings count when so many values, and one in so many of those read, have them.
const LEAST_FOUND: usize = 2;
const ONE_IN: usize = 10;

/// The rules.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rules {
    name: Vec<NameRule>,
    found: Vec<FoundRule>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NameRule {
    label: String,
    words: Vec<String>,
    #[serde(default)]
    unless: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FoundRule {
    label: String,
    entities: Vec<String>,
}

/// Why a label is proposed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Evidence {
    /// The words of the column's name that say it.
    pub(super) name: Option<String>,
    /// The column's type.
    #[serde(rename = "type")]
    pub(super) type_name: String,
    /// How many values were read.
    pub(super) sampled: usize,
    /// In how many of them each kind of thing was found.
    pub(super) found: std::collections::BTreeMap<&'static str, usize>,
}

impl Rules {
    /// The product's own.
    pub(super) fn own() -> Result<Self, Failure> {
        toml::from_str(include_str!("names.toml")).map_err(|error| Failure::failed(error.to_string()))
    }

    /// The label that the column asks for. What is found weighs more than what the name says.
    pub(super) fn propose(&self, column: &SurveyedColumn) -> Option<(String, Evidence)> {
        let named = self.by_name(&column.column, &column.type_name);
        let most = column
            .found
            .iter()
            .filter(|(_, count)| **count >= LEAST_FOUND && **count * ONE_IN >= column.sampled)
            .max_by_key(|(_, count)| **count);
        let found = most.and_then(|(entity, _)| self.by_entity(entity));
        let label = found.or(named.map(|(label, _)| label))?.to_owned();
        let evidence = Evidence {
            name: named.map(|(_, words)| words.to_owned()),
            type_name: column.type_name.clone(),
            sampled: column.sampled,
            found: column.found.clone(),
        };
        Some((label, evidence))
    }

    fn by_name(&self, column: &str, type_name: &str) -> Option<(&str, &str)> {
        // Yes or no is nobody's address, and a counter no token.
        if holds_no_value(type_name) {
            return None;
        }
        let name = format!(" {} ", words(column).join(" "));
        let says =
            |phrase: &str| name.contains(&format!(" {phrase} ")) || name.contains(&format!(" {phrase}s "));
        self.name.iter().find_map(|rule| {
            let phrase = rule.words.iter().find(|phrase| says(phrase))?;
            (!rule.unless.iter().any(|word| says(word))).then_some((rule.label.as_str(), phrase.as_str()))
        })
    }

    fn by_entity(&self, entity: &str) -> Option<&str> {
        let named = self.found.iter().find(|rule| rule.entities.iter().any(|known| known == entity));
        let other =
            || self.found.iter().find(|rule| rule.entities.is_empty()).filter(|_| entity != "WITHHELD");
        named.or_else(other).map(|rule| rule.label.as_str())
    }
}

/// Types that are too small for what a name may say. MySQL writes a truth value as `tinyint(1)` or `bit(1)`.
fn holds_no_value(type_name: &str) -> bool {
    let word = type_name.split(['(', ' ']).next().unwrap_or_default();
    matches!(word, "boolean" | "smallint" | "tinyint" | "bit")
}

/// The words of a name, in lower case: split at signs, before capitals, between letters and digits.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut before = ' ';
    for character in name.chars() {
        let starts = !before.is_alphanumeric() || (character.is_uppercase() && before.is_lowercase());
        if character.is_alphanumeric() {
            match words.last_mut() {
                Some(word) if !starts => word.extend(character.to_lowercase()),
                _ => words.push(character.to_lowercase().collect()),
            }
        }
        before = character;
    }
    words
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn column(
        name: &str,
        type_name: &str,
        sampled: usize,
        found: &[(&'static str, usize)],
    ) -> SurveyedColumn {
        SurveyedColumn {
            schema: "public".into(),
            relation: "t".into(),
            column: name.into(),
            type_name: type_name.into(),
            type_oid: 25,
            follows: false,
            sampled,
            found: found.iter().copied().collect::<BTreeMap<_, _>>(),
        }
    }

    fn label(name: &str, type_name: &str, sampled: usize, found: &[(&'static str, usize)]) -> Option<String> {
        Rules::own().unwrap().propose(&column(name, type_name, sampled, found)).map(|(label, _)| label)
    }

    #[test]
    fn names_say_what_a_column_holds() {
        for (name, expected) in [
            ("email", "pii.email"),
            ("contactEmail", "pii.email"),
            ("home_phone", "pii.phone"),
            ("ssn", "pii.ssn"),
            ("date_of_birth", "pii.birth"),
            ("FirstName", "pii.name"),
            ("card_number", "pci.card"),
            ("password_hash", "secret.password"),
            ("api_keys", "secret.token"),
            ("client_ip", "pii.ip"),
            ("billing_address", "pii.address"),
            ("diagnosis", "pii.health"),
        ] {
            assert_eq!(label(name, "text", 0, &[]).as_deref(), Some(expected), "{name}");
        }
        for name in [
            "id",
            "email_verified_at",
            "phone_type",
            "password_changed_at",
            "token_count",
            "name",
            "status",
            "ip_address_count",
            "created_at",
            "company",
            "shipping",
            "pandas",
            "recipient_id",
        ] {
            assert_eq!(label(name, "text", 0, &[]), None, "{name}");
        }
        for small in ["boolean", "smallint", "tinyint(1)", "smallint(6) unsigned", "bit(1)"] {
            assert_eq!(label("email", small, 0, &[]), None, "{small}");
        }
        assert_eq!(label("email", "varchar(100)", 0, &[]).as_deref(), Some("pii.email"));
    }

    #[test]
    fn findings_weigh_more_than_the_name_and_few_of_them_nothing() {
        assert_eq!(label("contact", "text", 50, &[("EMAIL_ADDRESS", 48)]).as_deref(), Some("pii.email"));
        assert_eq!(label("address", "text", 50, &[("IP_ADDRESS", 50)]).as_deref(), Some("pii.ip"));
        assert_eq!(label("note", "text", 50, &[("EMAIL_ADDRESS", 1)]), None);
        assert_eq!(label("note", "text", 50, &[("EMAIL_ADDRESS", 3)]), None);
        assert_eq!(label("n", "text", 9, &[("PL_PESEL", 9)]).as_deref(), Some("pii.national_id"));
        assert_eq!(label("n", "text", 9, &[("WITHHELD", 9)]), None);
    }

    #[test]
    fn every_entity_of_the_rules_is_one_that_a_detector_finds() {
        let rules = Rules::own().unwrap();
        for entity in rules.found.iter().flat_map(|rule| &rule.entities) {
            assert!(sallyport_mask::kinds().any(|kind| kind.entity == entity), "{entity}");
        }
    }
}
