//! Ways to a server: TLS, unix sockets, and what is said where there is none.

use std::{fs, net::TcpListener, path::PathBuf};

use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};

use crate::geocast::{Running, code, geocast, run, stderr, stdout, wait_until};

/// A certificate and its key in files, for localhost.
struct Pair(tempfile::TempDir);

impl Pair {
    fn new(is_ca: IsCa) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut params = CertificateParams::new(["localhost".to_owned()]).expect("a name");
        params.is_ca = is_ca;
        let key = KeyPair::generate().expect("a key");
        let cert = params.self_signed(&key).expect("a certificate").pem();
        fs::write(folder.path().join("cert.pem"), cert).expect("a file");
        fs::write(folder.path().join("key.pem"), key.serialize_pem()).expect("a file");
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn name(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    fn server(&self) -> Running {
        let (cert, key) = (self.name("cert.pem"), self.name("key.pem"));
        Running::server(&["serve", "--port", "0", "--tls-cert", &cert, "--tls-key", &key])
    }
}

/// Publishes, gets and subscribes with these options.
fn converse(options: &[&str]) {
    let output = run(&[&["pub", "test", "--key", "k", "[1, 2]"], options].concat());
    assert_eq!(code(&output), 0, "{options:?}: {}", stderr(&output));
    let output = run(&[&["get", "test", "k"], options].concat());
    assert_eq!((code(&output), stdout(&output).as_str()), (0, "[1, 2]\n"), "{}", stderr(&output));
    let mut sub = Running::start(geocast(&[&["sub", "test", "--count", "1"], options].concat()));
    let mut line = None;
    wait_until(
        || {
            assert_eq!(code(&run(&[&["pub", "test", "3"], options].concat())), 0);
            line = line.take().or_else(|| sub.ready_line());
            line.is_some()
        },
        || format!("nothing comes: {}", sub.said()),
    );
    assert_eq!((line.as_deref(), sub.code()), (Some("3"), 0));
}

#[test]
fn a_certificate_that_is_named_is_trusted() {
    // As OpenSSL makes them and as others do.
    for is_ca in [IsCa::Ca(BasicConstraints::Unconstrained), IsCa::NoCa] {
        let pair = Pair::new(is_ca);
        let server = pair.server();
        let port = server.address().port();
        for url in [format!("wss://localhost:{port}/ws"), format!("https://localhost:{port}")] {
            converse(&["--url", &url, "--ca", &pair.name("cert.pem")]);
        }
    }
}

#[test]
fn whoever_is_not_trusted_is_not_spoken_to() {
    for is_ca in [IsCa::Ca(BasicConstraints::Unconstrained), IsCa::NoCa] {
        let (pair, other) = (Pair::new(is_ca), Pair::new(is_ca));
        let server = pair.server();
        let port = server.address().port();
        let named = format!("wss://localhost:{port}/ws");
        let numbered = format!("wss://127.0.0.1:{port}/ws");
        let (own, others) = (pair.name("cert.pem"), other.name("cert.pem"));
        for (options, hint) in [
            (&["--url", &*named][..], "--ca FILE names a certificate to trust"),
            (&["--url", &named, "--ca", &others], "--ca FILE names a certificate to trust"),
            (&["--url", &numbered, "--ca", &own], "its certificate is for another name"),
        ] {
            for command in [&["get", "news"][..], &["sub", "news"], &["pub", "news", "1"]] {
                let output = run(&[command, options].concat());
                assert_eq!(code(&output), 4, "{command:?} {options:?}: {}", stderr(&output));
                assert!(stderr(&output).contains(hint), "{options:?}: {}", stderr(&output));
            }
        }
        let output = run(&["pub", "news", "1", "--url", &numbered, "--insecure"]);
        let warning = format!("geocast: --insecure: whoever answers at {numbered} is taken for the server\n");
        assert_eq!((code(&output), stderr(&output)), (0, warning));
    }
}

#[test]
fn a_certificate_for_one_run_is_taken_on_demand() {
    let server = Running::server(&["serve", "--port", "0", "--dev-tls"]);
    converse(&["--url", &format!("https://{}", server.address()), "--insecure"]);
}

#[test]
fn a_wrong_file_or_scheme_is_told() {
    let pair = Pair::new(IsCa::NoCa);
    let tls = pair.server();
    let plain = Running::server(&["serve", "--port", "0"]);
    let said = |options: &[&str]| {
        let output = run(&[&["get", "news"], options].concat());
        assert_ne!(code(&output), 0, "{options:?}");
        stderr(&output)
    };
    let secure = format!("wss://localhost:{}/ws", tls.address().port());
    let none = pair.name("none.pem");
    assert!(said(&["--url", &secure, "--ca", &none]).contains(&format!("--ca {none} cannot be read")));
    let key = pair.name("key.pem");
    assert!(said(&["--url", &secure, "--ca", &key]).contains("there is no certificate in"));
    let answer = said(&["--url", &format!("ws://{}/ws", tls.address())]);
    assert!(answer.contains("this port speaks TLS: use https:// or wss:// URLs (HTTP 400)"), "{answer}");
    let answer = said(&["--url", &format!("wss://{}/ws", plain.address()), "--insecure"]);
    assert!(answer.contains("try ws:// instead of wss://"), "{answer}");
}

#[test]
fn a_unix_socket_is_a_way_to_a_server() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("geocast.sock").display().to_string();
    let _server = Running::server(&["serve", "--usock", &path, "--text-paths", "/ws,/tracker/*"]);
    converse(&["--url", &format!("unix:{path}")]);
    converse(&["--url", &format!("unix:{path}:/tracker/?key=1")]);
    let output = run(&["sub", "news", "--url", &format!("unix:{path}.not")]);
    assert_eq!(code(&output), 4);
    assert!(stderr(&output).contains(&format!("unix:{path}.not cannot be reached")), "{}", stderr(&output));
}

#[test]
fn sub_says_which_channels_are_refused() {
    let server = Running::server(&["serve", "--port", "0", "--channels", "news*,map"]);
    let url = server.url();
    let output = run(&["sub", "secret", "--url", &url]);
    assert_eq!(code(&output), 1);
    let reason =
        "the server refuses: channel `secret` may not be read (its operator allows channels with --channels";
    assert!(stderr(&output).contains(reason), "{}", stderr(&output));
    assert_eq!(stderr(&output).lines().count(), 1);
    let output = run(&["sub", "secret", "other", "--url", &url, "--buffer", "1s,10"]);
    assert_eq!((code(&output), stderr(&output).lines().count()), (1, 2), "{}", stderr(&output));
    assert!(stderr(&output).contains("`other`"), "{}", stderr(&output));
    // What may be read is waited for.
    let mut sub = Running::start(geocast(&["sub", "news", "secret", "--count", "1", "--url", &url]));
    sub.wait_for("the server refuses: channel `secret` may not be read");
    assert_eq!(code(&run(&["pub", "news", "1", "--url", &url])), 0);
    assert_eq!((sub.line().as_str(), sub.code()), ("1", 0));
}

#[test]
fn get_says_of_a_channel_that_is_refused_what_sub_does() {
    let server =
        Running::server(&["serve", "--port", "0", "--channels", "news", "--text-paths", "/ws,/tracker/*"]);
    let (url, elsewhere) = (server.url(), server.url().replace("/ws", "/tracker/"));
    let subscribed = run(&["sub", "secret", "--url", &url]);
    let place = ["get", "secret", "--bbox", "5,45,11,48"];
    for (arguments, url) in [
        (&["get", "secret"][..], &url),
        (&["get", "secret", "key"], &url),
        (&place, &url),
        (&place, &elsewhere),
    ] {
        let output = run(&[arguments, &["--url", url]].concat());
        assert_eq!((code(&output), stderr(&output)), (1, stderr(&subscribed)), "{arguments:?} {url}");
        assert_eq!(stdout(&output), "");
    }
    // One that may be read and has nothing is no refusal.
    let output = run(&["get", "news", "--url", &url]);
    let nothing = "geocast: the state of news has nothing, or the server does not show it\n";
    assert_eq!((code(&output), stderr(&output).as_str()), (3, nothing));
}

#[test]
fn the_publish_key_may_stand_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let name = |name: &str| folder.path().join(name).display().to_string();
    for (file, text) in
        [("key", "tram 14\n"), ("windows", "tram 14\r\n"), ("wrong", "tram 15"), ("empty", "\n")]
    {
        fs::write(name(file), text).unwrap();
    }
    let server = Running::server(&["serve", "--port", "0", "--publish-key-file", &name("key")]);
    let url = server.url();
    let publish = |file: &str| run(&["pub", "news", "1", "--publish-key-file", &name(file), "--url", &url]);
    for file in ["key", "windows"] {
        assert_eq!(code(&publish(file)), 0, "{}", stderr(&publish(file)));
    }
    for (file, expected, said) in [
        ("wrong", 1, "the publish key is not the right one (HTTP 403)"),
        ("empty", 2, "is empty"),
        ("none", 2, "cannot be read"),
    ] {
        let output = publish(file);
        assert_eq!(code(&output), expected);
        assert!(stderr(&output).contains(said), "{}", stderr(&output));
        assert!(!stderr(&output).contains("tram"));
    }
    let by_environment = geocast(&["pub", "news", "1", "--url", &url])
        .env("GEOCAST_PUBLISH_KEY_FILE", name("key"))
        .output()
        .unwrap();
    assert_eq!(code(&by_environment), 0, "{}", stderr(&by_environment));
    let both = run(&["pub", "news", "1", "--publish-key", "a", "--publish-key-file", &name("key")]);
    assert_eq!(code(&both), 2);
}

#[test]
fn nothing_is_no_publication() {
    let server = Running::server(&["serve", "--port", "0"]);
    for more in [&["news", ""][..], &["news", "--key", "k", "-"]] {
        let output = run(&[&["pub"], more, &["--url", &server.url()]].concat());
        assert_eq!(code(&output), 1);
        let said =
            "geocast: the server refuses: there is nothing to publish: the request has no body (HTTP 400)\n";
        assert_eq!(stderr(&output), said);
    }
}

#[test]
fn patterns_with_a_space_are_refused_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("geocast.toml");
    fs::write(&file, "channels = [\"news\", \"vehicles map\"]").unwrap();
    let file = file.display().to_string();
    for arguments in [
        &["serve", "--port", "0", "--channels", "news,vehicles map"][..],
        &["check", "--port", "0", "--channels", "vehicles map"],
        &["serve", "--port", "0", "--watch", "vehicles map"],
        &["serve", "--port", "0", "--config", &file],
    ] {
        let output = run(arguments);
        assert_eq!(code(&output), 2, "{arguments:?}");
        let said = "`vehicles map` has a space in it, and no name has: commas separate patterns";
        assert!(stderr(&output).contains(said), "{}", stderr(&output));
    }
}

#[test]
fn a_server_that_takes_no_notice_is_waited_for_no_longer_than_that() {
    // It takes connections, as the kernel does that for it, and never says anything.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("wss://{}/ws", silent.local_addr().unwrap());
    let output = run(&["pub", "news", "1", "--timeout", "300ms", "--insecure", "--url", &url]);
    assert_eq!(code(&output), 4);
    assert!(stderr(&output).contains("no answer within 300ms"), "{}", stderr(&output));
}
