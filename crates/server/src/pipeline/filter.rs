use std::{error::Error, fmt::Debug};

use geocast_protocol::{Channel, ChannelError};
use thiserror::Error;

use super::{Body, Context, GroupError, ScriptError};

/// Something that is done with what passes. One value serves all clients and all workers.
///
/// It does what it has to do in [`Context`], and must not wait: it runs on the thread that serves the client. If it fails
/// or panics, what it wanted done this time is not done, the failure is logged with its name, and the other filters run.
pub trait Filter: Debug + Send + Sync + 'static {
    /// By which it is known: no two filters of a server have the same name.
    fn name(&self) -> &str;

    /// A client has sent bytes: the payload of a message, before the message is looked at.
    ///
    /// # Errors
    /// Whatever keeps it from its work.
    fn data(&self, _context: &mut Context<'_>, _bytes: &[u8]) -> Result<(), FilterError> {
        Ok(())
    }

    /// A client has sent one complete message.
    ///
    /// # Errors
    /// Whatever keeps it from its work.
    fn message(&self, _context: &mut Context<'_>, _message: &Body) -> Result<(), FilterError> {
        Ok(())
    }

    /// A client is gone: what is sent to it now reaches nobody.
    ///
    /// # Errors
    /// Whatever keeps it from its work.
    fn disconnect(&self, _context: &mut Context<'_>) -> Result<(), FilterError> {
        Ok(())
    }

    /// An item has come from a channel; once per node, without a client.
    ///
    /// # Errors
    /// Whatever keeps it from its work.
    fn consumer(
        &self,
        _context: &mut Context<'_>,
        _channel: &Channel,
        _item: &Body,
    ) -> Result<(), FilterError> {
        Ok(())
    }

    /// Looks whether what it was made of has changed. Called every second, where waiting is allowed.
    fn refresh(&self) {}
}

/// Why a filter did not do its work.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FilterError {
    /// It wants too many things done at a time.
    #[error("more than {max} actions for one message", max = Context::MOST_ACTIONS)]
    TooManyActions,
    /// What it wants sent is too much.
    #[error("more than {max} bytes for one message", max = Context::MOST_BYTES)]
    TooManyBytes,
    /// There is nothing that could be changed, as the chain has no message.
    #[error("only a message or an item of a channel can be changed, not what the chain `{0}` is about")]
    NothingToChange(&'static str),
    /// There is nobody who could join a group or be sent something.
    #[error("an item of a channel comes without a client that could {0}")]
    NoClient(&'static str),
    /// The name of a group is none.
    #[error(transparent)]
    Group(#[from] GroupError),
    /// The name of a channel is none.
    #[error(transparent)]
    Channel(#[from] ChannelError),
    /// Its script failed.
    #[error(transparent)]
    Script(#[from] ScriptError),
    /// It panicked.
    #[error("it panicked")]
    Panicked,
    /// Anything else.
    #[error(transparent)]
    Other(#[from] Box<dyn Error + Send + Sync>),
}
