//! The lexer against hand-written readings.
