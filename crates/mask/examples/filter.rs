//! `sallyport mask` without the rest of the program: builds in seconds, for measuring detectors.
//!
//! `cargo run --release -p sallyport-mask --example filter < in.jsonl > out.jsonl`

use std::io::{self, BufRead, Write};

use sallyport_mask::{Labels, lines::Filter};

fn main() -> io::Result<()> {
    let labels = Labels::builtin();
    let filter = Filter::new(&labels);
    let mut input = io::stdin().lock();
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut line = Vec::new();
    loop {
        line.clear();
        if input.read_until(b'\n', &mut line)? == 0 {
            return out.flush();
        }
        let text = std::str::from_utf8(&line).unwrap_or("").trim_end_matches(['\n', '\r']);
        out.write_all(filter.answer(text).as_bytes())?;
        out.write_all(b"\n")?;
    }
}
