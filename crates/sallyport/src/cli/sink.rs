//! `sallyport recording sink`: how the copies of the recording stand, sending them by hand, fetching them again.

use std::io::IsTerminal as _;
use std::path::PathBuf;

use clap::Subcommand;
use sallyport_core::{SystemClock, visible};
use sallyport_record::RecordError;
use sallyport_record::sink::{self, Sink, SinkStatus, Waiting};

use super::{Bench, online};
use crate::failure::Failure;
use crate::words;
use crate::{config, sink as sinks};

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// What is in the sink, what is not yet, and why.
    #[command(after_help = "Example: sallyport recording sink status --json")]
    Status,
    /// Send what the sink lacks of a recording that no gateway writes: of a machine that is gone, for example.
    #[command(after_help = "Example: sallyport recording sink send /mnt/lost/sallyport-data/recordings")]
    Send {
        /// The recording's folder; the configuration's when left out.
        folder: Option<PathBuf>,
    },
    /// Fetch a recording from a sink into a folder, to verify and read it there.
    #[command(
        after_help = "Example: sallyport recording sink fetch copy --from s3://audit-bucket/sallyport\n         \
                      sallyport recording verify copy --key recording.pub.pem"
    )]
    Fetch {
        /// Where to; made when it is not there. What is there already is not fetched again.
        into: PathBuf,
        /// The sink; the configuration's when left out. Credentials are then those of the environment.
        #[arg(long, value_name = "ADDRESS")]
        from: Option<String>,
        /// The address of the sink's service, when it is not the provider's own.
        #[arg(long, value_name = "URL", requires = "from")]
        endpoint: Option<String>,
        /// Which log, when the sink has several: the 16 digits that its key's name ends with.
        #[arg(long, value_name = "LOG")]
        log: Option<String>,
    },
}

pub(crate) fn run(verb: &Verb, bench: &mut Bench) -> Result<(), Failure> {
    match verb {
        Verb::Status => status(bench),
        Verb::Send { folder } => {
            let config = config::load(&bench.file)?;
            let sink = configured(&config)?;
            let folder = folder.clone().unwrap_or_else(|| config.recordings());
            let sent = online(async {
                sink::send_all(&folder, &sink, &SystemClock).await.map_err(|error| match error {
                    RecordError::Locked => Failure::failed(format!(
                        "no recording that could be sent is in {}: it is not there, or a gateway records into it and \
                         sends by itself",
                        folder.display()
                    )),
                    other => Failure::failed(other.to_string()),
                })
            });
            let sent = finish(sent, sink)?;
            tell(bench, &sent)?;
            if sent.waiting > 0 {
                return Err(Failure::failed("not everything was sent; once more sends the rest"));
            }
            Ok(())
        }
        Verb::Fetch { into, from, endpoint, log } => {
            let sink = match from {
                Some(address) => sinks::open_at(address, endpoint.as_deref())?,
                None => configured(&config::load(&bench.file)?)?,
            };
            let fetched = online(fetch(&sink, log.as_deref(), into));
            let fetched = finish(fetched, sink)?;
            report(bench, &fetched, into)
        }
    }
}

/// The client's connections end with the runtime that they are of, and so after it.
fn finish<T>(outcome: Result<T, Failure>, sink: Sink) -> Result<T, Failure> {
    drop(sink);
    outcome
}

fn configured(config: &config::Config) -> Result<Sink, Failure> {
    let source = config.sink.as_ref().ok_or_else(|| {
        Failure::usage("no sink is configured: set `to` under [recording.sink] in the configuration")
    })?;
    sinks::open(source)
}

fn status(bench: &mut Bench) -> Result<(), Failure> {
    let config = config::load(&bench.file)?;
    let source = config.sink.as_ref().ok_or_else(|| {
        Failure::usage("no sink is configured: set `to` under [recording.sink] in the configuration")
    })?;
    let found = sink::status(&config.recordings())
        .map_err(|error| Failure::failed(format!("the sink's status cannot be read: {error}")))?;
    match found.filter(|found| found.sink == source.to.to_string()) {
        Some(found) => tell(bench, &found),
        None => Err(Failure::failed(format!(
            "nothing was sent to {} yet: a gateway sends while it runs, or `sallyport recording sink send`",
            source.to
        ))),
    }
}

fn tell(bench: &mut Bench, status: &SinkStatus) -> Result<(), Failure> {
    if bench.out.is_json() {
        bench.out.json(status)?;
    } else {
        let out = &mut bench.out;
        let reached = status.reached.map_or_else(|| "never".to_owned(), words::time);
        out.line(&visible::line(&format!("{}, as of {}", status.sink, words::time(status.at))))?;
        out.line(&format!("sent     {} files, {} bytes; reached {reached}", status.sent, status.sent_bytes))?;
        if let Some(leaves) = status.checkpoint {
            out.line(&format!("proof    a checkpoint of {leaves} leaves"))?;
        }
        for log in &status.adopted {
            out.line(&visible::line(&format!("adopted  {log}")))?;
        }
        out.line(&format!("waiting  {} files", status.waiting))?;
        let line = |word: &str, waiting: &Waiting| {
            visible::line(&format!("{word} {} tried {} times: {}", waiting.name, waiting.tries, waiting.why))
        };
        for waiting in status.first.iter().take(20) {
            out.line(&line("waits   ", waiting))?;
        }
        for alarm in &status.alarms {
            out.line(&line("ALARM   ", alarm))?;
        }
    }
    if status.alarms.is_empty() {
        Ok(())
    } else {
        Err(Failure::failed("the sink has something else than what is here: somebody changed one of them"))
    }
}

async fn fetch(sink: &Sink, log: Option<&str>, into: &std::path::Path) -> Result<sink::Fetched, Failure> {
    let failed = |error: sink::SinkError| Failure::failed(format!("it could not be fetched: {error}"));
    let log = match log {
        Some(log) => log.to_owned(),
        None => {
            let logs = sink::logs(sink).await.map_err(failed)?;
            match logs.as_slice() {
                [one] => one.clone(),
                [] => return Err(Failure::failed(format!("there is no recording in {}", sink.address()))),
                several => {
                    return Err(Failure::usage(format!(
                        "there are several recordings; name one with --log: {}",
                        several.join(" ")
                    )));
                }
            }
        }
    };
    let watched = std::io::stderr().is_terminal();
    sink::fetch(sink, &log, into, |done, of| super::recording::show_segments(watched, done, of))
        .await
        .map_err(failed)
}

fn report(bench: &mut Bench, fetched: &sink::Fetched, into: &std::path::Path) -> Result<(), Failure> {
    if bench.out.is_json() {
        return bench.out.json(fetched);
    }
    let out = &mut bench.out;
    out.line(&format!(
        "fetched {} segments, {} bytes, {} leaves",
        fetched.segments, fetched.bytes, fetched.leaves
    ))?;
    match (fetched.checkpoint, fetched.ahead) {
        (None, _) => out.line("no checkpoint in the sink is reached by them")?,
        (Some(leaves), None) => out.line(&format!("the last checkpoint, of {leaves} leaves, is reached"))?,
        (Some(leaves), Some(ahead)) => out.line(&format!(
            "a checkpoint of {leaves} leaves is reached; one of {ahead} leaves (`checkpoint-ahead`) is not: what is \
             between was not sent yet, or is gone"
        ))?,
    }
    out.line(&visible::line(&format!(
        "check it with `sallyport recording verify {} --key FILE`",
        into.display()
    )))
}
