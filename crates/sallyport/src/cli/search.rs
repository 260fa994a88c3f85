//! `sallyport sessions search`: operations among everything that was recorded.

use sallyport_api::dto::{ExcerptView, SearchHit, SearchPage};
use sallyport_core::{Clock as _, SystemClock, visible};
use sallyport_store::search::{BadQuery, Query};

use crate::client::Api;
use crate::failure::Failure;
use crate::output::{Output, Tint, cut};
use crate::words;

/// What to find.
#[derive(Debug, clap::Args)]
pub(crate) struct Search {
    /// Words of statements, and fields: `table:public.users action:delete since:7d "free text" -error:42501`.
    /// Everything when left out.
    #[arg(default_value = "", allow_hyphen_values = true)]
    query: String,
    /// Go on behind the page that said so.
    #[arg(long, value_name = "NUMBER")]
    before: Option<u64>,
    /// At most so many.
    #[arg(long, default_value_t = 20)]
    limit: u32,
}

pub(super) async fn search(search: &Search, api: &Api, out: &mut Output) -> Result<(), Failure> {
    // Read here too, so that what is wrong can be pointed at.
    Query::parse(&search.query, SystemClock.now()).map_err(|bad| pointed(&search.query, bad))?;
    let query = [
        ("q", Some(search.query.clone())),
        ("before", search.before.map(|before| before.to_string())),
        ("limit", Some(search.limit.to_string())),
    ];
    let page: SearchPage = api.get("/v1/search", &query).await?;
    show(&page, out)
}

/// The query with a mark below what is wrong in it.
fn pointed(query: &str, bad: BadQuery) -> Failure {
    // Written out, a character may be wider; the mark then stands under where it begins.
    let before: String = query.chars().take(bad.at).collect();
    let space = " ".repeat(visible::line(&before).chars().count());
    let mark = "^".repeat(bad.length.min(80));
    let failure = Failure::usage(format!("{}\n    {}\n    {space}{mark}", bad.what, visible::line(query)));
    match bad.hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

fn show(page: &SearchPage, out: &mut Output) -> Result<(), Failure> {
    if out.is_json() {
        return out.json(page);
    }
    for hit in &page.hits {
        show_hit(hit, out)?;
    }
    if page.hits.is_empty() {
        out.line("nothing like that is recorded")?;
    } else if let Some(count) = page.count {
        let more = if page.more { "more than " } else { "" };
        out.line(&format!("{more}{}", words::counted(count, "operation", "operations")))?;
    }
    if let Some(next) = page.next {
        out.line(&format!("more with --before {next}"))?;
    }
    if !page.current {
        let until =
            page.until.map_or_else(|| "nowhere yet".to_owned(), |at| format!("to {}", words::time(at)));
        out.line(&format!("the index reaches {until}, and is catching up"))?;
    }
    Ok(())
}

fn show_hit(hit: &SearchHit, out: &mut Output) -> Result<(), Failure> {
    let who = match &hit.on_behalf_of {
        Some(human) => format!("{} for {human}", hit.principal),
        None => hit.principal.clone(),
    };
    let state = out.tinted(&hit.state, tint(&hit.state));
    let mut rest = format!(" · {} by {}", hit.decision, hit.rule);
    if let Some(error) = &hit.error {
        rest.push_str(&format!(" · {error}"));
    }
    let width = 80_usize.saturating_sub(23 + hit.state.chars().count());
    out.line(&format!("{}  {state}{}", words::time(hit.at), cut(&visible::line(&rest), width)))?;
    let place = hit.operation.map_or_else(|| "-".to_owned(), |number| format!("#{number}"));
    let line = format!("  {} {place} · {who} on {}", hit.session, hit.target);
    out.line(&cut(&visible::line(&line), 80))?;
    let excerpt = marked(&hit.excerpt, out);
    out.line(&format!("  | {excerpt}"))
}

fn tint(state: &str) -> Option<Tint> {
    match state {
        "passed" => Some(Tint::Good),
        "waiting" | "running" => Some(Tint::Wait),
        "failed" | "refused" => Some(Tint::Bad),
        _ => Some(Tint::Faint),
    }
}

/// The excerpt with its hits marked: in a colour, or between signs.
fn marked(excerpt: &ExcerptView, out: &Output) -> String {
    let text: Vec<char> = excerpt.text.chars().collect();
    let piece =
        |from: usize, to: usize| -> String { text.get(from..to).unwrap_or_default().iter().collect() };
    let mut shown = String::new();
    if excerpt.cut_before {
        shown.push('…');
    }
    let mut at = 0;
    for (from, length) in &excerpt.marks {
        let end = from.saturating_add(*length).min(text.len());
        if *from < at || *from >= end {
            continue;
        }
        shown.push_str(&visible::line(&piece(at, *from)));
        shown.push_str(&out.marked(&visible::line(&piece(*from, end))));
        at = end;
    }
    shown.push_str(&visible::line(&piece(at, text.len())));
    if excerpt.cut_after {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Page;

    fn page() -> SearchPage {
        serde_json::from_value(serde_json::json!({
            "hits": [{
                "session": "06F000000000000000000000A", "operation": 12, "sequence": 30,
                "at": "2026-11-24T10:00:00Z", "principal": "claude-code\u{1b}[2J",
                "on_behalf_of": "alice@example.com", "target": "shop-prod", "database": "shop",
                "decision": "hold", "rule": "writes-need-a-human", "state": "failed", "error": "42501",
                "rows": 0, "masked": 0, "duration_us": 5,
                "excerpt": { "text": "delete from users \u{9b}2J", "marks": [[7, 10], [90, 3]],
                             "cut_before": false, "cut_after": true }
            }],
            "next": 41, "count": 1000, "more": true, "current": false, "until": "2026-11-24T10:00:00Z"
        }))
        .unwrap()
    }

    #[test]
    fn hits_fit_80_columns_are_marked_and_cannot_drive_a_terminal() {
        let out = Page::default();
        show(&page(), &mut out.output(false)).unwrap();
        let text = out.text();
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        assert!(!visible::has_hidden(&text), "{text}");
        assert_eq!(
            text,
            "2026-11-24 10:00:00Z  failed · hold by writes-need-a-human · 42501\n  \
             06F000000000000000000000A #12 · claude-code\\u{1b}[2J for alice@example.com on…\n  \
             | delete »from users« \\u{9b}2J…\n\
             more than 1 000 operations\nmore with --before 41\n\
             the index reaches to 2026-11-24 10:00:00Z, and is catching up\n"
        );
        let json = Page::default();
        show(&page(), &mut json.output(true)).unwrap();
        assert!(!visible::has_hidden(&json.text()), "{}", json.text());
        assert_eq!(serde_json::from_str::<SearchPage>(&json.text()).unwrap(), page());
    }

    #[test]
    fn what_is_wrong_in_a_query_is_pointed_at() {
        let query = "users tabel:x";
        let bad = Query::parse(query, SystemClock.now()).unwrap_err();
        let failure = pointed(query, bad);
        assert_eq!(failure.exit.code(), 2);
        assert_eq!(
            failure.to_string(),
            "sallyport: no such field\n    users tabel:x\n          ^^^^^\n  \
             is it `table:`? To look for the text itself, put it in quotes"
        );
    }
}
