//! The detectors, one file each.
//!
//! To add one: write `detectors/<entity in lower case>.rs` with its [`Kind`] and a type that implements
//! [`Detector`], add it to [`ALL`] (and its module above), and write `detectors/cases/<ENTITY>.toml` with texts
//! that must be found, texts that must not, and near misses. A number with check digits is a
//! [`National`](national::National) in its own file and a line in [`number::RULES`]. Nothing else needs an edit:
//! the prefilter asks [`Detector::needs`], and the tests run every case file and fail for a kind without one.
//!
//! A detector reads a *view* of the value in which look-alikes are ASCII (see `view`), so it needs to know
//! neither full-width digits nor zero-width characters. It must take time linear in the text, must not
//! fail, and should ask for the most in `needs` that every match has. Prefer a check (a sum, a structure, a
//! registry of issuers) to a shape: a false finding destroys a value that somebody needs. The column's name
//! may widen what counts, never narrow it to nothing: whoever writes the statement chooses the name.

use std::fmt;
use std::ops::Range;

use crate::column::Column;
pub(crate) use crate::features::Needs;
pub(crate) use crate::reading::Reading;
pub(crate) use crate::topics::Topic;

mod alone;
mod apart;
mod aws_access_key;
mod command_line;
mod credit_card;
mod crypto;
mod date_time;
mod email_address;
mod entropy;
mod github_token;
mod iban_code;
mod ip_address;
mod jwt;
mod location;
mod mac_address;
mod national;
mod number;
mod person;
mod phone_number;
mod phone_plan;
mod private_key;
mod sallyport_token;
mod scan;
mod secret;
mod secret_names;
mod spelled_email;
mod vendor_key;
mod vendor_prefixes;

pub(crate) use date_time::{is_year_of_birth, may_be_born};
pub(crate) use secret_names::is_secret_name;

/// What a detector finds.
#[derive(Debug)]
pub struct Kind {
    /// Short name, unique, as findings carry it (`luhn-card`).
    pub id: &'static str,
    /// Presidio's name of the entity, or the kind of secret. Unique.
    pub entity: &'static str,
    /// One sentence for people.
    pub description: &'static str,
}

/// A match: bytes of the text that the detector was given.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// What.
    pub(crate) kind: &'static Kind,
    /// Where.
    pub(crate) span: Range<usize>,
    /// From 0 to 1.
    pub(crate) confidence: f32,
}

impl Found {
    pub(crate) fn new(kind: &'static Kind, span: Range<usize>, confidence: f32) -> Self {
        Self { kind, span, confidence }
    }
}

/// Finds sensitive values by their own shape.
pub(crate) trait Detector: Sync + fmt::Debug {
    /// What it finds; one kind for nearly all.
    fn kinds(&self) -> Vec<&'static Kind>;
    /// The least that every match has. Texts with less are never shown to [`find`](Self::find).
    fn needs(&self) -> Needs;
    /// Whether it reads every value of the column, whatever is in it.
    fn by_column(&self, _: &Column) -> bool {
        false
    }
    /// Every match in the text.
    fn find(&self, reading: &Reading<'_>, found: &mut Vec<Found>);
}

/// Every detector.
pub(crate) const ALL: &[&dyn Detector] = &[
    &number::Numbers,
    &email_address::EmailAddress,
    &phone_number::PhoneNumber,
    &iban_code::IbanCode,
    &national::uk_nino::UkNino,
    &national::de_id_card::DeIdCard,
    &national::es_nif::EsNif,
    &national::it_fiscal_code::ItFiscalCode,
    &national::in_pan::InPan,
    &date_time::DateTime,
    &ip_address::IpAddress,
    &mac_address::MacAddress,
    &crypto::Crypto,
    &aws_access_key::AwsAccessKey,
    &github_token::GithubToken,
    &vendor_key::VendorKey,
    &private_key::PrivateKey,
    &jwt::Jwt,
    &secret::Secret,
    &alone::Alone,
    &apart::Apart,
    &command_line::CommandLine,
    &spelled_email::SpelledEmail,
    &sallyport_token::SallyportToken,
    &person::Person,
    &location::Location,
];

/// Everything that detectors find.
pub fn kinds() -> impl Iterator<Item = &'static Kind> {
    ALL.iter().flat_map(|detector| detector.kinds())
}

#[cfg(test)]
#[path = "cases_tests.rs"]
mod tests;
