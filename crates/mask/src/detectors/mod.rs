//! The detectors, one file each.
//!
//! To add one: write `detectors/<entity in lower case>.rs` with a type that implements [`Detector`], add it to
//! [`ALL`] (and its module above), and write `detectors/cases/<ENTITY>.toml` with texts that must be found,
//! texts that must not, and near misses. Nothing else needs an edit: the prefilter asks [`Detector::needs`],
//! and the tests below run every case file and fail for a detector without one.
//!
//! A detector reads a *view* of the value in which look-alikes are ASCII (see `view`), so it needs to know
//! neither full-width digits nor zero-width characters. It must take time linear in the text, must not
//! fail, and should ask for the most in `needs` that every match has. Prefer a check (a sum, a structure, a
//! registry of issuers) to a shape: a false finding destroys a value that somebody needs. The column's name
//! ([`FieldContext::suggests`]) may widen what counts, never narrow it to nothing.

use std::fmt;
use std::ops::Range;

use crate::detect::FieldContext;
pub use crate::features::Needs;

mod aws_access_key;
mod credit_card;
mod crypto;
mod email_address;
mod github_token;
mod iban_code;
mod ip_address;
mod jwt;
mod mac_address;
mod password;
mod phone_number;
mod private_key;
mod sallyport_token;
mod scan;
mod us_ssn;
mod vendor_key;

/// A match: bytes of the text that the detector was given.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Where.
    pub span: Range<usize>,
    /// From 0 to 1.
    pub confidence: f32,
}

impl Found {
    pub(crate) fn new(span: Range<usize>, confidence: f32) -> Self {
        Self { span, confidence }
    }
}

/// Finds one kind of sensitive value by its own shape.
pub trait Detector: Sync + fmt::Debug {
    /// Short name, unique, as findings carry it (`luhn-card`).
    fn id(&self) -> &'static str;
    /// What it finds: Presidio's name of the entity, or the kind of secret. Unique.
    fn entity(&self) -> &'static str;
    /// One sentence for people.
    fn description(&self) -> &'static str;
    /// The least that every match has. Texts with less are never shown to [`find`](Self::find).
    fn needs(&self) -> Needs;
    /// Every match in the text.
    fn find(&self, text: &str, context: &FieldContext<'_>) -> Vec<Found>;
}

/// Every detector.
pub const ALL: &[&dyn Detector] = &[
    &credit_card::CreditCard,
    &email_address::EmailAddress,
    &phone_number::PhoneNumber,
    &iban_code::IbanCode,
    &us_ssn::UsSsn,
    &ip_address::IpAddress,
    &mac_address::MacAddress,
    &crypto::Crypto,
    &aws_access_key::AwsAccessKey,
    &github_token::GithubToken,
    &vendor_key::VendorKey,
    &private_key::PrivateKey,
    &jwt::Jwt,
    &password::Password,
    &sallyport_token::SallyportToken,
];

#[cfg(test)]
#[path = "cases_tests.rs"]
mod tests;
