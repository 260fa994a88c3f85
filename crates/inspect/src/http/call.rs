//! One reading of a request, as those see it who recognise what it means.

use sallyport_core::{Action, ObjectName, Verb};

use super::content::Content;
use super::method;
use super::path::Path;
use super::request::Request;
use super::target::Target;

#[derive(Debug)]
pub(super) struct Call<'c> {
    pub(super) request: &'c Request<'c>,
    /// The method on the wire, then those put in its place.
    pub(super) methods: &'c [String],
    pub(super) target: &'c Target,
    /// This reading of the path.
    pub(super) path: &'c Path,
    pub(super) content: &'c Content<'c>,
    /// `host/path`, or the template of an API document.
    pub(super) object: ObjectName,
}

impl Call<'_> {
    /// Whether any of the methods may change something.
    pub(super) fn changes(&self) -> bool {
        self.methods.iter().any(|method| !method::is_safe(method))
    }

    /// The host without its port.
    pub(super) fn host(&self) -> &str {
        self.target.host.as_ref().map_or("", |host| host.name.as_str())
    }

    pub(super) fn is_declared_graphql(&self) -> bool {
        self.content.media.as_deref().is_some_and(|media| media.starts_with("application/graphql"))
    }

    /// A parameter of the query or of a form, by its exact name.
    pub(super) fn parameters(&self, wanted: &str) -> impl Iterator<Item = &str> {
        let pairs = self.target.query.iter().chain(self.content.form());
        pairs.filter(move |(name, _)| name == wanted).map(|(_, value)| value.as_str())
    }

    /// An action on what the request addresses.
    pub(super) fn action(&self, verb: Verb, kind: &str) -> Action {
        Action::on_object(verb, kind, self.object.clone())
    }
}
