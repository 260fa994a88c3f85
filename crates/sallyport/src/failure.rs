//! How a command fails: what a person reads, and the exit code that a script reads.

use std::fmt;

use sallyport_core::visible;

/// The exit codes, as documented in `docs/cli.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It failed, or was refused.
    Failed,
    /// The command line or the configuration is wrong.
    Usage,
    /// The gateway is not there.
    Unreachable,
    /// The token may not do this, or was not taken.
    NotPermitted,
}

impl Exit {
    /// The number.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Unreachable => 3,
            Self::NotPermitted => 4,
        }
    }
}

/// A failed command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// For scripts.
    pub(crate) exit: Exit,
    /// What went wrong; may be several lines.
    pub(crate) message: String,
    /// What to do next.
    pub(crate) hint: Option<String>,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), hint: None }
    }

    /// It failed.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::new(Exit::Failed, message)
    }

    /// The configuration or the command line is wrong.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sallyport: {}", visible::lines(&self.message))?;
        if let Some(hint) = &self.hint {
            write!(f, "\n  {}", visible::lines(hint))?;
        }
        Ok(())
    }
}

impl From<crate::config::Problems> for Failure {
    fn from(problems: crate::config::Problems) -> Self {
        let count = problems.0.len();
        let message = if count == 1 {
            format!("the configuration has a problem\n{problems}")
        } else {
            format!("the configuration has {count} problems\n{problems}")
        };
        Self::usage(message)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::failed(error.to_string())
    }
}
