//! The policy that ships with Sallyport.

use crate::load::PolicyFile;
use crate::policy::Policy;

const FILES: [(&str, &str); 2] = [
    ("agents-on-production.cedar", include_str!("../starter/agents-on-production.cedar")),
    ("schema.cedarschema", include_str!("../starter/schema.cedarschema")),
];

impl Policy {
    /// The files of [`Policy::starter`], as `sallyport init` writes them.
    #[must_use]
    pub fn starter_files() -> Vec<PolicyFile> {
        FILES
            .iter()
            .map(|(name, text)| PolicyFile { name: (*name).to_owned(), text: (*text).to_owned() })
            .collect()
    }
}
