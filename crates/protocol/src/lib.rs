#![doc = include_str!("../README.md")]

mod change;
mod channel;
mod crs;
mod excerpt;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod json;
mod number;
mod offset;
mod person;
mod pixels;
mod precision;
#[cfg(test)]
#[path = "../../../fuzz/smoke.rs"]
mod smoke;
#[cfg(test)]
mod traits;
mod word;

pub mod aiows;
pub mod envelope;
pub mod rohrpost;
pub mod rpc;
pub mod text;

pub use change::{Change, ChangeFormat, ChangeFormatError, ChangeKind, LeaveReason};
pub use channel::{Channel, ChannelError};
pub use crs::{Crs, CrsError};
pub use json::{Json, JsonError};
pub use number::{Number, NumberError};
pub use offset::{Offset, OffsetError, Since};
pub use person::{Info, InfoError, Person, PersonError};
pub use pixels::{Pixels, PixelsError};
pub use precision::{Precision, PrecisionError};
pub use word::{Word, WordError};
