//! The words for what an operation would do, and the group each belongs to.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $text)] $variant),+ }

        impl $name {
            /// Every word, in the order of the documentation.
            pub const ALL: &[$name] = &[$($name::$variant),+];

            /// The word itself.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $text),+ }
            }

        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(self.as_str()) }
        }
    };
}

words!(
    /// A group of actions.
    #[derive(Deserialize)]
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
        /// Shell: runs programs.
        Process = "process",
        /// Shell and file transfer: touches files.
        File = "file",
        /// Shell: talks to other hosts.
        Net = "net",
        /// Requests to an HTTP API.
        Http = "http",
        /// Calls over the Model Context Protocol.
        Tool = "tool",
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

            /// Reads a word of a group; `listen` and `delete` mean something else in another.
            #[must_use]
            pub fn parse(group: Group, word: &str) -> Option<Self> {
                match (group, word) { $($((Group::$group, $text) => Some(Verb::$variant),)+)+ _ => None }
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
            DefaultPrivileges = "default-privileges", RowSecurity = "row-security", IamChange = "iam-change",
            Elevate = "elevate" }
    Session { Set = "set", Reset = "reset", Begin = "begin", Commit = "commit", Rollback = "rollback",
            Savepoint = "savepoint", Prepare = "prepare", Execute = "execute", Deallocate = "deallocate",
            Cursor = "cursor", Fetch = "fetch", Listen = "listen", Notify = "notify", Discard = "discard",
            Use = "use" }
    Code { Call = "call", Procedure = "procedure", Anonymous = "anonymous", Interpreter = "interpreter" }
    Escape { Program = "program", FileRead = "file-read", FileWrite = "file-write", Network = "network",
            LoadLibrary = "load-library" }
    Admin { AlterSystem = "alter-system", Replication = "replication", TwoPhase = "two-phase",
            Terminate = "terminate", Shutdown = "shutdown", Maintain = "maintain", Configure = "configure" }
    Process { Run = "run", Interactive = "interactive", Service = "service", Package = "package", Kill = "kill",
            Schedule = "schedule" }
    File { ReadFile = "read", WriteFile = "write", RemoveFile = "remove", Permissions = "permissions",
            Mount = "mount" }
    Net { Download = "fetch", ListenOn = "listen", Connect = "connect", ForwardLocal = "forward-local",
            ForwardRemote = "forward-remote", ForwardAgent = "forward-agent", ForwardX11 = "forward-x11",
            Socks = "socks" }
    Http { Get = "get", Post = "post", Put = "put", Patch = "patch", HttpDelete = "delete", OtherMethod = "other",
            Query = "query", Mutation = "mutation", Subscription = "subscription", Upgrade = "upgrade" }
    Tool { ToolCall = "tool-call", ResourceRead = "resource-read", PromptGet = "prompt-get" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_round_trip_in_their_group() {
        for verb in Verb::ALL {
            assert_eq!(Verb::parse(verb.group(), verb.as_str()), Some(*verb));
        }
        assert_eq!(Verb::CopyIn.group(), Group::Write);
        assert_eq!(Verb::parse(Group::Net, "listen"), Some(Verb::ListenOn));
        assert_eq!(Verb::parse(Group::Session, "listen"), Some(Verb::Listen));
        assert_eq!(Verb::parse(Group::Read, "delete"), None);
    }
}
