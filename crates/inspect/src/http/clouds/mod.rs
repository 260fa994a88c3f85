//! Interfaces of cloud providers and of Kubernetes: what a request to them means beyond its method.
//!
//! Which requests change who may do what, read secrets, run commands or carry templates stands in tables
//! (`*.toml`), each row with the provider's documentation as its source. `rules` matches the tables against
//! a request; `aws` finds the operation of interfaces that name it beside the path; `deployment` and
//! `remote` read what is carried.

mod aws;
mod container;
mod deployment;
mod glob;
mod remote;
mod rules;

use super::call::Call;
use super::found::Found;

/// What the request's own action gets from being recognised.
#[derive(Debug, Default)]
pub(super) struct Marks {
    /// It reads or changes a secret.
    pub(super) is_secret: bool,
    /// What the provider calls it, where that does not stand in the path.
    pub(super) operation: Option<String>,
}

/// Finds what a request means, and says what its own action is to be marked with.
pub(super) fn recognise(call: &Call<'_>, found: &mut Found) -> Marks {
    let mut marks = Marks::default();
    aws::recognise(call, &mut marks, found);
    rules::recognise(call, &mut marks, found);
    marks
}
