//! The words for what an operation would do, and the group each belongs to.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $text)] $variant),+ }

        impl $name {
            /// Every word, in the order of the documentation.
            pub const ALL: &[$name] = &[$($name::$variant),+];

            /// The word itself.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $text),+ }
            }

            /// Reads the word.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some($name::$variant),)+ _ => None }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(self.as_str()) }
        }
    };
}

words!(
    /// A group of actions.
    Group {
        /// Reads data.
        Read = "read",
        /// Changes rows.
        Write = "write",
        /// Changes definitions.
        Schema = "schema",
        /// Changes who may do what.
        Privilege = "privilege",
        /// Changes the session.
        Session = "session",
        /// Runs code that the inspector has not read.
        Code = "code",
        /// Reaches outside the database.
        Escape = "escape",
        /// Runs the server.
        Admin = "admin",
    }
);

macro_rules! verbs {
    ($($group:ident { $($variant:ident = $text:literal),+ $(,)? })+) => {
        words!(
            /// One action, in the words that policy, approvals and recordings share.
            #[expect(missing_docs, reason = "each word is its own documentation; docs/facts.md says what it covers")]
            Verb { $($($variant = $text),+),+ }
        );

        impl Verb {
            /// The group the action belongs to.
            #[must_use]
            pub fn group(self) -> Group {
                match self { $($(Verb::$variant)|+ => Group::$group),+ }
            }
        }
    };
}

verbs! {
    Read { Select = "select", CopyOut = "copy-out", Explain = "explain", Show = "show" }
    Write { Insert = "insert", Update = "update", Delete = "delete", Truncate = "truncate",
            CopyIn = "copy-in", Lock = "lock" }
    Schema { Create = "create", Alter = "alter", Drop = "drop", Comment = "comment" }
    Privilege { Grant = "grant", Revoke = "revoke", CreateRole = "create-role", AlterRole = "alter-role",
            DropRole = "drop-role", SetRole = "set-role", AlterOwner = "alter-owner",
            DefaultPrivileges = "default-privileges", RowSecurity = "row-security" }
    Session { Set = "set", Reset = "reset", Begin = "begin", Commit = "commit", Rollback = "rollback",
            Savepoint = "savepoint", Prepare = "prepare", Execute = "execute", Deallocate = "deallocate",
            Cursor = "cursor", Fetch = "fetch", Listen = "listen", Notify = "notify", Discard = "discard",
            Use = "use" }
    Code { Call = "call", Procedure = "procedure", Anonymous = "anonymous" }
    Escape { Program = "program", FileRead = "file-read", FileWrite = "file-write", Network = "network",
            LoadLibrary = "load-library" }
    Admin { AlterSystem = "alter-system", Replication = "replication", TwoPhase = "two-phase",
            Terminate = "terminate", Shutdown = "shutdown", Maintain = "maintain", Configure = "configure" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_round_trip() {
        for verb in Verb::ALL {
            assert_eq!(Verb::parse(verb.as_str()), Some(*verb));
        }
        assert_eq!(Verb::CopyIn.group(), Group::Write);
    }
}
