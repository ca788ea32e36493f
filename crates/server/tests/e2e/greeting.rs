//! The handshake and the first frame.

use tokio_tungstenite::{connect_async, tungstenite::client::IntoClientRequest};

use crate::{
    client::Client,
    http_client::upgrade,
    server::{Backend, TestServer},
    stores::on_both_stores,
};

on_both_stores!(
    the_first_frame_says_that_the_connection_is_open,
    text_is_spoken_on_its_paths_alone,
    further_paths_can_be_set,
    the_dialect_can_be_chosen_by_name,
);

async fn the_first_frame_says_that_the_connection_is_open(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut client = Client::connect_raw(server.address, "/ws").await;
    let text = client.next_text().await;
    assert!(
        text.starts_with(r#"{"source":"websocket","content":{"status":"open"},"timestamp":"#)
            && text.ends_with(r#","client_reference":null}"#),
        "{text}"
    );
    // Nothing comes that was not asked for.
    client.expect_nothing(&server).await;
}

async fn text_is_spoken_on_its_paths_alone(backend: Backend) {
    let server = TestServer::start(backend).await;
    for path in ["", "/", "/ws", "/ws/", "/ws?key=secret", "/?a=b&c=d"] {
        let mut client = Client::connect_raw(server.address, path).await;
        assert_eq!(client.next_content().await["status"], "open", "{path}");
    }
    for path in ["/tracker-ws/v1/", "/wsx", "/ws/x", "/w", "/api", "/ws%2F"] {
        assert_eq!(upgrade(server.address, path, None).await, 404, "{path}");
    }
}

async fn further_paths_can_be_set(backend: Backend) {
    let paths = "/tracker-ws/*,/live".parse().expect("it is well-formed");
    let server = TestServer::start_with(backend, |settings| settings.text_paths = paths).await;
    for path in ["/tracker-ws/v1/?key=5cc87b12d7c5370001c1d655", "/live"] {
        let mut client = Client::connect_raw(server.address, path).await;
        assert_eq!(client.next_content().await["status"], "open", "{path}");
        client.settled().await;
    }
    assert_eq!(upgrade(server.address, "/elsewhere", None).await, 404);
}

async fn the_dialect_can_be_chosen_by_name(backend: Backend) {
    let server = TestServer::start(backend).await;
    for (asked, confirmed) in
        [("geocast.text", Some("geocast.text")), ("something.else, geocast.text", Some("geocast.text"))]
    {
        let mut request = format!("ws://{}/ws", server.address).into_client_request().expect("a request");
        let header = asked.parse().expect("a header");
        request.headers_mut().insert("Sec-WebSocket-Protocol", header);
        let (socket, response) = connect_async(request).await.expect("the server takes connections");
        let header = response.headers().get("Sec-WebSocket-Protocol");
        assert_eq!(header.and_then(|header| header.to_str().ok()), confirmed, "{asked}");
        let mut client = Client::from(socket);
        assert_eq!(client.next_content().await["status"], "open", "{asked}");
        client.settled().await;
    }
}
