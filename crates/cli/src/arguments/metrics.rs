use std::{path::PathBuf, str::FromStr};

use clap::Args;

use crate::units;

/// Who may read metrics.
#[derive(Debug, Default, Args)]
pub(crate) struct MetricsOptions {
    /// Show metrics on a port of their own, of this machine unless a host is named, and not where clients connect [default:
    /// there, on a server that is open to this machine only]
    #[arg(long, value_name = "[HOST:]PORT", hide_short_help = true, help_heading = "Server")]
    pub(crate) metrics: Option<MetricsAddress>,
    /// Show metrics to who presents the token in this file as bearer
    #[arg(long, value_name = "FILE", hide_short_help = true, help_heading = "Server")]
    pub(crate) metrics_token_file: Option<PathBuf>,
}

/// Where metrics are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MetricsAddress {
    /// An address or a name.
    pub(crate) host: String,
    /// 0 for any that is free.
    pub(crate) port: u16,
}

impl FromStr for MetricsAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (host, port) = text.rsplit_once(':').unwrap_or((HOST, text));
        if host.is_empty() || (host.contains(':') && !(host.starts_with('[') && host.ends_with(']'))) {
            return Err(format!(
                "`{host}` is no host; an address of IPv6 stands in brackets, as in [::1]:9765"
            ));
        }
        Ok(Self { host: host.to_owned(), port: units::port(port).map_err(|error| error.to_string())? })
    }
}

const HOST: &str = "127.0.0.1";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_alone_is_one_of_this_machine() {
        let read = |text: &str| text.parse::<MetricsAddress>().map(|read| (read.host, read.port));
        for (text, host, port) in [
            ("9765", HOST, 9765),
            ("0", HOST, 0),
            ("0.0.0.0:9765", "0.0.0.0", 9765),
            ("[::1]:1", "[::1]", 1),
            ("maps.internal:80", "maps.internal", 80),
        ] {
            assert_eq!(read(text), Ok((host.to_owned(), port)));
        }
        for text in ["", ":9765", "::1:9765", "host", "host:", "host:x", "1.2.3.4:70000"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
