//! What a program shows to browsers, and the channels that its page can offer.

use std::net::{SocketAddr, TcpListener};

use geocast_server::{Server, Settings, Site, SiteFile};
use tokio::sync::oneshot;

use crate::{
    http_client::{Response, request},
    server::{Backend, TestServer},
};

async fn serve(adjust: impl FnOnce(&mut Settings)) -> TestServer {
    let site = Site::new([
        SiteFile::new("index.html", b"plain").gzip(b"gzipped").brotli(b"brotli"),
        SiteFile::new("assets/a-1.js", b"script"),
        SiteFile::new("icon.svg", b"<svg/>"),
    ]);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    TestServer::start_built(listener, None, adjust, |builder| builder.site(site)).await
}

async fn get(address: SocketAddr, path: &str, headers: &[&str]) -> Response {
    request(address, "GET", path, headers, "").await
}

/// The value of a field of the answer.
fn field<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.head.lines().find_map(|line| {
        let (field, value) = line.split_once(": ")?;
        field.eq_ignore_ascii_case(name).then_some(value)
    })
}

#[tokio::test]
async fn a_site_is_shown_in_the_form_that_the_browser_takes() {
    let server = serve(|_| ()).await;
    let check = async |accepted: &str, encoding: Option<&str>, body: &str| {
        let response = get(server.address, "/", &[&format!("Accept-Encoding: {accepted}")]).await;
        assert_eq!(response.status, 200, "{accepted}");
        assert_eq!((field(&response, "content-encoding"), &*response.body), (encoding, body), "{accepted}");
        assert_eq!(field(&response, "vary"), Some("accept-encoding"), "{accepted}");
        field(&response, "etag").expect("a tag").to_owned()
    };
    let tags = [
        check("gzip, deflate, br, zstd", Some("br"), "brotli").await,
        check("gzip, br;q=0", Some("gzip"), "gzipped").await,
        check("identity", None, "plain").await,
    ];
    assert!(tags[0] != tags[1] && tags[1] != tags[2], "{tags:?}");
    assert_eq!(check("GZIP;q=0.5", Some("gzip"), "gzipped").await, tags[1]);
}

#[tokio::test]
async fn what_a_browser_has_is_not_sent_again() {
    let server = serve(|_| ()).await;
    let page = get(server.address, "/", &[]).await;
    let tag = field(&page, "etag").expect("a tag");
    assert_eq!(field(&page, "cache-control"), Some("no-cache"));
    for known in [tag, &format!("W/{tag}"), &format!("\"other\", {tag}"), "*"] {
        let response = get(server.address, "/", &[&format!("If-None-Match: {known}")]).await;
        assert_eq!((response.status, &*response.body), (304, ""), "{known}");
        assert_eq!(field(&response, "etag"), Some(tag), "{known}");
    }
    assert_eq!(get(server.address, "/", &["If-None-Match: \"other\""]).await.status, 200);
    let script = get(server.address, "/assets/a-1.js", &[]).await;
    assert_eq!(field(&script, "cache-control"), Some("public, max-age=31536000, immutable"));
    assert_eq!(field(&script, "content-type"), Some("text/javascript; charset=utf-8"));
    assert_eq!(field(&script, "content-security-policy"), None);
}

#[tokio::test]
async fn a_page_may_load_nothing_from_elsewhere_and_run_nothing_inline() {
    let server = serve(|_| ()).await;
    let page = get(server.address, "/", &[]).await;
    let policy = field(&page, "content-security-policy").expect("a policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(!policy.contains("unsafe") && !policy.contains("http") && !policy.contains('*'), "{policy}");
    assert_eq!(field(&page, "x-content-type-options"), Some("nosniff"));
    assert_eq!(field(&page, "referrer-policy"), Some("no-referrer"));
}

#[tokio::test]
async fn a_site_leaves_everything_else_where_it_is() {
    // Sockets on every path, and still what is asked for without an upgrade is the page.
    let server = serve(|settings| settings.text_paths = "/*".parse().expect("a pattern")).await;
    assert_eq!(get(server.address, "/icon.svg", &[]).await.body, "<svg/>");
    assert_eq!(get(server.address, "/", &[]).await.body, "plain");
    let head = request(server.address, "HEAD", "/icon.svg", &[], "").await;
    assert_eq!((head.status, &*head.body), (200, ""));
    let posted = request(server.address, "POST", "/icon.svg", &[], "").await;
    assert_eq!((posted.status, field(&posted, "allow")), (405, Some("GET, HEAD")));
    assert_eq!(get(server.address, "/elsewhere", &[]).await.status, 426);
    for path in ["/live", "/ready", "/metrics"] {
        assert_eq!(get(server.address, path, &[]).await.status, 200, "{path}");
    }
    let broadcast = request(server.address, "POST", "/broadcast/", &[], r#"{"news":[{"text":"hi"}]}"#).await;
    assert_eq!((broadcast.status, &*broadcast.body), (201, "\"OK\""));
    let listed = get(server.address, "/api", &[]).await;
    assert!(listed.status == 200 && listed.body.contains("/api/publish/{channel}"), "{listed:?}");
    server.client().await.send("PING").await;
    let other = serve(|_| ()).await;
    assert_eq!(get(other.address, "/elsewhere", &[]).await.status, 404);
}

#[tokio::test]
async fn channels_are_told_of_by_the_names_that_settings_give() {
    let server =
        serve(|settings| settings.channels = Some("ships,news_*,[ab],cars".parse().expect("patterns"))).await;
    request(server.address, "PUT", "/api/state/news_secret/1", &[], "1").await;
    let listed = get(server.address, "/api/channels", &[]).await;
    assert_eq!(listed.json(), serde_json::json!({ "channels": ["cars", "ships"] }));
    assert_eq!(field(&listed, "cache-control"), Some("no-store"));
    let from_elsewhere = get(server.address, "/api/channels", &["Origin: http://example.org"]).await;
    assert_eq!(from_elsewhere.status, 403);
}

#[tokio::test]
async fn a_server_of_this_machine_alone_tells_of_all_that_it_has() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let server = Server::start(listener, Settings::default()).expect("the server starts");
    let address = server.address().expect("an address");
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(server.run(async { drop(stopped.await) }));
    for channel in ["trams", "buses"] {
        request(address, "PUT", &format!("/api/state/{channel}/1"), &[], "1").await;
    }
    let of = async |host: &str| get(address, "/api/channels", &[&format!("Host: {host}")]).await.json();
    assert_eq!(of("127.0.0.1").await, serde_json::json!({ "channels": ["buses", "trams"] }));
    assert_eq!(of("LOCALHOST:1").await, serde_json::json!({ "channels": ["buses", "trams"] }));
    // A page elsewhere that has had its own name resolved to this address.
    assert_eq!(of("evil.example:8765").await, serde_json::json!({ "channels": [] }));
    drop(stop);
    running.await.expect("the task ends").expect("the server runs");
}

#[tokio::test]
async fn redis_is_not_asked_which_channels_there_are() {
    let server = TestServer::start(Backend::Redis).await;
    let listed = get(server.address, "/api/channels", &[]).await;
    assert_eq!(listed.json(), serde_json::json!({ "channels": [] }));
}

#[tokio::test]
async fn a_page_stands_at_its_name_without_the_ending() {
    let site = Site::new([SiteFile::new("more.html", b"more"), SiteFile::new("icon.svg", b"<svg/>")]);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let server = TestServer::start_built(listener, None, |_| (), |builder| builder.site(site)).await;
    for (path, status) in
        [("/more", 200), ("/more.html", 200), ("/more/", 404), ("/icon", 404), ("/.html", 404)]
    {
        let response = get(server.address, path, &[]).await;
        assert_eq!(response.status, status, "{path}: {response:?}");
        if status == 200 {
            assert!(field(&response, "content-security-policy").is_some(), "{path}: {response:?}");
        }
    }
}
