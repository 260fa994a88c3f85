//! Every row of the tables fits the requests that it is for, and not those that it is not for.

use super::*;
use crate::http::{Body, Request, Version, content, method, target};

/// `METHOD URL [Name:Value] [body]`
fn fits(api: &Api, rule: &Rule, example: &str) -> bool {
    let mut words = example.splitn(3, ' ');
    let (method, url) = (words.next().unwrap(), words.next().unwrap());
    let rest = words.next().unwrap_or_default();
    let (header, body) = match rest.split_once(':') {
        Some((name, value)) if !rest.starts_with('{') => (Some((name.as_bytes(), value.as_bytes())), ""),
        _ => (None, rest),
    };
    let headers: Vec<_> = header.into_iter().collect();
    let request = Request {
        method: method.as_bytes(),
        scheme: None,
        authority: None,
        target: url.as_bytes(),
        headers: &headers,
        body: Body::Whole(body.as_bytes()),
        version: Version::Http11,
    };
    let mut found = Found::default();
    let target = target::read(&request, &mut found).unwrap();
    let content = content::read(&request, &mut found);
    let methods = method::effective(&request, &target, &content, &mut found);
    let call = Call {
        request: &request,
        methods: &methods,
        target: &target,
        path: &target.paths.strict,
        content: &content,
        object: target.object(&target.paths.strict.shown),
    };
    let segments = comparable(&call.path.segments);
    let segments = if api.odata { split_keys(&segments) } else { segments };
    assert!(found.facts_within().unknown.is_none(), "{example}");
    api.is_for(&call, &segments) && rule.fits(&call, &segments)
}

#[test]
fn every_row_fits_its_requests_and_no_others() {
    let mut wrong = Vec::new();
    let mut rows = 0;
    for (file, text) in TABLES {
        let table: Table = toml::from_str(text).unwrap_or_else(|error| panic!("{file}: {error}"));
        for written in table.api {
            let name = written.name.clone();
            let examples: Vec<_> = written
                .rule
                .iter()
                .map(|rule| (rule.yes.clone(), rule.no.clone(), rule.paths.clone()))
                .collect();
            let api = Api::new(written);
            for (rule, (yes, no, paths)) in api.rules.iter().zip(examples) {
                rows += 1;
                if yes.is_empty() || no.is_empty() {
                    wrong.push(format!("{name} {paths:?}: no examples"));
                }
                let misses = yes.iter().filter(|example| !fits(&api, rule, example));
                wrong.extend(misses.map(|example| format!("{name} {paths:?} misses {example}")));
                let takes = no.iter().filter(|example| fits(&api, rule, example));
                wrong.extend(takes.map(|example| format!("{name} {paths:?} takes {example}")));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(rows > 60, "{rows}");
}

#[test]
fn every_table_says_where_its_rows_come_from() {
    for (file, text) in TABLES {
        assert!(text.contains("# https://"), "{file}");
    }
}
