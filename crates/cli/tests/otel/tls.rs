//! A collector that speaks TLS.

use std::{fs, sync::Arc};

use tokio_rustls::rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    crypto::ring,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};

use crate::{
    PATIENCE, attribute,
    geocast::{Running, geocast},
    listening,
    protobuf::Value,
    spans, take, visit,
};

fn server(variables: &[(&str, &str)]) -> Running {
    let mut command = geocast(&["serve", "--port", "0"]);
    command.env("OTEL_BSP_SCHEDULE_DELAY", "100").envs(variables.iter().copied());
    let server = Running::start(command);
    server.wait_for("listens on");
    server
}

#[test]
fn a_collector_may_speak_tls_and_has_to_be_trusted() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let folder = tempfile::tempdir().expect("a folder");
    let certificate = folder.path().join("collector.pem").display().to_string();
    fs::write(&certificate, made.cert.pem()).expect("a file");
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("there are versions")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("they belong together");
    let config = Arc::new(config);
    let (address, posts) = listening(move |stream| {
        let session = ServerConnection::new(Arc::clone(&config)).expect("it is configured");
        let mut stream = StreamOwned::new(session, stream);
        let post = take(&mut stream, "200 OK");
        stream.conn.send_close_notify();
        let _gone = stream.conn.complete_io(&mut stream.sock);
        post
    });
    // Schemes are written in any letters (RFC 3986 §3.1).
    let endpoint = format!("HTTPS://localhost:{}", address.port());
    let wanted = ("OTEL_EXPORTER_OTLP_ENDPOINT", &*endpoint);

    let trusting = server(&[wanted, ("OTEL_EXPORTER_OTLP_CERTIFICATE", &certificate)]);
    let client = visit(&trusting);
    let (path, lines, body) = posts.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("{}", trusting.said()));
    assert_eq!(path, "/v1/traces");
    assert!(lines.contains(&format!("host: localhost:{}", address.port())), "{lines:?}");
    let (_, span) = spans(&body).pop().expect("a span");
    assert_eq!(attribute(&span, 9, "peer"), Some(Value::Bytes(client.to_string().into_bytes())));
    assert!(!trusting.said().contains("traces"), "{}", trusting.said());

    // Somebody else's, another name, and no file.
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let others = folder.path().join("other.pem").display().to_string();
    fs::write(&others, other.cert.pem()).expect("a file");
    let numbered = format!("https://{address}");
    for (endpoint, file) in [(&endpoint, &others), (&numbered, &certificate)] {
        let variables =
            [("OTEL_EXPORTER_OTLP_ENDPOINT", &**endpoint), ("OTEL_EXPORTER_OTLP_CERTIFICATE", file)];
        let server = server(&variables);
        visit(&server);
        server.wait_for("traces cannot be sent; trying on reason=\"TLS: invalid peer certificate: ");
        server.wait_for("(OTEL_EXPORTER_OTLP_CERTIFICATE names whom to trust)\"");
    }
    let missing = server(&[wanted, ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/nowhere.pem")]);
    missing.wait_for("no traces are sent error=\"/nowhere.pem cannot be read");
    assert!(posts.try_recv().is_err(), "something was sent to who is not trusted");
}
