//! The reader against what a real MariaDB 10.11 answered (`verdicts.py` asks it): which statements its grammar
//! takes, how it brackets expressions, what its literals are worth, and what of a comment it executes.

mod tests;
