//! `sallyport inspect` and `sallyport mask`: filters from standard input to standard output, one JSON
//! object a line, answers in order, never a line left out.

use std::io::{self, BufRead, Write};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use sallyport_mask::Labels;

use crate::failure::Failure;

/// The longest line that is read; a longer one is answered with an error in its place.
const LINE_LIMIT: u64 = 64 << 20;

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Language {
    /// PostgreSQL's SQL.
    Postgres,
}

#[derive(Debug, Args)]
#[command(after_help = "Example: sallyport inspect --language postgres < in.jsonl > out.jsonl")]
pub(crate) struct Inspect {
    /// The language of the operations.
    #[arg(long, value_enum)]
    language: Language,
}

#[derive(Debug, Args)]
#[command(after_help = "Example: sallyport mask --labels labels.toml < in.jsonl > out.jsonl")]
pub(crate) struct Mask {
    /// Which columns carry which class of data.
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
}

pub(crate) fn inspect(inspect: &Inspect) -> Result<(), Failure> {
    match inspect.language {
        Language::Postgres => each_line(sallyport_inspect::lines::answer),
    }
}

pub(crate) fn mask(mask: &Mask) -> Result<(), Failure> {
    let labels = match &mask.labels {
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
            Labels::parse(&text).map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?
        }
        None => Labels::builtin(),
    };
    each_line(|line| sallyport_mask::lines::answer(line, &labels))
}

fn each_line(answer: impl Fn(&str) -> String) -> Result<(), Failure> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    match filter(&mut io::stdin().lock(), &mut out, &answer) {
        // Whoever closed the pipe has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Failure::failed("")),
        done => done.map_err(Failure::from),
    }
}

fn filter(
    input: &mut impl BufRead,
    out: &mut impl Write,
    answer: &impl Fn(&str) -> String,
) -> io::Result<()> {
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = io::Read::take(&mut *input, LINE_LIMIT).read_until(b'\n', &mut line)?;
        if read == 0 {
            return out.flush();
        }
        let ended = line.last() == Some(&b'\n');
        if ended {
            line.pop();
            if line.last() == Some(&b'\r') {
                line.pop();
            }
        }
        if !ended && u64::try_from(read).unwrap_or(u64::MAX) == LINE_LIMIT {
            input.skip_until(b'\n')?;
            out.write_all(b"{\"id\":null,\"error\":\"the line is longer than 64 MiB\"}\n")?;
            continue;
        }
        match std::str::from_utf8(&line) {
            Ok(text) => out.write_all(answer(text).as_bytes())?,
            Err(_) => out.write_all(b"{\"id\":null,\"error\":\"the line is not UTF-8\"}")?,
        }
        out.write_all(b"\n")?;
        // Answers go out at once when nothing more waits: the filter can be used in a conversation.
        if input.fill_buf().map_or(true, <[u8]>::is_empty) {
            out.flush()?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_answered_in_its_place() {
        let mut out = Vec::new();
        let input = b"a\r\n\n\xff\nlast";
        filter(&mut &input[..], &mut out, &|line: &str| format!("<{line}>")).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, "<a>\n<>\n{\"id\":null,\"error\":\"the line is not UTF-8\"}\n<last>\n");
    }

    #[test]
    fn both_filters_answer_what_is_no_json() {
        let labels = Labels::builtin();
        for answer in
            [sallyport_inspect::lines::answer("nonsense"), sallyport_mask::lines::answer("nonsense", &labels)]
        {
            assert!(answer.contains("\"error\""), "{answer}");
        }
    }
}
