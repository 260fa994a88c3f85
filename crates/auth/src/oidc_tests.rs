//! Attack 2, check by check: each token here is good but for one thing.

use std::sync::atomic::Ordering;

use sallyport_core::Secret;
use serde_json::json;

use super::*;
use crate::testing::{
    AUDIENCE, EC, EC_FORGED, EC_NEW, NOW, Provider as Idp, RSA, SUBJECT, fixture, forge, sign, sign_with,
};
use crate::{AuthError, Authenticated};

async fn try_with(
    idp: &Idp,
    settings: OidcSettings,
    token: &Secret<String>,
) -> Result<Authenticated, AuthError> {
    fixture(&idp.issuer, vec![settings]).await.auth.authenticate(token).await
}

/// A token whose claims are the good ones with some replaced; `null` takes one out.
fn with(idp: &Idp, changes: &Value) -> Secret<String> {
    let mut claims = idp.claims();
    for (claim, value) in changes.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(claim);
        } else {
            claims[claim] = value.clone();
        }
    }
    sign(&EC, &claims)
}

async fn refused(idp: &Idp, changes: &Value) -> AuthError {
    try_with(idp, idp.settings(), &with(idp, changes)).await.unwrap_err()
}

#[tokio::test]
async fn a_good_token_signs_its_subject_in_with_ec_and_with_rsa() {
    let idp = Idp::start();
    for key in [&*EC, &*RSA] {
        let who = try_with(&idp, idp.settings(), &sign(key, &idp.claims())).await.unwrap();
        assert_eq!((who.principal.name.as_str(), who.method), ("alice@example.com", "oidc"));
        assert_eq!(who.expires, Some(Timestamp::from_micros((NOW + 300) * 1_000_000)));
        assert_eq!(who.token, None);
    }
}

#[tokio::test]
async fn attack_2_wrong_issuer() {
    let idp = Idp::start();
    assert!(matches!(refused(&idp, &json!({"iss": "https://evil.example.com"})).await, AuthError::Issuer));
    assert!(matches!(refused(&idp, &json!({"iss": format!("{}/", idp.issuer)})).await, AuthError::Issuer));
    assert!(matches!(refused(&idp, &json!({"iss": [idp.issuer]})).await, AuthError::Issuer));
    assert!(matches!(refused(&idp, &json!({"iss": null})).await, AuthError::Issuer));
}

#[tokio::test]
async fn attack_2_one_providers_token_is_not_believed_about_another() {
    // Both sign with the same keys here; the claimed issuer still decides who is asked and who is meant.
    let (idp, other) = (Idp::start(), Idp::start());
    let fixture = fixture(&idp.issuer, vec![idp.settings(), other.settings()]).await;
    fixture.auth.authenticate(&sign(&EC, &idp.claims())).await.unwrap();
    let who = fixture.auth.authenticate(&sign(&EC, &other.claims())).await;
    assert!(matches!(who, Err(AuthError::UnknownPrincipal)), "{who:?}");
}

#[tokio::test]
async fn attack_2_wrong_audience() {
    let idp = Idp::start();
    for aud in [json!("other"), json!(["other"]), json!([]), json!(null), json!("sallyport "), json!(7)] {
        let error = refused(&idp, &json!({"aud": aud})).await;
        assert!(matches!(error, AuthError::Audience), "{aud} {error:?}");
    }
    try_with(&idp, idp.settings(), &with(&idp, &json!({"aud": [AUDIENCE]}))).await.unwrap();
}

#[tokio::test]
async fn attack_2_wrong_authorised_party() {
    let idp = Idp::start();
    let several = json!({"aud": [AUDIENCE, "other"], "azp": "cli"});
    assert!(matches!(refused(&idp, &several).await, AuthError::AuthorizedParty));
    let settings = OidcSettings { authorized_parties: vec!["cli".into()], ..idp.settings() };
    try_with(&idp, settings.clone(), &with(&idp, &several)).await.unwrap();
    for changes in [json!({"azp": "other"}), json!({"azp": null})] {
        let error = try_with(&idp, settings.clone(), &with(&idp, &changes)).await.unwrap_err();
        assert!(matches!(error, AuthError::AuthorizedParty), "{error:?}");
    }
}

#[tokio::test]
async fn attack_2_wrong_tenant() {
    let idp = Idp::start();
    let settings = OidcSettings { tenant: Some("t-1".into()), ..idp.settings() };
    try_with(&idp, settings.clone(), &with(&idp, &json!({"tid": "t-1"}))).await.unwrap();
    for tid in [json!("t-2"), json!(null), json!(["t-1"])] {
        let error = try_with(&idp, settings.clone(), &with(&idp, &json!({"tid": tid}))).await.unwrap_err();
        assert!(matches!(error, AuthError::Tenant), "{error:?}");
    }
}

#[tokio::test]
async fn attack_2_expired_and_not_yet_valid_by_our_own_clock() {
    let idp = Idp::start();
    try_with(&idp, idp.settings(), &with(&idp, &json!({"exp": NOW - 59}))).await.unwrap();
    assert!(matches!(refused(&idp, &json!({"exp": NOW - 60})).await, AuthError::Expired));
    for exp in [json!(null), json!("1900000000"), json!(-5), json!(1.5)] {
        let error = refused(&idp, &json!({"exp": exp})).await;
        assert!(matches!(error, AuthError::Claim("exp")), "{exp} {error:?}");
    }
    try_with(&idp, idp.settings(), &with(&idp, &json!({"nbf": NOW + 60, "iat": null}))).await.unwrap();
    assert!(matches!(refused(&idp, &json!({"nbf": NOW + 61})).await, AuthError::NotYetValid));
    assert!(matches!(refused(&idp, &json!({"iat": NOW + 61})).await, AuthError::NotYetValid));
    assert!(matches!(refused(&idp, &json!({"nbf": "soon"})).await, AuthError::Claim("nbf")));
}

#[tokio::test]
async fn attack_2_algorithm_none() {
    let idp = Idp::start();
    for alg in ["none", "None", "NONE", ""] {
        let token = forge(&json!({"alg": alg, "kid": "ec-1"}), &idp.claims(), b"");
        let error = try_with(&idp, idp.settings(), &token).await.unwrap_err();
        assert!(matches!(error, AuthError::Malformed), "{alg} {error:?}");
    }
}

#[tokio::test]
async fn attack_2_algorithm_confusion_hmac_with_the_public_key() {
    let idp = Idp::start();
    let shared = b"everybody reads this".to_vec();
    for (kid, secret) in [("ec-1", &EC.public), ("rsa-1", &RSA.public), ("shared", &shared)] {
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some(kid.into());
        let key = jsonwebtoken::EncodingKey::from_secret(secret);
        let token = Secret::new(jsonwebtoken::encode(&header, &idp.claims(), &key).unwrap());
        let error = try_with(&idp, idp.settings(), &token).await.unwrap_err();
        assert!(matches!(error, AuthError::Algorithm), "{error:?}");
    }
}

#[tokio::test]
async fn attack_2_an_algorithm_that_is_not_allowed_or_not_the_keys() {
    let idp = Idp::start();
    let only_rsa = OidcSettings { allowed_algorithms: vec!["RS256".into()], ..idp.settings() };
    let error = try_with(&idp, only_rsa, &sign(&EC, &idp.claims())).await.unwrap_err();
    assert!(matches!(error, AuthError::Algorithm), "{error:?}");
    // The RSA key's id on a token signed with the other algorithm.
    let crossed = sign_with(&EC, &idp.claims(), |header| header.kid = Some("rsa-1".into()));
    let error = try_with(&idp, idp.settings(), &crossed).await.unwrap_err();
    assert!(matches!(error, AuthError::UnknownKey), "{error:?}");
}

#[tokio::test]
async fn attack_2_a_key_for_encryption_or_another_algorithm_verifies_nothing() {
    let idp = Idp::start();
    for (member, value) in [("use", "enc"), ("alg", "RS512"), ("crv", "P-384")] {
        let key = if member == "alg" { &*RSA } else { &*EC };
        let mut jwk = key.jwk.clone();
        jwk[member] = json!(value);
        idp.change(|answer| answer.keys = json!({"keys": [jwk]}).to_string());
        let error = try_with(&idp, idp.settings(), &sign(key, &idp.claims())).await.unwrap_err();
        assert!(matches!(error, AuthError::UnknownKey), "{member} {error:?}");
    }
}

#[tokio::test]
async fn attack_2_a_signature_by_another_key_or_over_other_claims() {
    let idp = Idp::start();
    let error = try_with(&idp, idp.settings(), &sign(&EC_FORGED, &idp.claims())).await.unwrap_err();
    assert!(matches!(error, AuthError::Signature), "{error:?}");

    let (good, mut claims) = (sign(&EC, &idp.claims()), idp.claims());
    claims["exp"] = json!(NOW + 100_000);
    let other = sign(&EC_FORGED, &claims);
    let mut parts: Vec<&str> = good.expose().split('.').collect();
    parts[1] = other.expose().split('.').nth(1).unwrap();
    let error = try_with(&idp, idp.settings(), &Secret::new(parts.join("."))).await.unwrap_err();
    assert!(matches!(error, AuthError::Signature), "{error:?}");
}

#[tokio::test]
async fn attack_2_a_key_that_the_token_brings_along_is_not_used() {
    let idp = Idp::start();
    let token = sign_with(&EC_FORGED, &idp.claims(), |header| {
        header.jwk = serde_json::from_value(EC_FORGED.jwk.clone()).ok();
        header.jku = Some("https://evil.example.com/keys".into());
    });
    let error = try_with(&idp, idp.settings(), &token).await.unwrap_err();
    assert!(matches!(error, AuthError::Signature), "{error:?}");
}

#[tokio::test]
async fn a_header_that_asks_for_more_is_refused() {
    let idp = Idp::start();
    let critical = sign_with(&EC, &idp.claims(), |header| header.crit = Some(vec!["b64".into()]));
    let logout = sign_with(&EC, &idp.claims(), |header| header.typ = Some("logout+jwt".into()));
    for token in [critical, logout] {
        let error = try_with(&idp, idp.settings(), &token).await.unwrap_err();
        assert!(matches!(error, AuthError::Header), "{error:?}");
    }
    let access = sign_with(&EC, &idp.claims(), |header| header.typ = Some("at+JWT".into()));
    try_with(&idp, idp.settings(), &access).await.unwrap();
}

#[tokio::test]
async fn attack_2_unknown_keys_do_not_make_us_hammer_the_provider() {
    let idp = Idp::start();
    let fixture = fixture(&idp.issuer, vec![idp.settings()]).await;
    for _ in 0..20 {
        let refused = fixture.auth.authenticate(&sign(&EC_NEW, &idp.claims())).await;
        assert!(matches!(refused, Err(AuthError::UnknownKey)), "{refused:?}");
        fixture.auth.authenticate(&sign(&EC, &idp.claims())).await.unwrap();
    }
    assert_eq!(idp.asked.load(Ordering::SeqCst), 1);
    let no_kid = sign_with(&EC, &idp.claims(), |header| header.kid = None);
    assert!(matches!(fixture.auth.authenticate(&no_kid).await, Err(AuthError::UnknownKey)));
}

#[tokio::test]
async fn attack_2_group_overage_is_not_no_groups() {
    let idp = Idp::start();
    for overage in [
        json!({"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {}}}),
        json!({"hasgroups": true}),
        json!({"groups:src1": "https://graph.example.com/"}),
    ] {
        let error = refused(&idp, &overage).await;
        assert!(matches!(error, AuthError::GroupOverage), "{overage} {error:?}");
    }
    for odd in [json!("dba"), json!([1]), json!({"dba": true})] {
        assert!(matches!(refused(&idp, &json!({"groups": odd})).await, AuthError::Claim("groups")));
    }
}

#[tokio::test]
async fn a_providers_groups_are_added_only_when_asked_for() {
    let idp = Idp::start();
    let token = with(&idp, &json!({"groups": ["security"]}));
    let who = try_with(&idp, idp.settings(), &token).await.unwrap();
    assert!(who.principal.groups.contains("security") && who.principal.groups.contains("dba"));
    let without = OidcSettings { groups_claim: None, ..idp.settings() };
    let who = try_with(&idp, without, &token).await.unwrap();
    assert!(!who.principal.groups.contains("security"));
}

#[tokio::test]
async fn attack_2_an_email_is_never_the_key() {
    let idp = Idp::start();
    let error = refused(&idp, &json!({"sub": "somebody-else", "email": "alice@example.com"})).await;
    assert!(matches!(error, AuthError::UnknownPrincipal), "{error:?}");
    for sub in [json!(null), json!("")] {
        let error = refused(&idp, &json!({"sub": sub})).await;
        assert!(matches!(error, AuthError::Claim("subject")), "{sub} {error:?}");
    }
    assert!(matches!(refused(&idp, &json!({"sub": [SUBJECT]})).await, AuthError::Malformed));
    let client = egress::client().unwrap();
    for claim in ["email", "upn", "preferred_username", ""] {
        let settings = OidcSettings { principal_claim: claim.into(), ..idp.settings() };
        assert!(matches!(Provider::new(settings, client.clone()), Err(SettingsError::Provider { .. })));
    }
    let entra = OidcSettings { principal_claim: "oid".into(), ..idp.settings() };
    let token = with(&idp, &json!({"sub": "pairwise", "oid": SUBJECT}));
    assert_eq!(try_with(&idp, entra, &token).await.unwrap().principal.name, "alice@example.com");
}

#[test]
fn settings_that_would_take_too_much_are_refused() {
    let client = egress::client().unwrap();
    let good = OidcSettings::new("https://login.example.com/t/v2.0", AUDIENCE);
    Provider::new(good.clone(), client.clone()).unwrap();
    let hmac = |name: &str| OidcSettings { allowed_algorithms: vec![name.into()], ..good.clone() };
    for bad in [
        hmac("HS256"),
        hmac("none"),
        OidcSettings { audience: " ".into(), ..good.clone() },
        OidcSettings { issuer: "http://login.example.com".into(), ..good.clone() },
        OidcSettings { jwks_url: Some("http://login.example.com/keys".into()), ..good.clone() },
    ] {
        assert!(matches!(Provider::new(bad, client.clone()), Err(SettingsError::Provider { .. })));
    }
}

#[tokio::test]
async fn attack_2_a_discovery_document_that_lies_is_not_followed() {
    let idp = Idp::start();
    for (document, problem) in [
        (
            json!({"issuer": "https://evil.example.com", "jwks_uri": format!("{}/keys", idp.issuer)}),
            "its discovery document names another issuer",
        ),
        (
            json!({"issuer": idp.issuer, "jwks_uri": "http://169.254.169.254/keys"}),
            "its key address is not https",
        ),
    ] {
        idp.change(|answer| answer.discovery = Some(document.to_string()));
        let error = try_with(&idp, idp.settings(), &sign(&EC, &idp.claims())).await.unwrap_err();
        assert_eq!(error.reason(), problem);
        assert!(error.is_ours());
    }
    assert_eq!(idp.asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_provider_that_fails_lets_nobody_in() {
    let idp = Idp::start();
    let direct = OidcSettings { jwks_url: Some(format!("{}/keys", idp.issuer)), ..idp.settings() };
    idp.change(|answer| answer.status = "500 Internal Server Error");
    let error = try_with(&idp, direct.clone(), &sign(&EC, &idp.claims())).await.unwrap_err();
    assert!(matches!(error, AuthError::Provider(_)), "{error:?}");
    idp.change(|answer| {
        answer.status = "200 OK";
        answer.keys = format!("{{\"keys\": [\"{}\"]}}", "x".repeat(300 * 1024));
    });
    let error = try_with(&idp, direct, &sign(&EC, &idp.claims())).await.unwrap_err();
    assert_eq!(error.reason(), "its answer is too large");
}

#[tokio::test]
async fn a_token_of_any_length_or_shape_is_refused_without_asking_the_provider() {
    let idp = Idp::start();
    let long = with(&idp, &json!({"padding": "x".repeat(20_000)}));
    for token in [long, Secret::new("a.b.c".into()), Secret::new("....".into()), Secret::new("é".repeat(9))]
    {
        let error = try_with(&idp, idp.settings(), &token).await.unwrap_err();
        assert!(matches!(error, AuthError::Malformed), "{error:?}");
    }
    assert_eq!(idp.asked.load(Ordering::SeqCst), 0);
}
