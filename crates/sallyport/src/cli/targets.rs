//! `sallyport targets list | test`.

use clap::Subcommand;
use sallyport_api::dto::{TargetList, TargetTest};
use sallyport_core::visible;

use super::Bench;
use crate::client::encode;
use crate::failure::Failure;
use crate::output::Output;

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// All targets.
    #[command(after_help = "Example: sallyport targets list")]
    List,
    /// Sign in to a target and out again.
    #[command(after_help = "Example: sallyport targets test shop-prod")]
    Test {
        /// The target's name.
        name: String,
    },
}

pub(crate) async fn run(verb: &Verb, bench: &mut Bench) -> Result<(), Failure> {
    let api = bench.api()?;
    match verb {
        Verb::List => {
            let list: TargetList = api.get("/v1/targets", &[]).await?;
            show_list(&list, &mut bench.out)
        }
        Verb::Test { name } => {
            let path = format!("/v1/targets/{}/test", encode(name));
            let test: TargetTest = api.post(&path, &serde_json::json!({})).await?;
            show_test(&test, &mut bench.out)
        }
    }
}

fn show_list(list: &TargetList, out: &mut Output) -> Result<(), Failure> {
    if out.is_json() {
        return out.json(list);
    }
    let rows: Vec<Vec<String>> = list
        .targets
        .iter()
        .map(|target| {
            let tags: Vec<String> =
                target.tags.iter().map(|(name, value)| format!("{name}={value}")).collect();
            vec![
                target.name.clone(),
                target.protocol.clone(),
                target.address.clone(),
                target.database.clone(),
                target.tls.clone(),
                tags.join(" "),
            ]
        })
        .collect();
    let headers = ["target", "protocol", "address", "database", "tls", "tags"];
    out.table(
        &headers,
        &rows,
        &[5, 2, 0, 3],
        "no target is configured; add a [[target]] to the configuration",
    )
}

fn show_test(test: &TargetTest, out: &mut Output) -> Result<(), Failure> {
    if out.is_json() {
        out.json(test)?;
    } else if test.ok {
        let ok = out.tinted("ok", crate::output::Tint::of("ok"));
        out.line(&format!("{ok}  {} in {} ms: {}", test.name, test.took_ms, visible::line(&test.detail)))?;
    }
    if test.ok {
        Ok(())
    } else {
        Err(Failure::failed(format!(
            "{} does not take the gateway: {}",
            test.name,
            visible::line(&test.detail)
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Page;

    #[test]
    fn the_list_is_a_table() {
        let list: TargetList = serde_json::from_value(serde_json::json!({ "targets": [
            { "name": "shop-prod", "protocol": "postgres", "address": "db.internal:5432", "database": "shop",
              "databases": [], "tls": "verify-full", "tags": { "env": "production" } }
        ] }))
        .unwrap();
        let page = Page::default();
        show_list(&list, &mut page.output(false)).unwrap();
        assert_eq!(
            page.text(),
            "target     protocol  address           database  tls          tags\n\
             shop-prod  postgres  db.internal:5432  shop      verify-full  env=production\n"
        );
    }

    #[test]
    fn a_target_that_refuses_is_a_failure() {
        let test =
            TargetTest { name: "t".into(), ok: false, detail: "wrong password\u{1b}".into(), took_ms: 1 };
        let failure = show_test(&test, &mut Page::default().output(true)).unwrap_err();
        assert_eq!(failure.exit.code(), 1);
        assert!(failure.message.contains("wrong password\\u{1b}"), "{failure}");
    }
}
