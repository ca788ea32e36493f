use std::fmt::Debug;

use geocast_protocol::Channel;
use thiserror::Error;

use super::Visitor;

/// What a program has to say about who may do what, besides the [`Settings`](crate::Settings).
///
/// It is asked about every channel that the settings or a token have allowed, on every way in, and can only refuse: to open
/// a channel is up to the settings. Reading is asked about once for each subscription and each reading of state, publishing
/// once for each message. What was subscribed to stays, also if the answer would be another one later.
///
/// It is asked on the threads that serve all clients, so it must not wait: what it needs has to be there already. If it
/// panics, the answer is no.
///
/// ```no_run
/// use geocast_server::{AccessPolicy, Channel, Denial, Server, Settings, Visitor};
///
/// /// What begins with the name of a tenant is for its own users, and only the machine itself publishes.
/// #[derive(Debug)]
/// struct Tenants;
///
/// impl AccessPolicy for Tenants {
///     fn may_read(&self, channel: &Channel, visitor: &Visitor<'_>) -> Result<(), Denial> {
///         let tenant = visitor.claim("tenant").and_then(|tenant| tenant.as_str());
///         match channel.as_str().split_once('_') {
///             Some((owner, _)) if tenant != Some(owner) => Err(format!("it belongs to {owner}").into()),
///             _ => Ok(()),
///         }
///     }
///
///     fn may_publish(&self, _: &Channel, visitor: &Visitor<'_>) -> Result<(), Denial> {
///         match visitor.address() {
///             Some(address) if !address.ip().is_loopback() => Err("publish from the machine itself".into()),
///             _ => Ok(()),
///         }
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = Server::builder(Settings::default())
///     .access_policy(Tenants)
///     .start(std::net::TcpListener::bind("127.0.0.1:0")?)?;
/// # Ok(())
/// # }
/// ```
pub trait AccessPolicy: Debug + Send + Sync + 'static {
    /// Whether somebody may subscribe to a channel and read its state.
    ///
    /// # Errors
    /// Why not.
    fn may_read(&self, _channel: &Channel, _visitor: &Visitor<'_>) -> Result<(), Denial> {
        Ok(())
    }

    /// Whether somebody may publish on a channel and change its state. Filters of the pipeline are asked about as well, where
    /// they publish for a client.
    ///
    /// # Errors
    /// Why not.
    fn may_publish(&self, _channel: &Channel, _visitor: &Visitor<'_>) -> Result<(), Denial> {
        Ok(())
    }
}

/// Why a policy refuses something. The client is told where its dialect has words for it, so it should name nothing that is
/// not for strangers.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct Denial(String);

impl Denial {
    /// A refusal for this reason.
    pub fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

impl From<String> for Denial {
    fn from(reason: String) -> Self {
        Self(reason)
    }
}

impl From<&str> for Denial {
    fn from(reason: &str) -> Self {
        Self::new(reason)
    }
}
