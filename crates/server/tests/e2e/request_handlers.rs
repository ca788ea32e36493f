//! Requests of rohrpost that others answer.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use async_trait::async_trait;
use geocast_server::{HandlerError, HttpHandler, Json, RawRequest, RequestHandler, Server, Settings};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::mpsc,
};

use crate::{
    server::{Backend, TestServer},
    waiting::{must, until},
};

/// Answers by what the request's data is.
#[derive(Debug)]
struct Moody;

#[async_trait]
impl RequestHandler for Moody {
    fn kind(&self) -> &str {
        "moody"
    }

    async fn handle(&self, request: RawRequest) -> Result<Option<Json>, HandlerError> {
        let data = request.data();
        match data.as_ref().map(Json::as_str) {
            Some("\"sleep\"") => std::future::pending().await,
            Some("\"panic\"") => panic!("a handler that panics"),
            Some("\"refuse\"") => Err(HandlerError("Not today.".to_owned())),
            Some("\"chatter\"") => Ok(format!("\"{}\"", "a".repeat(300_000)).parse().ok()),
            _ => Ok(data),
        }
    }
}

async fn moody(most: usize, limit: Duration) -> TestServer {
    TestServer::start_with(Backend::Embedded, |settings| {
        settings.request_handlers = vec![Arc::new(Moody)];
        settings.limits.handled = most;
        settings.timeouts.handler = limit;
    })
    .await
}

fn ask(id: u32, data: &str) -> String {
    format!(r#"{{"id":{id},"type":"moody","data":{data}}}"#)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_answers_under_id_and_type() {
    let server = moody(64, Duration::from_secs(5)).await;
    let mut client = server.rohrpost().await;
    for (data, answer) in [
        (r#"{"n":7.10}"#, r#""data":{"n":7.10}}"#),
        ("[1, 2]", r#""data":{"data":[1, 2]}}"#),
        (r#""refuse""#, r#""error":"Not today."}"#),
        (r#""panic""#, r#""error":"The handler failed."}"#),
        (r#""chatter""#, r#""error":"The handler answered with more than 262144 bytes."}"#),
    ] {
        assert_eq!(client.ask(&ask(7, data)).await, format!(r#"{{"id":7,"type":"moody",{answer}"#));
    }
    assert_eq!(client.ask(r#"{"id":8,"type":"moody"}"#).await, r#"{"id":8,"type":"moody"}"#);
    assert_eq!(
        client.ask(r#"{"id":9,"type":"Moody"}"#).await,
        r#"{"id":9,"type":"Moody","error":"Unknown message type 'Moody'."}"#
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_that_takes_its_time_keeps_nobody_waiting() {
    let server = moody(2, Duration::from_secs(4)).await;
    let mut client = server.rohrpost().await;
    client.send(ask(1, r#""sleep""#)).await;
    client.send(ask(2, r#""sleep""#)).await;
    assert_eq!(
        client.ask(&ask(3, "3")).await,
        r#"{"id":3,"type":"moody","error":"Too many requests are being handled."}"#
    );
    assert_eq!(client.ask(r#"{"id":4,"type":"ping"}"#).await, r#"{"id":4,"type":"pong"}"#);
    let late = |id: u32| {
        format!(r#"{{"id":{id},"type":"moody","error":"The handler did not answer within 4000 ms."}}"#)
    };
    let mut answers = [client.next_text().await, client.next_text().await];
    answers.sort();
    assert_eq!(answers, [late(1), late(2)]);
    assert_eq!(client.ask(&ask(5, "5")).await, r#"{"id":5,"type":"moody","data":{"data":5}}"#);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_leaves_frees_its_handlers() {
    let server = moody(1, Duration::from_secs(60)).await;
    let mut first = server.rohrpost().await;
    first.send(ask(1, r#""sleep""#)).await;
    assert_eq!(first.ask(r#"{"id":2,"type":"ping"}"#).await, r#"{"id":2,"type":"pong"}"#);
    let mut second = server.rohrpost().await;
    let busy = r#"{"id":3,"type":"moody","error":"Too many requests are being handled."}"#;
    assert_eq!(second.ask(&ask(3, "3")).await, busy);
    drop(first);
    let answer = until("the handler to end with its client", async || match second.ask(&ask(3, "3")).await {
        answer if answer == busy => Err(answer),
        answer => Ok(answer),
    })
    .await;
    assert_eq!(answer, r#"{"id":3,"type":"moody","data":{"data":3}}"#);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_handlers_of_one_type_are_refused_at_the_start() {
    let mut settings = Settings::default();
    settings.request_handlers = vec![Arc::new(Moody), Arc::new(Moody)];
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let error = Server::start(listener, settings).expect_err("two of one type");
    assert_eq!(error.to_string(), "there are two handlers of the type `moody`");
}

/// An endpoint that answers every request with these bytes, and says what it was asked.
async fn endpoint(answer: &'static [u8]) -> (SocketAddr, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let (asked, questions) = mpsc::channel(8);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0; 4096];
            let mut length = 0;
            while !request[..length].ends_with(b"}") {
                length += stream.read(&mut request[length..]).await.expect("a request");
            }
            asked
                .send(String::from_utf8_lossy(&request[..length]).into_owned())
                .await
                .expect("the test goes on");
            stream.write_all(answer).await.expect("it is read");
        }
    });
    (address, questions)
}

async fn asked_over_http(answer: &'static [u8]) -> (String, String) {
    let (address, mut questions) = endpoint(answer).await;
    let handler: HttpHandler = format!("moody=http://{address}/ask?a=b").parse().expect("a handler");
    let server = TestServer::start_with(Backend::Embedded, |settings| {
        settings.request_handlers = vec![Arc::new(handler)];
    })
    .await;
    let answer = server.rohrpost().await.ask(&ask(7, r#"{"n": 7.10}"#)).await;
    let question = must("a question to the endpoint", questions.recv()).await.expect("a question");
    assert!(questions.try_recv().is_err(), "one question");
    (question, answer)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endpoint_answers_under_id_and_type() {
    let (question, answer) =
        asked_over_http(b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{\"m\": [1.0]}   ").await;
    assert_eq!(answer, r#"{"id":7,"type":"moody","data":{"m": [1.0]}}"#);
    let (head, body) = question.split_once("\r\n\r\n").expect("a request");
    assert!(head.starts_with("POST /ask?a=b HTTP/1.1\r\n"), "{head}");
    assert!(head.to_lowercase().contains("\r\ncontent-type: application/json\r\n"), "{head}");
    assert_eq!(body, r#"{"id":7,"type":"moody","data":{"n": 7.10}}"#);
    let (_, answer) = asked_over_http(b"HTTP/1.1 204 No Content\r\n\r\n").await;
    assert_eq!(answer, r#"{"id":7,"type":"moody"}"#);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_endpoint_does_wrong_is_said() {
    let check = async |answer: &'static [u8], error: &str| {
        let (_, found) = asked_over_http(answer).await;
        assert_eq!(found, format!(r#"{{"id":7,"type":"moody","error":"{error}"}}"#));
    };
    check(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno", "The handler did not answer with JSON.").await;
    check(b"HTTP/1.1 400 No\r\nContent-Length: 16\r\n\r\n{\"error\":\"Why?\"}", "Why?").await;
    check(b"HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\n{}", "The handler answered with status 500.").await;
    let moved = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n";
    check(moved, "The handler answered with status 302.").await;
    check(b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n[", "The handler cannot be reached.").await;
    check(b"nonsense\r\n\r\n", "The handler cannot be reached.").await;
}
