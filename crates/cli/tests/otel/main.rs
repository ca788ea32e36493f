//! Traces, as a collector gets them: only with the feature `otel`.

#[path = "../cli/geocast.rs"]
#[expect(
    dead_code,
    reason = "one helper for the test binaries of this crate, each of which uses a part of it"
)]
mod geocast;
mod protobuf;
mod tls;

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::mpsc::{Receiver, sync_channel},
    thread,
};

use geocast::{PATIENCE, Running, greeted};
use protobuf::{Message, Value};

/// What was posted: the path, the header lines, the body.
type Post = (String, Vec<String>, Vec<u8>);

/// Takes what is posted, and answers all of it with this status.
fn collector(status: &'static str) -> (SocketAddr, Receiver<Post>) {
    listening(move |stream| take(stream, status))
}

/// Takes what comes over connections, until something that is none.
fn listening(take: impl Fn(TcpStream) -> Option<Post> + Send + 'static) -> (SocketAddr, Receiver<Post>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there are ports");
    let address = listener.local_addr().expect("it has an address");
    let (posted, posts) = sync_channel(100);
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let post = take(stream);
            if post.is_some_and(|post| posted.send(post).is_err()) {
                return;
            }
        }
    });
    (address, posts)
}

fn take(stream: impl Read + Write, status: &str) -> Option<Post> {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_ascii_lowercase()),
        }
    }
    let path = lines.remove(0).split(' ').nth(1)?.to_owned();
    let length = lines.iter().find_map(|line| line.strip_prefix("content-length: "))?.parse().ok()?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let stream = reader.get_mut();
    write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").ok()?;
    stream.flush().ok()?;
    Some((path, lines, body))
}

/// A server that sends traces there, soon.
fn server(endpoint: &str, more: &[(&str, &str)]) -> Running {
    let mut command = geocast::geocast(&["serve", "--port", "0"]);
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint).env("OTEL_BSP_SCHEDULE_DELAY", "100");
    command.envs(more.iter().copied());
    let server = Running::start(command);
    server.wait_for("listens on");
    server
}

/// Comes, is greeted and goes.
fn visit(server: &Running) -> SocketAddr {
    greeted(server.address()).local_addr().expect("it has an address")
}

/// Attributes (`KeyValue`) of a message, in this field.
fn attribute(message: &Message, field: u64, key: &str) -> Option<Value> {
    let attributes = message.messages(field);
    let wanted = attributes.into_iter().find(|attribute| attribute.text(1).as_deref() == Some(key))?;
    let value = wanted.messages(2).pop()?;
    value.fields().first().map(|(_, value)| value.clone())
}

/// Resources and spans of an ExportTraceServiceRequest, by the numbers of their fields in opentelemetry/proto/trace/v1/trace.proto.
fn spans(body: &[u8]) -> Vec<(Message, Message)> {
    let mut found = Vec::new();
    for by_resource in Message::read(body).messages(1) {
        let resource = by_resource.messages(1).pop().expect("a resource");
        for by_scope in by_resource.messages(2) {
            found.extend(by_scope.messages(2).into_iter().map(|span| (resource.clone(), span)));
        }
    }
    found
}

#[test]
fn a_connection_is_a_span_of_whoever_collects() {
    let (address, posts) = collector("200 OK");
    let mut server = server(&format!("http://{address}"), &[("OTEL_RESOURCE_ATTRIBUTES", "deployment=test")]);
    let client = visit(&server);
    let (path, lines, body) = posts.recv_timeout(PATIENCE).expect("traces are sent");
    assert_eq!(path, "/v1/traces");
    for line in ["content-type: application/x-protobuf", &format!("host: {address}")] {
        assert!(lines.iter().any(|found| found == line), "{line}: {lines:?}");
    }
    let (resource, span) = spans(&body).pop().expect("a span");
    let text = |text: &str| Some(Value::Bytes(text.as_bytes().to_vec()));
    assert_eq!(attribute(&resource, 1, "service.name"), text("geocast"));
    assert_eq!(attribute(&resource, 1, "deployment"), text("test"));
    assert_eq!(span.text(5).as_deref(), Some("connection"));
    assert_eq!(attribute(&span, 9, "peer"), text(&client.to_string()));
    assert_eq!(attribute(&span, 9, "dialect"), text("geocast.text"));
    assert_eq!(attribute(&span, 9, "closed"), text("client_gone"));
    let events: Vec<_> = span.messages(11).iter().filter_map(|event| event.text(2)).collect();
    assert_eq!(events, ["a client is connected", "a client is gone"]);
    assert!(!server.said().contains("a client is connected"), "lines are another matter: {}", server.said());
    server.signal("TERM");
    assert_eq!(server.code(), 0);
}

#[test]
fn what_is_under_way_at_the_end_is_sent() {
    let (address, posts) = collector("200 OK");
    let mut command = geocast::geocast(&["serve", "--port", "0"]);
    command.env("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", format!("http://{address}/mine"));
    command.env("OTEL_BSP_SCHEDULE_DELAY", "3600000").env("OTEL_SERVICE_NAME", "maps");
    let mut server = Running::start(command);
    server.wait_for("listens on");
    visit(&server);
    server.signal("TERM");
    assert_eq!(server.code(), 0);
    let (path, _, body) = posts.recv_timeout(PATIENCE).expect("traces are sent");
    assert_eq!(path, "/mine");
    let (resource, _) = spans(&body).pop().expect("a span");
    assert_eq!(attribute(&resource, 1, "service.name"), Some(Value::Bytes(b"maps".to_vec())));
}

#[test]
fn a_collector_that_does_not_work_is_told_of_and_harms_nobody() {
    let (address, _posts) = collector("503 Service Unavailable");
    let nobody = TcpListener::bind("127.0.0.1:0").expect("there are ports").local_addr().expect("an address");
    for (address, reason) in [(address, "503 Service Unavailable"), (nobody, "refused")] {
        let mut server = server(&format!("http://{address}"), &[]);
        visit(&server);
        server.wait_for("traces cannot be sent; trying on");
        assert!(server.said().contains(reason), "{}", server.said());
        visit(&server);
        server.signal("TERM");
        assert_eq!(server.code(), 0);
    }
}

#[test]
fn what_cannot_be_done_is_said_and_what_is_switched_off_is_off() {
    let (address, posts) = collector("200 OK");
    let endpoint = format!("http://{address}");
    for (wrong, shown) in
        [(format!("u:hush@{address}"), address.to_string()), ("ftp://c".into(), "ftp://c".into())]
    {
        let server = server(&wrong, &[]);
        server.wait_for(&format!("the endpoint `{shown}` begins with neither http:// nor https://"));
        assert!(!server.said().contains("hush"), "{}", server.said());
    }
    let grpc = server(&endpoint, &[("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]);
    grpc.wait_for("no traces are sent");
    assert!(grpc.said().contains("only http/protobuf is spoken"), "{}", grpc.said());
    for off in [("OTEL_SDK_DISABLED", "true"), ("OTEL_TRACES_EXPORTER", "none")] {
        let mut server = server(&endpoint, &[off]);
        visit(&server);
        server.signal("TERM");
        assert_eq!(server.code(), 0);
        assert!(!server.said().contains("traces"), "{}", server.said());
    }
    assert!(posts.try_recv().is_err(), "something was sent");
}
