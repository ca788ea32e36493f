use std::{net::TcpListener, os::unix::net::UnixListener};

use crate::{
    geocast::{Running, code, geocast, run, stderr, stdout},
    redis_sentinels::RedisSentinels,
    redis_server::RedisServer,
};

#[test]
fn a_sound_configuration_passes() {
    let output = run(&["check", "--port", "0"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(stdout(&output).starts_with("configuration valid\n"), "{}", stdout(&output));
    assert!(stdout(&output).contains("store         embedded"), "{}", stdout(&output));
}

#[test]
fn what_serve_would_not_get_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("s").display().to_string();
    let arguments = ["--port", "0", "--usock", &socket, "--metrics", "0"];
    let free = run(&[&["check"][..], &arguments].concat());
    assert_eq!(code(&free), 0, "{}{}", stdout(&free), stderr(&free));
    assert!(stdout(&free).matches(" is free\n").count() == 3, "{}", stdout(&free));
    assert_eq!(std::fs::read_dir(folder.path()).expect("it is ours").count(), 0, "nothing is left behind");

    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let _listens = UnixListener::bind(&socket).expect("a socket");
    for (arguments, named) in [
        (&["--port", &port][..], "port"),
        (&["--port", "0", "--metrics", &port], "metrics"),
        (&["--port", "0", "--usock", &socket], "socket"),
        (&["--port", &port, "--metrics", &port, "--usock", &socket], "port, socket, metrics"),
        (&["--port", "0", "--data", "/dev/null/state"], "store"),
    ] {
        let output = run(&[&["check"][..], arguments].concat());
        let said = stdout(&output);
        assert_eq!(code(&output), 1, "{said}{}", stderr(&output));
        assert!(said.ends_with(&format!("serve         would not start now: {named}\n")), "{said}");
    }
}

#[test]
fn what_serves_nobody_is_no_success() {
    for arguments in [
        &["--redis", "redis://127.0.0.1:1", "--offline"][..],
        &["--redis", "redis://127.0.0.1:1", "--offline", "--channels", ""],
        &["--channels", ""],
        &["--host", "0.0.0.0", "--offline"],
    ] {
        let output = run(&[&["check", "--port", "0"], arguments].concat());
        assert_eq!(code(&output), 1, "{arguments:?}: {}{}", stdout(&output), stderr(&output));
        assert!(
            stdout(&output).contains("channels      no channel may be read: name those"),
            "{arguments:?}"
        );
    }
    let none = run(&["check", "--port", "0", "--max-connections", "0"]);
    assert_eq!(code(&none), 2, "{}", stdout(&none));
}

#[test]
fn redis_is_tried_in_earnest() {
    let redis = RedisServer::start(&["--requirepass", "tram14"]);
    let url = redis.url();
    let with_password = url.replace("redis://", "redis://:tram14@");
    let output = run(&["check", "--port", "0", "--redis", &with_password, "--channels", "*"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(stdout(&output).contains("answers, and what is published there arrives"), "{}", stdout(&output));

    let output = run(&["check", "--port", "0", "--redis", &with_password]);
    assert_eq!(code(&output), 1, "nobody may read anything");
    assert!(stdout(&output).contains("--channels"), "{}", stdout(&output));

    let output = run(&["check", "--port", "0", "--redis", &url, "--channels", "*"]);
    assert_eq!(code(&output), 4);
    assert!(
        stderr(&output).contains("it wants a password: --redis redis://:PASSWORD@HOST"),
        "{}",
        stderr(&output)
    );

    let wrong = url.replace("redis://", "redis://:tram15@");
    let output = run(&["check", "--port", "0", "--redis", &wrong, "--channels", "*"]);
    assert_eq!(code(&output), 4);
    assert!(stderr(&output).contains("check user and password"), "{}", stderr(&output));
    assert!(!stderr(&output).contains("tram15"), "{}", stderr(&output));
}

#[test]
fn a_redis_that_is_away_is_told_with_what_to_type() {
    let redis = RedisServer::prepare(&[]);
    let output = run(&["check", "--port", "0", "--redis", &redis.url(), "--channels", "*"]);
    assert_eq!(code(&output), 4);
    let said = stderr(&output);
    assert!(
        said.contains("Connection refused") && said.contains("redis-cli -u redis://127.0.0.1:"),
        "{said}"
    );
}

#[test]
fn a_redis_behind_tls_is_tried_and_what_is_wrong_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path.display().to_string()
    };
    let made = || rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let (pair, other) = (made(), made());
    let (certificate, key) =
        (write("cert.pem", pair.cert.pem()), write("key.pem", pair.signing_key.serialize_pem()));
    let redis = RedisServer::start(&[
        "--port",
        "0",
        "--tls-port",
        "{port}",
        "--tls-cert-file",
        &certificate,
        "--tls-key-file",
        &key,
        "--tls-ca-cert-file",
        &certificate,
        "--tls-auth-clients",
        "no",
    ]);
    let check = |url: &str, options: &[&str]| {
        run(&[&["check", "--port", "0", "--channels", "*", "--redis", url], options].concat())
    };
    let named = format!("rediss://localhost:{}", redis.port());
    let output = check(&named, &["--redis-ca", &certificate]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(stdout(&output).contains(&format!("redis         {named}/0 answers")), "{}", stdout(&output));
    let numbered = format!("rediss://127.0.0.1:{}", redis.port());
    let output = check(&numbered, &["--redis-ca", &certificate]);
    let said = stderr(&output);
    assert!(said.contains("is refused") && said.contains("use the name in the certificate"), "{said}");
    let output = check(&named, &["--redis-ca", &write("other.pem", other.cert.pem())]);
    let said = stderr(&output);
    assert!(said.contains("is refused") && said.contains("--redis-ca FILE names"), "{said}");
    assert_eq!(code(&output), 4);
}

#[test]
fn what_is_no_master_is_named_with_what_to_type_instead() {
    let sentinels = RedisSentinels::start(&[], &[]);
    let named = sentinels.url();
    let sentinel = named.split("://").nth(1).and_then(|rest| rest.split(',').next()).expect("a host");
    let (url, instead) = (format!("redis://{sentinel}"), format!("redis+sentinel://{sentinel}/map/0"));
    let checked = run(&["check", "--port", "0", "--channels", "*", "--redis", &url]);
    assert_eq!(code(&checked), 4, "{}", stdout(&checked));
    let said = stderr(&checked);
    assert!(
        said.contains(&format!("this is a sentinel, which has no data: its master is found with {instead}")),
        "{said}"
    );
    let server = Running::server(&["serve", "--port", "0", "--channels", "*", "--redis", &url]);
    server.wait_for("this is a sentinel");
    assert_eq!(code(&run(&["probe", "ready", "--url", &server.url()])), 1);
    let doctored = run(&["doctor", &url]);
    assert_eq!(code(&doctored), 1, "{}", stderr(&doctored));
    assert!(
        stdout(&doctored).contains(&format!("geocast serve --redis {instead} ")),
        "{}",
        stdout(&doctored)
    );
    assert_eq!(code(&run(&["check", "--port", "0", "--channels", "*", "--redis", &instead])), 0);

    let [master, replica] = &sentinels.servers;
    let checked = run(&["check", "--port", "0", "--channels", "*", "--redis", &replica.url()]);
    assert_eq!(code(&checked), 1, "{}", stderr(&checked));
    let remark =
        format!("this is a replica, to which nothing can be written: its master is at {}/0", master.url());
    assert!(stdout(&checked).contains(&remark), "{}", stdout(&checked));
    let server = Running::server(&["serve", "--port", "0", "--channels", "*", "--redis", &replica.url()]);
    server.wait_for(&remark);
    let doctored = stdout(&run(&["doctor", &replica.url()]));
    assert!(doctored.contains(&format!("geocast serve --redis {}/0 ", master.url())), "{doctored}");
}

#[test]
fn channels_that_are_not_the_users_are_named() {
    let redis = RedisServer::start(&[]);
    let rules = "on >secret ~vehicles* resetchannels &vehicles* &__geocast_probe:* -@all +subscribe +unsubscribe +ping \
                 +client|setname +hstrlen +hget +hscan +multi +exec +discard +publish";
    let set: Vec<&str> = ["ACL", "SETUSER", "me"].into_iter().chain(rules.split_whitespace()).collect();
    assert_eq!(redis.cli(&set), "OK");
    let url = redis.url().replace("redis://", "redis://me:secret@");
    for (channels, lacking) in [
        ("vehicles", None),
        ("vehicles*,vehicles_x", None),
        ("*", Some("may not use all channels of '*': for one of them it lacks &x ~x")),
        ("vehicles,trams", Some("may not use the channel trams: it lacks &trams ~trams")),
    ] {
        let output = run(&["check", "--port", "0", "--redis", &url, "--channels", channels]);
        assert_eq!(
            code(&output),
            i32::from(lacking.is_some()),
            "{channels}: {}{}",
            stdout(&output),
            stderr(&output)
        );
        assert!(stdout(&output).contains(lacking.unwrap_or("arrives")), "{channels}: {}", stdout(&output));
    }
    let doctored = stdout(&run(&["doctor", &url]));
    assert!(
        doctored.contains("--channels PATTERNS") && doctored.contains("may not use all channels"),
        "{doctored}"
    );
    let server = Running::server(&["serve", "--port", "0", "--channels", "*", "--redis", &url]);
    let _sub = Running::start(geocast(&["sub", "trams", "--url", &server.url()]));
    server.wait_for("the store refuses a subscription, and nothing is delivered");
}
