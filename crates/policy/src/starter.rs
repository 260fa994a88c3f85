//! The policy that ships with Sallyport.

use crate::load::PolicyFile;
use crate::policy::Policy;

const FILES: [(&str, &str); 8] = [
    ("agents-on-production.cedar", include_str!("../starter/agents-on-production.cedar")),
    ("schema.cedarschema", include_str!("../starter/schema.cedarschema")),
    ("tests/agents.toml", include_str!("../starter/tests/agents.toml")),
    ("tests/backups.toml", include_str!("../starter/tests/backups.toml")),
    ("tests/drivers.toml", include_str!("../starter/tests/drivers.toml")),
    ("tests/humans.toml", include_str!("../starter/tests/humans.toml")),
    ("tests/mysql.toml", include_str!("../starter/tests/mysql.toml")),
    ("tests/psql.toml", include_str!("../starter/tests/psql.toml")),
];

impl Policy {
    /// The files of [`Policy::starter`], its tests among them, as `sallyport init` writes them.
    #[must_use]
    pub fn starter_files() -> Vec<PolicyFile> {
        FILES
            .iter()
            .map(|(name, text)| PolicyFile { name: (*name).to_owned(), text: (*text).to_owned() })
            .collect()
    }
}

#[cfg(test)]
#[path = "starter_tests.rs"]
mod tests;
