//! Real clients against a real gateway and a real PostgreSQL; the scenarios are in `tests/`.
