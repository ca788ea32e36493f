//! From which web pages connections are accepted.

use geocast_server::{Count, OriginPolicy, Secret, Settings};

use crate::{
    http_client::{refused_upgrade, request, upgrade},
    server::{Backend, TestServer},
    stores::on_both_stores,
};

on_both_stores!(
    only_the_own_origin_is_accepted,
    listed_origins_are_accepted_as_well,
    any_origin_can_be_accepted,
    publishing_is_held_to_the_same_rule,
    a_name_that_is_made_to_mean_this_machine_does_not_open_it,
);

async fn only_the_own_origin_is_accepted(backend: Backend) {
    let server = TestServer::start(backend).await;
    let own = format!("http://{}", server.address);
    let port = server.address.port();
    assert_eq!(upgrade(server.address, "/ws", None).await, 101, "no browser sends no origin");
    assert_eq!(upgrade(server.address, "/ws", Some(&own)).await, 101);
    let foreign = [
        "http://evil.example".to_owned(),
        "null".to_owned(),
        String::new(),
        "http://127.0.0.1".to_owned(),
        format!("http://127.0.0.1:{}", port ^ 1),
        format!("http://localhost:{port}"),
        format!("{own}.evil.example"),
        format!("http://evil.example#{own}"),
        format!("http://{}@evil.example", server.address),
        format!("{own}, http://evil.example"),
        "file://".to_owned(),
        "http://127.0.0.1:99999".to_owned(),
    ];
    for (refused, origin) in (1_u64..).zip(&foreign) {
        assert_eq!(upgrade(server.address, "/ws", Some(origin)).await, 403, "{origin:?}");
        assert_eq!(server.count(Count::ConnectionRefused), refused, "{origin:?}");
    }
}

fn listed(origins: &'static [&'static str]) -> impl FnOnce(&mut Settings) {
    move |settings| {
        let origins = origins.iter().map(|origin| origin.parse().expect("an origin"));
        settings.origins = OriginPolicy::Listed(origins.collect());
    }
}

async fn listed_origins_are_accepted_as_well(backend: Backend) {
    let list = &["https://maps.example.org", "http://other.example:8080"];
    let server = TestServer::start_with(backend, listed(list)).await;
    let own = format!("http://{}", server.address);
    for origin in [own.as_str(), list[0], list[1], "https://maps.example.org:443", "https://MAPS.example.org"]
    {
        assert_eq!(upgrade(server.address, "/ws", Some(origin)).await, 101, "{origin}");
    }
    for origin in [
        "http://maps.example.org",
        "https://maps.example.org:8443",
        "https://maps.example.org.evil.example",
        "https://xmaps.example.org",
        "https://example.org",
        "https://a.maps.example.org",
        "http://other.example",
        "null",
    ] {
        assert_eq!(upgrade(server.address, "/ws", Some(origin)).await, 403, "{origin}");
    }
}

async fn any_origin_can_be_accepted(backend: Backend) {
    let server =
        TestServer::start_with(backend, |settings| settings.origins = OriginPolicy::InsecureAny).await;
    for origin in ["http://evil.example", "null"] {
        assert_eq!(upgrade(server.address, "/ws", Some(origin)).await, 101, "{origin}");
    }
}

async fn publishing_is_held_to_the_same_rule(backend: Backend) {
    let server = TestServer::start_with(backend, |settings| {
        listed(&["https://maps.example.org"])(settings);
        settings.publish_key = Some(Secret::new("key"));
    })
    .await;
    for (origin, status) in [("http://evil.example", 403), ("null", 403), ("https://maps.example.org", 200)] {
        for (method, path) in
            [("POST", "/api/publish/news"), ("PUT", "/api/state/news/1"), ("DELETE", "/api/state/news/1")]
        {
            let origin = format!("Origin: {origin}");
            let response =
                request(server.address, method, path, &[&origin, "Authorization: Bearer key"], "1").await;
            assert_eq!(response.status, status, "{method} {origin}: {response:?}");
            let remedy = if origin.ends_with("null") {
                "open it through a web server"
            } else {
                "--allow-origin http://evil.example"
            };
            assert_eq!(response.body.contains(remedy), status == 403, "{origin}: {response:?}");
        }
    }
}

/// A page's own server, whose name has been made to resolve to the address of this machine, is the same origin to a browser.
async fn a_name_that_is_made_to_mean_this_machine_does_not_open_it(backend: Backend) {
    let server = TestServer::start(backend).await;
    let is_open = backend == Backend::Embedded;
    let port = server.address.port();
    let page = |name: &str| [format!("Host: {name}:{port}"), format!("Origin: http://{name}:{port}")];
    for (name, is_own) in
        [("evil.example", false), ("127.0.0.1.evil.example", false), ("localhost", true), ("[::1]", true)]
    {
        let [host, origin] = page(name);
        let published = request(server.address, "POST", "/api/publish/news", &[&host, &origin], "1").await;
        // A store that is not open has nothing to be opened, and nobody may publish to it.
        let refused = if is_open && is_own { 200 } else { 403 };
        assert_eq!(published.status, refused, "{name}: {published:?}");
        if is_open {
            assert_eq!(published.body.contains("origin_refused"), !is_own, "{name}: {published:?}");
        }
        if is_open && !is_own {
            let upgraded = refused_upgrade(server.address, "/ws", &[&host, &origin]).await;
            assert_eq!((upgraded.status, upgraded.body.contains("origin_refused")), (403, true), "{name}");
        }
    }
    // Behind a proxy, a server has the name that the proxy passes on; such a server is not open to everybody.
    let server =
        TestServer::start_with(backend, |settings| settings.publish_key = Some(Secret::new("key"))).await;
    let [host, origin] = page("maps.example.org");
    let headers = [host.as_str(), &origin, "Authorization: Bearer key"];
    let published = request(server.address, "POST", "/api/publish/news", &headers, "1").await;
    assert_eq!(published.status, 200, "{published:?}");
}
