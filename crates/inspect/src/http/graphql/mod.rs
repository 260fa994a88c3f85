//! GraphQL inside a request: which fields of the root it asks for.
//!
//! A text is looked for wherever servers take one from (JSON alone or in batches, forms, queries, uploads,
//! the body itself), read by the grammar of GraphQL, and its root fields become actions, through fragments
//! and whatever their directives say.

mod document;
mod lexer;

use std::collections::HashSet;

use sallyport_core::{Action, UnknownCode};

use self::document::{Document, Doubt, Operation};
use super::call::Call;
use super::found::Found;
use super::json::Json;

/// Longer texts are not read, nor are more of them together.
const LONGEST: usize = 1 << 20;
/// More texts in one request than servers take.
const MOST_TEXTS: usize = 1000;
/// Fields and spreads of roots in one request, each counted as often as it is read.
const MOST_FIELDS: usize = 1 << 17;

/// One text with what selects from it.
struct Text<'t> {
    query: &'t str,
    operation: Option<&'t str>,
}

/// Reads every GraphQL text of a request, if it is one of GraphQL.
pub(super) fn read(call: &Call<'_>, found: &mut Found) {
    let endpoint = is_endpoint(call);
    let mut persisted = false;
    let mut batch = 0;
    let mut texts = Vec::new();
    let uploaded = call.content.parts().iter().filter(|part| part.name == "operations");
    let uploaded: Vec<Json> =
        uploaded.filter_map(|part| serde_json::from_slice::<Json>(part.bytes).ok()).collect();
    if uploaded.len() > 1 {
        found.ambiguous("GraphQL texts in more than one place");
    }
    for json in call.content.json().into_iter().chain(&uploaded) {
        let alone = std::slice::from_ref(json);
        let items = if let Json::Array(items) = json { items.as_slice() } else { alone };
        for item in items {
            let queries: Vec<&str> = members_named(item, "query").filter_map(Json::as_text).collect();
            if !queries.is_empty() {
                batch += 1;
                let operation = operation_of(item, call, found);
                texts.extend(queries.iter().map(|query| Text { query, operation }));
            } else if endpoint && is_persisted(item) || !item.at("/extensions/persistedQuery").is_empty() {
                persisted = true;
            }
            if item.count("query") > 1 || item.count("operationName") > 1 {
                found.ambiguous("a member of the GraphQL request in two spellings");
            }
        }
    }
    let mut sources = usize::from(batch > 0);
    for pairs in [call.content.form(), call.target.query.as_slice()] {
        let operation = value(pairs, "operationName");
        let queries = pairs.iter().filter(|(name, _)| name == "query");
        let before = texts.len();
        texts.extend(queries.map(|(_, query)| Text { query, operation }));
        sources += texts.len() - before;
        let hashed = value(pairs, "extensions").is_some_and(|value| value.contains("persistedQuery"));
        persisted |= hashed && texts.len() == before;
        persisted |= endpoint && texts.len() == before && pairs.iter().any(|(name, _)| is_persisting(name));
    }
    if call.content.media.as_deref() == Some("application/graphql")
        && let Some(query) = call.content.text
    {
        sources += 1;
        texts.push(Text { query, operation: value(&call.target.query, "operationName") });
    }
    texts.retain(|text| endpoint || call.is_declared_graphql() || looks_like(text.query));
    if sources > 1 && texts.len() > 1 {
        found.ambiguous("GraphQL texts in more than one place");
    }
    if persisted {
        found.unknown(UnknownCode::Dynamic, "a GraphQL text that the server remembers");
    } else if endpoint && texts.is_empty() && !call.content.is_empty {
        found.unknown(UnknownCode::Unsupported, "a GraphQL request without a text that is read");
    }
    if texts.len() > 1 {
        found.count(texts.len());
    }
    let length: usize = texts.iter().map(|text| text.query.len()).sum();
    if texts.len() > MOST_TEXTS || length > LONGEST {
        found.unknown(UnknownCode::TooLarge, "more GraphQL than is read");
        return;
    }
    let mut room = MOST_FIELDS;
    for text in texts {
        if let Err((code, why)) = text_actions(&text, call, &mut room, found) {
            found.unknown(code, why);
        }
    }
}

/// The members of that name, in any case.
fn members_named<'j>(item: &'j Json, wanted: &'j str) -> impl Iterator<Item = &'j Json> {
    let members = item.members().iter().filter(move |(name, _)| name.eq_ignore_ascii_case(wanted));
    members.map(|(_, value)| value)
}

/// Which operation is chosen, by the body or by the query; nothing when they disagree.
fn operation_of<'t>(item: &'t Json, call: &'t Call<'_>, found: &mut Found) -> Option<&'t str> {
    let queried = value(&call.target.query, "operationName");
    let names: HashSet<&str> =
        members_named(item, "operationName").filter_map(Json::as_text).chain(queried).collect();
    if names.len() > 1 {
        found.ambiguous("more than one operation is chosen");
        return None;
    }
    names.into_iter().next()
}

fn value<'p>(pairs: &'p [(String, String)], wanted: &str) -> Option<&'p str> {
    pairs.iter().find(|(name, value)| name == wanted && !value.is_empty()).map(|(_, value)| value.as_str())
}

fn is_persisting(name: &str) -> bool {
    matches!(
        name,
        "extensions" | "doc_id" | "documentId" | "docId" | "queryId" | "id" | "hash" | "sha256Hash"
    )
}

fn is_persisted(item: &Json) -> bool {
    item.members().iter().any(|(name, _)| is_persisting(name))
}

/// Whether the path itself says that it serves GraphQL.
fn is_endpoint(call: &Call<'_>) -> bool {
    if call.methods.iter().all(|method| super::method::is_safe(method)) && call.content.is_empty {
        // A page or a repository of that name; a text in the query is found by its look.
        let queried = call.target.query.iter().any(|(name, _)| name == "query" || is_persisting(name));
        return queried && is_name(call.path.last());
    }
    is_name(call.path.last())
}

fn is_name(segment: &str) -> bool {
    let name = segment.to_ascii_lowercase();
    let name = name.strip_suffix(".json").or_else(|| name.strip_suffix(".php")).unwrap_or(&name);
    name.ends_with("graphql") || name.ends_with("gql")
}

/// Whether a text that came to no GraphQL endpoint is GraphQL all the same.
fn looks_like(query: &str) -> bool {
    let mut rest = query.trim_start_matches(|c: char| c.is_whitespace() || c == ',' || c == '\u{feff}');
    while let Some(comment) = rest.strip_prefix('#') {
        let end = comment.find(['\n', '\r']).unwrap_or(comment.len());
        rest = comment.get(end..).unwrap_or_default();
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',' || c == '\u{feff}');
    }
    let worded = ["query", "mutation", "subscription", "fragment"].iter().any(|word| {
        rest.strip_prefix(word)
            .is_some_and(|after| !after.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
    });
    if worded && rest.contains('{') {
        return true;
    }
    // The short form; other query languages begin with a brace too.
    let defines = |word: &str| rest.split(word).skip(1).any(|after| after.contains('{'));
    rest.starts_with('{')
        && (Document::parse(query).is_ok() || ["mutation", "subscription"].into_iter().any(defines))
}

fn text_actions(text: &Text<'_>, call: &Call<'_>, room: &mut usize, found: &mut Found) -> Result<(), Doubt> {
    let document = Document::parse(text.query)?;
    let wanted = text.operation.filter(|name| !name.is_empty());
    let (chosen, doubt) = chosen(&document, wanted);
    for operation in chosen {
        for field in document.root_fields(operation, room)? {
            let operation_name = Some(field.to_owned());
            found.add(Action { operation: operation_name, ..call.action(operation.verb, "path") });
        }
    }
    match doubt {
        Some(why) => Err((UnknownCode::Ambiguous, why)),
        None => Ok(()),
    }
}

/// The operations that may run: the one that is named, else all, and then why that is not clear.
fn chosen<'d, 't>(
    document: &'d Document<'t>,
    wanted: Option<&str>,
) -> (Vec<&'d Operation<'t>>, Option<&'static str>) {
    let operations = &document.operations;
    if let Some(wanted) = wanted {
        let named = operations.iter().find(|operation| operation.name == Some(wanted));
        return match named {
            Some(operation) => (vec![operation], None),
            None => {
                (operations.iter().collect(), Some("an operation is named that the GraphQL text has not"))
            }
        };
    }
    let doubt = (operations.len() > 1).then_some("no operation of the GraphQL text is chosen");
    (operations.iter().collect(), doubt)
}

#[cfg(test)]
#[path = "graphql_tests.rs"]
mod tests;
