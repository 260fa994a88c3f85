//! What callers read: every refusal and notice of the data path, protocol-neutral.
//!
//! One voice: lower case, what was refused, why, what would be allowed, what to do next. Only names
//! that pass [`visible::echo_name`] are echoed; a target's or library's own text never is.

use std::time::Duration;

use sallyport_auth::AuthError;
use sallyport_core::{
    Action, ApprovalRequest, Blame, Condition, Decision, Facts, Group, Refusal, RefusalCode, Timestamp,
    UnknownCode, visible,
};
use sallyport_record::RecordError;
use sallyport_store::StoreError;

use crate::approvals::Notice;
use crate::gate::Asked;
use crate::session::Who;

/// The action that a sentence is about: the gravest one.
fn gravest(facts: &Facts) -> Option<&Action> {
    let weight = |action: &&Action| match action.group {
        Group::Session => 0,
        Group::Read | Group::Http => 1,
        Group::Write => match action.condition {
            Some(Condition::None | Condition::Constant) => 4,
            Some(Condition::Some) | None => 3,
        },
        Group::Process | Group::File | Group::Net | Group::Tool => 3,
        Group::Code => 5,
        Group::Schema => 6,
        Group::Privilege => 7,
        Group::Escape => 8,
        Group::Admin => 9,
    };
    facts.actions.iter().max_by_key(weight)
}

/// `delete on public.users without a condition`, in words.
pub(crate) fn headline(facts: &Facts) -> String {
    if let Some(unknown) = &facts.unknown {
        return match unknown.code {
            UnknownCode::Unparsable => "this statement does not parse",
            UnknownCode::Unsupported => "this kind of statement is not carried",
            UnknownCode::Dynamic => "this statement builds what it runs at run time",
            UnknownCode::Ambiguous => "this statement can be read in more than one way",
            UnknownCode::Encoding => "this statement's bytes are not valid in the connection's encoding",
            UnknownCode::TooLarge => "this statement is too large or too deeply nested",
        }
        .to_owned();
    }
    let Some(action) = gravest(facts) else { return "an empty operation".to_owned() };
    let mut text = action.action.as_str().to_owned();
    if let Some(object) = &action.object {
        match (visible::echo_name(&object.to_string()), action.group) {
            // A command line or a path is the caller's own text, and its verb says enough.
            ("an object", Group::Escape) => {}
            (name, _) => {
                text.push_str(" on ");
                text.push_str(name);
            }
        }
    }
    match action.condition {
        Some(Condition::None) => text.push_str(" without a condition"),
        Some(Condition::Constant) => text.push_str(" with a condition that holds for every row or none"),
        Some(Condition::Some) | None => {}
    }
    text
}

fn who_where(who: Who<'_>) -> String {
    format!("target {} · {} {}", who.target.name, who.principal.kind.as_str(), who.principal.describe())
}

/// A rule denies it, or none allows it.
pub(crate) fn denied(who: Who<'_>, facts: &Facts, decision: &Decision) -> Refusal {
    let what = headline(facts);
    let (code, verb) = match facts.unknown {
        Some(_) => (RefusalCode::Unknown, "; what is not understood is denied"),
        None => (RefusalCode::Denied, " is denied"),
    };
    let mut message = format!("{what}{verb} (rule {})", decision.rule);
    if let Some(reason) = &decision.reason {
        message.push_str(": ");
        message.push_str(reason);
    }
    let hint = if facts.unknown.is_some() {
        "send it in a plainer form, one statement at a time; nothing of it was run."
    } else if decision.rule == "default-deny" {
        "no rule allows this. Ask whoever keeps the policy of this target; nothing of it was run."
    } else {
        "nothing of it was run. The rule names what is refused; ask whoever keeps the policy of this target if it should be allowed."
    };
    Refusal::new(code, Blame::Policy, message)
        .detail(format!("{} · policy {}", who_where(who), decision.policy_version))
        .hint(hint)
}

/// The notice that a caller gets while it waits.
pub(crate) fn waiting(
    who: Who<'_>,
    asked: &Asked<'_>,
    decision: &Decision,
    request: &ApprovalRequest,
    until: Timestamp,
    still: bool,
    public_url: Option<&str>,
) -> Notice {
    let what = headline(asked.facts);
    let still = if still { "still waits" } else { "waits" };
    let mut message = format!("{what} {still} for approval (rule {})", decision.rule);
    if let Some(reason) = &decision.reason {
        message.push_str(": ");
        message.push_str(reason);
    }
    let groups: Vec<String> =
        request.needs.iter().map(|need| format!("{} of {}", need.approvals, need.group)).collect();
    let link = link(public_url, request);
    Notice {
        message,
        detail: format!(
            "SLP-HELD request {} · {} · needs {}",
            request.id,
            who_where(who),
            groups.join(" and ")
        ),
        hint: format!(
            "this connection waits until {}; the request stays open until {}. An approver runs: sallyport approvals approve {}{link}",
            until.hour_minute(),
            request.expires.hour_minute(),
            request.id
        ),
    }
}

fn link(public_url: Option<&str>, request: &ApprovalRequest) -> String {
    public_url.map(|url| format!(" · {}/r/{}", url.trim_end_matches('/'), request.id)).unwrap_or_default()
}

/// Nobody answered while the caller waited.
pub(crate) fn ticket(
    who: Who<'_>,
    facts: &Facts,
    decision: &Decision,
    request: &ApprovalRequest,
    waited: Duration,
    public_url: Option<&str>,
) -> Refusal {
    Refusal::new(
        RefusalCode::Ticket,
        Blame::Policy,
        format!(
            "{} waits for approval (rule {}); no answer within {} s",
            headline(facts),
            decision.rule,
            waited.as_secs()
        ),
    )
    .detail(format!("request {} · {}", request.id, who_where(who)))
    .hint(format!(
        "it stays open until {}. Once approved, send exactly the same statement again.{}",
        request.expires.hour_minute(),
        link(public_url, request)
    ))
}

/// A human said no.
pub(crate) fn rejected(who: Who<'_>, facts: &Facts, request: &ApprovalRequest) -> Refusal {
    let no = request.answers.iter().rev().find(|answer| answer.verdict == sallyport_core::Verdict::Deny);
    let mut detail = format!("request {} · {}", request.id, who_where(who));
    if let Some(answer) = no {
        detail.push_str(&format!(" · denied by {}", visible::line(&answer.approver)));
        if let Some(note) = &answer.note {
            detail.push_str(&format!(": {}", visible::line(note)));
        }
    }
    Refusal::new(
        RefusalCode::Rejected,
        Blame::Policy,
        format!("{} was not approved (rule {})", headline(facts), request.rule),
    )
    .detail(detail)
    .hint("nothing of it was run. Talk to the approver before asking again.")
}

/// The request ended without an answer.
pub(crate) fn lapsed(request: &ApprovalRequest) -> Refusal {
    Refusal::new(
        RefusalCode::Expired,
        Blame::Policy,
        format!("the request for approval is {} (rule {})", request.state_of_request.as_str(), request.rule),
    )
    .detail(format!("request {}", request.id))
    .hint("nothing of it was run. Send the statement again to ask anew.")
}

/// The approval cannot be used: used already, expired, or short of what policy asks now.
pub(crate) fn not_usable(request: &ApprovalRequest) -> Refusal {
    Refusal::new(
        RefusalCode::Expired,
        Blame::Policy,
        "the approval was used already, has expired, or does not meet what the policy asks now",
    )
    .detail(format!("request {}", request.id))
    .hint("nothing of it was run. Send the statement again to ask anew.")
}

/// What waited for approval would do something else by now than what was shown.
pub(crate) fn meant_another() -> Refusal {
    Refusal::new(
        RefusalCode::Expired,
        Blame::Upstream,
        "while this waited the target's definitions changed, and it would do something else than was approved",
    )
    .hint("nothing of it was run. Send the statement again to ask anew.")
}

/// The caller took its request back.
pub(crate) fn withdrawn(request: &ApprovalRequest) -> Refusal {
    Refusal::new(
        RefusalCode::Withdrawn,
        Blame::Downstream,
        "the request for approval was withdrawn by its caller",
    )
    .detail(format!("request {}", request.id))
    .hint("nothing of it was run.")
}

/// It could not be recorded.
pub(crate) fn recorder(error: &RecordError) -> Refusal {
    tracing::error!(%error, "the recorder refuses");
    Refusal::new(
        RefusalCode::Recorder,
        Blame::Gateway,
        "this cannot be recorded, and what cannot be recorded is not run",
    )
    .hint("nothing of it was run. The gateway's disk is full or broken; its administrator sees why in the gateway's log. Try again once that is mended.")
}

/// Nobody can say now whether a credential is good: the fault is ours or a provider's, and not the caller's.
pub(crate) fn unverifiable(error: &AuthError) -> Refusal {
    tracing::error!(reason = error.reason(), "a credential could not be checked");
    Refusal::new(RefusalCode::Store, Blame::Gateway, "the credential could not be checked").hint(
        "nobody is let in unseen. Try again in a moment; its administrator sees why in the gateway's log.",
    )
}

/// The store did not answer.
pub(crate) fn store(error: &StoreError) -> Refusal {
    if matches!(error, StoreError::TooLarge) {
        let most = sallyport_store::MAX_REQUEST >> 10;
        return Refusal::new(
            RefusalCode::Limit,
            Blame::Downstream,
            format!("it would wait for approval and is larger than an approver is shown: {most} KiB with its parameters"),
        )
        .hint("nothing of it was run. Send less at once.");
    }
    tracing::error!(%error, "the store refuses");
    if matches!(error, StoreError::TooMany) {
        return Refusal::new(
            RefusalCode::Limit,
            Blame::Downstream,
            "this identity has too many requests for approval open",
        )
        .hint("nothing of it was run. Wait for the open ones to be answered, or withdraw some.");
    }
    Refusal::new(RefusalCode::Store, Blame::Gateway, "the gateway's store does not answer").hint(
        "nothing of it was run. Try again in a moment; its administrator sees why in the gateway's log.",
    )
}

/// A fault of ours that must not let anything pass.
pub(crate) fn internal(what: &'static str) -> Refusal {
    tracing::error!(what, "internal fault");
    Refusal::new(RefusalCode::Store, Blame::Gateway, "the gateway could not decide this")
        .hint("nothing of it was run.")
}

/// It ran out of its allotted time.
pub(crate) fn timed_out(limit_ms: u64) -> Refusal {
    Refusal::new(
        RefusalCode::Timeout,
        Blame::Policy,
        format!("cancelled after {limit_ms} ms, which the policy allows"),
    )
    .hint("narrow it, or run it in smaller parts")
}

/// The result has more rows than the policy allows.
pub(crate) fn row_limit(rows: u64) -> Refusal {
    Refusal::new(
        RefusalCode::Limit,
        Blame::Policy,
        format!("the result was ended after {rows} rows, which the policy allows"),
    )
    .hint("add LIMIT or a narrower condition")
}

/// A row is larger than the gateway carries.
pub(crate) fn row_too_large(bytes: usize) -> Refusal {
    Refusal::new(
        RefusalCode::Limit,
        Blame::Gateway,
        format!("a row of the result is larger than {bytes} bytes"),
    )
    .hint("select fewer columns, or parts of the large value")
}

/// A value could not be masked surely.
pub(crate) fn unmaskable() -> Refusal {
    Refusal::new(RefusalCode::Mask, Blame::Gateway, "the result could not be masked surely and was withheld")
        .hint("select fewer columns, and plain ones")
}

/// Values were withheld because nobody could say what they are.
pub(crate) fn unread(count: u64) -> Notice {
    Notice {
        message: format!("{count} values of this result could not be read surely and were withheld"),
        detail: "SLP-MASK a value that is too long, does not read as its type, or that a detector could not finish counts as sensitive".to_owned(),
        hint: "select parts of long values; ask whoever keeps the labels of this target to label the column and reveal it to you".to_owned(),
    }
}

/// A masked value comes back in a statement.
pub(crate) fn written_back(is_pseudonym: bool, writes: bool) -> Refusal {
    let what = if is_pseudonym { "a pseudonym that this gateway handed out" } else { "a masked value" };
    let (message, hint) = if writes {
        (
            format!("this would store {what} in place of the value that it stands for"),
            "nothing of it was run. Leave that column out of what you write, or set it from what you know to be the value.",
        )
    } else {
        (
            format!("this names {what}, which nothing in the target equals"),
            "nothing of it was run. Name the row by a column that is not masked, such as its key.",
        )
    };
    Refusal::new(RefusalCode::Mask, Blame::Downstream, message).hint(hint)
}
