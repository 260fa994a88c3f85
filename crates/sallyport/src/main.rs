//! The sallyport command: configuration, wiring, command line.

mod config;

fn main() {}
