//! `sallyport serve`.

use clap::Args;

use super::Bench;
use crate::config;
use crate::failure::Failure;
use crate::wiring;

#[derive(Debug, Args)]
#[command(after_help = "Example: sallyport serve --config sallyport.toml")]
pub(crate) struct Serve {}

pub(crate) fn run(_: &Serve, bench: &mut Bench) -> Result<(), Failure> {
    let config = config::load(&bench.file)?;
    wiring::log(bench.environment.log.as_deref())?;
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(wiring::serve(config))
}
