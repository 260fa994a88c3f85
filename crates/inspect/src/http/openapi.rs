//! API documents (OpenAPI 3, Swagger 2; JSON or YAML): which template a path has, and what its operation is
//! called.
//!
//! A document names paths on its own servers alone; one without absolute servers names them on every host.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;

use super::path::Path;
use super::target::Target;
use super::template::{Pattern, Template};

/// Larger documents are refused. GitHub's has 12 MiB.
const LARGEST: usize = 32 << 20;

/// The API documents that name paths and operations.
#[derive(Debug, Default)]
pub struct Apis {
    documents: Vec<Api>,
}

/// Why a document was refused.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// More than is read.
    #[error("the document is larger than 32 MiB")]
    TooLarge,
    /// Neither JSON nor YAML of the form; the first line that is not. Never what stands there: the file may be
    /// any.
    #[error("no API document: line {0} is not what OpenAPI or Swagger has there")]
    Syntax(usize),
    /// It says nothing.
    #[error("the document has no paths")]
    Empty,
    /// A part of it stands elsewhere.
    #[error("the path {0} refers to another document")]
    Elsewhere(String),
}

#[derive(Debug)]
struct Api {
    /// Nowhere in particular when empty.
    servers: Vec<Server>,
    /// By the number of their segments, the most literal first.
    templates: HashMap<usize, Vec<Named>>,
}

#[derive(Debug)]
struct Server {
    /// `host[:port]`, when it is absolute.
    host: Option<Pattern>,
    base: Vec<Pattern>,
    shown_base: String,
}

#[derive(Debug)]
struct Named {
    template: Template,
    /// `base/path-template`, for each server.
    shown: Vec<String>,
    operations: HashMap<&'static str, Option<String>>,
}

/// What a document calls a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Name<'a> {
    pub(super) template: &'a str,
    pub(super) operation: Option<&'a str>,
    /// Another template fits as well, and neither is more literal.
    pub(super) is_contested: bool,
}

#[derive(Debug, Deserialize)]
struct Document {
    #[serde(default)]
    servers: Vec<WrittenServer>,
    host: Option<String>,
    #[serde(rename = "basePath")]
    base_path: Option<String>,
    #[serde(default)]
    paths: BTreeMap<String, PathItem>,
    #[serde(default)]
    components: Components,
}

#[derive(Debug, Default, Deserialize)]
struct Components {
    #[serde(default, rename = "pathItems")]
    path_items: BTreeMap<String, PathItem>,
}

#[derive(Debug, Deserialize)]
struct WrittenServer {
    /// What is in braces matches anything: a default says nothing about the other values.
    url: String,
}

#[derive(Debug, Deserialize)]
struct PathItem {
    #[serde(rename = "$ref")]
    reference: Option<String>,
    get: Option<Operation>,
    put: Option<Operation>,
    post: Option<Operation>,
    delete: Option<Operation>,
    options: Option<Operation>,
    head: Option<Operation>,
    patch: Option<Operation>,
    trace: Option<Operation>,
}

#[derive(Debug, Deserialize)]
struct Operation {
    #[serde(rename = "operationId")]
    id: Option<String>,
}

impl PathItem {
    fn operations(&self) -> HashMap<&'static str, Option<String>> {
        let all = [
            ("GET", &self.get),
            ("PUT", &self.put),
            ("POST", &self.post),
            ("DELETE", &self.delete),
            ("OPTIONS", &self.options),
            ("HEAD", &self.head),
            ("PATCH", &self.patch),
            ("TRACE", &self.trace),
        ];
        let stated = all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_ref()?)));
        stated.map(|(method, operation)| (method, operation.id.clone())).collect()
    }
}

impl Apis {
    /// Adds a document.
    ///
    /// # Errors
    ///
    /// When it is no API document, or not whole.
    pub fn add(&mut self, text: &str) -> Result<(), ApiError> {
        if text.len() > LARGEST {
            return Err(ApiError::TooLarge);
        }
        // YAML's reader bounds depth and what aliases repeat.
        let document: Document = if text.trim_start().starts_with('{') {
            serde_json::from_str(text).map_err(|error| ApiError::Syntax(error.line()))?
        } else {
            serde_norway::from_str(text)
                .map_err(|error| ApiError::Syntax(error.location().map_or(1, |at| at.line())))?
        };
        if document.paths.is_empty() {
            return Err(ApiError::Empty);
        }
        self.documents.push(Api::new(&document)?);
        Ok(())
    }

    /// What a document calls a method on a path.
    pub(super) fn name(&self, method: &str, target: &Target, path: &Path) -> Option<Name<'_>> {
        let host = target.host.as_ref().map(super::host::Host::shown).unwrap_or_default();
        self.documents.iter().find_map(|api| api.name(method, &host, &path.segments))
    }
}

impl Api {
    fn new(document: &Document) -> Result<Self, ApiError> {
        let mut servers: Vec<Server> = document.servers.iter().map(Server::new).collect();
        if servers.is_empty() {
            let base = document.base_path.clone().unwrap_or_default();
            let url = document.host.as_ref().map_or(base.clone(), |host| format!("https://{host}{base}"));
            servers.push(Server::new(&WrittenServer { url }));
        }
        let mut templates: HashMap<usize, Vec<Named>> = HashMap::new();
        for (path, item) in &document.paths {
            if !path.starts_with('/') {
                continue;
            }
            let item = match &item.reference {
                None => item,
                Some(reference) => reference
                    .strip_prefix("#/components/pathItems/")
                    .and_then(|name| document.components.path_items.get(name))
                    .ok_or_else(|| ApiError::Elsewhere(path.clone()))?,
            };
            let template = Template::new(path);
            let shown = servers.iter().map(|server| format!("{}{path}", server.shown_base)).collect();
            templates.entry(template.len()).or_default().push(Named {
                template,
                shown,
                operations: item.operations(),
            });
        }
        Ok(Self { servers, templates })
    }

    fn name(&self, method: &str, host: &str, segments: &[String]) -> Option<Name<'_>> {
        self.servers.iter().enumerate().find_map(|(at, server)| {
            if server.host.as_ref().is_some_and(|pattern| !pattern.fits(host)) {
                return None;
            }
            let (base, rest) = segments.split_at_checked(server.base.len())?;
            if !server.base.iter().zip(base).all(|(pattern, segment)| pattern.fits(segment)) {
                return None;
            }
            let candidates = self.templates.get(&rest.len())?;
            let fitting = || candidates.iter().filter(|named| named.template.fits(rest));
            let best = fitting().max_by(|one, other| one.template.compare(&other.template))?;
            let equals = fitting().filter(|named| named.template.compare(&best.template).is_eq()).count();
            Some(Name {
                template: best.shown.get(at)?,
                operation: best.operations.get(method).and_then(Option::as_deref),
                is_contested: equals > 1,
            })
        })
    }
}

impl Server {
    fn new(written: &WrittenServer) -> Self {
        let url = written.url.split(['?', '#']).next().unwrap_or_default();
        let (host, base) = match url.split_once("://") {
            Some((scheme, rest)) => {
                let (host, base) =
                    rest.split_at_checked(rest.find('/').unwrap_or(rest.len())).unwrap_or_default();
                let host = host.to_ascii_lowercase();
                let default = if scheme.eq_ignore_ascii_case("http") { ":80" } else { ":443" };
                let host = host.strip_suffix(default).unwrap_or(&host).to_owned();
                (Some(Pattern::new(&host)), base)
            }
            None => (None, url),
        };
        let shown_base = base.trim_end_matches('/').to_owned();
        let base = shown_base.split('/').skip(1).map(Pattern::new).collect();
        Self { host, base, shown_base }
    }
}
