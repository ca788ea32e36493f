#![doc = include_str!("../README.md")]

mod channel;
mod crs;
mod excerpt;
mod number;
mod word;

pub mod envelope;
pub mod text;

pub use channel::{Channel, ChannelError};
pub use crs::{Crs, CrsError};
pub use number::{Number, NumberError};
pub use word::{Word, WordError};
