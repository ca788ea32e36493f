//! The configurations of deploy/proxies before a real server, each by the real proxy, but for Traefik, which Debian has not.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
    time::Instant,
};

use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, pki_types::ServerName,
};

use crate::{
    geocast::{PATIENCE, Running, code, geocast, run, stderr, wait_until},
    pages::root,
    stage::free_port,
};

#[test]
fn nginx_passes_on_what_clients_are() {
    let set = Set::new("nginx.conf");
    let site = set
        .site
        .replace("listen 443", &format!("listen 127.0.0.1:{}", set.port))
        .replace("/etc/ssl/geocast.pem", &set.path("cert.pem"))
        .replace("/etc/ssl/private/geocast.key", &set.path("key.pem"));
    let places: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {};\n", set.path(name)))
        .concat();
    let file = set.write(&format!(
        "daemon off;\nmaster_process off;\npid {};\nevents {{}}\nhttp {{\naccess_log off;\n{places}{site}}}\n",
        set.path("pid")
    ));
    let mut nginx = program("nginx");
    nginx.args(["-e", "stderr", "-p"]).arg(set.folder.path()).arg("-c").arg(file);
    let proxied = set.start(nginx);
    proxied.passes_websockets();
    proxied.judges_pages_by_the_name_that_was_asked_for();
    proxied.counts_clients_by_the_last_address_that_is_no_proxy();
}

#[test]
fn haproxy_passes_on_what_clients_are() {
    let set = Set::new("haproxy.cfg");
    let pem =
        [set.path("cert.pem"), set.path("key.pem")].map(|path| fs::read_to_string(path).expect("it is ours"));
    fs::write(set.path("both.pem"), pem.concat()).expect("the folder is ours");
    let file = set.write(
        &set.site
            .replace("bind :443", &format!("bind 127.0.0.1:{}", set.port))
            .replace("/etc/haproxy/geocast.pem", &set.path("both.pem")),
    );
    // It starts where descriptors are few.
    let mut haproxy = Command::new("sh");
    haproxy.args(["-c", "ulimit -n 1024 && exec \"$@\"", "sh"]).arg(program("haproxy").get_program());
    haproxy.args(["-db", "-f"]).arg(file);
    let proxied = set.start(haproxy);
    proxied.passes_websockets();
    proxied.judges_pages_by_the_name_that_was_asked_for();
    proxied.counts_clients_by_the_last_address_that_is_no_proxy();
}

#[test]
fn caddy_passes_on_what_clients_are() {
    let set = Set::new("Caddyfile");
    let name = format!(
        "https://localhost:{} {{\n\tbind 127.0.0.1\n\ttls {} {}",
        set.port,
        set.path("cert.pem"),
        set.path("key.pem")
    );
    let site = set.site.replace("geocast.example.org {", &name);
    let file = set.write(&format!("{{\n\tadmin off\n\tauto_https off\n}}\n{site}"));
    let mut caddy = program("caddy");
    caddy.args(["run", "--adapter", "caddyfile", "--config"]).arg(file).env("HOME", set.folder.path());
    for folder in ["XDG_CONFIG_HOME", "XDG_DATA_HOME"] {
        caddy.env(folder, set.folder.path());
    }
    let proxied = set.start(caddy);
    proxied.passes_websockets();
    proxied.judges_pages_by_the_name_that_was_asked_for();
    proxied.believes_no_client_about_its_address();
}

/// What a proxy is started with.
struct Set {
    folder: tempfile::TempDir,
    server: Running,
    /// The proxy's.
    port: u16,
    /// The configuration as it is in the tree, but for the server's port.
    site: String,
    certificate: rcgen::Certificate,
}

impl Set {
    fn new(name: &str) -> Self {
        let folder = tempfile::tempdir().expect("there is a folder for temporary files");
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        fs::write(folder.path().join("cert.pem"), made.cert.pem()).expect("the folder is ours");
        fs::write(folder.path().join("key.pem"), made.signing_key.serialize_pem())
            .expect("the folder is ours");
        let server = Running::server(&[
            "serve",
            "--port",
            "0",
            "--channels",
            "*",
            "--publish-key",
            "key",
            "--trusted-proxies",
            "127.0.0.1",
            "--max-address-connections",
            "1",
            "--ping-interval",
            "1s",
        ]);
        let text = fs::read_to_string(root().join("deploy/proxies").join(name)).expect("it is in the tree");
        let site = text.replace("127.0.0.1:8765", &server.address().to_string());
        assert_ne!(site, text, "the server is where it is by default");
        let (port, _) = free_port();
        Self { folder, server, port, site, certificate: made.cert }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn write(&self, text: &str) -> PathBuf {
        let path = self.folder.path().join("configuration");
        fs::write(&path, text).expect("the folder is ours");
        path
    }

    /// Starts the proxy, and waits until it passes on what the server answers.
    fn start(self, mut proxy: Command) -> Proxied {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.der().clone()).expect("it is a certificate");
        let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        proxy.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let proxied = Proxied { proxy: Running::start(proxy), config: Arc::new(config), set: self };
        wait_until(
            || {
                proxied
                    .answer("GET /ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n")
                    .is_ok_and(|(status, _)| status == 200)
            },
            || format!("the proxy does not answer; it said {}", proxied.proxy.said()),
        );
        proxied
    }
}

/// A server behind a proxy.
struct Proxied {
    proxy: Running,
    config: Arc<ClientConfig>,
    set: Set,
}

/// A connection whose answer has come.
type Kept = StreamOwned<ClientConnection, TcpStream>;

impl Proxied {
    /// In both directions, and pings as well.
    fn passes_websockets(&self) {
        let url = format!("wss://localhost:{}/ws", self.set.port);
        let (ca, direct) = (self.set.path("cert.pem"), self.set.server.url());
        let sub = Running::start(geocast(&["sub", "test", "--no-reconnect", "--url", &url, "--ca", &ca]));
        wait_until(
            || {
                let output = run(&["pub", "test", "\"again\"", "--publish-key", "key", "--url", &direct]);
                assert_eq!(code(&output), 0, "{}", stderr(&output));
                sub.ready_line().is_some()
            },
            || format!("nothing comes through the proxy: {}", sub.said()),
        );
        let output =
            run(&["pub", "test", "\"through it\"", "--publish-key", "key", "--url", &url, "--ca", &ca]);
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        while sub.line() != "\"through it\"" {}
    }

    fn judges_pages_by_the_name_that_was_asked_for(&self) {
        let own = format!("Origin: https://localhost:{}\r\n", self.set.port);
        assert_eq!(self.connect(&own).0, 101);
        assert_eq!(self.connect("Origin: https://elsewhere.example.org\r\n").0, 403);
    }

    /// A proxy before this one says where its client is.
    fn counts_clients_by_the_last_address_that_is_no_proxy(&self) {
        let (first, kept) = self.connect("X-Forwarded-For: 192.0.2.1, 203.0.113.9\r\n");
        let (other, _other) = self.connect("X-Forwarded-For: 203.0.113.9, 203.0.113.8\r\n");
        let (again, _) = self.connect("X-Forwarded-For: 192.0.2.2, 203.0.113.9\r\n");
        assert_eq!((first, other, again), (101, 101, 429));
        drop(kept);
    }

    /// Who says to be somebody else is counted as who it is: on this machine, so not at all.
    fn believes_no_client_about_its_address(&self) {
        let (first, kept) = self.connect("X-Forwarded-For: 203.0.113.9\r\n");
        let (again, _) = self.connect("X-Forwarded-For: 203.0.113.9\r\n");
        assert_eq!((first, again), (101, 101));
        drop(kept);
    }

    /// Asks for a WebSocket; the status of the answer.
    fn connect(&self, headers: &str) -> (u16, Kept) {
        let request = format!(
            "GET /ws HTTP/1.1\r\nHost: localhost:{}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}",
            self.set.port
        );
        self.answer(&request).expect("the proxy answers")
    }

    fn answer(&self, request: &str) -> std::io::Result<(u16, Kept)> {
        let socket = TcpStream::connect(("127.0.0.1", self.set.port))?;
        socket.set_read_timeout(Some(PATIENCE))?;
        let name = ServerName::try_from("localhost").map_err(std::io::Error::other)?;
        let session = ClientConnection::new(Arc::clone(&self.config), name).map_err(std::io::Error::other)?;
        let mut stream = StreamOwned::new(session, socket);
        stream.write_all(format!("{request}\r\n").as_bytes())?;
        let (mut header, begun) = (Vec::new(), Instant::now());
        while !header.ends_with(b"\r\n\r\n") && begun.elapsed() < PATIENCE {
            let mut byte = [0];
            stream.read_exact(&mut byte)?;
            header.push(byte[0]);
        }
        let header = String::from_utf8_lossy(&header).into_owned();
        let status = header.split(' ').nth(1).and_then(|status| status.parse().ok());
        Ok((status.ok_or_else(|| std::io::Error::other(header))?, stream))
    }
}

/// Debian has servers where only root looks.
fn program(name: &str) -> Command {
    let places = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin";
    let found = places.split(':').map(|place| Path::new(place).join(name)).find(|path| path.is_file());
    Command::new(found.unwrap_or_else(|| panic!("there is no {name}: `make setup-test` installs it")))
}
