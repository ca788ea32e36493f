//! Certificates and unix sockets on the command line.

use std::{
    fs,
    io::{Read, Write},
    os::unix::{
        fs::PermissionsExt,
        net::{UnixListener, UnixStream},
    },
    path::{Path, PathBuf},
};

use crate::geocast::{Running, code, geocast, run, stderr, stdout, wait_until};

/// Files with a certificate and its key.
struct Pair {
    folder: tempfile::TempDir,
}

impl Pair {
    fn new() -> Self {
        let pair = Self { folder: tempfile::tempdir().expect("a folder") };
        pair.renew();
        pair
    }

    fn renew(&self) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        fs::write(self.path("cert.pem"), made.cert.pem()).expect("a file");
        fs::write(self.path("key.pem"), made.signing_key.serialize_pem()).expect("a file");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn name(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }
}

fn get(path: &Path) -> String {
    let mut stream = UnixStream::connect(path).expect("the server listens");
    let request = b"GET /live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request).expect("the server reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("text");
    answer
}

#[test]
fn a_certificate_is_read_again_on_a_hang_up() {
    let pair = Pair::new();
    let server = Running::server(&[
        "serve",
        "--port",
        "0",
        "-cert",
        &pair.name("cert.pem"),
        "-key",
        &pair.name("key.pem"),
    ]);
    server.wait_for(&format!("  page       https://{}/\n", server.address()));
    server.wait_for(&format!("  tls        {}, SHA-256 ", pair.name("cert.pem")));
    server.signal("HUP");
    server.wait_for(&format!("read again: certificate and key of {}", server.address()));
    fs::write(pair.path("key.pem"), "no key").unwrap();
    server.signal("HUP");
    let said = format!(
        "cannot be read again: certificate and key of {}: there is no private key in {}",
        server.address(),
        pair.name("key.pem")
    );
    server.wait_for(&said);
    fs::remove_file(pair.path("cert.pem")).unwrap();
    server.signal("HUP");
    server.wait_for(&format!(": {} cannot be read: No such file", pair.name("cert.pem")));
}

#[test]
fn a_hang_up_ends_no_server() {
    let mut server = Running::server(&["serve", "--port", "0"]);
    server.signal("HUP");
    server.wait_for("read again: settings, keys and scripts");
    server.signal("TERM");
    assert_eq!(server.code(), 0);
}

#[test]
fn what_is_wrong_with_a_certificate_ends_the_start() {
    let (pair, other) = (Pair::new(), Pair::new());
    let (cert, key) = (pair.name("cert.pem"), pair.name("key.pem"));
    for (cert, key, said) in [
        (
            &cert,
            &other.name("key.pem"),
            format!("{} does not belong to the certificate in {cert}", other.name("key.pem")),
        ),
        (&key, &key, format!("there is no certificate in {key}")),
        (&cert, &cert, format!("there is no private key in {cert}")),
        (&pair.name("none.pem"), &key, format!("{} cannot be read: No such file", pair.name("none.pem"))),
    ] {
        for command in ["serve", "check"] {
            let output = run(&[command, "--port", "0", "--tls-cert", cert, "--tls-key", key]);
            assert_eq!(code(&output), 2, "{}", stderr(&output));
            assert!(stderr(&output).contains(&said), "{said:?}: {}", stderr(&output));
            assert_eq!(stderr(&output).lines().count(), 1);
        }
    }
    for (arguments, said) in [
        (&["serve", "--tls-cert", &cert][..], "`tls_cert` needs `tls_key`"),
        (&["serve", "--usock", "/tmp/none", "--dev-tls"], "TLS is spoken on ports"),
    ] {
        let output = run(arguments);
        assert_eq!(code(&output), 2);
        assert!(stderr(&output).contains(said), "{}", stderr(&output));
    }
    let output = run(&["check", "--port", "0", "--tls-cert", &cert, "--tls-key", &key]);
    assert!(stdout(&output).contains(&format!("tls           {cert}, SHA-256 ")), "{}", stdout(&output));
}

#[test]
fn a_certificate_may_stand_in_the_file_under_both_names() {
    let pair = Pair::new();
    for (cert, key) in [("cert", "key"), ("tls_cert", "tls_key")] {
        let config = pair.path("geocast.json");
        let text = serde_json::json!({ cert: pair.name("cert.pem"), key: pair.name("key.pem") });
        fs::write(&config, text.to_string()).unwrap();
        let output = run(&["check", "--port", "0", "--config", &pair.name("geocast.json")]);
        assert!(stdout(&output).contains("SHA-256"), "{}{}", stdout(&output), stderr(&output));
    }
}

#[test]
fn a_certificate_for_tests_is_never_used_silently() {
    let server = Running::server(&["serve", "--port", "0", "--dev-tls"]);
    server.wait_for("  tls        self-signed for this run (--dev-tls), SHA-256 ");
    let said = server.said();
    let fingerprint = said.split("SHA-256 ").nth(1).and_then(|rest| rest.lines().next()).unwrap();
    assert_eq!(fingerprint.split(':').count(), 32, "{fingerprint}");
    assert!(said.contains("  page       https://127.0.0.1:"), "{said}");
    let json = Running::start(geocast(&["serve", "--port", "0", "--dev-tls", "--log-format", "json"]));
    json.wait_for("self-signed for this run (--dev-tls), SHA-256 ");
}

#[test]
fn a_unix_socket_is_listened_on_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("geocast.sock");
    let name = path.display().to_string();
    // Left behind by a server that was killed.
    drop(UnixListener::bind(&path).unwrap());
    // A program that another test starts has it open as well for a moment.
    wait_until(|| UnixStream::connect(&path).is_err(), || format!("{name} is still listened on"));
    let mut server = Running::server(&["serve", "--usock", &name]);
    server.wait_for(&format!("listens on unix:{name}\n"));
    server.wait_for("  publishing open to this machine\n");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o660);
    assert!(get(&path).starts_with("HTTP/1.1 200 "));
    let output = run(&["serve", "--unix-socket", &name]);
    assert_eq!(code(&output), 1);
    assert_eq!(stderr(&output), format!("geocast: somebody listens on {name} already\n"));
    assert!(get(&path).starts_with("HTTP/1.1 200 "));
    server.signal("TERM");
    assert_eq!(server.code(), 0);
    assert!(!path.exists());

    let both = Running::server(&["serve", "--usock", &name, "--port", "0"]);
    both.wait_for(&format!(" and unix:{name}\n"));
    both.wait_for("  page       http://127.0.0.1:");
    assert!(get(&path).starts_with("HTTP/1.1 200 "));
}

#[test]
fn a_port_is_shared_by_those_who_say_so() {
    let mut first = Running::server(&["serve", "--port", "0", "--reuse-port", "True"]);
    let port = first.address().port().to_string();
    let second = Running::server(&["serve", "--port", &port, "--reuse-port", "--metrics", "0"]);
    assert_eq!(second.address(), first.address());
    // That port is its own, so whether it is ready is asked there: docs/operating.md does.
    second.wait_for("/metrics\n");
    let said = second.said();
    let own = said.lines().find_map(|line| line.strip_prefix("  metrics    ")?.strip_suffix("/metrics"));
    assert_eq!(code(&run(&["probe", "--url", own.expect("an address")])), 0);
    let output = run(&["serve", "--port", &port]);
    assert!(stderr(&output).contains("is in use"), "{}", stderr(&output));
    // Who comes when the first is gone finds the second.
    first.signal("TERM");
    assert_eq!(first.code(), 0);
    let url = format!("http://{}", second.address());
    for _ in 0..4 {
        assert_eq!(code(&run(&["probe", "--url", &url])), 0);
    }
}
