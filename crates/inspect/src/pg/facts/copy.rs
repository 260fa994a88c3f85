//! COPY, in all its forms.

use pg_query::NodeEnum;
use pg_query::protobuf::CopyStmt;
use sallyport_core::{Action, ObjectName, Verb};

use super::{Mode, Reader, inner, string_of, strings};
use crate::pg::statement::{CopyFormat, CopyOptions, StatementKind};

impl Reader<'_> {
    pub(super) fn copy(&mut self, copy: &CopyStmt) -> StatementKind {
        let verb = if copy.is_from { Verb::CopyIn } else { Verb::CopyOut };
        if let Some(range) = &copy.relation {
            let objects = self.relations(range);
            let named = strings(&copy.attlist);
            for object in &objects {
                let columns = if named.is_empty() {
                    self.relation_columns(object).unwrap_or_else(|| vec!["*".to_owned()])
                } else {
                    named.clone()
                };
                let kind = self.relation_kind(object);
                self.add(Action { columns, ..Action::on_object(verb, kind, object.clone()) });
            }
            if let Some(condition) = inner(&copy.where_clause) {
                self.scoped(|reader| {
                    let mut source = reader.source_of(range, objects);
                    source.filters_into = vec![(verb, None)];
                    reader.add_source(source);
                    reader.node(condition, Mode::Filter);
                });
            }
        } else {
            self.add(Action::new(verb));
            if copy.where_clause.is_some() {
                self.unsupported("COPY of a query with a condition");
            }
        }
        if let Some(query) = inner(&copy.query) {
            self.deeper(|reader| {
                reader.any_statement(query);
            });
        }
        let path = (!copy.filename.is_empty()).then(|| ObjectName::bare(&copy.filename));
        let kind = if copy.is_program {
            self.add(Action { kind: Some("program".to_owned()), object: path, ..Action::new(Verb::Program) });
            StatementKind::Other
        } else if path.is_some() {
            let verb = if copy.is_from { Verb::FileRead } else { Verb::FileWrite };
            self.add(Action { kind: Some("file".to_owned()), object: path, ..Action::new(verb) });
            StatementKind::Other
        } else if copy.is_from {
            StatementKind::CopyIn
        } else {
            StatementKind::CopyOut(CopyOptions {
                format: CopyFormat::Text,
                delimiter: b'\t',
                null: "\\N".to_owned(),
                quote: b'"',
                escape: b'"',
                header: false,
            })
        };
        self.copy_options(copy, kind)
    }

    fn copy_options(&mut self, copy: &CopyStmt, mut kind: StatementKind) -> StatementKind {
        let mut given: Vec<(&str, Option<String>)> = Vec::new();
        for option in &copy.options {
            match option.node.as_ref() {
                Some(NodeEnum::DefElem(option)) => {
                    // The value as written: a delimiter or NULL string keeps its case.
                    let value = option.arg.as_deref().and_then(|arg| {
                        string_of(arg).map(str::to_owned).or_else(|| super::utility::option_text(arg))
                    });
                    given.push((option.defname.as_str(), value));
                }
                Some(other) => self.unsupported_node(other),
                None => {}
            }
        }
        let StatementKind::CopyOut(options) = &mut kind else { return kind };
        let value =
            |name: &str| given.iter().find(|(given, _)| *given == name).map(|(_, value)| value.clone());
        match value("format").flatten().unwrap_or_default().to_ascii_lowercase().as_str() {
            "csv" => {
                options.format = CopyFormat::Csv;
                options.delimiter = b',';
                options.null = String::new();
            }
            "binary" => options.format = CopyFormat::Binary,
            _ => {}
        }
        let byte = |text: Option<Option<String>>| text.flatten().and_then(|text| text.bytes().next());
        if let Some(delimiter) = byte(value("delimiter")) {
            options.delimiter = delimiter;
        }
        if let Some(null) = value("null").flatten() {
            options.null = null;
        }
        if let Some(quote) = byte(value("quote")) {
            options.quote = quote;
            options.escape = quote;
        }
        if let Some(escape) = byte(value("escape")) {
            options.escape = escape;
        }
        if let Some(header) = value("header") {
            options.header = !matches!(header.as_deref(), Some("off" | "false" | "0"));
        }
        if value("encoding").is_some() || value("convert_selectively").is_some() {
            // The bytes would be in another encoding than the one we mask by.
            self.gap(sallyport_core::UnknownCode::Encoding, "COPY with an encoding of its own");
        }
        kind
    }
}
