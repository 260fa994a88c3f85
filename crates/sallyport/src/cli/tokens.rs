//! `sallyport tokens create | list | revoke | password`.

use clap::Subcommand;
use sallyport_api::dto::{NewPassword, NewToken, PasswordCreated, TokenCreated, TokenList};
use sallyport_core::{Clock as _, SystemClock, Timestamp};

use super::Bench;
use crate::client::encode;
use crate::config::CliDuration;
use crate::failure::Failure;
use crate::output::Output;
use crate::words;

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Make a token for a configured principal. It is shown once.
    #[command(after_help = "Example: sallyport tokens create claude-code --expires 30d --note laptop")]
    Create {
        /// The principal's name.
        principal: String,
        /// How long it lives, as 12h or 30d; until it is revoked when left out.
        #[arg(long, value_name = "DURATION")]
        expires: Option<CliDuration>,
        /// What it is for.
        #[arg(long)]
        note: Option<String>,
    },
    /// All tokens, without their secrets.
    #[command(after_help = "Example: sallyport tokens list")]
    List,
    /// Revoke a token. Sessions that it opened end within half a minute.
    #[command(after_help = "Example: sallyport tokens revoke k3v9…")]
    Revoke {
        /// The token's id, as `tokens list` shows it.
        id: String,
    },
    /// Make a password of your own for one target, for MySQL clients that cannot hand over a token.
    #[command(after_help = "Example: sallyport token password shop-mysql --expires 15m\n\n\
        It goes with the user name that is shown, works for that target alone, and ends with the token that\n\
        you call with.")]
    Password {
        /// The target's name.
        target: String,
        /// How long it lives, as 15m; an hour at most and when left out.
        #[arg(long, value_name = "DURATION")]
        expires: Option<CliDuration>,
    },
}

pub(crate) async fn run(verb: &Verb, bench: &mut Bench) -> Result<(), Failure> {
    let api = bench.api()?;
    match verb {
        Verb::Create { principal, expires, note } => {
            let expires_in_seconds = match expires.map(|expires| u32::try_from(expires.0.as_secs())) {
                Some(Err(_)) => return Err(Failure::usage("a token lives ten years at most")),
                expires => expires.and_then(Result::ok),
            };
            let new = NewToken { principal: principal.clone(), expires_in_seconds, note: note.clone() };
            let made: TokenCreated = api.post("/v1/tokens", &new).await?;
            show_created(&made, &mut bench.out, SystemClock.now())
        }
        Verb::Password { target, expires } => {
            let expires_in_seconds = match expires.map(|expires| u32::try_from(expires.0.as_secs())) {
                Some(Err(_)) => return Err(Failure::usage("a password lives an hour at most")),
                expires => expires.and_then(Result::ok),
            };
            let path = format!("/v1/targets/{}/password", encode(target));
            let made: PasswordCreated = api.post(&path, &NewPassword { expires_in_seconds }).await?;
            show_password(&made, &mut bench.out, SystemClock.now())
        }
        Verb::List => {
            let list: TokenList = api.get("/v1/tokens", &[]).await?;
            show_list(&list, &mut bench.out, SystemClock.now())
        }
        Verb::Revoke { id } => {
            api.delete(&format!("/v1/tokens/{}", encode(id))).await?;
            if bench.out.is_json() {
                return bench.out.json(&serde_json::json!({ "id": id, "revoked": true }));
            }
            bench.out.line(&format!("{id} is revoked; its sessions end within half a minute"))
        }
    }
}

fn show_created(made: &TokenCreated, out: &mut Output, now: Timestamp) -> Result<(), Failure> {
    if out.is_json() {
        return out.json(made);
    }
    // Into a pipe goes the token alone, so that it can be put where it belongs.
    if !out.is_terminal() {
        return out.line(&made.token);
    }
    out.line(&made.token)?;
    let ends = made.expires.map_or_else(
        || "until it is revoked".to_owned(),
        |expires| format!("until {} ({})", words::time(expires), words::relative(expires, now)),
    );
    out.line(&format!("it speaks for {} {ends}; it is not shown again", made.principal))
}

fn show_password(made: &PasswordCreated, out: &mut Output, now: Timestamp) -> Result<(), Failure> {
    if out.is_json() {
        return out.json(made);
    }
    out.line(&format!("user      {}", made.username))?;
    out.line(&format!("password  {}", made.password))?;
    let until = format!("{} ({})", words::time(made.expires), words::relative(made.expires, now));
    out.line(&format!("for {} until {until}; it is not shown again", made.target))
}

fn show_list(list: &TokenList, out: &mut Output, now: Timestamp) -> Result<(), Failure> {
    if out.is_json() {
        return out.json(list);
    }
    let when = |at: Option<Timestamp>| at.map_or_else(|| "-".to_owned(), |at| words::relative(at, now));
    let rows: Vec<Vec<String>> = list
        .tokens
        .iter()
        .map(|token| {
            let state = match (token.revoked, token.expires) {
                (Some(_), _) => "revoked".to_owned(),
                (None, Some(expires)) if expires <= now => "expired".to_owned(),
                (None, _) => "ok".to_owned(),
            };
            vec![
                token.id.to_string(),
                token.principal.clone(),
                state,
                when(token.expires),
                when(token.last_used),
                token.note.clone().unwrap_or_default(),
            ]
        })
        .collect();
    let headers = ["id", "principal", "state", "expires", "used", "note"];
    out.table(&headers, &rows, &[5, 1], "there are no tokens; make one with `sallyport tokens create`")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Page;

    #[test]
    fn the_list_says_how_each_token_stands() {
        let now = Timestamp::parse("2026-11-24T12:00:00Z").unwrap();
        let list: TokenList = serde_json::from_value(serde_json::json!({ "tokens": [
            { "id": "aaaa", "principal": "alice", "created": "2026-11-01T00:00:00Z", "expires": null,
              "revoked": null, "last_used": "2026-11-24T11:00:00Z", "note": "laptop" },
            { "id": "bbbb", "principal": "bot", "created": "2026-11-01T00:00:00Z",
              "expires": "2026-11-24T11:59:00Z", "revoked": null, "last_used": null, "note": null },
            { "id": "cccc", "principal": "bot", "created": "2026-11-01T00:00:00Z", "expires": null,
              "revoked": "2026-11-02T00:00:00Z", "last_used": null, "note": null }
        ] }))
        .unwrap();
        let page = Page::default();
        show_list(&list, &mut page.output(false), now).unwrap();
        assert_eq!(
            page.text(),
            "id    principal  state    expires   used        note\n\
             aaaa  alice      ok       -         60 min ago  laptop\n\
             bbbb  bot        expired  60 s ago  -\n\
             cccc  bot        revoked  -         -\n"
        );
    }

    #[test]
    fn a_password_is_shown_with_its_user_and_its_end() {
        let now = Timestamp::parse("2026-11-24T12:00:00Z").unwrap();
        let made = PasswordCreated {
            username: "slp-aaaa".into(),
            password: "p".into(),
            target: "shop".into(),
            expires: now.plus_seconds(900),
        };
        let page = Page::default();
        show_password(&made, &mut page.output(false), now).unwrap();
        let text = page.text();
        assert!(text.starts_with("user      slp-aaaa\npassword  p\nfor shop until "), "{text}");
    }

    #[test]
    fn into_a_pipe_goes_the_token_alone() {
        let made = TokenCreated {
            id: sallyport_core::TokenId::parse("aaaa").unwrap(),
            principal: "alice".into(),
            expires: None,
            token: "slp_x".into(),
        };
        let page = Page::default();
        show_created(&made, &mut page.output(false), SystemClock.now()).unwrap();
        assert_eq!(page.text(), "slp_x\n");
    }
}
