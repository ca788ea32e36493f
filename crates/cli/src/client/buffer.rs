use std::str::FromStr;

use geocast_protocol::text::Command;
use thiserror::Error;

use crate::units;

/// How messages are to be collected by the server: `500ms,100`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Buffer {
    milliseconds: u32,
    count: u32,
}

/// What is no such wish.
#[derive(Debug, Error)]
#[error("{0:?} is not a duration and a number such as 500ms,100")]
pub(crate) struct BufferError(String);

impl Buffer {
    pub(super) fn command(self) -> Command {
        Command::Buffer { milliseconds: self.milliseconds, count: self.count }
    }
}

impl FromStr for Buffer {
    type Err = BufferError;

    fn from_str(text: &str) -> Result<Self, BufferError> {
        let read = || {
            let (time, count) = text.split_once(',')?;
            let milliseconds = units::duration(time).ok()?.as_millis().try_into().ok()?;
            Some(Self { milliseconds, count: count.parse().ok()? })
        };
        read().ok_or_else(|| BufferError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::Buffer;

    #[test]
    fn a_duration_and_a_number_are_read() {
        assert_eq!("500ms,100".parse::<Buffer>().unwrap(), Buffer { milliseconds: 500, count: 100 });
        assert_eq!("1s,0".parse::<Buffer>().unwrap().command().to_string(), "BUFFER 1000 0");
        for text in ["", "500", "500ms", "500,100", "1s,-1", "1s,2,3"] {
            let error = text.parse::<Buffer>().unwrap_err().to_string();
            assert_eq!(error, format!("{text:?} is not a duration and a number such as 500ms,100"));
        }
    }
}
