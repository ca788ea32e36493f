use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
};

use crate::{
    geocast::{Running, code, geocast, run, run_with_input, stderr, stdout, wait_until},
    redis_server::RedisServer,
};

#[test]
fn what_is_published_under_a_key_is_got_byte_for_byte() {
    let server = Running::server(&["serve", "--port", "0"]);
    let url = server.url();
    let payload = "{\"type\":\"Feature\", \"id\":12345678901234567890,\n \"geometry\":{\"type\":\"Point\",\
                   \"coordinates\":[8.50,47.40]},\"properties\":{\"n\":7.10,\"s\":\"a\\nb\"}}";
    let output =
        run_with_input(&["pub", "test", "--key", "k/1=?", "--url", &url], format!("{payload}\n").as_bytes());
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let get = |more: &[&str]| run(&[&["get", "test"], more, &["--url", &url]].concat());
    for found in [get(&[]), get(&["k/1=?"]), get(&["--bbox", "8,47,9,48"])] {
        assert_eq!(
            (code(&found), stdout(&found)),
            (0, payload.replace('\n', "") + "\n"),
            "{}",
            stderr(&found)
        );
    }
    let projected = stdout(&get(&["k/1=?", "--projection", "epsg:3857"]));
    let expected = payload.replace('\n', "").replace("[8.50,47.40]", "");
    let (start, end) = expected.split_once("\"coordinates\":").unwrap();
    assert!(projected.starts_with(start) && projected.ends_with(&(end.to_owned() + "\n")), "{projected}");
    assert!(projected.contains("[946215.6"), "{projected}");

    for nothing in [get(&["other"]), get(&["--bbox", "0,0,1,1"]), get(&["k/1=?", "--bbox", "0,0,1,1"])] {
        assert_eq!((code(&nothing), stdout(&nothing).as_str()), (3, ""));
        assert!(stderr(&nothing).contains("the state of test has nothing"), "{}", stderr(&nothing));
    }
}

#[test]
fn what_is_odd_about_a_publication_is_noted() {
    let server = Running::server(&["serve", "--port", "0"]);
    let url = server.url();
    let publish = |more: &[&str]| run(&[&["pub", "vehicles", "--url", &url], more].concat());
    let feature = r#"{"type":"Feature","id":8,"geometry":null,"properties":{}}"#;
    for (arguments, note) in [
        (&["--key", "7", feature][..], "published, but tracked subscriptions know this feature as \"8\""),
        (&["--key", "7", r#"{"type":"Feature""#], "published, but this is no JSON, and sent as text"),
        (&[r#"{"type":"Feature""#], "published, but this is no JSON, and sent as text"),
        (&["--key", "x1", "not json"], "published, but this is no JSON, and sent as text"),
        (&["--key", "8", feature], ""),
        (&["5"], ""),
    ] {
        let output = publish(arguments);
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        let said = stderr(&output);
        assert!(said.contains(note) && (said.is_empty() == note.is_empty()), "{arguments:?}: {said}");
    }
    let missing = publish(&["5", "--publish-key-file", "/nowhere"]);
    assert_eq!(code(&missing), 2, "{}", stderr(&missing));
}

#[test]
fn sub_prints_what_pub_publishes() {
    let server = Running::server(&["serve", "--port", "0"]);
    let url = server.url();
    for (more, payload, expected) in [
        (&[][..], "\"hello\"", "\"hello\""),
        (&[], "no JSON", "\"no JSON\""),
        (&["--envelope"], "[1,  2]", "{\"source\":\"news\",\"content\":[1,  2],\"timestamp\":"),
        (&["--buffer", "50ms,100"], "{}", "{}"),
    ] {
        let mut sub =
            Running::start(geocast(&[&["sub", "news", "--count", "1", "--url", &url], more].concat()));
        let mut line = None;
        // That a subscription is in force is not told: publish until it shows.
        wait_until(
            || {
                assert_eq!(code(&run(&["pub", "news", payload, "--url", &url])), 0);
                line = line.take().or_else(|| sub.ready_line());
                line.is_some()
            },
            || format!("{payload} does not come"),
        );
        assert!(line.as_ref().unwrap().starts_with(expected), "{line:?}");
        assert_eq!(sub.code(), 0);
    }
}

#[test]
fn publishing_needs_the_key_of_the_server() {
    let server = Running::server(&["serve", "--port", "0", "--publish-key", "tram14"]);
    let url = server.url();
    let publish = |more: &[&str]| run(&[&["pub", "news", "1", "--url", &url], more].concat());
    let refused = publish(&[]);
    assert_eq!(code(&refused), 1);
    assert!(stderr(&refused).contains("Authorization: Bearer KEY` (HTTP 401)"), "{}", stderr(&refused));
    assert_eq!(code(&publish(&["--publish-key", "tram15"])), 1);
    assert_eq!(code(&publish(&["--publish-key", "tram14"])), 0);
    let by_environment = geocast(&["pub", "news", "1"])
        .envs([("GEOCAST_PUBLISH_KEY", "tram14"), ("GEOCAST_URL", &url)])
        .output()
        .unwrap();
    assert_eq!(code(&by_environment), 0, "{}", stderr(&by_environment));
    assert!(!server.said().contains("tram14"));
}

#[test]
fn exit_codes_tell_what_went_wrong() {
    let server = Running::server(&["serve", "--port", "0", "--text-paths", "/ws,/other"]);
    let url = server.url();
    let silence = run(&["sub", "news", "--count", "2", "--timeout", "100ms", "--url", &url]);
    assert_eq!((code(&silence), stderr(&silence).as_str()), (3, "geocast: 0 of 2 messages came\n"));
    let unknown = run(&["sub", "news", "--projection", "epsg:99999", "--url", &url]);
    assert_eq!(code(&unknown), 1);
    assert!(stderr(&unknown).contains("(unknown_crs)"), "{}", stderr(&unknown));
    let elsewhere = run(&["get", "news", "--url", &url.replace("/ws", "/nowhere")]);
    assert_eq!(code(&elsewhere), 1);
    assert!(stderr(&elsewhere).contains("(HTTP 404)"), "{}", stderr(&elsewhere));

    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let nobody = format!("ws://{free}/ws");
    for arguments in [&["sub", "news"][..], &["get", "news"], &["pub", "news", "1"]] {
        let output = run(&[arguments, &["--url", &nobody]].concat());
        assert_eq!(code(&output), 4, "{arguments:?}");
        assert!(stderr(&output).contains("is `geocast serve` or `geocast demo` running there?"));
    }
    // What makes no sense is seen before anybody is asked; of other systems, the server knows.
    for command in ["sub", "get"] {
        let boxed = |bbox: &str, crs: &str, url: &str| {
            run(&[command, "news", "--bbox", bbox, "--bbox-crs", crs, "--url", url])
        };
        let reversed = boxed("5.9,47.8,10.5,45.8", "epsg:4326", &nobody);
        assert_eq!(code(&reversed), 2, "{}", stderr(&reversed));
        assert_eq!(
            stderr(&reversed),
            "geocast: --bbox 5.9,47.8,10.5,45.8 is left,bottom,right,top in EPSG:4326, and cannot be: box is reversed \
             vertically: bottom 47.8 is greater than top 45.8\n"
        );
        assert_eq!(code(&boxed("1,2,3,1", "epsg:3857", &nobody)), 2);
        assert_eq!(code(&boxed("1,2,3", "epsg:3857", &nobody)), 2);
        let refused = boxed("2600000,1300000,2700000,1200000", "epsg:2056", &url);
        assert_eq!(code(&refused), 1, "{}", stderr(&refused));
        assert!(stderr(&refused).contains("(invalid_bbox)"), "{}", stderr(&refused));
    }
}

#[test]
fn sub_ends_silently_when_nobody_reads_it() {
    let demo = Running::server(&["demo", "--port", "0", "--vehicles", "100"]);
    let mut sub = geocast(&["sub", "vehicles", "--url", &demo.url()]).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(sub.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with('{'));
    let output = sub.wait_with_output().unwrap();
    assert_eq!((code(&output), stderr(&output).as_str()), (0, ""));
}

#[test]
fn sub_comes_back_after_a_restart_of_the_server() {
    let mut demo = Running::server(&["demo", "--port", "0", "--vehicles", "50"]);
    let (url, port) = (demo.url(), demo.address().port().to_string());
    let steady = Running::start(geocast(&["sub", "vehicles", "--url", &url]));
    let mut fickle = Running::start(geocast(&["sub", "vehicles", "--no-reconnect", "--url", &url]));
    steady.line();
    fickle.line();
    demo.signal("TERM");
    assert_eq!(demo.code(), 0);
    assert_eq!(fickle.code(), 1);
    fickle.wait_for("the connection ended: closed with code 1012: server restarts");
    steady.wait_for("connecting again");
    while steady.ready_line().is_some() {}
    let _demo = Running::server(&["demo", "--port", &port, "--vehicles", "50"]);
    steady.wait_for("connected again");
    steady.line();
}

#[test]
fn sub_says_where_messages_were_missed() {
    let redis = RedisServer::start(&[]);
    let server = Running::server(&["serve", "--port", "0", "--channels", "news", "--redis", &redis.url()]);
    let sub = Running::start(geocast(&["sub", "news", "--url", &server.url()]));
    // That a subscription is in force is not told: publish until it shows.
    let hears = || {
        redis.cli(&["PUBLISH", "news", "0"]);
        sub.ready_line().is_some()
    };
    wait_until(hears, || "nothing comes".to_owned());
    redis.cli(&["CLIENT", "KILL", "TYPE", "pubsub"]);
    sub.wait_for("messages of news may have been missed here");
    redis.cli(&["PUBLISH", "news", "1"]);
    while sub.line() != "1" {}
}

#[test]
fn a_server_is_probed_without_another_program() {
    let mut server = Running::server(&["serve", "--port", "0"]);
    let page = format!("http://{}", server.address());
    for (arguments, answer) in
        [(vec!["probe"], "\"status\":\"ready\""), (vec!["probe", "live"], "{\"status\":\"live\"}")]
    {
        let answered = run(&[&arguments[..], &["--url", &page]].concat());
        assert_eq!(code(&answered), 0, "{}", stderr(&answered));
        assert!(stdout(&answered).contains(answer), "{}", stdout(&answered));
    }
    let by_port = |url: Option<&str>, port: &str| {
        let mut command = geocast(&["probe", "live", "--timeout", "30s"]);
        if let Some(url) = url {
            command.env("GEOCAST_URL", url);
        }
        command.env("GEOCAST_PORT", port).output().expect("the binary was built")
    };
    let port = server.address().port().to_string();
    assert_eq!(code(&by_port(None, &port)), 0);
    assert_eq!(code(&by_port(Some(&page), "1")), 0);
    assert_eq!(code(&by_port(None, "1")), 4);
    let wrong = by_port(None, "x");
    assert_eq!(code(&wrong), 2);
    assert!(stderr(&wrong).starts_with("geocast: GEOCAST_PORT: \"x\" is not a port"), "{}", stderr(&wrong));
    server.signal("TERM");
    assert_eq!(server.code(), 0);
    let gone = run(&["probe", "--url", &page]);
    assert_eq!((code(&gone), stdout(&gone).as_str()), (4, ""), "{}", stderr(&gone));

    let server = Running::start(geocast(&["serve", "--port", "0", "--redis", "redis://127.0.0.1:1"]));
    server.wait_for("listens on");
    let page = format!("http://{}", server.address());
    assert_eq!(code(&run(&["probe", "live", "--url", &page])), 0);
    let waiting = run(&["probe", "ready", "--url", &page]);
    assert_eq!((code(&waiting), stdout(&waiting).as_str()), (1, ""));
    assert!(stderr(&waiting).contains("HTTP 503"), "{}", stderr(&waiting));
}
