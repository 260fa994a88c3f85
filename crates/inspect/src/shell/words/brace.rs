//! Brace expansion: `{a,b}` and `{1..3}`.

use crate::shell::syntax::Part;

/// How many words may come of one, and how many braces are looked at.
const MOST_WORDS: usize = 1024;
const MOST_BRACES: usize = 64;

/// A character of unquoted text, or a part that braces leave alone.
#[derive(Clone, Copy, Debug)]
pub(super) enum Bit<'w> {
    Char(char),
    Part(&'w Part),
}

/// The words that braces make of one; nothing when they are too many to be told.
pub(super) fn expand(parts: &[Part]) -> Option<Vec<Vec<Bit<'_>>>> {
    let mut bits = Vec::new();
    for part in parts {
        match part {
            Part::Literal(text) => bits.extend(text.chars().map(Bit::Char)),
            part => bits.push(Bit::Part(part)),
        }
    }
    if bits.iter().filter(|bit| is(bit, '{')).count() > MOST_BRACES {
        return None;
    }
    let mut left = MOST_WORDS;
    words(&bits, &mut left)
}

/// Whether a word has braces that may expand.
pub(super) fn is_braced(parts: &[Part]) -> bool {
    let has = |c: char| parts.iter().any(|part| matches!(part, Part::Literal(text) if text.contains(c)));
    has('{') && has('}') && (has(',') || has('.'))
}

fn is(bit: &Bit<'_>, wanted: char) -> bool {
    matches!(bit, Bit::Char(c) if *c == wanted)
}

fn words<'w>(bits: &[Bit<'w>], left: &mut usize) -> Option<Vec<Vec<Bit<'w>>>> {
    let mut from = 0;
    while let Some(open) = bits.iter().skip(from).position(|bit| is(bit, '{')).map(|at| at + from) {
        let inside = bits.get(open + 1..)?;
        if let Some((alternatives, length)) = alternatives(inside) {
            let prefix = bits.get(..open)?;
            let suffixes = words(inside.get(length + 1..)?, left)?;
            let mut made = Vec::new();
            for alternative in alternatives {
                for middle in words(&alternative, left)? {
                    for suffix in &suffixes {
                        *left = left.checked_sub(1)?;
                        made.push([prefix, middle.as_slice(), suffix.as_slice()].concat());
                    }
                }
            }
            return Some(made);
        }
        from = open + 1;
    }
    Some(vec![bits.to_vec()])
}

/// What stands between a brace and its end, and how long that is; nothing when it is plain text.
fn alternatives<'w>(inside: &[Bit<'w>]) -> Option<(Vec<Vec<Bit<'w>>>, usize)> {
    let mut alternatives = vec![Vec::new()];
    let mut open: usize = 0;
    for (length, bit) in inside.iter().enumerate() {
        match bit {
            Bit::Char('}') if open == 0 => {
                return if alternatives.len() > 1 {
                    Some((alternatives, length))
                } else {
                    Some((sequence(inside.get(..length)?)?, length))
                };
            }
            Bit::Char(',') if open == 0 => {
                alternatives.push(Vec::new());
                continue;
            }
            Bit::Char('{') => open += 1,
            Bit::Char('}') => open -= 1,
            _ => {}
        }
        alternatives.last_mut()?.push(*bit);
    }
    None
}

/// `1..9`, `01..10..2`, `a..e`.
fn sequence<'w>(bits: &[Bit<'w>]) -> Option<Vec<Vec<Bit<'w>>>> {
    let text: Option<String> = bits
        .iter()
        .map(|bit| match bit {
            Bit::Char(c) => Some(*c),
            Bit::Part(_) => None,
        })
        .collect();
    let text = text?;
    let mut ends = text.split("..");
    let (first, last, step) = (ends.next()?, ends.next()?, ends.next());
    if ends.next().is_some() {
        return None;
    }
    let step = match step {
        Some(step) => step.parse::<i64>().ok()?.unsigned_abs().max(1),
        None => 1,
    };
    let to_bits = |text: String| text.chars().map(Bit::Char).collect();
    if let (Ok(from), Ok(to)) = (first.parse::<i64>(), last.parse::<i64>()) {
        let is_padded = |text: &str| {
            let digits = text.trim_start_matches('-');
            digits.len() > 1 && digits.starts_with('0')
        };
        let width = if is_padded(first) || is_padded(last) { first.len().max(last.len()) } else { 0 };
        return Some(steps(from, to, step).map(|value| to_bits(format!("{value:0width$}"))).collect());
    }
    let mut letters = [first, last].into_iter().map(|end| {
        let mut chars = end.chars();
        chars.next().filter(|c| c.is_ascii() && chars.next().is_none())
    });
    let (from, to) = (letters.next()??, letters.next()??);
    let values = steps(i64::from(u32::from(from)), i64::from(u32::from(to)), step);
    let chars = values.filter_map(|value| char::from_u32(u32::try_from(value).ok()?));
    Some(chars.map(|c| to_bits(c.to_string())).collect())
}

/// From one number to another; one more than may be made, so that the rest is seen to be too many.
fn steps(from: i64, to: i64, step: u64) -> impl Iterator<Item = i64> {
    let count = from.abs_diff(to) / step;
    let step = i64::try_from(step).unwrap_or(i64::MAX);
    (0..=i64::try_from(count).unwrap_or(i64::MAX)).take(MOST_WORDS + 1).map(move |index| {
        let offset = index.saturating_mul(step);
        if from <= to { from.saturating_add(offset) } else { from.saturating_sub(offset) }
    })
}
