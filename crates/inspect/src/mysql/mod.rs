//! Facts of the SQL of MySQL and MariaDB. Nothing is understood yet.

pub(crate) mod lines;
