//! `sallyport audit list`.

use clap::Subcommand;
use sallyport_api::dto::AuditList;

use super::Bench;
use crate::failure::Failure;
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
    let rows: Vec<Vec<String>> = list
        .entries
        .into_iter()
        .map(|entry| vec![words::time(entry.at), entry.principal, entry.action, entry.object, entry.outcome])
        .collect();
    let headers = ["time", "principal", "action", "object", "outcome"];
    bench.out.table(&headers, &rows, &[1, 3], "nobody has done anything yet")
}
