//! The smallest server: an embedded store, one channel, one message per second.
//!
//! `cargo run -p geocast-server --example minimal`, then connect to the printed address and send `SUB time`.

use std::{error::Error, net::TcpListener, time::Duration};

use geocast_server::{Server, Settings};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = Server::start(
        TcpListener::bind(std::env::var("LISTEN").as_deref().unwrap_or("127.0.0.1:8765"))?,
        Settings::default(),
    )?;
    eprintln!("{}", server.addresses()[0]);
    let (store, time) = (server.store(), "time".parse()?);
    let ticking = tokio::spawn(async move {
        let mut clock = tokio::time::interval(Duration::from_secs(1));
        for second in 0_u64.. {
            clock.tick().await;
            if let Err(error) = store.publish(&time, second.to_string().into()).await {
                eprintln!("{error}");
            }
        }
    });
    server.run(async { tokio::signal::ctrl_c().await.unwrap_or(()) }).await?;
    ticking.abort();
    Ok(())
}
