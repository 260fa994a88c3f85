//! Finding operations among everything that was recorded.

use axum::Json;
use axum::extract::State;
use sallyport_core::{ApiRole, visible};
use sallyport_store::StoreError;
use sallyport_store::search::{Find, Query};
use serde::Deserialize;

use crate::caller::Caller;
use crate::dto::SearchPage;
use crate::input::Search;
use crate::problem::Problem;
use crate::state::ApiState;

/// Characters of a query that are noted.
const NOTED: usize = 300;

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct SearchQuery {
    /// What to find, as `table:public.users action:delete since:7d "free text" -error:42501`. Everything
    /// when left out.
    q: Option<String>,
    /// Go on behind the page that gave this as `next`.
    before: Option<u64>,
    /// At most so many, 1 to 200; 50 unless told.
    limit: Option<u32>,
}

/// Recorded operations, newest first. Needs auditor; only operations of targets whose recordings the
/// caller may read are found and counted.
#[utoipa::path(get, path = "/v1/search", tag = "sessions", params(SearchQuery),
    responses((status = 200, body = SearchPage), (status = "4XX", body = Problem)))]
pub(crate) async fn search(
    State(state): State<ApiState>,
    caller: Caller,
    Search(query): Search<SearchQuery>,
) -> Result<Json<SearchPage>, Problem> {
    let text = query.q.unwrap_or_default();
    let found = match caller.needs(&[ApiRole::Auditor]) {
        Ok(()) => find(&state, &caller, &text, query.before, query.limit).await,
        Err(problem) => Err(problem),
    };
    let noted: String = visible::line(&text).chars().take(NOTED).collect();
    state.audited(&caller.principal, "recording.search", &noted, found).await.map(Json)
}

async fn find(
    state: &ApiState,
    caller: &Caller,
    text: &str,
    before: Option<u64>,
    limit: Option<u32>,
) -> Result<SearchPage, Problem> {
    let index = state.search.as_ref().ok_or_else(Problem::no_search)?;
    let query = Query::parse(text, state.clock.now()).map_err(|bad| {
        let problem = Problem::bad_request(bad.to_string());
        match bad.hint {
            Some(hint) => problem.hint(hint),
            None => problem,
        }
    })?;
    let find = Find {
        query,
        targets: state.readers.targets_of(&caller.principal),
        before,
        limit: limit.unwrap_or(50).clamp(1, 200),
    };
    // Asked before the search, so that what is said to be all was all by then.
    let current = index.is_current();
    match index.find(&find).await {
        Ok(found) => Ok(SearchPage::new(found, current)),
        Err(StoreError::Deadline) => {
            Err(Problem::timeout().hint("a narrower query is found faster: add `since:` or a field"))
        }
        Err(error) => Err(error.into()),
    }
}
