//! The API's own description (OpenAPI), from the handlers themselves.
//!
//! `docs/openapi.json` is the same text; a test holds that it is fresh
//! (`SALLYPORT_WRITE=1 cargo nextest run -p sallyport-api description` writes it).

use axum::http::header;
use axum::response::IntoResponse;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use crate::routes::{
    approvals, audit, follow, health, passwords, recordings, search, sessions, targets, tokens,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Sallyport",
        description = "Approvals, sessions, recordings, tokens and targets of a Sallyport gateway. \
            Refusals are problem details (RFC 9457) with a stable `code`. Roles stand in the gateway's \
            configuration; agents have none. Text of statements, notes and client addresses is untrusted.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    paths(
        health::healthz,
        health::readyz,
        sessions::list,
        sessions::show,
        sessions::kill,
        recordings::entries,
        follow::follow,
        search::search,
        targets::list,
        targets::test,
        passwords::create,
        approvals::list,
        approvals::show,
        approvals::approve,
        approvals::deny,
        approvals::withdraw,
        tokens::list,
        tokens::create,
        tokens::revoke,
        audit::list,
    ),
    security(("token" = [])),
    modifiers(&Bearer)
)]
struct Description;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("A Sallyport token (`slp_…`), or a configured provider's access token."))
            .build();
        openapi
            .components
            .get_or_insert_with(Default::default)
            .add_security_scheme("token", SecurityScheme::Http(scheme));
    }
}

/// The description as JSON, indented, with a line feed at its end.
#[must_use]
pub fn openapi_json() -> String {
    let mut text = Description::openapi().to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}

pub(crate) async fn serve() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], openapi_json())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_committed_description_is_fresh() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
        let now = openapi_json();
        assert!(now.len() > 1000);
        if option_env!("SALLYPORT_WRITE").is_some() {
            std::fs::write(&file, &now).unwrap();
        }
        let committed = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(committed == now, "docs/openapi.json is stale: SALLYPORT_WRITE=1 writes it");
    }
}
