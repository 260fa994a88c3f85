//! What the process gives up before it holds a secret.
//!
//! Targets' passwords and derived keys live in memory only. A core dump would write them to disk, and
//! another process of the same user could read them through ptrace or `/proc`: both are switched off
//! before the first credential is read.

use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

use crate::failure::Failure;

/// Switches core dumps and attaching debuggers off, for good.
///
/// # Errors
/// When the system refuses: a gateway whose memory could be dumped does not start.
pub(crate) fn harden() -> Result<(), Failure> {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    setrlimit(Resource::Core, none).map_err(|error| refused("core dumps", error))?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(|error| refused("debuggers", error))
}

fn refused(what: &str, error: rustix::io::Errno) -> Failure {
    Failure::failed(format!("{what} cannot be switched off: {error}"))
}

#[cfg(test)]
mod tests {
    use rustix::process::{dumpable_behavior, getrlimit};

    use super::*;

    #[test]
    fn a_hardened_process_leaves_no_core_and_lets_nobody_attach() {
        harden().unwrap();
        let limit = getrlimit(Resource::Core);
        assert_eq!((limit.current, limit.maximum), (Some(0), Some(0)));
        assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
    }
}
