//! OIDC access tokens: JWTs of a configured provider (RFC 7519, RFC 9068), verified here.
//!
//! The unverified payload is read for one thing, the issuer, which picks the provider. Then: the
//! algorithm must be allowed, the key must be the provider's and fit, the signature must hold; only
//! then are claims believed, and every one that decides is checked against the configuration exactly.
//! The library verifies the signature alone: claims are checked here, by the gateway's own clock, for
//! the library would take an absent `aud` or a list of issuers.

use std::collections::BTreeSet;

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation};
use reqwest::Client;
use sallyport_core::Timestamp;
use serde_json::{Map, Value};

use crate::egress;
use crate::error::{AuthError, SettingsError};
use crate::keys::{KeySource, Keys};

/// Clock difference that is forgiven, seconds.
pub(crate) const LEEWAY: i64 = 60;
/// Bytes of a token. Providers stay below 8 KiB; header lines end about there too.
const MAX_TOKEN: usize = 16 * 1024;
const MAX_GROUPS: usize = 1000;

/// Claims that people can change, or that the provider may give to another person later: never a key.
const NO_KEYS: &[&str] =
    &["email", "preferred_username", "upn", "unique_name", "name", "nickname", "phone_number"];

/// One provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OidcSettings {
    /// The issuer, exactly as it stands in tokens.
    pub issuer: String,
    /// The audience that tokens must be made for.
    pub audience: String,
    /// Where its keys are; its discovery document says, when absent.
    pub jwks_url: Option<String>,
    /// The claim with the stable subject: `sub`; for Entra `oid`, since its `sub` differs per application.
    pub principal_claim: String,
    /// The claim with groups, which are added to the configured ones; none are taken when absent.
    pub groups_claim: Option<String>,
    /// Algorithms, by their JWA names. Empty means RS256 and ES256. HMAC is never taken.
    pub allowed_algorithms: Vec<String>,
    /// The tenant (`tid`) that tokens must be of; for Entra.
    pub tenant: Option<String>,
    /// Clients (`azp`) that tokens must have been issued to; empty means any.
    pub authorized_parties: Vec<String>,
}

impl OidcSettings {
    /// The usual settings: keys by discovery, `sub`, no groups, RS256 and ES256.
    #[must_use]
    pub fn new(issuer: impl Into<String>, audience: impl Into<String>) -> Self {
        Self {
            issuer: issuer.into(),
            audience: audience.into(),
            jwks_url: None,
            principal_claim: "sub".to_owned(),
            groups_claim: None,
            allowed_algorithms: Vec::new(),
            tenant: None,
            authorized_parties: Vec::new(),
        }
    }
}

/// What a verified token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verified {
    pub(crate) issuer: String,
    pub(crate) subject: String,
    pub(crate) groups: BTreeSet<String>,
    pub(crate) expires: Timestamp,
}

/// A provider, ready to verify.
#[derive(Debug)]
pub(crate) struct Provider {
    settings: OidcSettings,
    algorithms: Vec<Algorithm>,
    keys: Keys,
}

impl Provider {
    pub(crate) fn new(settings: OidcSettings, client: Client) -> Result<Self, SettingsError> {
        let fail = |problem| SettingsError::Provider { issuer: settings.issuer.clone(), problem };
        let issuer = egress::address(&settings.issuer)
            .map_err(|_| fail("the issuer must be https://…; http:// is for loopback only"))?;
        if settings.audience.trim().is_empty() {
            return Err(fail("without an audience, tokens made for any other service would be taken"));
        }
        if settings.principal_claim.is_empty() || NO_KEYS.contains(&settings.principal_claim.as_str()) {
            return Err(fail(
                "the principal claim must be a stable subject (sub, oid), never a name or e-mail",
            ));
        }
        let mut algorithms = Vec::new();
        for name in &settings.allowed_algorithms {
            match name.parse::<Algorithm>() {
                Ok(Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512) | Err(_) => {
                    return Err(fail("allowed algorithms are RS*, PS*, ES256, ES384 and EdDSA"));
                }
                Ok(algorithm) => algorithms.push(algorithm),
            }
        }
        if algorithms.is_empty() {
            algorithms = vec![Algorithm::RS256, Algorithm::ES256];
        }
        let source = match &settings.jwks_url {
            Some(url) => KeySource::Jwks(
                egress::address(url)
                    .map_err(|_| fail("the key address must be https://…; http:// is for loopback only"))?,
            ),
            None => {
                let mut url = issuer;
                let path = format!("{}/.well-known/openid-configuration", url.path().trim_end_matches('/'));
                url.set_path(&path);
                KeySource::Discovery { issuer: settings.issuer.clone(), url }
            }
        };
        Ok(Self { keys: Keys::new(source, client), algorithms, settings })
    }

    pub(crate) fn issuer(&self) -> &str {
        &self.settings.issuer
    }

    /// Verifies a token that claims to be of this provider.
    pub(crate) async fn verify(&self, token: &str, now: Timestamp) -> Result<Verified, AuthError> {
        let header = header_of(token)?;
        if !self.algorithms.contains(&header.alg) {
            return Err(AuthError::Algorithm);
        }
        let kid = header.kid.as_deref().ok_or(AuthError::UnknownKey)?;
        let key = self.keys.key(kid, header.alg).await?;
        let claims = verify_signature(token, &key, header.alg)?;
        self.check(&claims, now)
    }

    fn check(&self, claims: &Map<String, Value>, now: Timestamp) -> Result<Verified, AuthError> {
        let settings = &self.settings;
        if text(claims, "iss") != Some(settings.issuer.as_str()) {
            return Err(AuthError::Issuer);
        }
        self.check_audience(claims)?;
        if let Some(tenant) = &settings.tenant
            && text(claims, "tid") != Some(tenant.as_str())
        {
            return Err(AuthError::Tenant);
        }
        let expires = seconds(claims, "exp")?.ok_or(AuthError::Claim("exp"))?;
        if now >= expires.plus_seconds(LEEWAY) {
            return Err(AuthError::Expired);
        }
        for claim in ["nbf", "iat"] {
            if seconds(claims, claim)?.is_some_and(|from| now < from.plus_seconds(-LEEWAY)) {
                return Err(AuthError::NotYetValid);
            }
        }
        let subject = text(claims, &settings.principal_claim)
            .filter(|subject| !subject.is_empty())
            .ok_or(AuthError::Claim("subject"))?;
        let groups = match &settings.groups_claim {
            Some(claim) => groups(claims, claim)?,
            None => BTreeSet::new(),
        };
        Ok(Verified { issuer: settings.issuer.clone(), subject: subject.to_owned(), groups, expires })
    }

    fn check_audience(&self, claims: &Map<String, Value>) -> Result<(), AuthError> {
        let ours = self.settings.audience.as_str();
        let several = match claims.get("aud") {
            Some(Value::String(audience)) if audience == ours => false,
            Some(Value::Array(all)) if all.iter().any(|audience| audience.as_str() == Some(ours)) => {
                all.len() > 1
            }
            _ => return Err(AuthError::Audience),
        };
        let parties = &self.settings.authorized_parties;
        if parties.is_empty() {
            // A token that other services take as well can be replayed here by any of them, unless the
            // client it was issued to is known.
            return if several { Err(AuthError::AuthorizedParty) } else { Ok(()) };
        }
        match text(claims, "azp") {
            Some(party) if parties.iter().any(|known| known == party) => Ok(()),
            _ => Err(AuthError::AuthorizedParty),
        }
    }
}

/// The issuer that a token claims, not yet believed: it picks the provider that must then verify it.
pub(crate) fn claimed_issuer(token: &str) -> Result<String, AuthError> {
    if token.len() > MAX_TOKEN {
        return Err(AuthError::Malformed);
    }
    let data = jsonwebtoken::dangerous::insecure_decode::<Map<String, Value>>(token);
    let claims = match data {
        Ok(data) => data.claims,
        // An unsigned or unknown algorithm does not even read as a header.
        Err(_) => return Err(AuthError::Malformed),
    };
    text(&claims, "iss").map(str::to_owned).ok_or(AuthError::Issuer)
}

/// The header, if it asks for nothing that we do not do. An embedded key or key address is not looked at.
fn header_of(token: &str) -> Result<Header, AuthError> {
    let header = jsonwebtoken::decode_header(token).map_err(|_| AuthError::Malformed)?;
    let typ_is_known = header.typ.as_deref().is_none_or(|typ| {
        ["JWT", "at+jwt", "application/at+jwt"].iter().any(|known| known.eq_ignore_ascii_case(typ))
    });
    if !typ_is_known || header.crit.is_some() || header.enc.is_some() || header.zip.is_some() {
        return Err(AuthError::Header);
    }
    Ok(header)
}

fn verify_signature(
    token: &str,
    key: &DecodingKey,
    algorithm: Algorithm,
) -> Result<Map<String, Value>, AuthError> {
    let mut only_signature = Validation::new(algorithm);
    only_signature.required_spec_claims.clear();
    only_signature.validate_exp = false;
    only_signature.validate_nbf = false;
    only_signature.validate_aud = false;
    let data = jsonwebtoken::decode::<Map<String, Value>>(token, key, &only_signature);
    match data {
        Ok(data) => Ok(data.claims),
        Err(error) if *error.kind() == ErrorKind::InvalidSignature => Err(AuthError::Signature),
        // Signed, and its registered claims are not of the types they must have.
        Err(_) => Err(AuthError::Malformed),
    }
}

fn text<'a>(claims: &'a Map<String, Value>, claim: &str) -> Option<&'a str> {
    claims.get(claim).and_then(Value::as_str)
}

/// A NumericDate; whole seconds, as every provider writes them.
fn seconds(claims: &Map<String, Value>, claim: &'static str) -> Result<Option<Timestamp>, AuthError> {
    match claims.get(claim) {
        None => Ok(None),
        Some(value) => {
            let seconds = value.as_i64().filter(|seconds| *seconds >= 0).ok_or(AuthError::Claim(claim))?;
            Ok(Some(Timestamp::from_micros(0).plus_seconds(seconds)))
        }
    }
}

/// The groups. Entra leaves them out beyond 200 and says so in one of three ways; reading that as "no
/// groups" would drop a person out of a rule that forbids something to a group.
fn groups(claims: &Map<String, Value>, claim: &str) -> Result<BTreeSet<String>, AuthError> {
    let elsewhere = claims.get("_claim_names").is_some_and(|names| {
        names.as_object().is_none_or(|names| names.contains_key(claim) || names.contains_key("groups"))
    });
    let has_groups = claims.get("hasgroups").is_some_and(|flag| *flag != Value::Bool(false));
    let linked =
        claims.keys().any(|key| key.strip_prefix(claim).is_some_and(|rest| rest.starts_with(":src")));
    if elsewhere || has_groups || linked {
        return Err(AuthError::GroupOverage);
    }
    let names = match claims.get(claim) {
        None => return Ok(BTreeSet::new()),
        Some(Value::Array(names)) if names.len() <= MAX_GROUPS => names,
        Some(_) => return Err(AuthError::Claim("groups")),
    };
    names.iter().map(|name| name.as_str().map(str::to_owned).ok_or(AuthError::Claim("groups"))).collect()
}

#[cfg(test)]
#[path = "oidc_tests.rs"]
mod tests;
