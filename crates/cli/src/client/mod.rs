//! `geocast get`, `sub`, `pub`, `probe` and `top`: clients of a running server.

mod backoff;
mod bearer;
mod buffer;
mod change;
mod command_line_box;
mod connection;
mod dial;
mod envelope;
mod explanation;
mod get;
mod output;
mod pretty;
mod probe;
mod publish;
mod server_url;
mod setup;
mod standing;
mod sub;
mod top;
mod trust;

pub(crate) use buffer::Buffer;
pub(crate) use command_line_box::CommandLineBox;
pub(crate) use get::get;
pub(crate) use probe::{Probed, probe};
pub(crate) use publish::publish;
pub(crate) use server_url::ServerUrl;
pub(crate) use sub::sub;
pub(crate) use top::top;
