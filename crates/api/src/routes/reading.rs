//! The one door to what was recorded: who may read it, noted before the first byte goes out.

use sallyport_core::{ApiRole, SessionId};
use sallyport_store::SessionRow;

use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::ApiState;

/// A session as its caller may see it in lists, or `not-found`.
pub(super) async fn seen(state: &ApiState, caller: &Caller, id: &str) -> Result<SessionRow, Problem> {
    let id = SessionId::parse(id).ok_or_else(|| Problem::not_found("session"))?;
    let row = state.store.session(&id).await?.ok_or_else(|| Problem::not_found("session"))?;
    match state.readers.sessions_of(&caller.principal) {
        Some(targets) if !targets.contains(&row.target) => Err(Problem::not_found("session")),
        _ => Ok(row),
    }
}

/// Lets somebody at a session's recording. `action` is what the audit calls it; refused attempts at a
/// session that is there are noted too.
pub(super) async fn admit(
    state: &ApiState,
    caller: &Caller,
    id: &str,
    action: &str,
) -> Result<SessionRow, Problem> {
    let row = match caller.needs(&[ApiRole::Auditor]) {
        Err(problem) => Err(problem),
        Ok(()) => match seen(state, caller, id).await {
            Ok(row) if state.readers.may_read(&caller.principal, &row.target) => Ok(row),
            Ok(_) => Err(Problem::not_this_target()),
            Err(problem) => Err(problem),
        },
    };
    // What is no id of ours does not go into the audit.
    let object = SessionId::parse(id).map(|id| id.to_string()).unwrap_or_default();
    state.audited(&caller.principal, action, &object, row).await
}
