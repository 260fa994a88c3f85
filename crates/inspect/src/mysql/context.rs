//! What decides the reading of a text, beside the text.

/// The server that reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Flavour {
    /// MariaDB, by its version as executable comments write it (10.11.6 is 101106).
    MariaDb(u32),
    /// MySQL, by its version as executable comments write it (8.4.3 is 80403).
    MySql(u32),
    /// Not known: what reads differently under the servers that are possible is ambiguous.
    Either,
}

/// What of `sql_mode` decides the reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SqlMode {
    /// `"x"` is an identifier.
    pub ansi_quotes: bool,
    /// A backslash in a string is itself.
    pub no_backslash_escapes: bool,
    /// `||` is concatenation, not OR.
    pub pipes_as_concat: bool,
    /// A built-in's name may be followed by white space before its parenthesis.
    pub ignore_space: bool,
    /// `NOT` binds as tightly as `!`.
    pub high_not_precedence: bool,
    /// MariaDB's Oracle mode, in which statements read otherwise.
    pub oracle: bool,
}

impl SqlMode {
    /// The mode of a server as it comes.
    pub const DEFAULT: Self = Self {
        ansi_quotes: false,
        no_backslash_escapes: false,
        pipes_as_concat: false,
        ignore_space: false,
        high_not_precedence: false,
        oracle: false,
    };

    /// The mode that a value of `sql_mode` names, as SHOW VARIABLES writes it.
    #[must_use]
    pub fn named(value: &str) -> Self {
        let mut mode = Self::DEFAULT;
        for name in value.split(',') {
            match name.trim().to_ascii_uppercase().as_str() {
                "ANSI_QUOTES" => mode.ansi_quotes = true,
                "NO_BACKSLASH_ESCAPES" => mode.no_backslash_escapes = true,
                "PIPES_AS_CONCAT" => mode.pipes_as_concat = true,
                "IGNORE_SPACE" => mode.ignore_space = true,
                "HIGH_NOT_PRECEDENCE" => mode.high_not_precedence = true,
                combined @ ("ANSI" | "DB2" | "MAXDB" | "MSSQL" | "ORACLE" | "POSTGRESQL") => {
                    (mode.ansi_quotes, mode.pipes_as_concat, mode.ignore_space) = (true, true, true);
                    mode.oracle |= combined == "ORACLE";
                }
                // They decide nothing of the reading.
                _ => {}
            }
        }
        mode
    }
}

/// What decides the reading of a text.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The server.
    pub flavour: Flavour,
    /// The session's mode; nothing when it is not known, and then what reads differently is ambiguous.
    pub sql_mode: Option<SqlMode>,
    /// The session's `character_set_client`, as the server spells it (`utf8mb4`, `gbk`).
    pub character_set: &'a str,
    /// The current database.
    pub database: Option<&'a str>,
    /// The server's `lower_case_table_names`: 0, 1 or 2.
    pub lower_case_table_names: u8,
}
