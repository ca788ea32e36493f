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
    log_limit::LogLimit,
    session::{Cause, Conversation, Publication},
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
        let Outcome { actions, failures, computed } =
            self.filters.run(chain, conversation.memory(Member::new), now);
        // Whoever keeps a thread busy waits in proportion, so that its other clients are served most of the time.
        conversation.occupy(computed * WAIT_PER_COMPUTED);
        (0..failures).for_each(|_| conversation.count(Count::FilterFailed));
        actions.into_iter().for_each(|action| carry_out(action, conversation));
    }
}

impl Dialect for Pipeline {
    fn name(&self) -> &'static str {
        "geocast.pipeline"
    }

    fn open(&self, conversation: &mut Conversation<'_>) {
        let _joined: bool = join(conversation, everyone());
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
        if let Answer::Failed { fault, .. } = answer
            && let Some(unlogged) = UNDONE.admit()
        {
            tracing::warn!(event = "filter_action_failed", %fault, unlogged, "what a filter wanted was not done");
        }
        Vec::new()
    }
}

fn carry_out(action: Action, conversation: &mut Conversation<'_>) {
    let sender = Some(conversation.client());
    let publication = match action {
        Action::Send(body) => return conversation.say(body.into()),
        Action::Print(text) => return printer::print(text),
        Action::Join(group) => {
            if !join(conversation, group.channel()) {
                conversation.memory(Member::new).groups.remove(&group);
            }
            return;
        }
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

/// False if the client is in too many groups already.
fn join(conversation: &mut Conversation<'_>, channel: Channel) -> bool {
    let joined = conversation.admit(channel, Cause::Filter);
    if let Err(fault) = &joined
        && let Some(unlogged) = UNJOINED.admit()
    {
        tracing::warn!(event = "filter_group_failed", client = %conversation.client(), %fault, unlogged, "a client could not join a group");
    }
    joined.is_ok()
}

/// Text may be JSON, for those who read the channel; bytes stay bytes.
pub(super) fn published(body: Body) -> Bytes {
    match body {
        Body::Text(text) => text.into(),
        Body::Binary(bytes) => Package::Bytes(bytes).to_wire().into_owned().into(),
    }
}

/// One client's messages have scripts compute for a tenth of the time at most.
const WAIT_PER_COMPUTED: u32 = 10;

static UNDONE: LogLimit = LogLimit::new();
static UNJOINED: LogLimit = LogLimit::new();
