//! One client's socket: reading through tungstenite, writing straight from the outbox.

mod attendance;
mod batch;
mod close;
mod duplex;
mod effects;
mod ending;
mod fetch;
mod frame;
mod held;
mod judgement;
mod liveness;
mod mailbox;
mod prepared;
mod publication;
mod recall;
mod report;
mod resume;
mod run;
mod socket;
mod text_guard;
mod timing;
mod trace;
mod work;

pub use close::CloseCode;
pub(crate) use frame::Frame;
pub(crate) use mailbox::Mailbox;
pub(crate) use run::{Connection, Opening};
pub(crate) use socket::{Socket, Unsent};
pub(crate) use trace::span;

use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

/// tungstenite's own defaults are made for few connections: 128 KiB are read at once and zeroed before each read.
fn websocket_config(message: usize) -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_write_buffer_size(usize::MAX)
        .max_message_size(Some(message))
        .max_frame_size(Some(message))
}

/// Commands are small; a larger message is read in several steps.
const READ_BUFFER: usize = 512;
