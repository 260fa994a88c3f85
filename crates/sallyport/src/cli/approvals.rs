//! `sallyport approvals list | show | approve | deny | withdraw`.
//!
//! What is shown before an answer is the whole of what would run. Untrusted text stands behind a gutter,
//! so that it cannot pass for a line of ours.

use std::io::{self, BufRead as _, Write as _};

use clap::Subcommand;
use sallyport_api::dto::{AnswerNote, NeedView, RequestDetail, RequestList, RequestSummary};
use sallyport_core::{Clock as _, RequestState, SystemClock, Timestamp, Verdict, visible};

use super::Bench;
use crate::client::{Api, encode};
use crate::failure::Failure;
use crate::output::{Output, Tint};
use crate::words;

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Requests, newest first; the open ones unless told.
    #[command(after_help = "Example: sallyport approvals list --state open")]
    List {
        /// open, approved, denied, expired, withdrawn, used, or all.
        #[arg(long, default_value = "open")]
        state: String,
    },
    /// One request, with the whole of what would run.
    #[command(after_help = "Example: sallyport approvals show 7F3K-Q2WM")]
    Show {
        /// The request's id.
        id: String,
    },
    /// Say yes. On a terminal the request is shown first.
    #[command(after_help = "Example: sallyport approvals approve 7F3K-Q2WM --note 'ticket OPS-311'")]
    Approve {
        /// The request's id.
        id: String,
        /// For the requester and the record.
        #[arg(long)]
        note: Option<String>,
        /// Do not show it and ask first.
        #[arg(long)]
        yes: bool,
    },
    /// Say no.
    #[command(after_help = "Example: sallyport approvals deny 7F3K-Q2WM --note 'not on a Friday'")]
    Deny {
        /// The request's id.
        id: String,
        /// For the requester and the record.
        #[arg(long)]
        note: Option<String>,
    },
    /// Take back a request of your own.
    #[command(after_help = "Example: sallyport approvals withdraw 7F3K-Q2WM")]
    Withdraw {
        /// The request's id.
        id: String,
    },
}

pub(crate) async fn run(verb: &Verb, bench: &mut Bench) -> Result<(), Failure> {
    let api = bench.api()?;
    match verb {
        Verb::List { state } => {
            let state = match state.as_str() {
                "all" => None,
                word if RequestState::parse(word).is_some() => Some(word.to_owned()),
                _ => {
                    return Err(Failure::usage("no such state")
                        .hint("states: open, approved, denied, expired, withdrawn, used, all"));
                }
            };
            let list: RequestList = api.get("/v1/requests", &[("state", state)]).await?;
            show_list(&list, &mut bench.out, SystemClock.now())
        }
        Verb::Show { id } => {
            let detail = fetch(&api, id).await?;
            show(&detail, &mut bench.out, SystemClock.now())
        }
        Verb::Approve { id, note, yes } => {
            if bench.out.is_terminal() && !bench.out.is_json() && !yes {
                let detail = fetch(&api, id).await?;
                show(&detail, &mut bench.out, SystemClock.now())?;
                if !confirmed(&mut bench.out)? {
                    return Err(Failure::failed("nothing was answered"));
                }
            }
            answer(&api, id, "approve", note.clone(), &mut bench.out).await
        }
        Verb::Deny { id, note } => answer(&api, id, "deny", note.clone(), &mut bench.out).await,
        Verb::Withdraw { id } => {
            let path = format!("/v1/requests/{}/withdraw", encode(id));
            let detail: RequestDetail = api.post(&path, &serde_json::json!({})).await?;
            answered(&detail, &mut bench.out)
        }
    }
}

async fn fetch(api: &Api, id: &str) -> Result<RequestDetail, Failure> {
    api.get(&format!("/v1/requests/{}", encode(id)), &[]).await
}

async fn answer(
    api: &Api,
    id: &str,
    verb: &str,
    note: Option<String>,
    out: &mut Output,
) -> Result<(), Failure> {
    let path = format!("/v1/requests/{}/{verb}", encode(id));
    let detail: RequestDetail = api.post(&path, &AnswerNote { note }).await?;
    answered(&detail, out)
}

fn confirmed(out: &mut Output) -> Result<bool, Failure> {
    out.flush()?;
    let mut prompt = io::stderr();
    write!(prompt, "\napprove it? [y/N] ")?;
    prompt.flush()?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(matches!(line.trim().to_lowercase().as_str(), "y" | "yes"))
}

fn answered(detail: &RequestDetail, out: &mut Output) -> Result<(), Failure> {
    if out.is_json() {
        return out.json(detail);
    }
    let summary = &detail.summary;
    let state = out.tinted(summary.state.as_str(), Tint::of(summary.state.as_str()));
    let more = match summary.state {
        RequestState::Open => format!("; still needed: {}", needed(&summary.needs)),
        RequestState::Approved if !summary.caller_waits => {
            "; exactly this statement passes once, now if its caller has come back, else when sent again"
                .to_owned()
        }
        _ => String::new(),
    };
    out.line(&format!("{} is {state}{more}", summary.id))
}

fn who(summary: &RequestSummary) -> String {
    let name = visible::line(&summary.principal);
    match &summary.on_behalf_of {
        Some(human) => format!("{name} for {}", visible::line(human)),
        None => name,
    }
}

fn show_list(list: &RequestList, out: &mut Output, now: Timestamp) -> Result<(), Failure> {
    if out.is_json() {
        return out.json(list);
    }
    let rows: Vec<Vec<String>> = list
        .requests
        .iter()
        .map(|request| {
            let ends = match request.state {
                RequestState::Open | RequestState::Approved => words::relative(request.expires, now),
                _ => "-".to_owned(),
            };
            vec![
                request.id.to_string(),
                request.state.as_str().to_owned(),
                who(request),
                request.target.clone(),
                ends,
            ]
        })
        .collect();
    let would: Vec<String> = list.requests.iter().map(would).collect();
    let headers = ["id", "state", "who", "target", "ends"];
    out.table_with(&headers, &rows, &would, &[2, 3], "nothing waits for an answer")
}

/// What it would do, each thing once, for the second line of a row.
fn would(request: &RequestSummary) -> String {
    let mut each: Vec<&str> = Vec::new();
    for action in &request.actions {
        if !each.contains(&action.as_str()) {
            each.push(action);
        }
    }
    if each.is_empty() {
        // Nothing of it was understood, or it acts on nothing that has a name.
        return "sallyport approvals show says what".to_owned();
    }
    format!("would {}", each.join(", "))
}

/// What is still asked for, as `1 of dba`.
fn needed(needs: &[NeedView]) -> String {
    let open: Vec<String> = needs
        .iter()
        .filter(|need| need.given < need.approvals)
        .map(|need| format!("{} of {}", need.approvals - need.given, visible::line(&need.group)))
        .collect();
    if open.is_empty() { "nobody".to_owned() } else { open.join(" and ") }
}

/// Untrusted text behind a gutter, whole.
fn quoted(text: &str, out: &mut Output) -> Result<(), Failure> {
    for line in visible::lines(text).split('\n') {
        out.line(format!("  | {line}").trim_end())?;
    }
    Ok(())
}

fn show(detail: &RequestDetail, out: &mut Output, now: Timestamp) -> Result<(), Failure> {
    if out.is_json() {
        return out.json(detail);
    }
    let summary = &detail.summary;
    let state = out.tinted(summary.state.as_str(), Tint::of(summary.state.as_str()));
    let waits = match (summary.state, summary.caller_waits) {
        (RequestState::Open, true) => ", and its caller waits",
        (RequestState::Open | RequestState::Approved, false) => {
            "; its caller has left, so a yes lets exactly this statement pass once, whenever it is sent"
        }
        _ => "",
    };
    out.line(&format!("request {} is {state}{waits}", summary.id))?;
    out.line(&format!("who      {} ({})", who(summary), summary.kind.as_str()))?;
    out.line(&format!(
        "where    target {}, database {}",
        visible::line(&summary.target),
        visible::line(&summary.database)
    ))?;
    let facts = words::facts(&detail.facts);
    for (number, line) in facts.iter().enumerate() {
        out.line(&format!("{}  {line}", if number == 0 { "would  " } else { "       " }))?;
    }
    out.line(&format!(
        "rule     {}{}",
        visible::line(&summary.rule),
        detail.rule_reason.as_ref().map_or_else(String::new, |reason| format!(": {}", visible::line(reason)))
    ))?;
    let asked: Vec<String> = summary
        .needs
        .iter()
        .map(|need| format!("{} of {} ({} given)", need.approvals, visible::line(&need.group), need.given))
        .collect();
    out.line(&format!("needs    a yes from {}", asked.join(" and ")))?;
    out.line(&format!(
        "ends     {} ({})",
        words::relative(summary.expires, now),
        words::time(summary.expires)
    ))?;
    for answer in &detail.answers {
        let verdict = match answer.verdict {
            Verdict::Approve => "yes",
            Verdict::Deny => "no",
        };
        let note = answer.note.as_ref().map_or_else(String::new, |note| format!(": {}", visible::line(note)));
        out.line(&format!("answer   {verdict} from {}{note}", visible::line(&answer.approver)))?;
    }
    for (name, value) in &detail.state_of_session {
        out.line(&format!("state    {} = {}", visible::line(name), visible::line(value)))?;
    }
    let Some(statement) = &detail.statement else {
        return out.line("\nthe statement is shown to approvers, auditors and who asked");
    };
    if let Some(reason) = &statement.caller_reason {
        out.line("\nthe caller says why (untrusted)")?;
        quoted(reason, out)?;
    }
    if !statement.transaction.is_empty() {
        out.line(&format!("\nearlier in the same transaction, {}", statement.transaction.len()))?;
        for earlier in &statement.transaction {
            quoted(earlier, out)?;
        }
    }
    let lines = statement.text.split('\n').count();
    out.line(&format!("\nstatement, whole, {lines} {}", if lines == 1 { "line" } else { "lines" }))?;
    quoted(&statement.text, out)?;
    if statement.masked {
        out.line(
            "  sensitive values are masked (‹…›); what you approve are the exact bytes, which auditors see",
        )?;
    }
    if !statement.parameters.is_empty() {
        out.line("\nparameters")?;
        for (number, value) in statement.parameters.iter().enumerate() {
            let shown = value.as_ref().map_or_else(|| "NULL".to_owned(), |value| visible::line(value));
            out.line(&format!("  ${} | {shown}", number + 1))?;
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "approvals_tests.rs"]
mod tests;
