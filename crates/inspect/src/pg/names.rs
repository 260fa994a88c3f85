//! Which relation a name means: the search path, applied as PostgreSQL applies it.
