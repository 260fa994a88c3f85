//! Whether a session may go on: its principal is looked at from time to time, and a session in which nothing
//! happens is ended.
//!
//! While the store does not answer, nobody can say who is still valid: what is open stays open for a while
//! after it was last known to be, and not longer. Nothing new is let in meanwhile.

use std::time::Duration;

use sallyport_auth::{AuthError, Authenticated};
use tokio::time::Instant;

use crate::registry::EndReason;
use crate::session::Session;

/// For how many looks in a row the store may be silent.
const SILENT: u32 = 4;

/// Watches over a session until it has to end. `busy` says whether anything is under way.
pub(crate) async fn watch(
    session: &Session,
    authenticated: &Authenticated,
    busy: impl Fn() -> bool,
) -> EndReason {
    let settings = &session.house.settings;
    let step = settings.recheck.min(settings.idle / 4).max(Duration::from_millis(100));
    let mut active = Instant::now();
    let mut known = Instant::now();
    let mut seen = 0;
    // Sessions that began together are not looked at together.
    let mut pause = part_of(step);
    loop {
        tokio::time::sleep(pause).await;
        pause = step;
        match session.house.authenticator.recheck(authenticated).await {
            Ok(_) => known = Instant::now(),
            Err(error) if may_go_on(&error, known.elapsed(), settings.recheck) => {
                tracing::warn!(session = %session.id, reason = error.reason(), "could not be looked at");
                // It looks again soon, and not at once.
                pause = step / 4 + part_of(step / 4);
            }
            Err(error) => {
                tracing::warn!(session = %session.id, reason = error.reason(), "no longer valid");
                return EndReason::Revoked;
            }
        }
        let now = session.operations();
        if now != seen || busy() || session.is_held() {
            (active, seen) = (Instant::now(), now);
        }
        if active.elapsed() >= settings.idle {
            return EndReason::Idle;
        }
    }
}

/// Whether a session may go on that could not be looked at, so long after its principal was last known to be
/// valid: not when the principal is known not to be, and not for ever when nobody knows.
fn may_go_on(error: &AuthError, unknown_for: Duration, recheck: Duration) -> bool {
    error.is_ours() && unknown_for < recheck * SILENT
}

/// Some part of a time, by chance.
fn part_of(time: Duration) -> Duration {
    let mut random = [0_u8; 4];
    // Without chance all are looked at together, which is slower and no less safe.
    if getrandom::fill(&mut random).is_err() {
        return time;
    }
    time.mul_f64(f64::from(u32::from_ne_bytes(random)) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_store_ends_a_session_in_the_end_and_a_revoked_token_at_once() {
        let recheck = Duration::from_secs(30);
        for silent in [AuthError::Store(sallyport_store::StoreError::Deadline), AuthError::Provider("down")] {
            assert!(may_go_on(&silent, Duration::ZERO, recheck));
            assert!(may_go_on(&silent, Duration::from_secs(119), recheck));
            assert!(
                !may_go_on(&silent, Duration::from_secs(120), recheck),
                "nobody is taken on trust for ever"
            );
        }
        for gone in [AuthError::Revoked, AuthError::Expired, AuthError::PrincipalChanged] {
            assert!(!may_go_on(&gone, Duration::ZERO, recheck), "{gone:?}");
        }
    }

    #[test]
    fn a_credential_that_could_not_be_checked_is_not_called_wrong() {
        let error = AuthError::Store(sallyport_store::StoreError::Deadline);
        let refusal = crate::wording::unverifiable(&error);
        assert_eq!(refusal.code, sallyport_core::RefusalCode::Store);
        assert!(refusal.hint.as_deref().is_some_and(|hint| hint.contains("Try again")), "{refusal:?}");
    }
}
