//! Signing in with tokens, and staying in.

use sallyport_core::PrincipalKind;

use super::*;
use crate::directory::DirectoryEntry;
use crate::testing::{Fixture, Provider, entries, fixture, principal, sign};
use crate::token::{IssuedToken, issue};

const NOBODY: &str = "https://login.example.com";

async fn issued(fixture: &Fixture, name: &str, expires: Option<Timestamp>) -> IssuedToken {
    let issued = issue(name, expires, None, fixture.clock.now()).unwrap();
    fixture.store.add_token(&issued.record).await.unwrap();
    issued
}

#[tokio::test]
async fn a_token_signs_its_principal_in_and_its_use_is_noted() {
    let fixture = fixture(NOBODY, vec![]).await;
    let token = issued(&fixture, "Claude-Code", None).await;
    let who = fixture.auth.authenticate(&token.secret).await.unwrap();
    assert_eq!((who.principal.name.as_str(), who.method), ("claude-code", "token"));
    assert_eq!(who.token, Some(token.record.id.clone()));
    let kept = fixture.store.token(&token.record.id).await.unwrap().unwrap();
    assert_eq!(kept.last_used, Some(fixture.clock.now()));
    assert_eq!(fixture.auth.recheck(&who).await.unwrap().name, "claude-code");
}

#[tokio::test]
async fn a_token_that_is_not_in_the_store_is_refused() {
    let fixture = fixture(NOBODY, vec![]).await;
    let stray = issue("claude-code", None, None, fixture.clock.now()).unwrap();
    let refused = fixture.auth.authenticate(&stray.secret).await;
    assert!(matches!(refused, Err(AuthError::UnknownToken)), "{refused:?}");
}

#[tokio::test]
async fn the_id_of_a_token_is_no_credential() {
    let fixture = fixture(NOBODY, vec![]).await;
    let token = issued(&fixture, "claude-code", None).await;
    // A well-formed token with the id of another: only the comparison of digests stands in its way.
    let forged = crate::token::tests::with_secret(&token.record.id, &"A".repeat(43));
    let refused = fixture.auth.authenticate(&forged).await;
    assert!(matches!(refused, Err(AuthError::WrongSecret)), "{refused:?}");
}

#[tokio::test]
async fn attack_6_a_revoked_or_expired_token_is_refused() {
    let fixture = fixture(NOBODY, vec![]).await;
    let revoked = issued(&fixture, "claude-code", None).await;
    fixture.store.revoke_token(&revoked.record.id).await.unwrap();
    let refused = fixture.auth.authenticate(&revoked.secret).await;
    assert!(matches!(refused, Err(AuthError::Revoked)), "{refused:?}");

    let short = issued(&fixture, "claude-code", Some(fixture.clock.now().plus_seconds(60))).await;
    fixture.clock.advance(59);
    fixture.auth.authenticate(&short.secret).await.unwrap();
    fixture.clock.advance(1);
    let refused = fixture.auth.authenticate(&short.secret).await;
    assert!(matches!(refused, Err(AuthError::Expired)), "{refused:?}");
}

#[tokio::test]
async fn a_good_token_of_an_unconfigured_principal_is_refused() {
    let fixture = fixture(NOBODY, vec![]).await;
    let token = issued(&fixture, "stranger", None).await;
    let refused = fixture.auth.authenticate(&token.secret).await;
    assert!(matches!(refused, Err(AuthError::UnknownPrincipal)), "{refused:?}");
}

#[tokio::test]
async fn nothing_that_is_no_token_is_taken() {
    let fixture = fixture(NOBODY, vec![]).await;
    for text in ["", "slp_", "password", "a.b.c", &"slp_".repeat(10_000)] {
        let refused = fixture.auth.authenticate(&Secret::new(text.to_owned())).await;
        assert!(matches!(refused, Err(AuthError::Malformed)), "{refused:?}");
    }
}

#[tokio::test]
async fn every_bad_credential_reads_the_same_outside() {
    let fixture = fixture(NOBODY, vec![]).await;
    let revoked = issued(&fixture, "claude-code", None).await;
    fixture.store.revoke_token(&revoked.record.id).await.unwrap();
    let expired = issued(&fixture, "claude-code", Some(fixture.clock.now())).await;
    let stranger = issued(&fixture, "stranger", None).await;
    let stray = issue("claude-code", None, None, fixture.clock.now()).unwrap();
    let mut public = std::collections::BTreeSet::new();
    let mut internal = std::collections::BTreeSet::new();
    for token in [revoked, expired, stranger, stray] {
        let error = fixture.auth.authenticate(&token.secret).await.unwrap_err();
        public.insert(error.to_string());
        internal.insert(error.reason());
    }
    assert_eq!((public.len(), internal.len()), (1, 4), "{public:?} {internal:?}");
}

#[tokio::test]
async fn attack_7_a_token_revoked_or_run_out_while_connected_fails_the_recheck() {
    let fixture = fixture(NOBODY, vec![]).await;
    let token = issued(&fixture, "claude-code", None).await;
    let who = fixture.auth.authenticate(&token.secret).await.unwrap();
    fixture.auth.recheck(&who).await.unwrap();
    fixture.store.revoke_token(&token.record.id).await.unwrap();
    assert!(matches!(fixture.auth.recheck(&who).await, Err(AuthError::Revoked)));

    let token = issued(&fixture, "claude-code", Some(fixture.clock.now().plus_seconds(60))).await;
    let who = fixture.auth.authenticate(&token.secret).await.unwrap();
    fixture.clock.advance(60);
    assert!(matches!(fixture.auth.recheck(&who).await, Err(AuthError::Expired)));
}

#[tokio::test]
async fn attack_7_a_principal_removed_or_changed_while_connected_fails_the_recheck() {
    let fixture = fixture(NOBODY, vec![]).await;
    let token = issued(&fixture, "claude-code", None).await;
    let who = fixture.auth.authenticate(&token.secret).await.unwrap();
    let agent = principal("claude-code", PrincipalKind::Agent, &["agents"]);
    let with = |agent: Principal| Directory::new(vec![DirectoryEntry::from(agent)]).unwrap();

    fixture.auth.set_directory(with(agent.clone()));
    fixture.auth.recheck(&who).await.unwrap();
    fixture.auth.set_directory(with(Principal { groups: [].into(), ..agent.clone() }));
    assert!(matches!(fixture.auth.recheck(&who).await, Err(AuthError::PrincipalChanged)));
    fixture.auth.set_directory(with(Principal { on_behalf_of: Some("bob".into()), ..agent.clone() }));
    assert!(matches!(fixture.auth.recheck(&who).await, Err(AuthError::PrincipalChanged)));
    fixture.auth.set_directory(with(Principal { roles: [].into(), ..agent }));
    assert!(matches!(fixture.auth.recheck(&who).await, Err(AuthError::PrincipalChanged)));
    fixture.auth.set_directory(Directory::default());
    assert!(matches!(fixture.auth.recheck(&who).await, Err(AuthError::UnknownPrincipal)));
}

#[tokio::test]
async fn attack_7_a_providers_user_who_was_removed_or_remapped_fails_the_recheck() {
    let provider = Provider::start();
    let fixture = fixture(&provider.issuer, vec![provider.settings()]).await;
    let who = fixture.auth.authenticate(&sign(&crate::testing::EC, &provider.claims())).await.unwrap();
    fixture.auth.recheck(&who).await.unwrap();

    let mut remapped = entries(&provider.issuer);
    let (subject, issuer) = (remapped[0].oidc_subject.take(), remapped[0].oidc_issuer.take());
    (remapped[1].oidc_subject, remapped[1].oidc_issuer) = (subject, issuer);
    fixture.auth.set_directory(Directory::new(remapped).unwrap());
    assert!(matches!(fixture.auth.recheck(&who).await, Err(AuthError::PrincipalChanged)));
    fixture.auth.set_directory(Directory::default());
    assert!(matches!(fixture.auth.recheck(&who).await, Err(AuthError::UnknownPrincipal)));

    fixture.auth.set_directory(Directory::new(entries(&provider.issuer)).unwrap());
    fixture.clock.advance(359);
    fixture.auth.recheck(&who).await.unwrap();
    fixture.clock.advance(1);
    assert!(matches!(fixture.auth.recheck(&who).await, Err(AuthError::Expired)));
}

#[tokio::test]
async fn two_providers_with_one_issuer_are_refused() {
    let fixture = fixture(NOBODY, vec![]).await;
    let twice = vec![OidcSettings::new(NOBODY, "a"), OidcSettings::new(NOBODY, "b")];
    let refused =
        Authenticator::new(fixture.store.clone(), Directory::default(), twice, fixture.clock.clone());
    assert!(matches!(refused, Err(SettingsError::DuplicateIssuer(_))));
}

/// The answer of a client that knows the password, as MySQL's protocol document has it.
fn answer(password: &str, scramble: &[u8]) -> Vec<u8> {
    let inner = Digest::of(password.as_bytes());
    let mask = Digest::of(&[Digest::of(inner.as_bytes()).as_bytes().as_slice(), scramble].concat());
    inner.as_bytes().iter().zip(mask.as_bytes()).map(|(a, b)| a ^ b).collect()
}

#[tokio::test]
async fn attack_6_a_password_ends_by_time_and_with_its_token() {
    let fixture = fixture(NOBODY, vec![]).await;
    let token = issued(&fixture, "claude-code", None).await;
    let now = fixture.clock.now();
    let made = crate::password::issue_password(
        "claude-code",
        "shop",
        Some(token.record.id.clone()),
        now.plus_seconds(60),
        now,
    )
    .unwrap();
    fixture.store.add_password(&made.record).await.unwrap();
    let (scramble, name) = (b"12345678901234567890", made.record.username.clone());
    let answer = answer(made.secret.expose(), scramble);
    let proof = Proof::CachingSha2 { answer: &answer, scramble };
    let who = fixture.auth.by_password(&name, proof).await.unwrap();
    assert_eq!((who.principal.name.as_str(), who.method), ("claude-code", "password"));
    assert_eq!((who.target.as_deref(), who.expires), (Some("shop"), Some(now.plus_seconds(60))));
    fixture.auth.recheck(&who).await.unwrap();
    let wrong = Proof::CachingSha2 { answer: &answer, scramble: b"02345678901234567890" };
    let refused = fixture.auth.by_password(&name, wrong).await;
    assert!(matches!(refused, Err(AuthError::WrongSecret)), "{refused:?}");
    let refused = fixture.auth.by_password("slp-nobody", proof).await;
    assert!(matches!(refused, Err(AuthError::UnknownToken)), "{refused:?}");

    fixture.clock.advance(60);
    let refused = fixture.auth.by_password(&name, proof).await;
    assert!(matches!(refused, Err(AuthError::Expired)), "{refused:?}");
    let refused = fixture.auth.recheck(&who).await;
    assert!(matches!(refused, Err(AuthError::Expired)), "{refused:?}");

    let now = fixture.clock.now();
    let made = crate::password::issue_password(
        "claude-code",
        "shop",
        Some(token.record.id.clone()),
        now.plus_seconds(60),
        now,
    )
    .unwrap();
    fixture.store.add_password(&made.record).await.unwrap();
    let answer = self::answer(made.secret.expose(), scramble);
    let proof = Proof::CachingSha2 { answer: &answer, scramble };
    let who = fixture.auth.by_password(&made.record.username, proof).await.unwrap();
    fixture.store.revoke_token(&token.record.id).await.unwrap();
    let refused = fixture.auth.by_password(&made.record.username, proof).await;
    assert!(matches!(refused, Err(AuthError::Revoked)), "{refused:?}");
    let refused = fixture.auth.recheck(&who).await;
    assert!(matches!(refused, Err(AuthError::Revoked)), "{refused:?}");
    // Those that have ended are let go.
    assert_eq!(fixture.store.password(&name).await.unwrap(), None);
}
