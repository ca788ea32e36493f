use bytes::Bytes;
use geocast_protocol::{
    Channel,
    aiows::Package,
    envelope::{Content, Timestamp},
};

use super::{Action, Body, Carried, Chain, Filters, Member, Outcome, carried::everyone, printer};
use crate::{
    Count,
    dialect::{Answer, Dialect, Kind, Message, Payload, Push},
    session::{Conversation, Publication},
};

/// Lets filters decide what is done with messages. What clients are sent by one another stands as it is, text or binary.
#[derive(Debug)]
pub(crate) struct Pipeline {
    filters: Filters,
}

impl Pipeline {
    pub(crate) fn new(filters: Filters) -> Self {
        Self { filters }
    }

    fn run(&self, chain: Chain<'_>, conversation: &mut Conversation<'_>) {
        let now = conversation.now();
        let Outcome { actions, failures } = self.filters.run(chain, conversation.memory(Member::new), now);
        (0..failures).for_each(|_| conversation.count(Count::FilterFailed));
        actions.into_iter().for_each(|action| carry_out(action, conversation));
    }
}

impl Dialect for Pipeline {
    fn name(&self) -> &'static str {
        "geocast.pipeline"
    }

    fn open(&self, conversation: &mut Conversation<'_>) {
        join(conversation, everyone());
    }

    fn receive(&self, message: Message<'_>, conversation: &mut Conversation<'_>) {
        let body = Body::from(message);
        self.run(Chain::Data(body.as_bytes()), conversation);
        self.run(Chain::Message(&body), conversation);
    }

    fn close(&self, conversation: &mut Conversation<'_>) {
        self.run(Chain::Disconnect, conversation);
    }

    fn spares_sender(&self) -> bool {
        true
    }

    fn push(&self, push: &Push<'_>, buffer: &mut Vec<u8>) -> Kind {
        let (kind, bytes) = match push.content {
            Content::Binary(bytes) => (Kind::Binary, bytes),
            Content::Text(text) => (Kind::Text, text.as_bytes()),
            Content::Json(bytes) => (Kind::Text, bytes),
            _ => (Kind::Text, &b""[..]),
        };
        buffer.extend_from_slice(bytes);
        kind
    }

    fn answer(&self, answer: Answer<'_>, _now: Timestamp) -> Vec<Payload> {
        // There are no words for it here: what clients are told is up to the filters.
        if let Answer::Failed { fault, .. } = answer {
            tracing::warn!(%fault, "what a filter wanted was not done");
        }
        Vec::new()
    }
}

fn carry_out(action: Action, conversation: &mut Conversation<'_>) {
    let sender = Some(conversation.client());
    let publication = match action {
        Action::Send(body) => return conversation.say(body.into()),
        Action::Print(text) => return printer::print(text),
        Action::Join(group) => return join(conversation, group.channel()),
        Action::Leave(group) => {
            conversation.unsubscribe(&group.channel());
            return;
        }
        Action::Broadcast(body) => (everyone(), Carried::write(sender, &body)),
        Action::SendToGroup(group, body) => (group.channel(), Carried::write(sender, &body)),
        Action::Publish(channel, body) => {
            let payload = published(body);
            return conversation.publish_for_filter(Publication { channel, key: None, payload });
        }
    };
    let (channel, payload) = publication;
    conversation.publish_freely(Publication { channel, key: None, payload });
}

fn join(conversation: &mut Conversation<'_>, channel: Channel) {
    if let Err(fault) = conversation.admit(channel) {
        tracing::warn!(client = %conversation.client(), %fault, "a client could not join a group");
    }
}

/// Text may be JSON, for those who read the channel; bytes stay bytes.
pub(super) fn published(body: Body) -> Bytes {
    match body {
        Body::Text(text) => text.into(),
        Body::Binary(bytes) => Package::Bytes(bytes).to_wire().into_owned().into(),
    }
}
