//! The bodies of here-documents, and other texts that are expanded like the inside of double quotes.

use sallyport_core::{Unknown, UnknownCode};

use super::cursor::{Owed, Reader, problem};
use super::tree::{Part, Word};

impl Reader<'_> {
    /// Reads the bodies that are owed; the line that named them has just ended.
    pub(super) fn bodies(&mut self) -> Result<(), Unknown> {
        for owed in std::mem::take(&mut self.owed) {
            let word = self.here_body(&owed)?;
            // Each is owed once.
            owed.body.get_or_init(|| word);
        }
        Ok(())
    }

    fn here_body(&mut self, owed: &Owed) -> Result<Word, Unknown> {
        let mut body = String::new();
        loop {
            if self.raw().is_none() {
                self.doubt(UnknownCode::Ambiguous, "a here-document without its end");
                break;
            }
            let line = self.here_line(owed);
            let compared = line.strip_suffix('\n').unwrap_or(&line);
            if compared == owed.delimiter {
                break;
            }
            body.push_str(&line);
        }
        if owed.quoted {
            return Ok(Word { source: body.clone(), parts: vec![Part::Quoted(body)] });
        }
        let mut inner = self.inner(&body);
        let parts = inner.deeper(|reader| reader.double_quoted(None))?;
        let Reader { doubt, pieces, second_readings, .. } = inner;
        self.pieces = pieces;
        self.second_readings = second_readings;
        if let Some(doubt) = doubt {
            self.doubt.get_or_insert(doubt);
        }
        Ok(Word { parts: vec![Part::Double(parts)], source: body })
    }

    /// One line, continued lines joined where the body is expanded.
    fn here_line(&mut self, owed: &Owed) -> String {
        let mut line = String::new();
        loop {
            let rest = self.text.get(self.at..).unwrap_or_default();
            let mut part = match rest.find('\n') {
                Some(end) => rest.get(..=end).unwrap_or_default(),
                None => rest,
            };
            self.at += part.len();
            if owed.strip_tabs && line.is_empty() {
                part = part.trim_start_matches('\t');
            }
            let text = part.strip_suffix('\n').unwrap_or(part);
            let slashes = text.len() - text.trim_end_matches('\\').len();
            if !owed.quoted && slashes % 2 == 1 && part.ends_with('\n') {
                line.push_str(text.strip_suffix('\\').unwrap_or(text));
                continue;
            }
            line.push_str(part);
            return line;
        }
    }

    /// The whole text, as the inside of double quotes.
    pub(super) fn expanded_text(mut self) -> Result<Word, Unknown> {
        let parts = self.deeper(|reader| reader.double_quoted(None))?;
        match self.doubt {
            Some(doubt) => Err(doubt),
            None => Ok(Word { source: self.text.to_owned(), parts: vec![Part::Double(parts)] }),
        }
    }

    /// The whole text, as an arithmetic expression.
    pub(super) fn arithmetic_text(mut self) -> Result<Vec<Part>, Unknown> {
        let parts = self.deeper(|reader| reader.arithmetic(true))?;
        match self.doubt {
            Some(doubt) => Err(doubt),
            None if self.raw().is_some() => Err(problem(UnknownCode::Unparsable, "arithmetic")),
            None => Ok(parts),
        }
    }
}
