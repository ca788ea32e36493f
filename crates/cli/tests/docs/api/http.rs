use std::{collections::BTreeSet, fs, process::Command};

use super::{
    described,
    requests::{Asked, Traffic},
};
use crate::{
    geocast::{Running, geocast, wait_until},
    pages::root,
    redis_server::RedisServer,
};

#[test]
fn every_address_is_described() {
    let paths = described("openapi")["paths"].as_object().expect("a table").clone();
    let router = fs::read_to_string(root().join("crates/server/src/http/router.rs")).expect("it is there");
    let routes = router.split(".route(").skip(1).filter_map(|call| call.split('"').nth(1));
    let routes: Vec<String> =
        routes.map(|route| route.replace("{prefix}", "").replace("{{", "{").replace("}}", "}")).collect();
    assert!(routes.len() > 8, "{routes:?}");
    // What people look at is none of it.
    for route in routes.iter().filter(|route| !["/", "/api"].contains(&route.as_str())) {
        let is_described = paths.contains_key(route) || paths.contains_key(&format!("{route}/"));
        assert!(is_described, "{route} is not described");
    }
}

/// A status that is new there is to be described.
#[test]
fn every_status_that_publishers_are_told_is_described() {
    let source = fs::read_to_string(root().join("crates/server/src/http/publish.rs")).expect("it is there");
    let named: BTreeSet<&str> = source
        .split("StatusCode::")
        .skip(1)
        .filter_map(|rest| rest.split(|letter: char| letter != '_' && !letter.is_ascii_uppercase()).next())
        .filter(|name| !name.is_empty())
        .collect();
    assert!(named.len() > 6, "{named:?}");
    let paths = described("openapi")["paths"].clone();
    let described = ["/api/publish/{channel}", "/api/state/{channel}/{key}"].map(|path| {
        let methods = paths[path].as_object().expect("a table").values();
        methods
            .filter_map(|operation| operation["responses"].as_object())
            .flat_map(|responses| responses.keys().cloned())
            .collect::<BTreeSet<String>>()
    });
    let statuses = described.iter().flatten().map(|status| status.parse::<u16>().expect("a number"));
    let names: BTreeSet<String> = statuses
        .filter_map(|status| hyper::StatusCode::from_u16(status).ok()?.canonical_reason())
        .map(|reason| reason.to_ascii_uppercase().replace(' ', "_"))
        .collect();
    assert_eq!(
        named.iter().filter(|name| !names.contains(**name)).count(),
        0,
        "{named:?}, described {names:?}"
    );
}

#[test]
fn what_is_answered_over_http_is_as_described() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).expect("the folder is ours");
        path.display().to_string()
    };
    let (token, secret) = (file("token", "sesame"), file("secret", "a secret of more than thirty-two bytes"));
    let mut traffic = Traffic::new();
    traffic.of_a_server_with_everything(&token, &secret);

    let server = Running::server(&["serve", "--port", "0", "--metrics-token-file", &token]);
    traffic.ask(
        &server,
        &[
            ("get /metrics", "", &[], "", 401),
            ("get /metrics", "", SESAME, "", 200),
            ("get /metrics", "", &[SESAME[0], "Accept: application/openmetrics-text"], "", 200),
            ("get /api/operator", "", SESAME, "", 404),
        ],
    );
    traffic.of_a_store_in_trouble();
    traffic.is_all_there_is(&[
        // Eight questions would have to wait at the same time for workers, which answer within milliseconds.
        ("get /api/operator", "429"),
        // With a token, which tests of the server make: `publications_with_a_token_keep_to_its_rate`.
        (PUBLISH, "429"),
        (PUT, "429"),
        (DELETE, "429"),
        (PACKAGE, "429"),
        (BROADCAST, "429"),
    ]);
}

impl Traffic {
    fn of_a_server_with_everything(&mut self, token: &str, secret: &str) {
        let served =
            ["serve", "--port", "0", "--channels", "test", "--publish-key", "key", "--history", "test=100"];
        let more = ["--operator-token-file", token, "--jwt-key-file", secret, "--max-publication", "4KiB"];
        let server = Running::server(&[&served[..], &more].concat());
        let looking = ["sub", "test", "--bbox", "5,45,11,48", "--url", &server.url()];
        let _looking = Running::start(geocast(&looking));
        // What `/ready` tells of it.
        server.signal("HUP");
        server.wait_for("read again: ");
        let (deep, long) = ("[".repeat(100) + &"]".repeat(100), "a".repeat(5000));
        let nameless = r#"{"type":"Feature","geometry":null,"properties":null}"#;
        self.ask(
            &server,
            &[
                ("get /live", "", &[], "", 200),
                ("get /ready", "", SESAME, "", 200),
                ("get /api/channels", "", &[], "", 200),
                ("get /api/channels", "/api/channels?token=none", &[], "", 401),
                ("get /api/channels", "", &["Origin: http://elsewhere.example"], "", 403),
                ("get /metrics", "", &[], "", 403),
                ("get /api/operator", "", &[], "", 401),
                ("get /api/operator", "/api/operator?limit=many", SESAME, "", 400),
                (PUBLISH, "", KEY, "{", 200),
                (PUBLISH, "", KEY, "", 400),
                (PUBLISH, "", &[], "{}", 401),
                (PUBLISH, "", WRONG, "{}", 403),
                (PUBLISH, "", KEY, &long, 413),
                (PUBLISH, "", KEY, &deep, 422),
                (PUT, "", KEY, nameless, 200),
                (PUT, "", KEY, "", 400),
                (PUT, "", &[], "{}", 401),
                (PUT, "", WRONG, "{}", 403),
                (PUT, "", KEY, &long, 413),
                (PUT, "", KEY, &deep, 422),
                (DELETE, "", KEY, "", 200),
                (DELETE, "/api/state/test/a%20key", KEY, "", 400),
                (DELETE, "", &[], "", 401),
                (DELETE, "", WRONG, "", 403),
                (DELETE, "", KEY, "", 404),
                (PACKAGE, "", KEY, "{}", 201),
                (PACKAGE, "", &[KEY[0], "Package-Type: none"], "{}", 400),
                (PACKAGE, "", WRONG, "{}", 403),
                (PACKAGE, "", KEY, &long, 413),
                (BROADCAST, "", KEY, PACKAGES, 201),
                (BROADCAST, "", KEY, "nonsense", 400),
                (BROADCAST, "", WRONG, PACKAGES, 403),
                (BROADCAST, "", KEY, &long, 413),
            ],
        );
        // With somebody who looks somewhere.
        wait_until(
            || {
                self.ask(&server, &[("get /api/operator", "", SESAME, "", 200)]);
                self.last().to_string().contains("\"corners\"")
            },
            || "nobody is seen to look anywhere".to_owned(),
        );
    }

    fn of_a_store_in_trouble(&mut self) {
        let mut redis = RedisServer::start(&[]);
        let url = redis.url();
        let served = ["serve", "--port", "0", "--redis", &url, "--channels", "test", "--publish-key", "key"];
        let more = ["--history", "test=100", "--metrics", "0", "--request-timeout", "1s"];
        let server = Running::server(&[&served[..], &more].concat());
        wait_until(
            || {
                let output = Command::new("curl")
                    .args(["--silent", "--fail", &format!("http://{}/ready", server.address())])
                    .output();
                output.expect("there is curl").status.success()
            },
            || server.said(),
        );
        self.ask(&server, &[("get /metrics", "", &[], "", 404)]);
        redis.cli(&["CONFIG", "SET", "maxmemory", "1"]);
        self.ask(&server, &changes(507));
        redis.cli(&["CONFIG", "SET", "maxmemory", "0"]);
        // Neither is what the state and the history of a channel are.
        redis.cli(&["MSET", "test", "text", "geocast:history:test", "text"]);
        self.ask(&server, &changes(502));
        redis.freeze();
        self.ask(&server, &changes(408));
        redis.kill();
        self.ask(&server, &changes(503));
        self.ask(&server, &[("get /ready", "", &[], "", 503)]);
    }
}

/// Whatever changes something, and how it ends.
fn changes(status: u16) -> [Asked<'static>; 5] {
    [
        (DELETE, "", KEY, "", status),
        (PUT, "", KEY, "{}", status),
        (PUBLISH, "", KEY, "{}", status),
        (PACKAGE, "", KEY, "{}", status),
        (BROADCAST, "", KEY, PACKAGES, status),
    ]
}

const PUBLISH: &str = "post /api/publish/{channel}";
const PUT: &str = "put /api/state/{channel}/{key}";
const DELETE: &str = "delete /api/state/{channel}/{key}";
const PACKAGE: &str = "post /channel/{name}/";
const BROADCAST: &str = "post /broadcast/";
const PACKAGES: &str = r#"{"test":[{"text":"a"}]}"#;
const KEY: &[&str] = &["Authorization: Bearer key"];
const WRONG: &[&str] = &["Authorization: Bearer wrong"];
const SESAME: &[&str] = &["Authorization: Bearer sesame"];
