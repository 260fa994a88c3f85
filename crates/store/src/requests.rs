//! Requests for approval: made, answered, used once.
//!
//! A row holds the request as it was made (`body`, never changed) and what changes beside it: state,
//! whether the caller still waits, the answers. Every change is one transaction that holds the write
//! lock; its UPDATE names the state it expects and the affected rows are counted, so that of many who
//! race one wins. A request whose time has run out is `expired` wherever it is read, whether or not the
//! row has been told yet.

use sallyport_core::{
    Answer, ApprovalRequest, Digest, GroupNeed, Principal, RequestId, RequestState, SessionId, Timestamp,
    Verdict, fold_name, may_answer,
};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row, Sqlite, Transaction};

use crate::database::Store;
use crate::error::{AnswerError, StoreError};

/// Open requests that one principal may have at a time: approvers must not be flooded.
pub const MAX_OPEN_REQUESTS: u64 = 20;
/// Bytes of one request as stored. Nobody reads more, and what nobody reads nobody approves.
pub const MAX_REQUEST: usize = 1 << 20;
/// Bytes of an approver's note.
const MAX_NOTE: usize = 4096;
const MAX_LIST: u32 = 200;

/// Which requests to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestFilter {
    /// States asked for; empty means all.
    pub states: Vec<RequestState>,
    /// At most so many, newest first; 0 and anything above 200 mean 200.
    pub limit: u32,
}

impl Store {
    /// Keeps a new request. It must be open and unanswered.
    ///
    /// # Errors
    /// [`StoreError::TooMany`] when its principal has [`MAX_OPEN_REQUESTS`] open; [`StoreError::TooLarge`];
    /// [`StoreError::Conflict`] when the id exists.
    pub async fn add_request(&self, request: &ApprovalRequest) -> Result<(), StoreError> {
        if request.state_of_request != RequestState::Open || !request.answers.is_empty() {
            return Err(StoreError::Conflict);
        }
        let body = serde_json::to_string(request).map_err(|_| StoreError::Corrupt("request"))?;
        if body.len() > MAX_REQUEST {
            return Err(StoreError::TooLarge);
        }
        let own = (self.clone(), request.to_owned());
        self.within(async move {
            let (this, request) = (&own.0, &own.1);
            let mut tx = this.begin().await?;
            let principal = fold_name(&request.principal.name);
            if open_of(&mut tx, &principal, this.now()).await? >= MAX_OPEN_REQUESTS {
                return Err(StoreError::TooMany);
            }
            let added = sqlx::query(
                "INSERT INTO requests (id, principal, digest, session, target, state, caller_waits, created,
                     expires, answers, body)
                 VALUES ($1, $2, $3, $4, $5, 'open', $6, $7, $8, '[]', $9)",
            )
            .bind(request.id.as_str())
            .bind(&principal)
            .bind(request.digest.to_string())
            .bind(request.session.as_str())
            .bind(&request.target)
            .bind(i64::from(request.caller_waits))
            .bind(request.created.micros())
            .bind(request.expires.micros())
            .bind(&body)
            .execute(&mut *tx)
            .await;
            match added {
                Ok(_) => Ok(tx.commit().await?),
                Err(error) if StoreError::is_duplicate(&error) => Err(StoreError::Conflict),
                Err(error) => Err(error.into()),
            }
        })
        .await
    }

    /// One request.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn request(&self, id: &RequestId) -> Result<Option<ApprovalRequest>, StoreError> {
        let own = (self.clone(), id.to_owned());
        self.within(async move {
            let (this, id) = (&own.0, &own.1);
            let row = sqlx::query("SELECT * FROM requests WHERE id = $1")
                .bind(id.as_str())
                .fetch_optional(&this.read)
                .await?;
            row.as_ref().map(|row| request_from(row, this.now())).transpose()
        })
        .await
    }

    /// Requests, newest first. Those whose time has run out are written down as expired on the way.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn requests(&self, filter: &RequestFilter) -> Result<Vec<ApprovalRequest>, StoreError> {
        self.expire_due().await?;
        let own = (self.clone(), filter.to_owned());
        self.within(async move {
            let (this, filter) = (&own.0, &own.1);
            let mut query = QueryBuilder::<Sqlite>::new("SELECT * FROM requests");
            if !filter.states.is_empty() {
                query.push(" WHERE state IN (");
                let mut states = query.separated(", ");
                for state in &filter.states {
                    states.push_bind(state.as_str());
                }
                query.push(")");
            }
            let limit = if filter.limit == 0 { MAX_LIST } else { filter.limit.min(MAX_LIST) };
            query.push(" ORDER BY created DESC, id DESC LIMIT ").push_bind(i64::from(limit));
            let rows = query.build().fetch_all(&this.read).await?;
            rows.iter().map(|row| request_from(row, this.now())).collect()
        })
        .await
    }

    /// Writes down that requests whose time has run out are expired. Returns how many.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn expire_due(&self) -> Result<u64, StoreError> {
        let this = self.clone();
        self.within(async move {
            let now = this.now().micros();
            let due = sqlx::query_scalar::<_, i64>(
                "SELECT count(*) FROM requests WHERE state IN ('open', 'approved') AND expires <= $1",
            )
            .bind(now)
            .fetch_one(&this.read)
            .await?;
            if due == 0 {
                return Ok(0);
            }
            let mut tx = this.begin().await?;
            let done = sqlx::query(
                "UPDATE requests SET state = 'expired' WHERE state IN ('open', 'approved') AND expires <= $1",
            )
            .bind(now)
            .execute(&mut *tx)
            .await?;
            tx.commit().await?;
            Ok(done.rows_affected())
        })
        .await
    }

    /// Takes a human's answer, if `core::may_answer` lets it. A no settles the request at once; a yes
    /// settles it when the answers meet its needs.
    ///
    /// # Errors
    /// Why the answer was not taken; nothing has changed then.
    pub async fn answer(
        &self,
        id: &RequestId,
        approver: &Principal,
        verdict: Verdict,
        note: Option<String>,
    ) -> Result<ApprovalRequest, AnswerError> {
        if note.as_ref().is_some_and(|note| note.len() > MAX_NOTE) {
            return Err(StoreError::TooLarge.into());
        }
        let own = (self.clone(), id.to_owned(), approver.to_owned());
        let answered = self.within(async move {
            let (this, id, approver) = (&own.0, &own.1, &own.2);
            let mut tx = this.begin().await?;
            let now = this.now();
            let mut request = find(&mut tx, id, now).await?.ok_or(AnswerError::NotFound)?;
            let groups = may_answer(&request, approver, now)?;
            request.answers.push(Answer { approver: approver.name.clone(), groups, verdict, note, at: now });
            request.state_of_request = match verdict {
                Verdict::Deny => RequestState::Denied,
                Verdict::Approve if request.satisfies(&request.needs) => RequestState::Approved,
                Verdict::Approve => RequestState::Open,
            };
            let answers =
                serde_json::to_string(&request.answers).map_err(|_| StoreError::Corrupt("answer"))?;
            let done = sqlx::query(
                "UPDATE requests SET answers = $1, state = $2 WHERE id = $3 AND state = 'open' AND expires > $4",
            )
            .bind(answers)
            .bind(request.state_of_request.as_str())
            .bind(id.as_str())
            .bind(now.micros())
            .execute(&mut *tx)
            .await?;
            if done.rows_affected() != 1 {
                return Err(AnswerError::Refused(sallyport_core::AnswerRefused::NotOpen));
            }
            tx.commit().await?;
            Ok(request)
        })
        .await?;
        self.changed(id);
        Ok(answered)
    }

    /// A caller has come back to its ticket and waits for the answer. It stays a ticket: whichever session
    /// of its principal is there when the answer comes may use it. False when it is settled.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn caller_returned(&self, id: &RequestId) -> Result<bool, StoreError> {
        let own = (self.clone(), id.to_owned());
        self.within(async move {
            let (this, id) = (&own.0, &own.1);
            let mut tx = this.begin().await?;
            let done = sqlx::query(
                "UPDATE requests SET returned = returned + 1
                 WHERE id = $1 AND caller_waits = 0 AND state IN ('open', 'approved')",
            )
            .bind(id.as_str())
            .execute(&mut *tx)
            .await?;
            tx.commit().await?;
            Ok(done.rows_affected() == 1)
        })
        .await
    }

    /// The caller has left its connection: the request, if it is still open or approved, is a ticket now.
    /// Of callers that had come back to a ticket, one less waits. False when it was settled.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn caller_left(&self, id: &RequestId) -> Result<bool, StoreError> {
        let own = (self.clone(), id.to_owned());
        let done = self
            .within(async move {
                let (this, id) = (&own.0, &own.1);
                let mut tx = this.begin().await?;
                let done = sqlx::query(
                    "UPDATE requests SET caller_waits = 0, returned = max(returned - 1, 0)
                 WHERE id = $1 AND state IN ('open', 'approved')",
                )
                .bind(id.as_str())
                .execute(&mut *tx)
                .await?;
                tx.commit().await?;
                Ok::<_, StoreError>(done.rows_affected() == 1)
            })
            .await?;
        Ok(done)
    }

    /// The caller takes its request back. False when it was settled before.
    ///
    /// # Errors
    /// When the store fails; the request may then still be open.
    pub async fn withdraw(&self, id: &RequestId) -> Result<bool, StoreError> {
        let own = (self.clone(), id.to_owned());
        let done = self
            .within(async move {
                let (this, id) = (&own.0, &own.1);
                let mut tx = this.begin().await?;
                let done = sqlx::query(
                    "UPDATE requests SET state = 'withdrawn'
                 WHERE id = $1 AND state IN ('open', 'approved') AND expires > $2",
                )
                .bind(id.as_str())
                .bind(this.now().micros())
                .execute(&mut *tx)
                .await?;
                tx.commit().await?;
                Ok::<_, StoreError>(done.rows_affected() == 1)
            })
            .await?;
        self.changed(id);
        Ok(done)
    }

    /// Uses an approval: the request, exactly once, if it is approved for this very digest, has time left
    /// and its answers meet `needs`, which are the present policy's. While its caller waits, only the
    /// session that asked may use it; a ticket serves any session (the digest names the principal).
    ///
    /// # Errors
    /// When the store fails. The approval may then be spent; it was never used twice.
    pub async fn use_request(
        &self,
        id: &RequestId,
        digest: &Digest,
        session: &SessionId,
        needs: &[GroupNeed],
    ) -> Result<Option<ApprovalRequest>, StoreError> {
        let own = (self.clone(), id.to_owned(), digest.to_owned(), session.to_owned(), needs.to_owned());
        let used = self
            .within(async move {
                let (this, id, digest, session, needs) = (&own.0, &own.1, &own.2, &own.3, &own.4);
                let mut tx = this.begin().await?;
                let now = this.now();
                let Some(mut request) = find(&mut tx, id, now).await? else { return Ok(None) };
                // The rest is the UPDATE's to check; in here is what SQL cannot say.
                if !request.satisfies(needs) {
                    return Ok(None);
                }
                let done = sqlx::query(
                    "UPDATE requests SET state = 'used', used_by = $1, used_at = $2
                 WHERE id = $3 AND state = 'approved' AND digest = $4 AND expires > $2
                   AND (caller_waits = 0 OR session = $1)",
                )
                .bind(session.as_str())
                .bind(now.micros())
                .bind(id.as_str())
                .bind(digest.to_string())
                .execute(&mut *tx)
                .await?;
                if done.rows_affected() != 1 {
                    return Ok(None);
                }
                tx.commit().await?;
                request.state_of_request = RequestState::Used;
                Ok::<_, StoreError>(Some(request))
            })
            .await?;
        if used.is_some() {
            self.changed(id);
        }
        Ok(used)
    }

    /// The principal's ticket for this digest, if it has one that is approved or still open: an approved
    /// one before an open one, else the newest.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn ticket(
        &self,
        principal: &str,
        digest: &Digest,
    ) -> Result<Option<ApprovalRequest>, StoreError> {
        let own = (self.clone(), principal.to_owned(), digest.to_owned());
        self.within(async move {
            let (this, principal, digest) = (&own.0, &own.1, &own.2);
            let now = this.now();
            let row = sqlx::query(
                "SELECT * FROM requests
                 WHERE principal = $1 AND digest = $2 AND caller_waits = 0
                   AND state IN ('open', 'approved') AND expires > $3
                 ORDER BY CASE state WHEN 'approved' THEN 0 ELSE 1 END, created DESC, id DESC LIMIT 1",
            )
            .bind(fold_name(principal))
            .bind(digest.to_string())
            .bind(now.micros())
            .fetch_optional(&this.read)
            .await?;
            row.as_ref().map(|row| request_from(row, now)).transpose()
        })
        .await
    }

    /// How many requests of this principal are open, waited for or not.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn open_tickets_of(&self, principal: &str) -> Result<u64, StoreError> {
        let own = (self.clone(), principal.to_owned());
        self.within(async move {
            let (this, principal) = (&own.0, &own.1);
            let mut tx = this.read.begin().await?;
            Ok(open_of(&mut tx, &fold_name(principal), this.now()).await?)
        })
        .await
    }
}

async fn open_of(tx: &mut Transaction<'_, Sqlite>, folded: &str, now: Timestamp) -> Result<u64, sqlx::Error> {
    let count = sqlx::query_scalar::<_, i64>(
        "SELECT count(*) FROM requests WHERE principal = $1 AND state = 'open' AND expires > $2",
    )
    .bind(folded)
    .bind(now.micros())
    .fetch_one(&mut **tx)
    .await?;
    // A count that is no count reads as full.
    Ok(u64::try_from(count).unwrap_or(u64::MAX))
}

async fn find(
    tx: &mut Transaction<'_, Sqlite>,
    id: &RequestId,
    now: Timestamp,
) -> Result<Option<ApprovalRequest>, StoreError> {
    let row = sqlx::query("SELECT * FROM requests WHERE id = $1")
        .bind(id.as_str())
        .fetch_optional(&mut **tx)
        .await?;
    row.as_ref().map(|row| request_from(row, now)).transpose()
}

/// The request of a row, as it stands now.
fn request_from(row: &SqliteRow, now: Timestamp) -> Result<ApprovalRequest, StoreError> {
    let corrupt = || StoreError::Corrupt("request");
    let mut request: ApprovalRequest =
        serde_json::from_str(row.try_get::<&str, _>("body")?).map_err(|_| corrupt())?;
    // The indexed columns are what the UPDATEs compare: they must be the body's own.
    if row.try_get::<&str, _>("id")? != request.id.as_str()
        || row.try_get::<&str, _>("digest")? != request.digest.to_string()
        || row.try_get::<i64, _>("expires")? != request.expires.micros()
    {
        return Err(corrupt());
    }
    request.answers = serde_json::from_str(row.try_get::<&str, _>("answers")?).map_err(|_| corrupt())?;
    request.caller_waits =
        row.try_get::<i64, _>("caller_waits")? != 0 || row.try_get::<i64, _>("returned")? > 0;
    let state = RequestState::parse(row.try_get::<&str, _>("state")?).ok_or_else(corrupt)?;
    request.state_of_request = match state {
        RequestState::Open | RequestState::Approved if now >= request.expires => RequestState::Expired,
        state => state,
    };
    Ok(request)
}

#[cfg(test)]
#[path = "requests_tests.rs"]
mod tests;
