//! `sallyport inspect` and `sallyport mask`: filters from standard input to standard output, one JSON
//! object a line, answers in order, never a line left out.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use sallyport_inspect::http;
use sallyport_inspect::lines::Lines;
use sallyport_mask::Labels;

use crate::failure::Failure;

/// The longest line that is read; a longer one is answered with an error in its place.
const LINE_LIMIT: u64 = 64 << 20;

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Language {
    /// PostgreSQL's SQL.
    Postgres,
    /// The SQL of MySQL and MariaDB.
    Mysql,
    /// POSIX shell and bash.
    Shell,
    /// Requests to HTTP APIs.
    Http,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Each line of input is one JSON object. It holds \"text\" (for http: \"method\", \"url\", \
        \"headers\", \"body\"), may hold an \"id\", and what decides the reading (docs/facts.md).\n\n\
        Example: sallyport inspect --language postgres <<'END'\n\
        {\"id\": 1, \"text\": \"delete from users\"}\n\
        END\n\n\
        Example: sallyport inspect --language http <<'END'\n\
        {\"method\": \"DELETE\", \"url\": \"https://api.example.com/v1/users/7\"}\n\
        END"
)]
pub(crate) struct Inspect {
    /// The language of the operations.
    #[arg(long, value_enum)]
    language: Language,
    /// An API document (OpenAPI or Swagger, JSON or YAML) that names paths and operations of HTTP. May be repeated.
    #[arg(long, value_name = "FILE")]
    openapi: Vec<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "Example: sallyport mask --labels labels.toml < in.jsonl > out.jsonl")]
pub(crate) struct Mask {
    /// Which columns carry which class of data.
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
}

pub(crate) fn inspect(inspect: &Inspect) -> Result<(), Failure> {
    let lines = match inspect.language {
        Language::Postgres => Lines::Postgres,
        Language::Mysql => Lines::Mysql,
        Language::Shell => Lines::Shell,
        Language::Http => Lines::Http(documents(&inspect.openapi)?),
    };
    if !inspect.openapi.is_empty() && !matches!(inspect.language, Language::Http) {
        return Err(Failure::usage("--openapi goes with --language http"));
    }
    each_line(|line| lines.answer(line))
}

fn documents(paths: &[PathBuf]) -> Result<http::Apis, Failure> {
    let mut apis = http::Apis::default();
    for path in paths {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
        apis.add(&text).map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
    }
    Ok(apis)
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
    let filter = sallyport_mask::lines::Filter::new(&labels);
    each_line(|line| filter.answer(line))
}

fn each_line(answer: impl Fn(&str) -> String) -> Result<(), Failure> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    match filter(&mut BufReader::new(io::stdin().lock()), &mut out, &answer) {
        // Whoever closed the pipe has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Failure::failed("")),
        done => done.map_err(Failure::from),
    }
}

fn filter(
    input: &mut BufReader<impl Read>,
    out: &mut impl Write,
    answer: &impl Fn(&str) -> String,
) -> io::Result<()> {
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = (&mut *input).take(LINE_LIMIT).read_until(b'\n', &mut line)?;
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
        // Answers go out before more is waited for: the filter can be used in a conversation.
        if input.buffer().is_empty() {
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
        filter(&mut BufReader::new(&input[..]), &mut out, &|line: &str| format!("<{line}>")).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, "<a>\n<>\n{\"id\":null,\"error\":\"the line is not UTF-8\"}\n<last>\n");
    }

    /// Gives one line, and looks whether its answer is out before it gives the next.
    struct Asker<'a> {
        lines: Vec<&'static [u8]>,
        answers: &'a std::sync::Mutex<Vec<u8>>,
        seen: &'a std::sync::Mutex<Vec<usize>>,
    }

    impl Read for Asker<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            self.seen.lock().unwrap().push(self.answers.lock().unwrap().len());
            let Some(line) = self.lines.pop() else { return Ok(0) };
            into[..line.len()].copy_from_slice(line);
            Ok(line.len())
        }
    }

    struct Answers<'a>(&'a std::sync::Mutex<Vec<u8>>);

    impl Write for Answers<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn an_answer_is_out_before_the_next_line_is_waited_for() {
        let (answers, seen) = (std::sync::Mutex::default(), std::sync::Mutex::default());
        let asker = Asker { lines: vec![b"two\n", b"one\n"], answers: &answers, seen: &seen };
        let mut out = io::BufWriter::new(Answers(&answers));
        filter(&mut BufReader::new(asker), &mut out, &|line: &str| line.to_owned()).unwrap();
        assert_eq!(*seen.lock().unwrap(), [0, 4, 8]);
    }

    #[test]
    fn both_filters_answer_what_is_no_json() {
        let labels = Labels::builtin();
        for answer in [Lines::Postgres.answer("nonsense"), sallyport_mask::lines::answer("nonsense", &labels)]
        {
            assert!(answer.contains("\"error\""), "{answer}");
        }
    }
}
