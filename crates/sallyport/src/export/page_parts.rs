//! The parts of the page as HTML. Every text is escaped where it is put in.

use sallyport_api::dto::Verified;
use sallyport_core::Timestamp;

use crate::story::{Asked, Ended, Opened, Passage, Table, What};
use crate::words;

/// Pieces of one operation's reply.
const MOST_REPLIES: usize = 500;

/// One operation on the page.
#[derive(Debug)]
pub(super) struct Card {
    pub(super) at: Timestamp,
    /// Microseconds since the session began.
    pub(super) since: i64,
    pub(super) asked: Asked,
    /// When it began to wait for a human.
    pub(super) held_since: Option<i64>,
    replies: Vec<What>,
    /// Replies that were not kept.
    more: u64,
    pub(super) ended: Option<Ended>,
}

/// What the page counts.
#[derive(Debug, Default)]
pub(super) struct Sum {
    operations: u64,
    passed: u64,
    failed: u64,
    refused: u64,
    unfinished: u64,
    held: u64,
    approved: u64,
    masked: u64,
    rows: u64,
    pub(super) left_out: u64,
}

impl Sum {
    pub(super) fn count(&mut self, card: &Card, state: &str) {
        self.operations += 1;
        match state {
            "passed" => self.passed += 1,
            "failed" => self.failed += 1,
            "refused" => self.refused += 1,
            _ => self.unfinished += 1,
        }
        let held = card.held_since.is_some() || card.asked.request.is_some();
        self.held += u64::from(held);
        self.approved += u64::from(!card.asked.approved_by.is_empty());
        if let Some(ended) = &card.ended {
            self.masked = self.masked.saturating_add(ended.masked);
            self.rows = self.rows.saturating_add(ended.rows);
        }
    }
}

impl Card {
    pub(super) fn new(at: Timestamp, since: i64, asked: Asked, held_since: Option<i64>) -> Self {
        Self { at, since, asked, held_since, replies: Vec::new(), more: 0, ended: None }
    }

    /// Takes a piece of the reply. One operation of many statements has many.
    pub(super) fn reply(&mut self, reply: What) {
        if self.replies.len() < MOST_REPLIES { self.replies.push(reply) } else { self.more += 1 }
    }

    pub(super) fn state(&self, unfinished: bool) -> &'static str {
        match (&self.ended, self.asked.passage) {
            (_, Passage::Refused) => "refused",
            (Some(ended), _) if ended.error.is_some() => "failed",
            (Some(_), _) => "passed",
            (None, Passage::Held) => "waiting",
            (None, _) if unfinished => "unfinished",
            (None, _) => "running",
        }
    }
}

/// Text as HTML text or a quoted attribute.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// `+0:07.2`, `+1:02:03`.
fn offset(micros: i64) -> String {
    let seconds = micros / 1_000_000;
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("+{hours}:{minutes:02}:{rest:02}")
    } else {
        format!("+{minutes}:{rest:02}.{}", micros / 100_000 % 10)
    }
}

fn took(micros: u64) -> String {
    match micros {
        0..=999 => format!("{micros} µs"),
        1000..=9_999_999 => format!("{} ms", words::count(micros / 1000)),
        _ => words::span(micros / 1_000_000),
    }
}

pub(super) fn head(
    session: &str,
    opened: &Opened,
    began: Option<Timestamp>,
    ended: Option<Timestamp>,
) -> String {
    let time = |at: Option<Timestamp>| at.map_or_else(|| "—".to_owned(), words::time);
    let lasted =
        began.zip(ended).map_or(0, |(began, ended)| ended.seconds_since(began).max(0).unsigned_abs());
    let item = |name: &str, value: &str| format!("<div><dt>{name}</dt><dd>{}</dd></div>", escape(value));
    let mut out = format!(
        "<header>\n<p class=\"brand\">Sallyport <span>session recording</span></p>\n\
         <h1>{} <span class=\"on\">on</span> {}</h1>\n<dl class=\"facts\">",
        escape(&opened.who),
        escape(&opened.target)
    );
    out.push_str(&item("Session", session));
    out.push_str(&item("Began", &time(began)));
    out.push_str(&item("Last entry", &format!("{} · {}", time(ended), words::span(lasted))));
    out.push_str(&item("Principal", &format!("{} ({}, by {})", opened.principal, opened.kind, opened.by)));
    out.push_str(&item("On behalf of", opened.on_behalf_of.as_deref().unwrap_or("—")));
    out.push_str(&item("Database", &format!("{} ({} {})", opened.database, opened.protocol, opened.server)));
    out.push_str(&item("From", &opened.client));
    out.push_str(&item("Policy at the start", &opened.policy));
    out.push_str(&item("Gateway", &opened.gateway));
    out.push_str("</dl>\n</header>\n");
    out
}

pub(super) fn verification(verified: Option<&Verified>) -> String {
    let (class, icon, words_of_it) = match verified {
        None => ("bad", "✕", "The recording could not be read to its end.".to_owned()),
        Some(found) => {
            let entries = words::counted(found.entries, "entry", "entries");
            match (found.sealed, found.signature) {
                (true, Some(true)) => (
                    "good",
                    "✓",
                    format!(
                        "Whole: {entries}, each linked to the one before; sealed, and the seal is signed by this gateway’s key."
                    ),
                ),
                (true, Some(false)) => (
                    "bad",
                    "✕",
                    format!("{entries} are linked, but the seal is not signed by this gateway’s key."),
                ),
                (true, None) => (
                    "wait",
                    "◦",
                    format!(
                        "{entries}, each linked to the one before, and sealed; the signature was not checked."
                    ),
                ),
                (false, _) => (
                    "wait",
                    "◦",
                    format!(
                        "{entries} so far, each linked to the one before; not sealed: the session goes on, or was cut."
                    ),
                ),
            }
        }
    };
    format!(
        "<section class=\"verdict {class}\" aria-label=\"Verification\"><span class=\"icon\" aria-hidden=\"true\">{icon}</span>\
         <p>{}</p></section>\n",
        escape(&words_of_it)
    )
}

pub(super) fn summary(sum: &Sum) -> String {
    let item = |class: &str, number: u64, word: &str| {
        let none = if number == 0 { " none" } else { "" };
        format!("<li class=\"{class}{none}\"><b>{}</b> {word}</li>", words::count(number))
    };
    let mut out = String::from("<ul class=\"sum\" aria-label=\"Summary\">");
    out.push_str(&item("", sum.operations, if sum.operations == 1 { "operation" } else { "operations" }));
    out.push_str(&item("s-passed", sum.passed, "passed"));
    out.push_str(&item("s-held", sum.held, "held for a human"));
    out.push_str(&item("s-approved", sum.approved, "approved"));
    out.push_str(&item("s-refused", sum.refused, "refused"));
    out.push_str(&item("s-failed", sum.failed, "failed"));
    if sum.unfinished > 0 {
        out.push_str(&item("s-unfinished", sum.unfinished, "without an end"));
    }
    out.push_str(&item("", sum.rows, if sum.rows == 1 { "row" } else { "rows" }));
    out.push_str(&item(
        "s-masked",
        sum.masked,
        if sum.masked == 1 { "value masked" } else { "values masked" },
    ));
    out.push_str("</ul>\n");
    out
}

/// A bar with a mark for every operation, each a link. Marks are drawn, so that no style is inline.
pub(super) fn timeline(ticks: &[(i64, u64, &'static str)], total: i64) -> String {
    /// More marks than this are only a smear.
    const MOST: usize = 2000;
    let mut out = format!(
        "<nav class=\"time\" aria-label=\"Timeline\">\n<svg viewBox=\"0 0 1000 40\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{} over time\">\
         <line class=\"axis\" x1=\"0\" y1=\"32\" x2=\"1000\" y2=\"32\"/>",
        words::counted(u64::try_from(ticks.len()).unwrap_or(0), "operation", "operations")
    );
    for (since, number, state) in ticks.iter().take(MOST) {
        let place = if total > 0 { since.saturating_mul(990) / total } else { 0 };
        let height = match *state {
            "passed" => 14,
            "failed" | "unfinished" | "running" => 20,
            _ => 28,
        };
        out.push_str(&format!(
            "<a href=\"#op-{number}\"><rect class=\"m-{state}\" x=\"{}\" y=\"{}\" width=\"3\" height=\"{height}\"><title>#{number} {state} {}</title></rect></a>",
            place + 3,
            32 - height,
            offset(*since)
        ));
    }
    out.push_str(&format!(
        "</svg>\n<p class=\"scale\"><span>+0:00</span><span>{}</span></p>\n",
        offset(total)
    ));
    // Shown by the script alone: without it there is nothing to press.
    out.push_str(
        "<p class=\"tools\" hidden><label>Go to <input type=\"range\" id=\"seek\" min=\"0\" value=\"0\"></label>\
         <span class=\"filters\" role=\"group\" aria-label=\"Show\">\
         <button type=\"button\" data-show=\"all\" aria-pressed=\"true\">all</button>\
         <button type=\"button\" data-show=\"held\" aria-pressed=\"false\">held</button>\
         <button type=\"button\" data-show=\"refused\" aria-pressed=\"false\">refused</button>\
         <button type=\"button\" data-show=\"failed\" aria-pressed=\"false\">failed</button>\
         <button type=\"button\" data-show=\"masked\" aria-pressed=\"false\">masked</button></span>\
         <span class=\"keys\"><kbd>j</kbd> <kbd>k</kbd> next, previous</span></p>\n</nav>\n",
    );
    out
}

pub(super) fn card(card: &Card, state: &str) -> String {
    let asked = &card.asked;
    let masked = card.ended.as_ref().is_some_and(|ended| ended.masked > 0);
    let held = card.held_since.is_some() || asked.request.is_some();
    let mut kinds = vec![state];
    if held {
        kinds.push("held");
    }
    if masked {
        kinds.push("masked");
    }
    let number = asked.operation;
    let mut out = format!(
        "<article id=\"op-{number}\" class=\"op s-{state}\" data-kinds=\"{}\" data-since=\"{}\">\n\
         <aside><a class=\"number\" href=\"#op-{number}\">#{number}</a><time datetime=\"{}\">{}</time></aside>\n<div class=\"what\">\n",
        kinds.join(" "),
        card.since,
        card.at,
        offset(card.since)
    );
    let (icon, word) = match state {
        "passed" => ("✓", "passed"),
        "failed" => ("!", "failed"),
        "refused" => ("✕", "refused"),
        "waiting" => ("‖", "waits"),
        _ => ("…", "no end recorded"),
    };
    out.push_str(&format!(
        "<p class=\"decision\"><span class=\"badge\"><span aria-hidden=\"true\">{icon}</span> {word}</span> \
         <span class=\"effect\">{}</span> by rule <code>{}</code></p>\n",
        asked.effect.as_str(),
        escape(&asked.rule)
    ));
    if let Some(request) = &asked.request {
        let waited = card.held_since.map_or_else(String::new, |since| {
            let seconds = (card.since.saturating_sub(since) / 1_000_000).unsigned_abs();
            format!(" after {}", words::span(seconds))
        });
        let who: Vec<String> =
            asked.approved_by.iter().map(|name| format!("<b>{}</b>", escape(name))).collect();
        let answer = match (asked.passage, who.is_empty()) {
            (Passage::Passed, false) => format!("approved by {}{waited}", who.join(" and ")),
            (Passage::Passed, true) => format!("approved{waited}"),
            (Passage::Held, _) => "not answered in this session".to_owned(),
            (Passage::Refused, _) => format!("not approved{waited}"),
        };
        out.push_str(&format!(
            "<p class=\"approval\"><span aria-hidden=\"true\">‖</span> held for a human · request <code>{}</code> · {answer}</p>\n",
            escape(request)
        ));
    }
    out.push_str(&format!("<pre class=\"text\">{}</pre>\n", escape(&asked.text.join("\n"))));
    if let Some(left_out) = &asked.left_out {
        out.push_str(&format!("<p class=\"note\">{}</p>\n", escape(left_out)));
    }
    if !asked.parameters.is_empty() {
        out.push_str("<dl class=\"parameters\">");
        for (index, value) in asked.parameters.iter().enumerate() {
            out.push_str(&format!(
                "<div><dt>${}</dt><dd>{}</dd></div>",
                index + 1,
                value_html(value.as_deref(), masked)
            ));
        }
        out.push_str("</dl>\n");
    }
    if !asked.facts.is_empty() {
        out.push_str("<ul class=\"does\">");
        for fact in asked.facts.iter().take(40) {
            out.push_str(&format!("<li>{}</li>", escape(fact)));
        }
        out.push_str("</ul>\n");
    }
    if let Some((code, message)) = &asked.refusal {
        out.push_str(&format!("<p class=\"error\"><code>{}</code> {}</p>\n", escape(code), escape(message)));
    }
    for reply in &card.replies {
        out.push_str(&reply_html(reply, masked));
    }
    if card.more > 0 {
        let more = words::counted(card.more, "more piece", "more pieces");
        out.push_str(&format!("<p class=\"note\">{more} of the reply are not on this page</p>\n"));
    }
    if let Some(ended) = &card.ended {
        out.push_str(&ended_html(ended));
    }
    out.push_str("</div>\n</article>\n");
    out
}

fn reply_html(reply: &What, masked: bool) -> String {
    match reply {
        What::Table(table) => table_html(table, masked),
        What::Said { severity, code, message } => {
            let class = if severity == "NOTICE" { "note" } else { "error" };
            format!(
                "<p class=\"{class}\"><code>{} {}</code> {}</p>\n",
                escape(severity),
                escape(code),
                escape(message)
            )
        }
        What::Unreadable(what) => format!("<p class=\"note\">{}</p>\n", escape(what)),
        _ => String::new(),
    }
}

fn table_html(table: &Table, masked: bool) -> String {
    let mut out = String::from("<div class=\"rows\" tabindex=\"0\"><table>");
    if !table.columns.is_empty() {
        out.push_str("<thead><tr>");
        for name in &table.columns {
            out.push_str(&format!("<th scope=\"col\">{}</th>", escape(name)));
        }
        out.push_str("</tr></thead>");
    }
    out.push_str("<tbody>");
    for row in &table.rows {
        out.push_str("<tr>");
        for value in row {
            out.push_str(&format!("<td>{}</td>", value_html(value.as_deref(), masked)));
        }
        out.push_str("</tr>");
    }
    out.push_str("</tbody></table></div>\n");
    out
}

/// A value; what stands in the place of a masked one is marked.
fn value_html(value: Option<&str>, masked: bool) -> String {
    match value {
        None => "<span class=\"null\">NULL</span>".to_owned(),
        Some(value) if masked && value.contains('‹') && value.contains('›') => {
            format!("<mark title=\"masked\">{}</mark>", escape(value))
        }
        Some(value) => escape(value),
    }
}

fn ended_html(ended: &Ended) -> String {
    let mut parts = vec![words::counted(ended.rows, "row", "rows"), took(ended.duration_us)];
    if ended.masked > 0 {
        parts.push(format!("{} masked", words::counted(ended.masked, "value", "values")));
    }
    if ended.hidden > 0 {
        parts.push(format!("{} not on this page", words::counted(ended.hidden, "row", "rows")));
    }
    if ended.sent > 0 {
        parts.push(format!("{} sent by the caller", words::counted(ended.sent, "byte", "bytes")));
    }
    if let Some(error) = &ended.error {
        parts.push(format!("error {}", escape(error)));
    }
    format!("<p class=\"end\">{}</p>\n", parts.join(" · "))
}

/// What is no operation: a line beside the cards.
pub(super) fn aside(since: i64, what: &What) -> String {
    let (class, text) = match what {
        What::Learnt { text, answers } => {
            let answers: Vec<String> =
                answers.iter().map(|(name, value)| format!("{name} = {value}")).collect();
            ("", format!("the gateway asked {text}: {}", answers.join(", ")))
        }
        What::MessageRefused { message, refusal } => ("bad", format!("message {message} refused: {refusal}")),
        What::Cancel => ("", "the caller asked to cancel".to_owned()),
        What::Closed { reason, operations } => (
            "",
            format!("session ended: {reason}; {}", words::counted(*operations, "operation", "operations")),
        ),
        What::Note { event, reason } => ("", format!("{reason} ({event})")),
        What::Said { severity, code, message } => ("", format!("{severity} {code} {message}")),
        What::Unreadable(what) => ("bad", what.clone()),
        _ => return String::new(),
    };
    format!("<p class=\"aside {class}\"><span class=\"at\">{}</span> {}</p>\n", offset(since), escape(&text))
}

pub(super) fn foot(session: &str, verified: Option<&Verified>, sum: &Sum) -> String {
    let mut out = String::from("</main>\n<footer>\n");
    if sum.left_out > 0 {
        out.push_str(&format!(
            "<p class=\"note\">{} did not fit on this page. <code>sallyport sessions export {} --format json</code> has everything.</p>\n",
            words::counted(sum.left_out, "operation", "operations"),
            escape(session)
        ));
    }
    if let Some(head) = verified.and_then(|verified| verified.head.as_deref()) {
        out.push_str(&format!("<p>Head of the chain <code class=\"hash\">{}</code></p>\n", escape(head)));
    }
    out.push_str(
        "<p>Values in ‹ › stand where the gateway masked; the recording never had them. Control and invisible characters \
         are written out. This page is a copy for reading: <code>sallyport recording verify</code> checks the recording itself, \
         offline.</p>\n</footer>\n",
    );
    out
}
