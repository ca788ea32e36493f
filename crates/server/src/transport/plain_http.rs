use std::io;

use tokio::{io::AsyncWriteExt, net::TcpStream};

/// Whether a client speaks plain HTTP: a request begins with a capital letter, a TLS handshake with 22 (RFC 8446 §5.1).
pub(super) async fn is_spoken(stream: &TcpStream) -> io::Result<bool> {
    let mut first = [0];
    stream.peek(&mut first).await?;
    Ok(first[0].is_ascii_uppercase())
}

/// Says what is spoken here, as TLS itself could not be understood.
pub(super) async fn refuse(mut stream: TcpStream) -> io::Result<()> {
    // What has not been read when a socket is closed makes the kernel cut the connection, the answer included.
    let mut request = [0; 4096];
    match stream.try_read(&mut request) {
        Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
        _ => {}
    }
    stream.write_all(ANSWER.as_bytes()).await?;
    stream.shutdown().await
}

const ANSWER: &str = concat!(
    "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: 95\r\nconnection: close\r\n\r\n",
    r#"{"error":{"code":"tls_required","message":"this port speaks TLS: use https:// or wss:// URLs"}}"#
);

#[cfg(test)]
mod tests {
    use super::ANSWER;

    #[test]
    fn the_answer_is_as_long_as_it_says() {
        let (head, body) = ANSWER.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{}", body.len());
    }
}
