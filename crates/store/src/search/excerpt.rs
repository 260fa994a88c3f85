//! The place in a text where a query hit it, short and on one line.

use sallyport_core::visible;

use super::language::{Query, What};

/// Characters of an excerpt, and how many of them may stand before the hit.
const WIDTH: usize = 74;
const BEFORE: usize = 24;

/// A piece of a text with the hits in it. Hidden characters are written out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Excerpt {
    /// The piece.
    pub text: String,
    /// First character and length of every hit in it, in characters, in order.
    pub marks: Vec<(usize, usize)>,
    /// Whether there is text before and after it.
    pub cut: (bool, bool),
}

/// A word with its place, in characters.
struct Word {
    text: String,
    from: usize,
    to: usize,
}

fn words(text: &[char]) -> Vec<Word> {
    let mut found: Vec<Word> = Vec::new();
    for (at, c) in text.iter().enumerate() {
        if !c.is_alphanumeric() {
            continue;
        }
        let lower = c.to_lowercase();
        match found.last_mut().filter(|word| word.to == at) {
            Some(word) => {
                word.text.extend(lower);
                word.to = at + 1;
            }
            None => found.push(Word { text: lower.collect(), from: at, to: at + 1 }),
        }
    }
    found
}

/// Where the query's words stand in a text: first character and the one behind the last.
fn hits(query: &Query, text: &[char]) -> Vec<(usize, usize)> {
    let there = words(text);
    let mut hits = Vec::new();
    for term in query.terms.iter().filter(|term| !term.negated) {
        let What::Words(value) = &term.what else { continue };
        let wanted = words(&value.text.chars().collect::<Vec<_>>());
        let Some(last) = wanted.len().checked_sub(1) else { continue };
        for place in there.windows(wanted.len()) {
            let fits = place.iter().zip(&wanted).enumerate().all(|(number, (word, wanted))| {
                word.text == wanted.text
                    || (value.prefix && number == last && word.text.starts_with(&wanted.text))
            });
            if let (true, Some(first), Some(end)) = (fits, place.first(), place.last()) {
                hits.push((first.from, end.to));
            }
        }
    }
    hits.sort_unstable();
    // Of hits that overlap the first stands.
    hits.dedup_by(|later, earlier| later.0 < earlier.1);
    hits
}

/// The piece of `text` around the first hit, or its beginning.
pub(super) fn excerpt(query: &Query, text: &str) -> Excerpt {
    let mut line: Vec<char> = Vec::new();
    for c in visible::lines(text).chars() {
        match c {
            ' ' | '\n' if line.last().is_none_or(|last| *last == ' ') => {}
            '\n' => line.push(' '),
            c => line.push(c),
        }
    }
    while line.last() == Some(&' ') {
        line.pop();
    }
    let hits = hits(query, &line);
    let first = hits.first().map_or(0, |(from, _)| *from);
    let start = if line.len() <= WIDTH { 0 } else { first.saturating_sub(BEFORE) };
    let end = line.len().min(start + WIDTH);
    let piece = line.get(start..end).unwrap_or_default();
    let marks = hits
        .iter()
        .filter(|(from, to)| *from >= start && *to <= end)
        .map(|(from, to)| (from - start, to - from))
        .collect();
    Excerpt { text: piece.iter().collect(), marks, cut: (start > 0, end < line.len()) }
}

#[cfg(test)]
mod tests {
    use sallyport_core::Timestamp;

    use super::*;

    fn of(query: &str, text: &str) -> Excerpt {
        let query = Query::parse(query, Timestamp::from_micros(0)).unwrap();
        excerpt(&query, text)
    }

    #[test]
    fn the_hit_is_marked() {
        let found = of("\"from users\" em*", "select email\n  from   Users where x");
        assert_eq!(found.text, "select email from Users where x");
        assert_eq!(found.marks, [(7, 5), (13, 10)]);
        assert_eq!(found.cut, (false, false));
        assert_eq!(of("table:x", "select 1").marks, []);
        assert_eq!(of("-select", "select 1").marks, []);
    }

    #[test]
    fn a_long_text_is_shown_where_it_was_hit() {
        let text = format!("{} needle {}", "hay ".repeat(200), "straw ".repeat(200));
        let found = of("needle", &text);
        assert_eq!(found.text.chars().count(), WIDTH);
        assert_eq!((found.marks.as_slice(), found.cut), ([(BEFORE, 6)].as_slice(), (true, true)));
    }

    #[test]
    fn an_excerpt_cannot_drive_a_terminal() {
        let found = of("x", "a\u{1b}]52;c;x\u{7}\u{202e}\r\nb\u{9b}1m");
        assert!(!sallyport_core::visible::has_hidden(&found.text), "{found:?}");
        assert!(!found.text.contains(['\n', '\r', '\t']), "{found:?}");
    }
}
