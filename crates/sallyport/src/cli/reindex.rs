//! `sallyport recording reindex`: the search index, from the recordings alone.

use std::io::{IsTerminal as _, Write as _};
use std::sync::Arc;

use sallyport_record::read::Recordings;

use super::{Bench, online};
use crate::config;
use crate::failure::Failure;
use crate::indexing::{Remade, Shelf, remake};
use crate::words;

pub(super) fn run(bench: &mut Bench) -> Result<(), Failure> {
    let config = config::load(&bench.file)?;
    if !config.search {
        return Err(Failure::usage("this configuration has no search index")
            .hint("[search] enabled = true turns it on"));
    }
    let keys = crate::key_service::keys(&config)?;
    let recordings = Recordings::in_folder(config.recordings()).with_keys(Arc::new(keys));
    let shelf = Shelf::new(&config.data_dir);
    let watched = std::io::stderr().is_terminal();
    let progress = |entries: u64, segment: u64, last: u64| {
        if watched {
            let entries = words::count(entries);
            // Only to show that it goes on; losing it is no failure.
            let _shown = write!(std::io::stderr(), "\r\x1b[K{entries} entries, segment {segment} of {last}");
        }
    };
    let mut remade = Remade::Asked;
    online(async {
        remade = remake(&shelf, &recordings, progress).await?;
        Ok(())
    })?;
    if watched {
        let _shown = write!(std::io::stderr(), "\r\x1b[K");
    }
    match remade {
        Remade::Here(entries) if bench.out.is_json() => {
            bench.out.json(&serde_json::json!({ "entries": entries, "by": "this command" }))
        }
        Remade::Asked if bench.out.is_json() => {
            bench.out.json(&serde_json::json!({ "entries": null, "by": "the running gateway" }))
        }
        Remade::Here(entries) => {
            let entries = words::counted(entries, "entry", "entries");
            bench.out.line(&format!("the search index was made anew from {entries}"))
        }
        Remade::Asked => bench.out.line(
            "a gateway is running here: it makes its search index anew, beginning now; \
             until it is done, `sessions search` says how far it is",
        ),
    }
}
