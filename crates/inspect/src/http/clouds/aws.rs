//! Amazon Web Services: the operation of interfaces that name it beside the path, and what it means.
//!
//! Query protocol (`Action=` in the form or the query), JSON protocol (`X-Amz-Target`), and the newer
//! `/service/…/operation/…`. The service comes from the host, the scope of the signature, the version of
//! the interface, and the target: a proxy before AWS changes only the first. `aws.toml` says what each
//! service's operations mean.

use std::sync::LazyLock;

use sallyport_core::{Action, Verb};
use serde::Deserialize;

use super::glob::Glob;
use super::{Marks, remote, rules};
use crate::http::call::Call;
use crate::http::found::Found;

const TABLE: &str = include_str!("aws.toml");

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    service: Vec<Service>,
}

/// One service. A name of an operation is a pattern.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Service {
    /// In hosts and in the scope of a signature.
    name: String,
    /// Of the query protocol, where no other service has it.
    version: Option<String>,
    /// What stands before the dot in `X-Amz-Target`.
    #[serde(default)]
    targets: Vec<String>,
    /// Changes who may do what, or hands out the means.
    #[serde(default)]
    change: Vec<String>,
    /// Those of `change` that do not.
    #[serde(default)]
    read: Vec<String>,
    /// The kind of what is changed.
    #[serde(default)]
    kind: Option<String>,
    #[serde(default)]
    secret: Vec<String>,
    /// Runs code or a command of the body.
    #[serde(default)]
    code: Vec<String>,
    /// Changes only when one of these parameters is given.
    #[serde(default)]
    with: Vec<String>,
    /// Changes only with a parameter, each as `Operation parameter=value`.
    #[serde(default)]
    given: Vec<String>,
    /// Runs code only with a parameter, in the same form.
    #[serde(default)]
    code_given: Vec<String>,
    /// Parameters that say who.
    #[serde(default)]
    to: Vec<String>,
}

#[derive(Debug)]
struct Compiled {
    written: Service,
    change: Vec<Glob>,
    read: Vec<Glob>,
    secret: Vec<Glob>,
    code: Vec<Glob>,
    with: Vec<Glob>,
    given: Vec<(Glob, Glob)>,
    code_given: Vec<(Glob, Glob)>,
}

static SERVICES: LazyLock<Vec<Compiled>> = LazyLock::new(|| {
    let table = toml::from_str::<Table>(TABLE).map(|table| table.service).unwrap_or_default();
    let globs = |texts: &[String]| texts.iter().map(|text| Glob::new(text)).collect();
    let pairs = |texts: &[String]| {
        let pairs = texts.iter().filter_map(|text| text.split_once(' '));
        pairs.map(|(operation, parameter)| (Glob::new(operation), Glob::new(parameter))).collect()
    };
    let compile = |written: Service| Compiled {
        change: globs(&written.change),
        read: globs(&written.read),
        secret: globs(&written.secret),
        code: globs(&written.code),
        with: globs(&written.with),
        given: pairs(&written.given),
        code_given: pairs(&written.code_given),
        written,
    };
    table.into_iter().map(compile).collect()
});

/// The row of services that have none of their own.
const ANY: &str = "*";

const SUFFIXES: [&str; 8] = [
    ".amazonaws.com",
    ".amazonaws.com.cn",
    ".api.aws",
    ".api.amazonwebservices.com.cn",
    ".amazonaws.eu",
    ".c2s.ic.gov",
    ".sc2s.sgov.gov",
    ".on.aws",
];

/// Names the operation and says what it means.
pub(super) fn recognise(call: &Call<'_>, marks: &mut Marks, found: &mut Found) {
    let scopes = scopes(call);
    let host = SUFFIXES.iter().find_map(|suffix| call.host().strip_suffix(suffix));
    let targets: Vec<String> = call.request.texts("x-amz-target").collect();
    let versions: Vec<&str> = call.parameters("Version").collect();
    let is_known =
        |version: &&str| SERVICES.iter().any(|service| service.written.version.as_deref() == Some(*version));
    if host.is_none() && scopes.is_empty() && targets.is_empty() && !versions.iter().any(is_known) {
        return;
    }
    let mut operations: Vec<String> = targets.iter().map(|target| after_dot(target)).collect();
    operations.extend(pairs_named(call, "action"));
    if let [.., service, _, operation, last] = call.path.segments.as_slice()
        && service == "service"
        && operation == "operation"
    {
        operations.push(last.clone());
    }
    operations.sort();
    operations.dedup();
    if operations.len() > 1 {
        found.ambiguous("more than one operation is named");
    }
    if let [operation] = operations.as_slice() {
        marks.operation = Some(operation.clone());
    }
    let mut meant: Vec<&Compiled> =
        SERVICES.iter().filter(|service| service.is_meant(host, &scopes, &targets, &versions)).collect();
    if meant.is_empty() {
        meant.extend(SERVICES.iter().find(|service| service.written.name == ANY));
    }
    // The query's operation is not all when a body that nobody reads may name another.
    let is_query = meant.iter().any(|service| service.written.version.is_some());
    if is_query && targets.is_empty() && call.content.unread.is_some() {
        rules::unread(call.content, found);
    }
    for service in meant {
        if operations.is_empty() {
            service.without_operation(call, found);
        }
        for operation in &operations {
            service.apply(operation, call, marks, found);
        }
    }
}

fn after_dot(target: &str) -> String {
    target.rsplit('.').next().unwrap_or(target).to_owned()
}

/// Values of a parameter of the query or the form, its name in any case.
fn pairs_named<'c>(call: &'c Call<'_>, wanted: &'c str) -> impl Iterator<Item = String> + 'c {
    let pairs = call.target.query.iter().chain(call.content.form());
    pairs.filter(move |(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.clone())
}

/// Services for which the request is signed: `Credential=key/date/region/service/aws4_request`.
fn scopes(call: &Call<'_>) -> Vec<String> {
    let signed = call.request.texts("authorization").filter(|value| value.contains("AWS4-"));
    let queried = pairs_named(call, "x-amz-credential").map(|value| format!("Credential={value}"));
    let service = |text: String| {
        let scope = text.split("Credential=").nth(1)?;
        let scope = scope.split([',', ' ']).next()?.trim();
        let end = scope.strip_suffix("/aws4_request")?;
        Some(end.rsplit('/').next()?.to_ascii_lowercase())
    };
    signed.chain(queried).filter_map(service).collect()
}

impl Compiled {
    fn is_meant(&self, host: Option<&str>, scopes: &[String], targets: &[String], versions: &[&str]) -> bool {
        let name = self.written.name.as_str();
        host.is_some_and(|host| service_of(host) == Some(name))
            || scopes.iter().any(|scope| scope == name)
            || self.written.version.as_deref().is_some_and(|version| versions.contains(&version))
            || targets.iter().any(|target| {
                let before = target.rsplit_once('.').map_or(target.as_str(), |(before, _)| before);
                self.written.targets.iter().any(|known| known.eq_ignore_ascii_case(before))
            })
    }

    /// A service of which every operation that is not a read counts must be told which one it is.
    fn without_operation(&self, call: &Call<'_>, found: &mut Found) {
        let is_whole = self.written.change.iter().any(|pattern| pattern == "*");
        if is_whole && call.changes() && !call.content.is_empty {
            rules::unread(call.content, found);
        }
    }

    fn apply(&self, operation: &str, call: &Call<'_>, marks: &mut Marks, found: &mut Found) {
        let name = operation.to_ascii_lowercase();
        let fits = |globs: &[Glob]| globs.iter().any(|glob| glob.fits(&name));
        if fits(&self.secret) {
            marks.is_secret = true;
        }
        let parameters = |pairs: &'_ [(Glob, Glob)]| -> Vec<Glob> {
            let pairs = pairs.iter().filter(|(operation, _)| operation.fits(&name));
            pairs.map(|(_, parameter)| parameter.clone()).collect()
        };
        if fits(&self.code) || is_given(&parameters(&self.code_given), call) {
            remote::code(call, found);
        }
        let given = parameters(&self.given);
        let changes =
            fits(&self.change) && !fits(&self.read) && (self.with.is_empty() || is_given(&self.with, call));
        if changes || is_given(&given, call) {
            let kind = self.written.kind.as_deref().unwrap_or(&self.written.name);
            found.add(Action {
                to: self.principals(call),
                operation: Some(operation.to_owned()),
                ..call.action(Verb::IamChange, kind)
            });
        }
    }

    fn principals(&self, call: &Call<'_>) -> Vec<String> {
        let pointers: Vec<String> = self.written.to.iter().map(|name| format!("/{name}")).collect();
        let mut names = rules::principals(call.content, &pointers);
        for name in &self.written.to {
            names.extend(call.parameters(name).take(10).map(str::to_owned));
        }
        names.sort();
        names.dedup();
        names
    }
}

/// Whether one of the parameters is given; one in a body that is not read is.
fn is_given(wanted: &[Glob], call: &Call<'_>) -> bool {
    if wanted.is_empty() {
        return false;
    }
    let fits = |name: &str, value: Option<&str>| {
        let pair = format!("{name}={}", value.unwrap_or_default()).to_ascii_lowercase();
        wanted.iter().any(|glob| glob.fits(&pair))
    };
    let in_pairs =
        call.target.query.iter().chain(call.content.form()).any(|(name, value)| fits(name, Some(value)));
    let members = call.content.json().map(super::super::json::Json::members).unwrap_or_default();
    let in_members = members.iter().any(|(name, value)| {
        fits(name, value.as_text())
            || value.items().iter().any(|item| fits(name, item.as_text()))
            || value.members().iter().any(|(inner, value)| fits(inner, value.as_text()))
    });
    in_pairs || in_members || call.content.unread.is_some()
}

/// The service of a host: its labels hold the region, the account or a bucket too, so the last that is a
/// service's name counts.
fn service_of(host: &str) -> Option<&str> {
    host.rsplit('.')
        .map(
            |label| {
                if label.starts_with("s3-") { "s3" } else { label.strip_suffix("-fips").unwrap_or(label) }
            },
        )
        .find(|label| SERVICES.iter().any(|service| service.written.name == *label))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_reads_and_has_no_service_twice() {
        let table: Table = toml::from_str(TABLE).unwrap();
        let mut names: Vec<_> = table.service.iter().map(|service| service.name.clone()).collect();
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
        assert_eq!(SERVICES.len(), count);
    }

    #[test]
    fn the_service_of_a_host_is_its_last_label_that_names_one() {
        for (host, service) in [
            ("iam", Some("iam")),
            ("sts.eu-west-1", Some("sts")),
            ("iam-fips", Some("iam")),
            ("vpce-1.sts.us-east-1.vpce", Some("sts")),
            ("iam.s3.us-east-1", Some("s3")),
            ("iam.s3-us-west-2", Some("s3")),
            ("execute-api.us-east-1", None),
        ] {
            assert_eq!(service_of(host), service, "{host}");
        }
    }
}
