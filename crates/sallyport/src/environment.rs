//! The only reader of the process's environment.

use sallyport_core::Secret;

/// What the environment says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Environment {
    /// `SALLYPORT_URL`: where the API is.
    pub(crate) url: Option<String>,
    /// `SALLYPORT_TOKEN`: who asks.
    pub(crate) token: Option<Secret<String>>,
    /// `SALLYPORT_LOG`: which log lines, as `info` or `sallyport_gateway=debug`.
    pub(crate) log: Option<String>,
    /// `NO_COLOR` is set and not empty (no-color.org).
    pub(crate) no_color: bool,
    /// `TERM` is `dumb`.
    pub(crate) dumb: bool,
}

impl Environment {
    /// Reads it.
    pub(crate) fn read() -> Self {
        Self {
            url: variable("SALLYPORT_URL"),
            token: variable("SALLYPORT_TOKEN").map(Secret::new),
            log: variable("SALLYPORT_LOG"),
            no_color: variable("NO_COLOR").is_some(),
            dumb: variable("TERM").is_some_and(|term| term == "dumb"),
        }
    }
}

/// A variable that is set, text, and not empty. Also how the gateway reads the credentials that its
/// configuration names as `env:NAME`.
#[expect(clippy::disallowed_methods, reason = "this is the module that everything else asks")]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
