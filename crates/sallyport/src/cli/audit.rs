//! `sallyport audit list`.

use clap::Subcommand;
use sallyport_api::dto::{AuditEntry, AuditList};

use super::Bench;
use crate::failure::Failure;
use crate::output::Output;
use crate::words;

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// The newest entries.
    #[command(after_help = "Example: sallyport audit list --limit 20")]
    List {
        /// At most so many.
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
}

pub(crate) async fn run(verb: &Verb, bench: &mut Bench) -> Result<(), Failure> {
    let Verb::List { limit } = verb;
    let api = bench.api()?;
    let list: AuditList = api.get("/v1/audit", &[("limit", Some(limit.to_string()))]).await?;
    if bench.out.is_json() {
        return bench.out.json(&list);
    }
    show(&list, &mut bench.out)
}

/// The object has a line of its own: half a session's id names no session.
fn show(list: &AuditList, out: &mut Output) -> Result<(), Failure> {
    let row = |entry: &AuditEntry| {
        vec![words::time(entry.at), entry.principal.clone(), entry.action.clone(), entry.outcome.clone()]
    };
    let rows: Vec<Vec<String>> = list.entries.iter().map(row).collect();
    let objects: Vec<String> = list.entries.iter().map(|entry| entry.object.clone()).collect();
    let headers = ["time", "principal", "action", "outcome"];
    out.table_with(&headers, &rows, &objects, &[1], "nobody has done anything yet")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Page;

    #[test]
    fn objects_are_whole_and_the_list_fits_80_columns() {
        let entry = |object: &str| {
            serde_json::json!({ "at": "2026-11-24T10:00:00Z", "object": object, "outcome": "not-permitted",
                "principal": "somebody.with.a.long.name@example.com", "action": "request.withdraw" })
        };
        let list: AuditList = serde_json::from_value(
            serde_json::json!({ "entries": [entry("06F000000000000000000000A"), entry("")] }),
        )
        .unwrap();
        let page = Page::default();
        show(&list, &mut page.output(false)).unwrap();
        let text = page.text();
        assert!(text.contains("\n                      06F000000000000000000000A\n"), "{text}");
        assert_eq!(text.lines().count(), 4, "no line for no object: {text}");
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }
}
