use std::{path::PathBuf, time::Duration};

use clap::Args;

use super::Server;
use crate::{client::ServerUrl, units};

/// `geocast top`
#[derive(Debug, Args)]
pub(crate) struct TopArguments {
    /// The server, as --url has it
    #[arg(value_name = "URL")]
    pub(crate) at: Option<ServerUrl>,
    /// A file that holds the operator's token
    #[arg(long, value_name = "FILE", env = "GEOCAST_OPERATOR_TOKEN_FILE", conflicts_with = "token")]
    pub(crate) token_file: Option<PathBuf>,
    /// The token itself
    #[arg(long, value_name = "TOKEN", env = "GEOCAST_OPERATOR_TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,
    /// Print one table and end
    #[arg(long)]
    pub(crate) once: bool,
    /// Print one JSON object and end
    #[arg(long, conflicts_with = "once")]
    pub(crate) json: bool,
    /// Over which rates are taken, and after which the view is drawn anew
    #[arg(long, value_name = "TIME", value_parser = units::some_time, default_value = "1s")]
    pub(crate) interval: Duration,
    /// The server: ws://, wss://, http://, https://, or unix:/path/of/a.sock
    #[arg(long, value_name = "URL", env = "GEOCAST_URL", default_value = "ws://127.0.0.1:8765/ws")]
    pub(crate) url: ServerUrl,
    /// Trust these certificates (PEM) instead of those of this machine
    #[arg(long, value_name = "FILE", env = "GEOCAST_CA")]
    pub(crate) ca: Option<PathBuf>,
    /// Take whoever answers for the server, whatever its certificate
    #[arg(long)]
    pub(crate) insecure: bool,
}

impl TopArguments {
    /// Which server is asked.
    pub(crate) fn server(&self) -> Server {
        let url = self.at.as_ref().unwrap_or(&self.url).clone();
        Server { url, token: None, ca: self.ca.clone(), insecure: self.insecure }
    }
}
