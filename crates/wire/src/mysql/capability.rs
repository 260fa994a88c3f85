//! Capability flags ("Capabilities Flags"), and MariaDB's extended ones, which stand in the upper half here.

/// The peer is MySQL's kind; a MariaDB server leaves it out and then says more in the extended flags.
pub const MYSQL: u64 = 1;
/// Affected rows count the rows found.
pub const FOUND_ROWS: u64 = 1 << 1;
/// Long column flags.
pub const LONG_FLAG: u64 = 1 << 2;
/// A database stands in the handshake response.
pub const CONNECT_WITH_DB: u64 = 1 << 3;
/// zlib.
pub const COMPRESS: u64 = 1 << 5;
/// The client would read local files for the server.
pub const LOCAL_FILES: u64 = 1 << 7;
/// White space before `(`.
pub const IGNORE_SPACE: u64 = 1 << 8;
/// The 4.1 protocol.
pub const PROTOCOL_41: u64 = 1 << 9;
/// `interactive_timeout` instead of `wait_timeout`.
pub const INTERACTIVE: u64 = 1 << 10;
/// TLS.
pub const SSL: u64 = 1 << 11;
/// Status flags in OK and EOF.
pub const TRANSACTIONS: u64 = 1 << 13;
/// The 4.1 authentication.
pub const SECURE_CONNECTION: u64 = 1 << 15;
/// Several statements in a text.
pub const MULTI_STATEMENTS: u64 = 1 << 16;
/// Several results of a text.
pub const MULTI_RESULTS: u64 = 1 << 17;
/// Several results of a prepared statement.
pub const PS_MULTI_RESULTS: u64 = 1 << 18;
/// Authentication plugins.
pub const PLUGIN_AUTH: u64 = 1 << 19;
/// Connection attributes.
pub const CONNECT_ATTRS: u64 = 1 << 20;
/// Authentication data with a length-encoded length.
pub const PLUGIN_AUTH_LENENC: u64 = 1 << 21;
/// State changes in OK.
pub const SESSION_TRACK: u64 = 1 << 23;
/// OK in the place of EOF.
pub const DEPRECATE_EOF: u64 = 1 << 24;
/// zstd.
pub const ZSTD: u64 = 1 << 26;
/// Attributes before a text or parameters.
pub const QUERY_ATTRIBUTES: u64 = 1 << 27;
/// MariaDB: progress reports.
pub const MARIADB_PROGRESS: u64 = 1 << 32;
/// MariaDB: many rows of parameters in one execution.
pub const MARIADB_BULK: u64 = 1 << 34;
/// MariaDB: more of a column's type.
pub const MARIADB_METADATA: u64 = 1 << 35;
/// MariaDB: columns that are not sent again.
pub const MARIADB_CACHE_METADATA: u64 = 1 << 36;
