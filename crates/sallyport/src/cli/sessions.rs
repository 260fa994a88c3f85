//! `sallyport sessions list | show | kill`, and the way to what was said in them.

use clap::Subcommand;
use sallyport_api::dto::{KillResult, SessionList, SessionView};
use sallyport_core::{Clock as _, SystemClock, Timestamp, visible};

use super::{Bench, export, replay, search};
use crate::client::encode;
use crate::failure::Failure;
use crate::output::{Output, Tint};
use crate::words;

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Sessions, newest first.
    #[command(after_help = "Example: sallyport sessions list --live")]
    List {
        /// Only those that go on.
        #[arg(long)]
        live: bool,
        /// Only of this principal.
        #[arg(long)]
        principal: Option<String>,
        /// Only to this target.
        #[arg(long)]
        target: Option<String>,
        /// Only those before this session: the next page.
        #[arg(long, value_name = "ID")]
        before: Option<String>,
        /// At most so many.
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// One session, without what was said in it.
    #[command(after_help = "Example: sallyport sessions show 01K…")]
    Show {
        /// The session's id.
        id: String,
    },
    /// What was said in a session, with decisions and results, as it happened. Noted in the audit.
    #[command(after_help = "Example: sallyport sessions replay 01K… --speed 4 --seek 30s")]
    Replay(replay::Replay),
    /// A live session as it goes on. Noted in the audit.
    #[command(after_help = "Example: sallyport sessions follow 01K…")]
    Follow(replay::Follow),
    /// Find operations by their text and by what is known of them. Noted in the audit.
    #[command(
        after_help = "Example: sallyport sessions search 'table:public.users action:delete since:7d -error:42501'\n\n\
            Terms stand beside each other and all must hold; - turns one round, a comma between values is or, \
            * at the end is any continuation, quotes hold words together.\n\n\
            Fields: table (or object), column, action, group, principal, for, kind, target, database, decision, \
            state, rule, error, session, language, unknown; since and until take 30m, 12h, 7d, 2w, a day or a time."
    )]
    Search(search::Search),
    /// A recording as a file: everything, a table, a terminal cast, or a page. Noted in the audit.
    #[command(after_help = "Example: sallyport sessions export 01K… --format html -o session.html")]
    Export(export::Export),
    /// End a session.
    #[command(after_help = "Example: sallyport sessions kill 01K…")]
    Kill {
        /// The session's id.
        id: String,
    },
}

pub(crate) async fn run(verb: &Verb, bench: &mut Bench) -> Result<(), Failure> {
    let api = bench.api()?;
    match verb {
        Verb::List { live, principal, target, before, limit } => {
            let query = [
                ("live", live.then(|| "true".to_owned())),
                ("principal", principal.clone()),
                ("target", target.clone()),
                ("before", before.clone()),
                ("limit", Some(limit.to_string())),
            ];
            let list: SessionList = api.get("/v1/sessions", &query).await?;
            show_list(&list, &mut bench.out, SystemClock.now())
        }
        Verb::Show { id } => {
            let session: SessionView = api.get(&format!("/v1/sessions/{}", encode(id)), &[]).await?;
            show(&session, &mut bench.out, SystemClock.now())
        }
        Verb::Replay(replay) => replay::replay(replay, &api, &mut bench.out).await,
        Verb::Follow(follow) => replay::follow(follow, &api, &mut bench.out).await,
        Verb::Search(search) => search::search(search, &api, &mut bench.out).await,
        Verb::Export(export) => export::export(export, &api, &mut bench.out).await,
        Verb::Kill { id } => {
            let path = format!("/v1/sessions/{}/kill", encode(id));
            let result: KillResult = api.post(&path, &serde_json::json!({})).await?;
            if bench.out.is_json() {
                return bench.out.json(&result);
            }
            bench.out.line(&format!("{id} was told to end"))
        }
    }
}

fn state(session: &SessionView) -> &'static str {
    if session.ended.is_none() { "live" } else { "ended" }
}

fn who(session: &SessionView) -> String {
    match &session.on_behalf_of {
        Some(human) => format!("{} for {human}", session.principal),
        None => session.principal.clone(),
    }
}

fn show_list(list: &SessionList, out: &mut Output, now: Timestamp) -> Result<(), Failure> {
    if out.is_json() {
        return out.json(list);
    }
    let rows: Vec<Vec<String>> = list
        .sessions
        .iter()
        .map(|session| {
            vec![
                session.id.to_string(),
                state(session).to_owned(),
                who(session),
                session.target.clone(),
                words::relative(session.started, now),
            ]
        })
        .collect();
    out.table(&["id", "state", "who", "target", "began"], &rows, &[2, 3], "there are no sessions like that")?;
    match &list.next {
        Some(next) => out.line(&format!("more with --before {next}")),
        None => Ok(()),
    }
}

fn show(session: &SessionView, out: &mut Output, now: Timestamp) -> Result<(), Failure> {
    if out.is_json() {
        return out.json(session);
    }
    let word = out.tinted(state(session), Tint::of(state(session)));
    let line = |text: &str| visible::line(text);
    out.line(&format!("session {} is {word}", session.id))?;
    out.line(&format!(
        "who      {} ({}, by {})",
        line(&who(session)),
        session.kind.as_str(),
        line(&session.method)
    ))?;
    out.line(&format!("where    target {}, database {}", line(&session.target), line(&session.database)))?;
    out.line(&format!("from     {}", line(&session.client)))?;
    out.line(&format!(
        "began    {} ({})",
        words::time(session.started),
        words::relative(session.started, now)
    ))?;
    if let Some(ended) = session.ended {
        let reason =
            session.reason.as_deref().map_or_else(String::new, |reason| format!(": {}", line(reason)));
        out.line(&format!("ended    {}{reason}", words::time(ended)))?;
        let did = words::counted(session.operations, "operation", "operations");
        out.line(&format!("did      {did}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Page;

    fn session(ended: Option<&str>) -> serde_json::Value {
        serde_json::json!({
            "id": "06F000000000000000000000A", "principal": "claude-code", "kind": "agent",
            "on_behalf_of": "alice@example.com", "target": "shop-prod", "database": "shop",
            "client": "127.0.0.1:50000", "method": "token", "started": "2026-11-24T10:00:00Z",
            "ended": ended, "operations": 1204, "reason": ended.map(|_| "the caller left")
        })
    }

    #[test]
    fn the_list_fits_80_columns() {
        let list: SessionList =
            serde_json::from_value(serde_json::json!({ "sessions": [session(None)], "next": "06F" }))
                .unwrap();
        let page = Page::default();
        let now = Timestamp::parse("2026-11-24T10:10:00Z").unwrap();
        show_list(&list, &mut page.output(false), now).unwrap();
        assert_eq!(
            page.text(),
            "id                         state  who                      target     began\n\
             06F000000000000000000000A  live   claude-code for alice@…  shop-prod  10 min ago\n\
             more with --before 06F\n"
        );
        assert!(page.text().lines().all(|line| line.chars().count() <= 80));
    }

    #[test]
    fn an_ended_session_says_why() {
        let view: SessionView = serde_json::from_value(session(Some("2026-11-24T10:05:00Z"))).unwrap();
        let page = Page::default();
        show(&view, &mut page.output(false), Timestamp::parse("2026-11-24T12:00:00Z").unwrap()).unwrap();
        assert!(page.text().contains("ended    2026-11-24 10:05:00Z: the caller left\n"), "{}", page.text());
        assert!(page.text().contains("did      1 204 operations\n"));
    }
}
