//! Every form of an export, of an ordinary session and of hostile ones.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sallyport_api::dto::EntryContent;
use sallyport_core::visible;

use super::*;
use crate::story::testing::{
    Shown, data, entry, intent, message, nasty, opened, refused, row, row_description, session_of,
};
use crate::testing::Page as Paper;

fn exported(format: Format, entries: &[Entry]) -> String {
    let mut out = Vec::new();
    let mut form = begin(format, "06F000000000000000000000A");
    for entry in entries {
        form.entry(entry, &mut out).unwrap();
    }
    let verified = Verified { entries: 9, head: Some("ab".repeat(32)), sealed: true, signature: Some(true) };
    form.end(Some(&verified), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn ordinary() -> Vec<Entry> {
    let text = b"select id, email\nfrom users where id < $1";
    let reply =
        [row_description(), row(7, Some("‹pii.email›")), row(8, None), message(b'C', b"SELECT 2\0")].concat();
    let shape = sallyport_core::ParameterShape {
        type_id: 23,
        format: sallyport_core::ParameterFormat::Text,
        length: Some(2),
    };
    let outcome = sallyport_core::Event::Outcome {
        operation: 1,
        rows: 2,
        bytes: 90,
        masked: 1,
        duration_us: 2500,
        error: None,
    };
    vec![
        entry(0, opened("postgres"), b""),
        entry(1, intent(text, vec![shape]), &[text.as_slice(), b"42"].concat()),
        data(&reply, 2),
        entry(3, outcome, b""),
        entry(4, refused(b"drop table users"), b"drop table users"),
    ]
}

/// Rows of a CSV text.
fn rows(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\r' if !quoted && chars.peek() == Some(&'\n') => {
                chars.next();
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            c => cell.push(c),
        }
    }
    assert!(!quoted && row.is_empty() && cell.is_empty(), "the table is not whole");
    rows
}

#[test]
fn csv_has_a_row_for_every_operation() {
    let rows = rows(&exported(Format::Csv, &ordinary()));
    assert_eq!(rows.len(), 3);
    let column = |name: &str| rows[0].iter().position(|column| column == name).unwrap();
    let cells = |name: &str| [rows[1][column(name)].as_str(), rows[2][column(name)].as_str()];
    assert_eq!(cells("operation"), ["1", "1"]);
    assert_eq!(cells("state"), ["passed", "refused"]);
    assert_eq!(cells("decision"), ["allow", "deny"]);
    assert_eq!(cells("error"), ["", "SLP-DENIED"]);
    assert_eq!(cells("principal"), ["claude-code", "claude-code"]);
    assert_eq!(cells("rows"), ["2", ""]);
    assert_eq!(cells("duration_ms"), ["2", ""]);
    assert_eq!(cells("parameters"), ["$1=42", ""]);
    assert_eq!(cells("text"), ["select id, email\nfrom users where id < $1", "drop table users"]);
}

#[test]
fn json_has_every_entry_with_its_exact_bytes() {
    let entries = ordinary();
    let json: serde_json::Value = serde_json::from_str(&exported(Format::Json, &entries)).unwrap();
    assert_eq!((&json["version"], &json["session"]), (&1.into(), &"06F000000000000000000000A".into()));
    assert_eq!(json["verified"]["signature"], true);
    let found = json["entries"].as_array().unwrap();
    assert_eq!(found.len(), entries.len());
    for (found, entry) in found.iter().zip(&entries) {
        let payload = found["payload"].as_str().unwrap();
        let bytes = match found["encoding"].as_str().unwrap() {
            "utf-8" => payload.as_bytes().to_vec(),
            _ => STANDARD.decode(payload).unwrap(),
        };
        assert_eq!(bytes, STANDARD.decode(&entry.payload).unwrap());
        assert_eq!(found["hash"], entry.hash);
        let content: EntryContent = serde_json::from_value(found["entry"].clone()).unwrap();
        assert_eq!(content, entry.entry);
    }
    let empty: serde_json::Value = serde_json::from_str(&exported(Format::Json, &[])).unwrap();
    assert_eq!(empty["entries"], serde_json::json!([]));
}

/// Times and pieces of a cast.
fn pieces(text: &str) -> Vec<(f64, String)> {
    let mut lines = text.lines();
    let head: serde_json::Value = serde_json::from_str(lines.next().unwrap()).unwrap();
    assert_eq!((&head["version"], &head["width"]), (&2.into(), &120.into()));
    lines
        .map(|line| {
            let piece: (f64, String, String) = serde_json::from_str(line).unwrap();
            assert_eq!(piece.1, "o");
            (piece.0, piece.2)
        })
        .collect()
}

#[test]
fn a_cast_is_the_transcript_over_time() {
    let pieces = pieces(&exported(Format::Asciicast, &ordinary()));
    assert!(pieces.windows(2).all(|pair| pair[0].0 <= pair[1].0), "{pieces:?}");
    let text: String = pieces.iter().map(|piece| piece.1.as_str()).collect();
    assert!(text.contains("  | from users where id < $1\r\n"), "{text}");
    assert!(text.contains("\x1b[31m[     4 s] #1 refused, deny by reads\x1b[0m\r\n"), "{text}");
    assert_eq!(pieces[1].0, 1.0);
}

#[test]
fn a_page_needs_nothing_else_and_says_what_happened() {
    let html = exported(Format::Html, &ordinary());
    for word in [
        "default-src 'none'",
        "claude-code for alice@example.com",
        "sealed, and the seal is signed by this gateway’s key",
        "<mark title=\"masked\">‹pii.email›</mark>",
        "select id, email\nfrom users where id &lt; $1",
        "SLP-DENIED",
        "id=\"op-1\"",
        "<span class=\"null\">NULL</span>",
    ] {
        assert!(html.contains(word), "{word}");
    }
    for address in ["http:", "https:", "src=", "url(", "@import", "<link", "<iframe"] {
        assert!(!html.contains(address), "{address}");
    }
    assert!(html.len() < 40_000, "{}", html.len());
}

/// What could be taken for markup: every tag of the page, without its text.
fn tags(html: &str) -> Vec<String> {
    html.split('<').skip(1).map(|rest| rest.split('>').next().unwrap().to_owned()).collect()
}

#[test]
fn attack_33_nothing_from_outside_drives_a_viewer() {
    let plain = exported(Format::Html, &session_of(b"plain"));
    let shape = |html: &str| -> Vec<String> {
        let names = tags(html).into_iter().map(|tag| tag.split([' ', '\n']).next().unwrap().to_owned());
        // What looks like a mask is marked as one.
        names.filter(|name| !name.ends_with("mark")).collect()
    };
    for (name, bytes) in nasty() {
        let entries = session_of(&bytes);
        // The terminal, line by line.
        let mut shown = Shown::new(100);
        for entry in &entries {
            for line in shown.entry(entry) {
                assert!(
                    !visible::has_hidden(&line) && !line.contains(['\n', '\r', '\t']),
                    "{name}: {line:?}"
                );
                let ours = line.starts_with('[') || line.starts_with("  ") && !line.starts_with("  [");
                assert!(ours, "{name} passes for a line of ours: {line:?}");
            }
        }
        // A table of the command line, and a failure.
        let paper = Paper::default();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        paper.output(false).table(&["a"], &[vec![text.clone()]], &[0], "none").unwrap();
        let failure = crate::failure::Failure::failed(text).to_string();
        for text in [paper.text(), failure] {
            assert!(!visible::has_hidden(&text) && !text.contains(['\r', '\t']), "{name}: {text:?}");
        }
        for format in [Format::Json, Format::Csv, Format::Asciicast, Format::Html] {
            let text = exported(format, &entries);
            let text = if format == Format::Csv { text.replace("\r\n", "\n") } else { text };
            assert!(!visible::has_hidden(&text) && !text.contains('\r'), "{name} in {format:?}");
        }
        // What the player gets once the JSON is read: our colours and nothing else.
        for (_, piece) in pieces(&exported(Format::Asciicast, &entries)) {
            let mut bare = piece.replace("\r\n", "\n");
            for code in ["\x1b[0m", "\x1b[2m", "\x1b[31m", "\x1b[32m", "\x1b[33m"] {
                bare = bare.replace(code, "");
            }
            assert!(!visible::has_hidden(&bare) && !bare.contains('\r'), "{name}: {bare:?}");
        }
        // No cell is a formula.
        for cell in rows(&exported(Format::Csv, &entries)).iter().flatten() {
            let first = cell.trim_start().chars().next().unwrap_or(' ');
            assert!(!"=+-@|%＝＋－＠".contains(first), "{name}: {cell:?}");
        }
        // The page has the tags of a plain session and no other, but for lines cut differently.
        let html = exported(Format::Html, &entries);
        if name != "huge line" {
            assert_eq!(shape(&html), shape(&plain), "{name}");
        }
        for tag in tags(&html) {
            let quoted = tag.matches('"').count() % 2 == 0;
            assert!(quoted && !tag.contains(" on"), "{name}: {tag}");
        }
    }
}
