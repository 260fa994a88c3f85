//! Templates of Azure Resource Manager: what a deployment would make.
//!
//! Only the types of resources are read, in nested templates too: a role assignment in a template is one.

use sallyport_core::{Action, ObjectName, UnknownCode, Verb};

use super::rules;
use crate::http::call::Call;
use crate::http::found::Found;
use crate::http::json::Json;

/// Types of resources that change who may do what.
const IAM: [&str; 6] = [
    "microsoft.authorization/",
    "microsoft.managedidentity/",
    "microsoft.keyvault/vaults/accesspolicies",
    "microsoft.graph/",
    "microsoft.documentdb/databaseaccounts/sqlrole",
    "microsoft.kubernetesconfiguration/",
];
/// The same below any provider's types.
const IAM_WITHIN: [&str; 10] = [
    "/administrators",
    "/sqladministrators",
    "/azureadonlyauthentications",
    "/principalassignments",
    "/accesspolicyassignments",
    "/authorizationrules",
    "/localusers",
    "/trustedaccessrolebindings",
    "/federatedidentitycredentials",
    "/registrationassignments",
];
/// Types of resources that run code.
const CODE: [&str; 5] =
    ["microsoft.resources/deploymentscripts", "/extensions", "/runcommands", "/webhooks", "/sourcecontrols"];

/// Reads `properties.template` of the body.
pub(super) fn read(call: &Call<'_>, found: &mut Found) {
    let Some(properties) = call.content.json().and_then(|json| json.get("properties")) else {
        if !call.content.is_empty {
            rules::unread(call.content, found);
        }
        return;
    };
    if properties.get("templateLink").is_some() {
        found.unknown(UnknownCode::Dynamic, "a template that stands elsewhere");
    }
    match properties.get("template") {
        Some(Json::Text(_) | Json::Array(_)) => {
            found.unknown(UnknownCode::Unsupported, "a template that is no object");
        }
        Some(template) => template_in(template, "", call, found),
        None => {}
    }
}

/// The resources of a template, or those that stand within one of the type `parent`.
fn template_in(template: &Json, parent: &str, call: &Call<'_>, found: &mut Found) {
    let Some(resources) = template.get("resources") else { return };
    // By name, as of languageVersion 2.0, or in a list.
    let named = resources.members().iter().map(|(_, resource)| resource);
    for resource in resources.items().iter().chain(named) {
        resource_in(resource, parent, call, found);
    }
}

fn resource_in(resource: &Json, parent: &str, call: &Call<'_>, found: &mut Found) {
    let kind = resource.text("type").map(|kind| {
        // Within its parent a resource may leave the parent's type out.
        let is_whole = parent.is_empty() || kind.to_ascii_lowercase().starts_with("microsoft.");
        if is_whole { kind.to_owned() } else { format!("{parent}/{kind}") }
    });
    match &kind {
        Some(kind) if !kind.contains('[') => of_type(kind, resource, call, found),
        Some(_) => found.unknown(UnknownCode::Dynamic, "a resource whose type is computed"),
        None => {}
    }
    if let Some(properties) = resource.get("properties") {
        if properties.get("templateLink").is_some() {
            found.unknown(UnknownCode::Dynamic, "a template that stands elsewhere");
        }
        if let Some(template) = properties.get("template") {
            template_in(template, "", call, found);
        }
    }
    template_in(resource, kind.as_deref().unwrap_or_default(), call, found);
}

fn of_type(kind: &str, resource: &Json, call: &Call<'_>, found: &mut Found) {
    // Bicep writes the version of an extension type behind an @.
    let lower = kind.split('@').next().unwrap_or_default().to_ascii_lowercase();
    let opens_vault = lower == "microsoft.keyvault/vaults"
        && resource.at("/properties/accessPolicies").iter().any(|list| match list {
            Json::Array(policies) => !policies.is_empty(),
            _ => true,
        });
    let gets_identity = !resource.at("/identity/userAssignedIdentities").is_empty();
    if opens_vault
        || gets_identity
        || IAM.iter().any(|prefix| lower.starts_with(prefix))
        || IAM_WITHIN.iter().any(|part| lower.ends_with(part))
        || lower.contains("/providers/roleassignments")
    {
        let who = resource.at("/properties/principalId");
        found.add(Action {
            to: who.into_iter().filter_map(Json::as_text).map(str::to_owned).collect(),
            on: Some(ObjectName::verbatim(kind)),
            ..call.action(Verb::IamChange, "template")
        });
    }
    if CODE.iter().any(|part| lower.contains(part)) {
        found.add(call.action(Verb::Anonymous, "script"));
        found.unknown(UnknownCode::Dynamic, "a template with code that a provider runs");
    }
}
