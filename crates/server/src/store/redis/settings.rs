use std::{num::NonZeroUsize, time::Duration};

use super::RedisUrl;
use crate::{ClientTls, TlsError};

/// How Redis is used. Everything but the URL has a default.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RedisSettings {
    /// Where Redis is, and as whom to speak to it.
    pub url: RedisUrl,
    /// Whom to trust where the URL says that Redis is behind TLS, and who is here. Default: whom this machine trusts, and
    /// nobody.
    pub tls: Option<ClientTls>,
    /// How far what is published here goes, in a cluster. Default everywhere.
    pub publishing: RedisPublishing,
    /// How long making a connection may take, and checking an idle one. Default 2 s.
    pub connect_timeout: Duration,
    /// How long any read or write may take, from waiting for a connection to the last byte of the answer; and how long
    /// the subscriber connection may be silent after a probe. Default 5 s.
    pub command_timeout: Duration,
    /// How often the subscriber connection has to prove that messages arrive. A Redis that hangs is noticed after this
    /// and `command_timeout` together at the latest; one that is gone, at once. Default 5 s.
    pub probe_interval: Duration,
    /// Connections for commands, made when needed and kept. Default 8.
    pub pool_size: NonZeroUsize,
    /// Bytes of the longest message that is passed on. Longer ones are skipped without being held in memory, and
    /// counted; those of a history are read first. Default 1 MiB, as for publications over HTTP. Redis itself ends the
    /// connection for a message above its `client-output-buffer-limit pubsub`, 32 MB by default.
    pub max_message: usize,
    /// Bytes of fields and values that one read of a channel's state may bring, as a single value or in sum. Default
    /// 64 MiB.
    pub max_state: usize,
}

/// How far what is published through this store goes. What others publish is heard in both cases.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RedisPublishing {
    /// To all nodes of a cluster, with PUBLISH: any subscriber hears it, to whatever node it is connected.
    #[default]
    Everywhere,
    /// To the master that has the channel's slot and its replicas, with SPUBLISH, which needs Redis 7 and a cluster: only those
    /// who use SSUBSCRIBE hear it, and the nodes of the cluster are spared what does not concern them.
    Sharded,
}

impl RedisPublishing {
    /// The command.
    pub(super) fn verb(self) -> &'static str {
        match self {
            Self::Everywhere => "PUBLISH",
            Self::Sharded => "SPUBLISH",
        }
    }
}

impl RedisSettings {
    /// The defaults for the Redis at `url`.
    #[must_use]
    pub fn new(url: RedisUrl) -> Self {
        Self {
            url,
            tls: None,
            publishing: RedisPublishing::default(),
            connect_timeout: Duration::from_secs(2),
            command_timeout: Duration::from_secs(5),
            probe_interval: Duration::from_secs(5),
            pool_size: NonZeroUsize::MIN.saturating_add(7),
            max_message: MIB,
            max_state: 64 * MIB,
        }
    }

    /// What TLS is spoken with; none, where Redis is not behind it.
    pub(crate) fn tls(&self) -> Result<Option<ClientTls>, TlsError> {
        match (self.url.is_tls(), &self.tls) {
            (false, _) => Ok(None),
            (true, Some(tls)) => Ok(Some(tls.clone())),
            (true, None) => ClientTls::system().map(Some),
        }
    }
}

const MIB: usize = 1024 * 1024;
