//! The text dialect: one command in one frame, words between white space.
//!
//! A [`Command`] is read by [`str::parse`] and written by `Display`, and what is written reads back as the same
//! command. An [`Error`] says what is wrong and at which byte, and its kind tells a command that nobody knows,
//! which a gateway passes over, from one that is malformed, which it answers.
//!
//! ```
//! use geocast_protocol::text::{Command, Members};
//!
//! let command: Command = "BBOX 5.9 45.8 10.5 47.8 9 mots=rail,bus".parse()?;
//! let Command::Bbox(Some(bbox)) = &command else { panic!("{command}") };
//! assert_eq!(bbox.left.value(), 5.9);
//! assert_eq!(bbox.members, Members::Whole);
//! assert_eq!(command.to_string(), "BBOX 5.9 45.8 10.5 47.8 9 mots=rail,bus");
//!
//! let error = "BBOX 5.9 45.8 nan 47.8".parse::<Command>().unwrap_err();
//! assert_eq!((error.kind.code(), error.offset), ("bad_number", 14));
//! # Ok::<(), geocast_protocol::text::Error>(())
//! ```
//!
//! # Form
//!
//! Words are split at ASCII white space. A word with a `=` behind at least one character is a *keyword* (split at
//! the first `=`), any other is *positional*. Positional words fill, in order, the parameters that no keyword
//! names; where a keyword is given twice, the last counts. Surplus words and unknown keywords are passed over,
//! except where a command says otherwise.

mod arguments;
mod bbox;
mod command;
mod error;
mod grammar;
mod parse;
mod print;
mod property;

pub use bbox::{Bbox, Members};
pub use command::{Command, MAX_COMMAND_BYTES};
pub use error::{Error, ErrorKind};
pub use property::{Property, PropertyError, PropertyName, PropertyValue};
