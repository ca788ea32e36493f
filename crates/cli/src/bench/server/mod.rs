//! The server under test: where it is, what it uses, and starting one.

mod affinity;
mod child;
mod tether;
mod usage;

use std::{net::TcpStream, time::Duration};

use anyhow::Context;

use super::{
    arguments::ServerOptions,
    target::{Scheme, Target, Url},
};
use crate::unreachable::Unreachable;

pub(super) use affinity::Cores;
pub(super) use child::{ChildServer, LISTENS};
pub(super) use tether::tethered;
pub(super) use usage::Usage;

/// A server, running.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) target: Target,
    process: Option<u32>,
    /// Held to be ended.
    _child: Option<ChildServer>,
}

impl Server {
    /// Starts one, or takes the one that the options point at.
    pub(super) fn find(options: &ServerOptions, cores: Cores) -> anyhow::Result<Self> {
        let reach = options.reach();
        if !options.spawn {
            let target = options.url.resolve(reach)?;
            // A connection that says nothing tells whether there is anybody before thousands try.
            TcpStream::connect_timeout(&target.address(), PATIENCE)
                .map_err(|error| Unreachable::server(&options.url.to_string(), error.to_string()))?;
            return Ok(Self { target, process: options.server_pid, _child: None });
        }
        let mut arguments: Vec<String> =
            ["serve", "--host", "127.0.0.1", "--port", "0", "--log", "warn", "--log-format", "text"]
                .map(str::to_owned)
                .into();
        arguments.extend(["--workers".to_owned(), options.workers.to_string()]);
        if let Some(redis) = &options.redis {
            let redis =
                ["--redis", &redis.to_string(), "--channels", options.channel.as_str()].map(str::to_owned);
            arguments.extend(redis);
        }
        arguments.extend_from_slice(&options.server_options);
        let child = ChildServer::start(&arguments, cores.server)?;
        let target = Target::at(child.address(), "/ws");
        Ok(Self { target, process: Some(child.process()), _child: Some(child) })
    }

    /// A bare loop of this program.
    pub(super) fn bare(child: ChildServer) -> Self {
        Self { target: Target::at(child.address(), "/"), process: Some(child.process()), _child: Some(child) }
    }

    /// What it has used so far, if it is known which process it is.
    pub(super) fn usage(&self) -> anyhow::Result<Option<Usage>> {
        let usage = self.process.map(Usage::of).transpose();
        usage.context("the server's use of processor and memory is not known")
    }

    /// Where to publish for it.
    pub(super) fn publishing(
        &self,
        options: &ServerOptions,
        publish: Option<&Url>,
    ) -> anyhow::Result<Target> {
        let reach = options.reach();
        match (publish, &options.redis) {
            (Some(url), _) | (None, Some(url)) => url.resolve(reach),
            (None, None) => self.target.url().sibling(Scheme::Http, "/api/publish/{channel}").resolve(reach),
        }
    }
}

const PATIENCE: Duration = Duration::from_secs(5);
