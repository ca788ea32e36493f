#![doc = include_str!("../README.md")]

mod channel;
mod crs;
mod excerpt;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod json;
mod number;
mod word;

pub mod aiows;
pub mod envelope;
pub mod rohrpost;
pub mod rpc;
pub mod text;

pub use channel::{Channel, ChannelError};
pub use crs::{Crs, CrsError};
pub use json::{Json, JsonError};
pub use number::{Number, NumberError};
pub use word::{Word, WordError};
