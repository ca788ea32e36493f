use geocast_protocol::Channel;

use super::{Body, Context, Filter, FilterError, Group, GroupError};

/// The filters that come with the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BuiltIn {
    /// `broadcast_messages`: a message goes to every other client.
    BroadcastMessages,
    /// `broadcast_messages_by_token`: a message goes to every other client under the same token. `token:X` anywhere in a
    /// text, up to the next white space, registers the client under X.
    BroadcastMessagesByToken,
    /// `broadcast_pubsub`: an item of a channel goes to every client.
    BroadcastPubsub,
    /// `stdout_messages`: prints messages.
    StdoutMessages,
    /// `stdout_rawdata`: prints bytes of clients.
    StdoutRawdata,
    /// `stdout_pubsub`: prints items of channels.
    StdoutPubsub,
}

impl BuiltIn {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::BroadcastMessages,
        Self::BroadcastMessagesByToken,
        Self::BroadcastPubsub,
        Self::StdoutMessages,
        Self::StdoutRawdata,
        Self::StdoutPubsub,
    ];

    /// Their names, for people.
    pub(super) fn names() -> String {
        Self::ALL.map(|filter| filter.name().to_owned()).join(", ")
    }
}

impl Filter for BuiltIn {
    fn name(&self) -> &str {
        match self {
            Self::BroadcastMessages => "broadcast_messages",
            Self::BroadcastMessagesByToken => "broadcast_messages_by_token",
            Self::BroadcastPubsub => "broadcast_pubsub",
            Self::StdoutMessages => "stdout_messages",
            Self::StdoutRawdata => "stdout_rawdata",
            Self::StdoutPubsub => "stdout_pubsub",
        }
    }

    fn data(&self, context: &mut Context<'_>, bytes: &[u8]) -> Result<(), FilterError> {
        match self {
            Self::StdoutRawdata => context.print(format!("--RAWDATA--\n{}", String::from_utf8_lossy(bytes))),
            _ => Ok(()),
        }
    }

    fn message(&self, context: &mut Context<'_>, message: &Body) -> Result<(), FilterError> {
        match self {
            Self::BroadcastMessages => context.broadcast(message.clone()),
            Self::BroadcastMessagesByToken => by_token(context, message),
            Self::StdoutMessages => {
                let client = context.client().map(|client| client.to_string()).unwrap_or_default();
                context.print(format!("--MESSAGE--\n{client} => {}", message.to_text()))
            }
            _ => Ok(()),
        }
    }

    fn consumer(&self, context: &mut Context<'_>, _: &Channel, item: &Body) -> Result<(), FilterError> {
        match self {
            Self::BroadcastPubsub => context.broadcast(item.clone()),
            Self::StdoutPubsub => context.print(format!("--PUBSUB--\n{}", item.to_text())),
            _ => Ok(()),
        }
    }
}

/// Membership ends with the connection, so there is nothing to be done at a disconnect.
fn by_token(context: &mut Context<'_>, message: &Body) -> Result<(), FilterError> {
    match message.as_text().and_then(token) {
        Some(token) => match token.parse::<Group>() {
            Ok(group) => {
                context.register(group)?;
                context.send(format!("Successfully registered with broadcast group: {token}"))
            }
            Err(GroupError::Empty) => context.send(NO_TOKEN),
            Err(error @ GroupError::TooLong(_)) => context.send(format!("Error: {error}")),
        },
        None => match context.token().cloned() {
            Some(group) => context.send_to_group(group, message.clone()),
            None => context.send(NO_TOKEN),
        },
    }
}

/// The token that a text names.
fn token(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("token:")?;
    rest.split(char::is_whitespace).next()
}

const NO_TOKEN: &str = "Error: No token has been set";
