//! Patterns of the tables: `*` within a segment or name, `|` between alternatives, `**` for any segments.
//!
//! Case does not count: where a provider is stricter, the request fails there.

/// A pattern of one segment or name.
#[derive(Clone, Debug)]
pub(super) struct Glob {
    /// In lower case, each split at its stars.
    alternatives: Vec<Vec<String>>,
}

/// A pattern of a path. Nothing stands for any number of segments.
#[derive(Debug)]
pub(super) struct PathGlob(Vec<Option<Glob>>);

impl Glob {
    pub(super) fn new(text: &str) -> Self {
        let alternatives = text.to_ascii_lowercase();
        let alternatives =
            alternatives.split('|').map(|one| one.split('*').map(str::to_owned).collect()).collect();
        Self { alternatives }
    }

    /// Whether a text in lower case fits.
    pub(super) fn fits(&self, text: &str) -> bool {
        self.alternatives.iter().any(|pieces| fits(pieces, text))
    }
}

fn fits(pieces: &[String], text: &str) -> bool {
    let [first, between @ .., last] = pieces else {
        return pieces.first().is_some_and(|only| only == text);
    };
    let Some(rest) = text.strip_prefix(first.as_str()) else { return false };
    let Some(mut rest) = rest.strip_suffix(last.as_str()) else { return false };
    for piece in between {
        let Some((_, after)) = rest.split_once(piece.as_str()) else { return false };
        rest = after;
    }
    true
}

impl PathGlob {
    /// `/a/*/b/**`
    pub(super) fn new(text: &str) -> Self {
        let segments = text.split('/').skip(1);
        Self(segments.map(|segment| (segment != "**").then(|| Glob::new(segment))).collect())
    }

    /// Whether the segments, in lower case, fit.
    pub(super) fn fits(&self, segments: &[String]) -> bool {
        // As with any glob, only the last star needs another try.
        let (mut at, mut next) = (0, 0);
        let mut retry: Option<(usize, usize)> = None;
        loop {
            let step = match (self.0.get(next), segments.get(at)) {
                (Some(None), _) => {
                    retry = Some((next + 1, at));
                    next += 1;
                    continue;
                }
                (None, None) => return true,
                (Some(Some(glob)), Some(segment)) => glob.fits(segment),
                _ => false,
            };
            if step {
                at += 1;
                next += 1;
                continue;
            }
            match retry {
                Some((star, from)) if from < segments.len() => {
                    retry = Some((star, from + 1));
                    next = star;
                    at = from + 1;
                }
                _ => return false,
            }
        }
    }
}
