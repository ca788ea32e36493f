//! SIGHUP: what is read again, what is not, and what is wrong.

use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
};

use crate::geocast::{Running, geocast, wait_until};

/// Publishes something over HTTP; the status.
fn publish(address: SocketAddr, channel: &str, key: &str) -> u16 {
    let mut stream = TcpStream::connect(address).expect("the server listens");
    let request = format!(
        "POST /api/publish/{channel} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer {key}\r\n\
         Content-Length: 3\r\n\r\n\"a\""
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
    configure("channels = \"news,sport\"\nmax_connections = 10\ntoken_rate = 5\n");
    let server =
        Running::server(&["serve", "--port", "0", "--config", &path("g.toml"), "--command-burst", "50"]);
    let (mut news, sport) =
        (subscriber(&server, "news", "hush-one"), subscriber(&server, "sport", "hush-one"));

    fs::write(path("key"), "hush-two\n").unwrap();
    configure("channels = \"sport\"\nmax_connections = 11\ncommand_burst = 60\n");
    hang_up(&server, DONE);
    server.wait_for(
        "changed in the configuration, but to count only after a restart: max_connections, token_rate\n",
    );
    assert_eq!(news.code(), 1);
    news.wait_for("the subscription has ended: channel `news` may not be read (access_denied)");
    let address = server.address();
    assert_eq!([publish(address, "sport", "hush-one"), publish(address, "news", "hush-two")], [403, 403]);
    assert_eq!(publish(address, "sport", "hush-two"), 200);
    sport.line();
    assert!(!server.said().contains("hush"), "{}", server.said());
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
