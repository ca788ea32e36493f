//! Numbers as people write them.

use std::{num::NonZeroUsize, str::FromStr, time::Duration};

use thiserror::Error;

/// What is no such number.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum UnitError {
    #[error("{0:?} is not a duration such as 25s, 500ms, 2m or 1h")]
    Duration(String),
    #[error("{0:?} is no time at all; 1s would be some")]
    NoTime(String),
    #[error("{0:?} is not a size such as 65536, 64KiB or 1MiB")]
    Size(String),
    #[error("{0:?} is too little to answer a client at all: at least {LEAST_OUTBOX} bytes are needed")]
    Outbox(String),
    #[error("{0:?} is not a whole number such as 100")]
    Count(String),
    #[error("{0:?} is not a whole number of 1 or more")]
    Positive(String),
    #[error("{0:?} is not a number of messages, a time or both, such as 1000, 10m or 1000/10m")]
    History(String),
    #[error("{0:?} is not a port: 0 to 65535, where 0 stands for any that is free")]
    Port(String),
}

/// A number with its unit: `ms`, `s`, `m` or `h`. A bare `0` needs none.
pub(crate) fn duration(text: &str) -> Result<Duration, UnitError> {
    let error = || UnitError::Duration(text.to_owned());
    let (number, unit) = split(text);
    let seconds = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        "" if number == "0" => 1.0,
        _ => return Err(error()),
    };
    let number: f64 = number.parse().ok().filter(|_| number.starts_with(digit)).ok_or_else(error)?;
    let duration = Duration::try_from_secs_f64(number * seconds).ok().ok_or_else(error)?;
    // Timers end somewhere; a year and more is a slip of the pen.
    if duration > LONGEST { Err(error()) } else { Ok(duration) }
}

/// A duration that is not nothing.
pub(crate) fn some_time(text: &str) -> Result<Duration, UnitError> {
    let time = duration(text)?;
    if time.is_zero() { Err(UnitError::NoTime(text.to_owned())) } else { Ok(time) }
}

/// Bytes: a number, with or without `B`, `kB`, `KiB`, `MB`, `MiB`, `GB` or `GiB`.
pub(crate) fn size(text: &str) -> Result<usize, UnitError> {
    let error = || UnitError::Size(text.to_owned());
    let (number, unit) = split(text);
    let factor: usize = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1000,
        "kib" | "k" => 1 << 10,
        "mb" => 1_000_000,
        "mib" | "m" => 1 << 20,
        "gb" => 1_000_000_000,
        "gib" | "g" => 1 << 30,
        _ => return Err(error()),
    };
    let number: usize = number.parse().ok().ok_or_else(error)?;
    number.checked_mul(factor).filter(|&bytes| bytes > 0).ok_or_else(error)
}

/// Bytes that may wait for a client: enough for a handshake, the greeting and a close.
pub(crate) fn outbox(text: &str) -> Result<usize, UnitError> {
    size(text).and_then(|bytes| {
        if bytes < LEAST_OUTBOX { Err(UnitError::Outbox(text.to_owned())) } else { Ok(bytes) }
    })
}

/// A whole number.
pub(crate) fn count<T: FromStr>(text: &str) -> Result<T, UnitError> {
    text.parse().ok().ok_or_else(|| UnitError::Count(text.to_owned()))
}

/// A whole number that is not zero.
pub(crate) fn positive(text: &str) -> Result<NonZeroUsize, UnitError> {
    text.parse().ok().ok_or_else(|| UnitError::Positive(text.to_owned()))
}

/// A whole number per second that is not zero.
pub(crate) fn rate(text: &str) -> Result<u32, UnitError> {
    count(text).ok().filter(|&rate: &u32| rate > 0).ok_or_else(|| UnitError::Positive(text.to_owned()))
}

/// A TCP port, where 0 stands for any that is free.
pub(crate) fn port(text: &str) -> Result<u16, UnitError> {
    text.parse().ok().ok_or_else(|| UnitError::Port(text.to_owned()))
}

fn split(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len()))
}

fn digit(c: char) -> bool {
    c.is_ascii_digit()
}

const LEAST_OUTBOX: usize = 4096;
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_need_a_unit() {
        for (text, milliseconds) in [
            ("25s", Some(25_000)),
            ("500ms", Some(500)),
            ("1.5s", Some(1500)),
            ("2m", Some(120_000)),
            ("1h", Some(3_600_000)),
            ("0", Some(0)),
            ("0s", Some(0)),
            ("25", None),
            ("", None),
            ("s", None),
            ("-1s", None),
            ("+1s", None),
            (".5s", None),
            ("1 s", None),
            ("1e9s", None),
            ("NaNs", None),
            ("99999h", None),
            ("1d", None),
        ] {
            assert_eq!(duration(text).ok(), milliseconds.map(Duration::from_millis), "{text:?}");
        }
        assert!(some_time("0s").is_err());
        assert_eq!(some_time("1s"), Ok(Duration::from_secs(1)));
    }

    #[test]
    fn sizes_take_units_or_none() {
        for (text, bytes) in [
            ("65536", Some(65_536)),
            ("64KiB", Some(65_536)),
            ("64kib", Some(65_536)),
            ("64k", Some(65_536)),
            ("1kB", Some(1000)),
            ("1MiB", Some(1 << 20)),
            ("2GiB", Some(2 << 30)),
            ("0", None),
            ("", None),
            ("-1", None),
            ("1.5MiB", None),
            ("1 MiB", None),
            ("99999999999GiB", None),
            ("1TiB", None),
        ] {
            assert_eq!(size(text).ok(), bytes, "{text:?}");
        }
        assert_eq!(outbox("4KiB"), Ok(4096));
        assert_eq!(outbox("4095"), Err(UnitError::Outbox("4095".to_owned())));
    }

    #[test]
    fn what_is_wrong_is_named_with_what_would_be_right() {
        assert_eq!(
            port("x").unwrap_err().to_string(),
            "\"x\" is not a port: 0 to 65535, where 0 stands for any that is free"
        );
        assert_eq!(
            duration("25").unwrap_err().to_string(),
            "\"25\" is not a duration such as 25s, 500ms, 2m or 1h"
        );
        assert_eq!(count::<u32>("-1").unwrap_err().to_string(), "\"-1\" is not a whole number such as 100");
        assert_eq!(positive("0").unwrap_err().to_string(), "\"0\" is not a whole number of 1 or more");
    }
}
