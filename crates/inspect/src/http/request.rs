//! A request as it came in: what [`inspect`](super::inspect) reads.
//!
//! Nothing in it is decoded or normalised yet. The same shape holds a request of HTTP/1.1 and of HTTP/2.

/// One request.
#[derive(Clone, Copy, Debug)]
pub struct Request<'r> {
    /// As it was sent; its case counts.
    pub method: &'r [u8],
    /// `http` or `https`, where the connection or `:scheme` settles it.
    pub scheme: Option<&'r str>,
    /// `:authority` of HTTP/2; or the host that the connection stands for. Compared with `Host`.
    pub authority: Option<&'r [u8]>,
    /// The request target, or `:path`: in origin, absolute, authority or asterisk form.
    pub target: &'r [u8],
    /// In order, with repeats, names as they were written.
    pub headers: Headers<'r>,
    /// What was read of the body.
    pub body: Body<'r>,
    /// How it was framed.
    pub version: Version,
}

/// Header fields, names and values.
pub type Headers<'r> = &'r [(&'r [u8], &'r [u8])];

/// The body, transfer coding removed, content coding not.
#[derive(Clone, Copy, Debug)]
pub enum Body<'r> {
    /// All of it.
    Whole(&'r [u8]),
    /// Its beginning: more follows than the caller keeps.
    Beginning(&'r [u8]),
}

/// The version of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.0: no chunks.
    Http10,
    /// HTTP/1.1.
    Http11,
    /// HTTP/2 and HTTP/3: framed by the protocol, no connection headers.
    Framed,
}

impl<'r> Body<'r> {
    pub(super) fn bytes(self) -> &'r [u8] {
        match self {
            Self::Whole(bytes) | Self::Beginning(bytes) => bytes,
        }
    }
}

impl<'r> Request<'r> {
    /// The values of a field. `_` counts as `-`, as gateway interfaces (CGI, WSGI) make it.
    pub(super) fn values(&self, name: &str) -> impl Iterator<Item = &'r [u8]> {
        let headers = self.headers;
        headers.iter().filter(move |(field, _)| is_field(field, name)).map(|(_, value)| value.trim_ascii())
    }

    /// The values of a field as text; what is no UTF-8 is replaced.
    pub(super) fn texts(&self, name: &str) -> impl Iterator<Item = String> {
        self.values(name).map(|value| String::from_utf8_lossy(value).into_owned())
    }

    /// Whether a comma-separated field holds a word, in any case.
    pub(super) fn lists(&self, name: &str, word: &str) -> bool {
        self.values(name)
            .flat_map(|value| value.split(|byte| *byte == b','))
            .any(|item| item.trim_ascii().eq_ignore_ascii_case(word.as_bytes()))
    }
}

fn is_field(field: &[u8], name: &str) -> bool {
    let field = field.trim_ascii();
    field.len() == name.len()
        && field
            .iter()
            .zip(name.bytes())
            .all(|(byte, wanted)| byte.to_ascii_lowercase() == wanted || (*byte == b'_' && wanted == b'-'))
}
