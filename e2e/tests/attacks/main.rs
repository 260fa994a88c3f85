//! Attacks that have broken products of this kind, each against a real gateway before a real server.
//!
//! A test's name says what it holds; it fails when the guard is taken away. The letters and numbers of
//! the files are those of the classes of attack in SECURITY.md.

mod approvals;
mod code_types;
mod definitions;
mod dressings;
mod identity;
mod listener;
mod masking;
mod meaning;
mod wire;
mod written_back;

use sallyport_e2e::{Gateway, Options, Policy};

const AGENT: &str = "claude-code";
const BOB: &str = "bob@example.com";

/// Everything goes except definitions and deletions: what is refused and what runs stand side by side.
const OPEN: &str = r#"
@id("connect") permit (principal, action == Action::"connect", resource);
@id("everything") permit (principal, action in Action::"sql", resource);
@id("no-schema") forbid (principal, action in Action::"sql:schema", resource);
@id("no-delete") forbid (principal, action == Action::"sql:delete", resource);
"#;

/// In the clear, for frames by hand, under the open policy.
fn open() -> Gateway {
    Gateway::with(Options { policy: Policy::Only(OPEN), tls: false, ..Options::default() })
}

/// In the clear, for frames by hand; definitions may be changed too.
fn schema_allowed() -> Gateway {
    let policy = r#"
@id("connect") permit (principal, action == Action::"connect", resource);
@id("everything") permit (principal, action in Action::"sql", resource);
"#;
    Gateway::with(Options { policy: Policy::Only(policy), tls: false, ..Options::default() })
}

/// In the clear, for frames by hand, under the starting policy.
fn plain() -> Gateway {
    Gateway::with(Options { tls: false, ..Options::default() })
}

/// The same with holds that become tickets at once.
fn tickets() -> Gateway {
    Gateway::with(Options {
        tls: false,
        limits: "hold_wait = \"1s\"\nhold_wait_in_transaction = \"1s\"",
        ..Options::default()
    })
}
