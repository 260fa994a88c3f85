//! The harness of the end-to-end tests: real clients, a real gateway, a real PostgreSQL.
//!
//! ```text
//! psql · psycopg · raw frames  ->  Gateway (its own process, folder and policy)  ->  Cluster (shared)
//!                                  and its command line                              a database per test
//! ```
//!
//! Every test has a gateway and a database of its own; the PostgreSQL server is started by the first
//! test, shared by all test processes, and ends itself when none has used it for a while.

mod client;
mod cluster;
pub mod conversation;
mod driver;
mod gateway;
mod mariadb;
mod mysql;
pub mod mysql_raw;
mod raw;
pub mod services;

pub use client::{Kind, Outcome, Session, attempt};
pub use cluster::{Cluster, seed};
pub use driver::{Driver, Playing, Program};
pub use gateway::{Gateway, Options, Policy, Ran, python};
pub use mariadb::MariaDb;
pub use mysql::{MysqlClient, MysqlGateway, MysqlOutcome, MysqlSession};
pub use raw::{Fields, Message, Raw, frame};

use std::time::{Duration, Instant};

/// SQL that makes the tables the drivers use: `typed` with every type, `copied`, `events`.
#[must_use]
pub fn types() -> &'static str {
    include_str!("types.sql")
}

/// Waits until something is so; panics with `what` when it does not become so in ten seconds.
pub fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    within(Duration::from_secs(10), what, &mut look)
}

/// The same with a deadline.
pub fn within<T>(limit: Duration, what: &str, look: &mut dyn FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(started.elapsed() < limit, "not within {limit:?}: {what}");
        std::thread::sleep(Duration::from_millis(30));
    }
}
