//! What running a program with its words does, as its description says it.
//!
//! `programs::effects` makes these out of words; the engine turns them into actions, and follows what
//! they run.

use sallyport_core::{Action, Language, UnknownCode};

use super::word::Word;

/// One thing that running a program does.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Effect {
    /// An action by itself: a file read, a host connected to, a package installed…
    Does(Box<Action>),
    /// Runs another program with these words (`env`, `timeout`, `xargs`, `find -exec`, `kubectl exec --`).
    /// Words that are only known at run time (what `xargs` reads) are `Sureness::Any` at their place.
    Runs(Vec<Word>),
    /// Gives what it runs this variable, `NAME=value` (`env X=y …`, `sudo X=y …`): as dangerous as the same
    /// assignment before a command.
    Sets(Word),
    /// Runs shell text here or elsewhere (`sh -c`, `ssh host …`, `watch`, `su -c`).
    RunsShell(Word),
    /// Runs what it reads from standard input as shell text (`sh`, `bash -s`, `ssh host` without a command).
    RunsShellInput,
    /// Runs text in an interpreter that is not read (`python -c`, `perl -e`, `awk` with `system`).
    RunsCode(String),
    /// Sends a text to a database, to be inspected as SQL (`psql -c`, `mysql -e`).
    RunsSql(Language, Word),
    /// The database that the SQL of this command is sent to, wherever among its words it stands.
    InDatabase(Word),
    /// Sends what it reads from standard input to a database (`psql`, `mysql`).
    RunsSqlInput(Language),
    /// An interactive session that no parser sees (`vim`, `python`, `psql` on a terminal). Where standard
    /// input is a pipe, here-document or file, the engine decides what that means.
    Interactive(String),
    /// Something in it is not understood.
    Unknown(UnknownCode, String),
}
