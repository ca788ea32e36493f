//! SIGHUP: what is read again, what is not, and what is wrong.

use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
};

use crate::geocast::{Running, asked, geocast, greeted, wait_until};

/// Publishes something over HTTP; the status.
fn publish(address: SocketAddr, channel: &str, key: &str) -> u16 {
    publish_this(address, channel, key, "\"a\"")
}

fn publish_this(address: SocketAddr, channel: &str, key: &str, payload: &str) -> u16 {
    let mut stream = TcpStream::connect(address).expect("the server listens");
    let request = format!(
        "POST /api/publish/{channel} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer {key}\r\n\
         Content-Length: {}\r\n\r\n{payload}",
        payload.len()
    );
    stream.write_all(request.as_bytes()).expect("the server reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the server answers");
    answer[9..12].parse().expect("a status")
}

/// A client that gets what is published with this key.
fn subscriber(server: &Running, channel: &str, key: &str) -> Running {
    let client = Running::start(geocast(&["sub", channel, "--url", &server.url()]));
    let arrives = || {
        assert_eq!(publish(server.address(), channel, key), 200);
        client.ready_line().is_some()
    };
    wait_until(arrives, || format!("nothing came: {}", client.said()));
    client
}

fn times(server: &Running, text: &str) -> usize {
    server.said().matches(text).count()
}

/// Has everything be read again, and waits for how it ends.
fn hang_up(server: &Running, outcome: &str) {
    let before = times(server, outcome);
    server.signal("HUP");
    wait_until(|| times(server, outcome) > before, || format!("not {outcome:?}: {}", server.said()));
}

const DONE: &str = " INFO read again: settings, keys and scripts";
const REFUSED: &str = "nothing is changed: everything stays as it was";

#[test]
fn a_configuration_that_has_changed_is_followed_and_what_needs_a_restart_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("key"), "hush-one\n").unwrap();
    let configure = |lines: &str| {
        fs::write(path("g.toml"), format!("publish_key_file = {:?}\n{lines}", path("key"))).unwrap();
    };
    configure("channels = \"news,sport\"\nmax_connections = 10\nmax_in_flight = \"10MB\"\nmax_depth = 5\n");
    let server =
        Running::server(&["serve", "--port", "0", "--config", &path("g.toml"), "--command-burst", "50"]);
    let (mut news, sport) =
        (subscriber(&server, "news", "hush-one"), subscriber(&server, "sport", "hush-one"));

    fs::write(path("key"), "hush-two\n").unwrap();
    configure(
        "channels = \"sport\"\nmax_connections = 11\nmax_in_flight = \"11MB\"\ncommand_burst = 60\nlog = \"info\"\n",
    );
    hang_up(&server, DONE);
    server.wait_for(
        "changed in the configuration, but to count only after a restart: max_depth, max_in_flight\n",
    );
    server.wait_for(
        "changed in the file, but the command line or the environment says otherwise: command_burst (--command-burst)\n",
    );
    assert_eq!(news.code(), 1);
    news.wait_for("the subscription has ended: channel `news` may not be read (access_denied)");
    let address = server.address();
    assert_eq!([publish(address, "sport", "hush-one"), publish(address, "news", "hush-two")], [403, 403]);
    assert_eq!(publish(address, "sport", "hush-two"), 200);
    sport.line();
    configure(
        "channels = \"sport\"\nmax_connections = 10\nmax_in_flight = \"10MB\"\nmax_depth = 5\ncommand_burst = 50\n",
    );
    hang_up(&server, DONE);
    assert_eq!(times(&server, "says otherwise"), 1, "it says the same: {}", server.said());
    assert!(!server.said().contains("hush"), "{}", server.said());
}

#[test]
fn limits_are_raised_and_lowered_and_nobody_has_to_leave() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("g.toml");
    let configure = |lines: &str| fs::write(&config, lines).unwrap();
    configure("max_connections = 1\n");
    let server = Running::server(&["serve", "--port", "0", "--config", config.to_str().unwrap()]);
    let address = server.address();
    let first = subscriber(&server, "news", "");
    let goes_on = |word: &str| {
        assert_eq!(publish_this(address, "news", "", &format!("{word:?}")), 200);
        while !first.line().contains(word) {}
    };
    assert_eq!(asked(address).1, 503);
    configure("max_connections = 2\n");
    hang_up(&server, DONE);
    let (second, status) = asked(address);
    assert_eq!((status, asked(address).1), (101, 503));
    goes_on("raised");
    configure("max_connections = 1\n");
    hang_up(&server, DONE);
    goes_on("lowered");
    assert_eq!(asked(address).1, 503);
    drop(second);
    assert_eq!(asked(address).1, 503, "one is there, and one may be");
    configure("max_connections = 3\nmax_message = \"much\"\n");
    hang_up(&server, REFUSED);
    assert_eq!(asked(address).1, 503);
    configure("max_connections = 3\nmax_message = 100\n");
    hang_up(&server, DONE);
    assert_eq!(asked(address).1, 101);
    goes_on("last");
    assert!(!server.said().contains("after a restart"), "{}", server.said());
}

#[test]
fn what_is_logged_is_changed() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("g.toml");
    let configure = |log: &str| fs::write(&config, format!("log = {log:?}\n")).unwrap();
    configure("info");
    let server = Running::server(&["serve", "--port", "0", "--config", config.to_str().unwrap()]);
    let debugged = || times(&server, "DEBUG");
    drop(greeted(server.address()));
    let is_debugged = || {
        let before = debugged();
        wait_until(
            || {
                drop(greeted(server.address()));
                debugged() > before
            },
            || format!("nothing is debugged: {}", server.said()),
        );
    };
    assert_eq!(debugged(), 0, "{}", server.said());
    configure("geocast::connection=debug,info");
    hang_up(&server, DONE);
    is_debugged();
    configure("geocast_server=loud");
    hang_up(&server, REFUSED);
    is_debugged();
    configure("info");
    for _ in 0..2 {
        hang_up(&server, DONE);
    }
    let before = debugged();
    drop(greeted(server.address()));
    // What is said of that is behind what would have been said of the client.
    hang_up(&server, DONE);
    assert_eq!(debugged(), before, "{}", server.said());
    assert!(!server.said().contains("after a restart"), "{}", server.said());
}

#[test]
fn a_file_that_is_wrong_changes_nothing_and_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    fs::write(path("cert.pem"), pair.cert.pem()).unwrap();
    fs::write(path("key.pem"), pair.signing_key.serialize_pem()).unwrap();
    fs::write(path("secret"), "a secret of more than thirty-two bytes").unwrap();
    fs::write(path("key"), "one").unwrap();
    fs::write(path("f.rhai"), "fn message(ctx, msg) {}").unwrap();
    let sound = format!(
        "channels = \"news\"\npublish_key_file = {:?}\njwt_key_file = {:?}\nfilters = [{:?}]\nusock = {:?}\n",
        path("key"),
        path("secret"),
        path("f.rhai"),
        path("socket")
    );
    fs::write(path("g.toml"), &sound).unwrap();
    let (config, cert, key) = (path("g.toml"), path("cert.pem"), path("key.pem"));
    let server = Running::server(&[
        "serve",
        "--port",
        "0",
        "--config",
        &config,
        "--tls-cert",
        &cert,
        "--tls-key",
        &key,
    ]);
    let changed = sound.replace("news", "other");
    for (name, text, said) in [
        ("g.toml", format!("{changed}chanels = \"*\"\n"), "`chanels` in "),
        ("g.toml", format!("{changed}[limits]\n"), "is a section"),
        ("g.toml", format!("{changed}max_connections = \"many\"\n"), "`max_connections=many` in "),
        ("g.toml", format!("{changed}log = \"geocast_server=loud\"\n"), "`log=geocast_server=loud` in "),
        ("g.toml", format!("{changed}publish_key = \"hush\"\n"), "exclude each other"),
        ("g.toml", format!("{changed}channels = "), "TOML parse error"),
        ("secret", "hush".to_owned(), "secret"),
        ("key", "\n".to_owned(), "key"),
        ("f.rhai", "fn message(ctx) {}".to_owned(), "its function `message` has 1 parameters instead of 2"),
        ("key.pem", "hush".to_owned(), "key.pem"),
        ("cert.pem", String::new(), "cert.pem"),
    ] {
        let before = fs::read(path(name)).unwrap();
        // Something that is right stands beside it.
        fs::write(&config, &changed).unwrap();
        fs::write(path(name), text).unwrap();
        hang_up(&server, REFUSED);
        let log = server.said();
        let error = log.lines().rfind(|line| line.contains("cannot be read again: ")).unwrap();
        assert!(error.contains(said), "{error}");
        assert!(!log.contains("hush"), "{log}");
        assert_eq!(times(&server, DONE), 0, "{name}: {log}");
        fs::write(path(name), before).unwrap();
    }
    fs::write(&config, &sound).unwrap();
    hang_up(&server, DONE);
    fs::remove_file(&config).unwrap();
    hang_up(&server, REFUSED);
    assert!(server.said().contains("cannot be read: No such file"), "{}", server.said());
}
