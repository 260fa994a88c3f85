//! The tables of paths, and their matching.

use std::sync::LazyLock;

use sallyport_core::{Action, ObjectName, UnknownCode, Verb};
use serde::Deserialize;

use super::glob::{Glob, PathGlob};
use super::{Marks, container, deployment, remote};
use crate::http::call::Call;
use crate::http::content::Content;
use crate::http::found::Found;
use crate::http::json::Json;
use crate::http::method;

/// Every table, by its file.
const TABLES: &[(&str, &str)] = &[
    ("aws_paths.toml", include_str!("aws_paths.toml")),
    ("azure.toml", include_str!("azure.toml")),
    ("gcp.toml", include_str!("gcp.toml")),
    ("graph.toml", include_str!("graph.toml")),
    ("kubernetes.toml", include_str!("kubernetes.toml")),
    ("secrets.toml", include_str!("secrets.toml")),
];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    api: Vec<WrittenApi>,
}

/// One interface.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenApi {
    #[cfg(test)]
    name: String,
    #[cfg(not(test))]
    #[serde(rename = "name")]
    _name: serde::de::IgnoredAny,
    /// `*` is a host of any name.
    hosts: Vec<String>,
    /// Or a header that only this interface has.
    #[serde(default)]
    headers: Vec<String>,
    /// Or a port.
    #[serde(default)]
    ports: Vec<u16>,
    /// One of these segments stands in every path of it.
    #[serde(default)]
    anchors: Vec<String>,
    /// Keys stand in brackets: `users('a')` is `users/a`.
    #[serde(default)]
    odata: bool,
    rule: Vec<WrittenRule>,
}

/// One row.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRule {
    paths: Vec<String>,
    /// Paths that fit and do not count.
    #[serde(default)]
    except: Vec<String>,
    /// All but GET, HEAD and OPTIONS where none are given; `*` is every one.
    #[serde(default)]
    methods: Vec<String>,
    /// One of these parameters stands in the query, as `name` or `name=value`.
    #[serde(default)]
    query: Vec<String>,
    /// One of these fields stands in the head, as `name` or `name=value`.
    #[serde(default)]
    fields: Vec<String>,
    /// One of these fields stands in the form, as `name=value`.
    #[serde(default)]
    form: Vec<String>,
    /// One of these stands in the body, as `/member` or `/member=value`, unless the body is not read.
    #[serde(default)]
    when: Vec<String>,
    effect: Effect,
    #[serde(default)]
    kind: Option<String>,
    /// Where the body says who gets it.
    #[serde(default)]
    to: Vec<String>,
    /// Requests that the row is for, and requests that it is not for.
    #[cfg(test)]
    yes: Vec<String>,
    #[cfg(test)]
    #[serde(default)]
    no: Vec<String>,
    #[cfg(not(test))]
    #[serde(rename = "yes")]
    _yes: serde::de::IgnoredAny,
    #[cfg(not(test))]
    #[serde(default, rename = "no")]
    _no: serde::de::IgnoredAny,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
enum Effect {
    /// Changes who may do what, or hands out the means.
    IamChange,
    /// Reads or changes a secret.
    Secret,
    /// Runs the command of the query in a container.
    Run,
    /// Attaches to what runs.
    Interactive,
    /// Opens a connection, or passes a request on.
    Connect,
    /// Runs code that the body carries.
    Code,
    /// Makes a container, with what of its host it is given.
    Container,
    /// Makes what a template says.
    Deployment,
    /// Acts as somebody else.
    SetRole,
}

#[derive(Debug)]
struct Api {
    hosts: Vec<Glob>,
    headers: Vec<String>,
    ports: Vec<u16>,
    anchors: Vec<String>,
    odata: bool,
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    paths: Vec<PathGlob>,
    except: Vec<PathGlob>,
    methods: Vec<String>,
    query: Vec<(String, Option<String>)>,
    fields: Vec<(String, Option<Glob>)>,
    form: Vec<Glob>,
    when: Vec<(String, Option<Glob>)>,
    effect: Effect,
    kind: String,
    to: Vec<String>,
}

static APIS: LazyLock<Vec<Api>> = LazyLock::new(|| {
    TABLES
        .iter()
        .filter_map(|(_, text)| toml::from_str::<Table>(text).ok())
        .flat_map(|table| table.api)
        .map(Api::new)
        .collect()
});

impl Api {
    fn new(written: WrittenApi) -> Self {
        Self {
            hosts: written.hosts.iter().map(|host| Glob::new(host)).collect(),
            headers: written.headers,
            ports: written.ports,
            anchors: written.anchors,
            odata: written.odata,
            rules: written.rule.into_iter().map(Rule::new).collect(),
        }
    }

    fn is_for(&self, call: &Call<'_>, segments: &[String]) -> bool {
        let port = call.target.host.as_ref().and_then(|host| host.port);
        let here = self.hosts.iter().any(|host| host.fits(call.host()))
            || port.is_some_and(|port| self.ports.contains(&port))
            || self.headers.iter().any(|name| call.request.values(name).next().is_some());
        here && (self.anchors.is_empty() || segments.iter().any(|segment| self.anchors.contains(segment)))
    }
}

impl Rule {
    fn new(written: WrittenRule) -> Self {
        let parameter = |text: &String| match text.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (text.clone(), None),
        };
        let valued = |text: &String| match text.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(Glob::new(value))),
            None => (text.clone(), None),
        };
        Self {
            paths: written.paths.iter().map(|path| PathGlob::new(path)).collect(),
            except: written.except.iter().map(|path| PathGlob::new(path)).collect(),
            methods: written.methods,
            query: written.query.iter().map(parameter).collect(),
            fields: written.fields.iter().map(valued).collect(),
            form: written.form.iter().map(|pair| Glob::new(pair)).collect(),
            when: written.when.iter().map(valued).collect(),
            effect: written.effect,
            kind: written.kind.unwrap_or_else(|| "path".to_owned()),
            to: written.to,
        }
    }

    fn fits(&self, call: &Call<'_>, segments: &[String]) -> bool {
        let by_method = |wanted: &str| match self.methods.as_slice() {
            [] => !method::is_safe(wanted),
            methods => methods.iter().any(|method| method == "*" || method == wanted),
        };
        call.methods.iter().any(|method| by_method(method))
            && self.paths.iter().any(|path| path.fits(segments))
            && !self.except.iter().any(|path| path.fits(segments))
            && (self.query.is_empty() || self.query.iter().any(|wanted| has_parameter(call, wanted)))
            && (self.fields.is_empty() || self.fields.iter().any(|wanted| has_field(call, wanted)))
            && (self.form.is_empty() || has_pair(call.content, &self.form))
            && (self.when.is_empty() || holds(call.content, &self.when))
    }
}

fn has_parameter(call: &Call<'_>, (wanted, value): &(String, Option<String>)) -> bool {
    call.target.query.iter().any(|(name, found)| {
        name.eq_ignore_ascii_case(wanted)
            && value.as_ref().is_none_or(|value| found.eq_ignore_ascii_case(value))
    })
}

fn has_field(call: &Call<'_>, (wanted, value): &(String, Option<Glob>)) -> bool {
    call.request
        .texts(wanted)
        .any(|found| value.as_ref().is_none_or(|value| value.fits(found.trim().to_lowercase().as_str())))
}

/// Whether a form holds one of the fields, in either of its encodings. One that is not read may.
fn has_pair(content: &Content<'_>, wanted: &[Glob]) -> bool {
    let fits = |name: &str, value: &str| {
        let pair = format!("{name}={}", value.trim()).to_lowercase();
        wanted.iter().any(|glob| glob.fits(&pair))
    };
    content.form().iter().any(|(name, value)| fits(name, value))
        || content.parts().iter().any(|part| {
            let value = part.bytes.get(..256).unwrap_or(part.bytes);
            fits(&part.name, &String::from_utf8_lossy(value))
        })
        || content.unread.is_some()
}

/// Whether the body holds one of the members. A body that is no single object may hold any.
fn holds(content: &Content<'_>, members: &[(String, Option<Glob>)]) -> bool {
    match content.json() {
        Some(json @ Json::Object(_)) => members.iter().any(|(pointer, wanted)| {
            json.at(pointer).into_iter().any(|found| match (wanted, found.as_text()) {
                (None, _) => true,
                (Some(wanted), Some(text)) => wanted.fits(&text.to_lowercase()),
                (Some(_), None) => false,
            })
        }),
        _ => !content.is_empty,
    }
}

/// Adds what the tables say of a request.
pub(super) fn recognise(call: &Call<'_>, marks: &mut Marks, found: &mut Found) {
    let segments = comparable(&call.path.segments);
    for api in APIS.iter().filter(|api| api.is_for(call, &segments)) {
        let (keyed, cast);
        let (segments, uncast) = if api.odata {
            (keyed, cast) = (split_keys(&segments), without_casts(&segments));
            (&keyed, cast.as_ref())
        } else {
            (&segments, None)
        };
        let fits = |rule: &&Rule| {
            rule.fits(call, segments) || uncast.is_some_and(|segments| rule.fits(call, segments))
        };
        for rule in api.rules.iter().filter(fits) {
            apply(rule, call, marks, found);
        }
    }
}

/// In lower case, without a slash at the end, which no provider heeds.
fn comparable(segments: &[String]) -> Vec<String> {
    let mut segments: Vec<String> = segments.iter().map(|segment| segment.to_lowercase()).collect();
    while segments.last().is_some_and(String::is_empty) {
        segments.pop();
    }
    segments
}

/// `users('a')` as `users`, `a`, and names of types and actions without their namespace.
fn split_keys(segments: &[String]) -> Vec<String> {
    let mut split = Vec::new();
    for segment in segments {
        let segment = segment.strip_prefix("microsoft.graph.").unwrap_or(segment);
        match segment.split_once('(') {
            Some((name, key)) => {
                split.push(name.to_owned());
                let key = key.trim_end_matches(')').trim_matches('\'');
                if !key.is_empty() {
                    split.push(key.to_owned());
                }
            }
            None => split.push(segment.to_owned()),
        }
    }
    split
}

/// The same without casts: `groups/a/microsoft.graph.group/members` is `groups/a/members`. Nothing where there
/// are none.
fn without_casts(segments: &[String]) -> Option<Vec<String>> {
    let is_cast =
        |at: usize, segment: &String| segment.starts_with("microsoft.graph.") && at + 1 < segments.len();
    if !segments.iter().enumerate().any(|(at, segment)| is_cast(at, segment)) {
        return None;
    }
    let kept = segments.iter().enumerate().filter(|(at, segment)| !is_cast(*at, segment));
    let kept: Vec<String> = kept.map(|(_, segment)| segment.clone()).collect();
    Some(split_keys(&kept))
}

fn apply(rule: &Rule, call: &Call<'_>, marks: &mut Marks, found: &mut Found) {
    match rule.effect {
        Effect::IamChange => {
            found.add(Action {
                to: principals(call.content, &rule.to),
                ..call.action(Verb::IamChange, &rule.kind)
            });
        }
        Effect::Secret => marks.is_secret = true,
        Effect::Run => remote::exec(call, found),
        Effect::Interactive => found.add(call.action(Verb::Interactive, &rule.kind)),
        Effect::Connect => found.add(call.action(Verb::Connect, &rule.kind)),
        Effect::Code => remote::code(call, found),
        Effect::Container => container::create(call, found),
        Effect::Deployment => deployment::read(call, found),
        Effect::SetRole => {
            let names = call.request.texts("impersonate-user").chain(call.request.texts("impersonate-uid"));
            for name in names.chain(call.request.texts("impersonate-group")) {
                found.add(Action::on_object(Verb::SetRole, "user", ObjectName::verbatim(&name)));
            }
        }
    }
}

/// Who the body says gets it. More than a few are not named one by one.
pub(super) fn principals(content: &Content<'_>, pointers: &[String]) -> Vec<String> {
    let Some(json) = content.json() else { return Vec::new() };
    let mut names: Vec<String> = pointers
        .iter()
        .flat_map(|pointer| json.at(pointer))
        .filter_map(Json::as_text)
        .take(100)
        .map(str::to_owned)
        .collect();
    names.sort();
    names.dedup();
    names
}

/// What a body that should have said more means: nothing that is known.
pub(super) fn unread(content: &Content<'_>, found: &mut Found) {
    match content.unread {
        Some((code, why)) => found.unknown(code, why),
        None => found.unknown(UnknownCode::Unsupported, "a body that does not say what is done"),
    }
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
