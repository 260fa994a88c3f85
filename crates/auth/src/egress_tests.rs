//! Where our own requests go, and how much of an answer is read.

use super::*;
use crate::testing::Provider;

#[test]
fn attack_11_only_https_and_loopback_addresses_are_taken() {
    for good in
        ["https://login.example.com/keys", "http://localhost:80/x", "http://127.0.0.1:1", "http://[::1]:1"]
    {
        assert!(address(good).is_ok(), "{good}");
    }
    for bad in [
        "http://login.example.com/keys",
        "http://169.254.169.254/latest",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "http://user@127.0.0.1/",
        "https://user:pass@login.example.com/",
        "https://login.example.com/#x",
        "file:///etc/passwd",
        "ftp://127.0.0.1/",
        "login.example.com",
        "",
    ] {
        assert_eq!(address(bad), Err(EgressError::Address), "{bad}");
    }
}

#[tokio::test]
async fn attack_11_a_redirect_is_not_followed() {
    let (provider, elsewhere) = (Provider::start(), Provider::start());
    provider.change(|answer| {
        answer.status = "302 Found";
        answer.headers = format!("location: {}/keys\r\n", elsewhere.issuer);
    });
    let url = address(&format!("{}/keys", provider.issuer)).unwrap();
    assert_eq!(get(&client().unwrap(), url, 1 << 20).await, Err(EgressError::Status));
    assert_eq!(elsewhere.asked.load(std::sync::atomic::Ordering::SeqCst), 0);
}

#[tokio::test]
async fn no_more_is_read_than_was_said() {
    let provider = Provider::start();
    provider.change(|answer| answer.keys = "x".repeat(1001));
    let url = address(&format!("{}/keys", provider.issuer)).unwrap();
    let client = client().unwrap();
    assert_eq!(get(&client, url.clone(), 1000).await, Err(EgressError::TooLarge));
    assert_eq!(get(&client, url, 1001).await.unwrap().len(), 1001);
}

#[tokio::test]
async fn a_silent_server_does_not_hold_anybody() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = address(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    let started = std::time::Instant::now();
    assert_eq!(get(&client().unwrap(), url, 10).await, Err(EgressError::Unreachable));
    assert!(started.elapsed() < DEADLINE + Duration::from_secs(2));
}
