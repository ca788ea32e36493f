//! A client: what it does is left to chance, what it gets is held to what was promised.

mod call;
mod conversation;
mod map;
mod messages;

use std::{rc::Rc, time::Duration};

use tokio::time::{sleep, timeout};
use tokio_tungstenite::{client_async, tungstenite::client::IntoClientRequest};
use turmoil::net::TcpStream;

use self::conversation::Conversation;
use crate::{node, world::Shared};

/// Connects, again and again.
pub(crate) async fn run(name: String, silent: &'static str, nodes: usize, world: Shared) -> turmoil::Result {
    loop {
        let node = node::name(fastrand::usize(..nodes));
        let troubles = world.borrow().troubles(&name, &node);
        let attempt = async {
            let stream = TcpStream::connect((node.as_str(), node::PORT)).await?;
            let request = format!("ws://{node}/rpc?pwd={}", node::KEY).into_client_request()?;
            let (websocket, _) = client_async(request, stream).await?;
            Ok::<_, Box<dyn std::error::Error>>(websocket)
        };
        let opened = timeout(Duration::from_secs(2), attempt).await;
        if let Ok(Ok(websocket)) = opened {
            world.borrow_mut().note(&name, &format!("connected to {node}"));
            Conversation::new(&name, &node, silent, troubles, Rc::clone(&world)).hold(websocket).await;
            world.borrow_mut().note(&name, "disconnected");
        }
        sleep(Duration::from_millis(fastrand::u64(20..600))).await;
    }
}
