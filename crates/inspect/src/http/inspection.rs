//! The entry: a request in, [`Facts`] out, never a failure.
//!
//! Target and body are read once; then each reading of the path goes through those who know interfaces:
//! cloud providers and Kubernetes (`clouds`), GraphQL, and batches, whose requests come back here.

use sallyport_core::{Action, Facts, Language, UnknownCode};

use super::call::Call;
use super::clouds::{self, Marks};
use super::content::{self, Content};
use super::found::Found;
use super::openapi::Apis;
use super::path::Path;
use super::request::Request;
use super::target::Target;
use super::{batch, framing, graphql, method, places, target};

/// Batches within batches.
const DEEPEST: usize = 2;

/// Reads what a request would do. Never fails: what cannot be read is `unknown` in the facts.
#[must_use]
pub fn inspect(request: &Request<'_>, apis: &Apis) -> Facts {
    inspect_within(request, apis, 0)
}

/// As [`inspect`], for a request that came in a batch.
pub(super) fn inspect_within(request: &Request<'_>, apis: &Apis, depth: usize) -> Facts {
    if depth > DEEPEST {
        return Facts::unknown(Language::Http, UnknownCode::TooLarge, "batches within batches");
    }
    let mut found = Found::default();
    framing::check(request, &mut found);
    let Some(target) = target::read(request, &mut found) else {
        return found.facts();
    };
    let content = content::read(request, &mut found);
    let methods = method::effective(request, &target, &content, &mut found);
    let view = View { request, apis, target: &target, content: &content, methods: &methods };
    framing::other_hosts(request, target.host.as_ref(), &mut found);
    let strict = view.read(&target.paths.strict, depth);
    if let Some(loose) = &target.paths.loose {
        view.loose(loose, &strict, depth, &mut found);
    }
    found.absorb(strict.wire);
    found.absorb(strict.meaning);
    places::read(request, &target, &methods, &mut found);
    found.facts()
}

struct View<'v> {
    request: &'v Request<'v>,
    apis: &'v Apis,
    target: &'v Target,
    content: &'v Content<'v>,
    methods: &'v [String],
}

/// What one reading of the path was found to do.
struct Reading {
    /// The request's own actions.
    wire: Found,
    /// What it means beyond them.
    meaning: Found,
    is_secret: bool,
}

impl View<'_> {
    fn read(&self, path: &Path, depth: usize) -> Reading {
        let call = self.call(path);
        let (mut wire, mut meaning) = (Found::default(), Found::default());
        let marks = clouds::recognise(&call, &mut meaning);
        graphql::read(&call, &mut meaning);
        batch::read(&call, self.apis, depth, &mut meaning);
        self.wire_actions(&call, &marks, &mut wire);
        if self.target.is_websocket() || places::upgrades(self.request) {
            places::upgrade(self.request, &call, &mut wire);
        }
        Reading { wire, meaning, is_secret: marks.is_secret }
    }

    /// The loose reading counts where servers are known to differ, and where it reaches something guarded
    /// that the strict one does not.
    fn loose(&self, path: &Path, strict: &Reading, depth: usize, found: &mut Found) {
        let loose = self.read(path, depth);
        let reaches_more =
            (loose.is_secret && !strict.is_secret) || loose.meaning.says_more_than(&strict.meaning);
        if self.target.paths.both || reaches_more {
            found.ambiguous("an encoded slash that leads elsewhere where servers decode it first");
            found.merge(loose.wire.facts_within());
            found.merge(loose.meaning.facts_within());
        }
    }

    fn call<'c>(&'c self, path: &'c Path) -> Call<'c> {
        let named = self.methods.last().and_then(|method| self.apis.name(method, self.target, path));
        let shown = named.map_or(path.shown.as_str(), |named| named.template);
        Call {
            request: self.request,
            methods: self.methods,
            target: self.target,
            path,
            content: self.content,
            object: self.target.object(shown),
        }
    }

    fn wire_actions(&self, call: &Call<'_>, marks: &Marks, found: &mut Found) {
        for method in self.methods {
            let named = self.apis.name(method, self.target, call.path);
            if named.is_some_and(|named| named.is_contested) {
                found.ambiguous("more than one path of the API document fits");
            }
            let shown = named.map_or(call.path.shown.as_str(), |named| named.template);
            let kind = if marks.is_secret { "secret" } else { "path" };
            let operation = named
                .and_then(|named| named.operation)
                .map(str::to_owned)
                .or_else(|| marks.operation.clone());
            found.add(Action {
                operation,
                ..Action::on_object(method::verb(method), kind, self.target.object(shown))
            });
        }
    }
}
