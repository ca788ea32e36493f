//! A command of one's own in the text dialect: `DICE 6` is answered by a number from 1 to 6.
//!
//! `cargo run -p geocast-server --example command`, then connect to the printed address and send `DICE 20`.

use std::{error::Error, net::TcpListener};

use geocast_server::{Server, Settings};
use serde_json::{Value, json};

/// What a die with so many sides shows.
fn dice(arguments: &str) -> Option<Value> {
    match arguments.parse::<u32>() {
        Ok(sides @ 1..) => Some(json!({ "dice": fastrand::u32(1..=sides) })),
        _ => Some(json!({ "error": format!("{arguments:?} is no number of sides") })),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = Server::builder(Settings::default())
        .command("DICE", dice)
        .start(TcpListener::bind(std::env::var("LISTEN").as_deref().unwrap_or("127.0.0.1:8765"))?)?;
    eprintln!("{}", server.addresses()[0]);
    server.run(async { tokio::signal::ctrl_c().await.unwrap_or(()) }).await?;
    Ok(())
}
