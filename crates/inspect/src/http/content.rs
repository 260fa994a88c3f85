//! The body, in every form in which a server could read it.
//!
//! What the media type declares is read as that, and what a body looks like is read besides: many servers
//! take JSON whatever they were told. Whether a body that cannot be read matters is decided by who asks.

use sallyport_core::UnknownCode;

use super::found::Found;
use super::json::Json;
use super::multipart::{self, Part};
use super::percent;
use super::request::{Body, Request};

/// Larger bodies are not read.
const LARGEST: usize = 2 << 20;
/// More members of a form than servers take.
const MOST_PAIRS: usize = 10_000;

#[derive(Debug, Default)]
pub(super) struct Content<'b> {
    /// `type/subtype` in lower case.
    pub(super) media: Option<String>,
    json: Option<Json>,
    form: Vec<(String, String)>,
    parts: Vec<Part<'b>>,
    /// Where it is UTF-8.
    pub(super) text: Option<&'b str>,
    /// Why nothing of a body that is there could be read.
    pub(super) unread: Option<(UnknownCode, &'static str)>,
    pub(super) is_empty: bool,
}

impl<'b> Content<'b> {
    pub(super) fn json(&self) -> Option<&Json> {
        self.json.as_ref()
    }

    pub(super) fn form(&self) -> &[(String, String)] {
        &self.form
    }

    pub(super) fn parts(&self) -> &[Part<'b>] {
        &self.parts
    }

    fn unread(mut self, code: UnknownCode, why: &'static str) -> Self {
        self.unread = Some((code, why));
        self
    }
}

/// Reads the body. What is wrong with it whoever reads it goes to `found`.
pub(super) fn read<'b>(request: &Request<'b>, found: &mut Found) -> Content<'b> {
    let mut types = request.texts("content-type");
    let declared = types.next().unwrap_or_default();
    let media = declared.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let mut content = Content { media: (!media.is_empty()).then_some(media.clone()), ..Content::default() };
    let bytes = request.body.bytes();
    if bytes.is_empty() && matches!(request.body, Body::Whole(_)) {
        content.is_empty = true;
        return content;
    }
    if types.next().is_some() {
        found.ambiguous("more than one Content-Type");
    }
    let is_coded = request.texts("content-encoding").any(|value| {
        value.split(',').any(|coding| {
            let coding = coding.trim().to_ascii_lowercase();
            !matches!(coding.as_str(), "" | "identity" | "aws-chunked")
        })
    });
    if is_coded {
        found.unknown(UnknownCode::Unsupported, "a compressed body is not read");
        return content.unread(UnknownCode::Unsupported, "a compressed body is not read");
    }
    if is_opaque(&media) && !matches!(bytes.trim_ascii_start().first(), Some(b'{' | b'[')) {
        return content.unread(UnknownCode::Unsupported, "a body in a form that is not read");
    }
    if bytes.len() > LARGEST || matches!(request.body, Body::Beginning(_)) {
        if !is_opaque(&media) {
            found.unknown(UnknownCode::TooLarge, "the body is larger than is read");
        }
        return content.unread(UnknownCode::TooLarge, "the body is larger than is read");
    }
    if media.starts_with("multipart/") {
        let boundary = multipart::parameter(&declared, "boundary").unwrap_or_default();
        match multipart::read(bytes, &boundary) {
            Some(parts) => content.parts = parts,
            None => {
                found.unknown(UnknownCode::Unparsable, "a body that does not hold to its boundary");
                return content.unread(UnknownCode::Unparsable, "a body that does not hold to its boundary");
            }
        }
        return content;
    }
    text(content, bytes, &declared, found)
}

fn text<'b>(mut content: Content<'b>, bytes: &'b [u8], declared: &str, found: &mut Found) -> Content<'b> {
    let media = content.media.clone().unwrap_or_default();
    let declares_json = is_json(&media);
    let is_form = media == "application/x-www-form-urlencoded";
    let is_read = declares_json || is_form || media.is_empty();
    let charset = multipart::parameter(declared, "charset").unwrap_or_default().to_ascii_lowercase();
    let usual = matches!(charset.as_str(), "" | "utf-8" | "utf8" | "us-ascii" | "ascii");
    if is_read && !usual && !(charset == "iso-8859-1" && bytes.is_ascii()) {
        found.ambiguous("a character set that is not read");
        return content.unread(UnknownCode::Ambiguous, "a character set that is not read");
    }
    let Ok(mut text) = std::str::from_utf8(bytes) else {
        if is_read {
            found.unknown(UnknownCode::Encoding, "a body that is not UTF-8");
        }
        return content.unread(UnknownCode::Encoding, "a body that is not UTF-8");
    };
    if let Some(without) = text.strip_prefix('\u{feff}') {
        found.ambiguous("a byte order mark before the body");
        text = without;
    }
    content.text = Some(text);
    let looks_json = text.trim_start().starts_with(['{', '[']);
    if declares_json || looks_json {
        match parse(text) {
            Ok(json) => {
                if json.repeats() && !is_opaque(&media) {
                    found.ambiguous("a name that stands twice in one JSON object");
                }
                content.json = Some(json);
            }
            Err(code) if declares_json || media.is_empty() && code == UnknownCode::TooLarge => {
                found.unknown(code, "a body that is no JSON");
                return content.unread(code, "a body that is no JSON");
            }
            Err(_) => {}
        }
    }
    if is_form || (content.json.is_none() && !declares_json && text.contains('=')) {
        let pairs = text.bytes().filter(|byte| matches!(byte, b'&' | b';')).count();
        if pairs <= MOST_PAIRS {
            content.form = percent::pairs(text.trim_end().as_bytes());
        } else if is_read {
            found.unknown(UnknownCode::TooLarge, "a form with more members than are read");
            return content.unread(UnknownCode::TooLarge, "a form with more members than are read");
        }
    }
    content
}

/// One value, or several on lines of their own.
fn parse(text: &str) -> Result<Json, UnknownCode> {
    match serde_json::from_str::<Json>(text) {
        Ok(json) => Ok(json),
        Err(error) if error.to_string().starts_with("trailing characters") => {
            let values: Result<Vec<Json>, _> =
                serde_json::Deserializer::from_str(text).into_iter::<Json>().collect();
            let values = values.map_err(|error| code_of(&error))?;
            if values.len() == text.lines().filter(|line| !line.trim().is_empty()).count() {
                return Ok(Json::Array(values));
            }
            // One reader stops after the first, another refuses.
            Err(UnknownCode::Ambiguous)
        }
        Err(error) => Err(code_of(&error)),
    }
}

/// Deeper than the parser goes is too large, all else no JSON.
fn code_of(error: &serde_json::Error) -> UnknownCode {
    if error.to_string().starts_with("recursion limit") {
        UnknownCode::TooLarge
    } else {
        UnknownCode::Unparsable
    }
}

fn is_json(media: &str) -> bool {
    media == "application/json"
        || media == "text/json"
        || media.ends_with("+json")
        || media.contains("x-amz-json")
}

/// Media that no interface which is recognised here takes its commands in.
fn is_opaque(media: &str) -> bool {
    let kind = media.split('/').next().unwrap_or_default();
    matches!(kind, "image" | "audio" | "video" | "font")
        || media.starts_with("application/grpc")
        || matches!(
            media,
            "application/octet-stream"
                | "application/zip"
                | "application/gzip"
                | "application/pdf"
                | "application/x-tar"
                | "application/protobuf"
                | "application/x-protobuf"
                | "application/vnd.kubernetes.protobuf"
                | "application/cbor"
                | "application/msgpack"
                | "binary/octet-stream"
        )
}
