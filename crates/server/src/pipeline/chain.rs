use geocast_protocol::Channel;

use super::Body;

/// An occasion on which filters are run, with what it is about.
#[derive(Debug, Clone, Copy)]
pub enum Chain<'a> {
    /// A client has sent bytes: the payload of a message before anything else is done with it.
    Data(&'a [u8]),
    /// A client has sent one complete message. A filter may change it for those behind it, or stop it.
    Message(&'a Body),
    /// A client is gone.
    Disconnect,
    /// An item has come from a channel. A filter may change it for those behind it, or stop it.
    Consumer(&'a Channel, &'a Body),
}

impl Chain<'_> {
    /// Its name in logs, and that of the function in a script.
    pub fn name(self) -> &'static str {
        match self {
            Self::Data(_) => "data",
            Self::Message(_) => "message",
            Self::Disconnect => "disconnect",
            Self::Consumer(..) => "consumer",
        }
    }
}
