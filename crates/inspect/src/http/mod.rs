//! HTTP: facts of a request.
//!
//! [`inspect`] reads a request the way its server would. Data flows one way: target and headers -> host,
//! normal path and query ([`Readings`](path::Readings) where servers disagree) -> methods and body -> those
//! who know what a request means: API documents, cloud providers and Kubernetes, GraphQL, batches -> facts.

mod batch;
mod call;
mod clouds;
mod content;
mod found;
mod framing;
mod graphql;
mod host;
mod inspection;
mod json;
pub(crate) mod lines;
mod method;
mod multipart;
mod openapi;
mod path;
mod percent;
mod places;
mod request;
mod target;
mod template;

pub use inspection::inspect;
pub use openapi::{ApiError, Apis};
pub use request::{Body, Headers, Request, Version};

#[cfg(test)]
#[path = "cases_tests.rs"]
mod cases_tests;
#[cfg(test)]
#[path = "hostile_tests.rs"]
mod hostile_tests;
#[cfg(test)]
#[path = "lines_tests.rs"]
mod lines_tests;
#[cfg(test)]
#[path = "openapi_tests.rs"]
mod openapi_tests;
