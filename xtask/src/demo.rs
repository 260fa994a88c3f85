//! `cargo xtask demo`.

use crate::shell::{Failure, Outcome};

pub(crate) fn run(_arguments: &[String]) -> Outcome {
    Err(Failure::usage("the demo is not there yet"))
}
