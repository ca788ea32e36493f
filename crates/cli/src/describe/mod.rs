//! `geocast describe`: what is spoken and configured here, for programs that read such descriptions.
//!
//! `docs/api` has them as files; tests hold these to the program, to the formats' own schemas, and to what a server says.

mod asyncapi;
mod config;
mod openapi;
mod operator;

use std::io::{self, Write};

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use crate::{config::reference, exit::Exit};

/// `geocast describe`
#[derive(Debug, Args)]
pub(crate) struct DescribeArguments {
    /// What is described
    what: Described,
}

/// What there is a description of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Described {
    /// The addresses for HTTP: OpenAPI 3.1
    Openapi,
    /// What is said over WebSockets: AsyncAPI 3.0
    Asyncapi,
    /// The methods of JSON-RPC: OpenRPC 1.3
    Openrpc,
    /// The configuration file: JSON Schema 2020-12
    Config,
    /// The options of `serve` and `demo`, for readers: Markdown
    Options,
}

/// Prints a description on standard output.
pub(crate) fn describe(arguments: &DescribeArguments) -> anyhow::Result<Exit> {
    let description = match arguments.what {
        Described::Openapi => openapi::description(),
        Described::Asyncapi => asyncapi::description(),
        Described::Openrpc => constant(geocast_protocol::rpc::discover("geocast", VERSION).as_str()),
        Described::Config => config::description(),
        Described::Options => {
            io::stdout().write_all(reference().as_bytes())?;
            return Ok(Exit::Success);
        }
    };
    writeln!(io::stdout(), "{description:#}")?;
    Ok(Exit::Success)
}

/// An object with these members and no others.
fn object(properties: &Value, required: &[&str]) -> Value {
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

/// Reads a piece of a table that is JSON.
fn constant(json: &str) -> Value {
    serde_json::from_str(json).expect("the table is JSON")
}

const VERSION: &str = env!("CARGO_PKG_VERSION");
