use std::sync::Arc;

use geocast_protocol::{
    Channel, Json,
    envelope::Timestamp,
    rohrpost::{self, Body, Change, Error, Id, Reply, Request},
};

use super::{Answer, Dialect, Kind, Message, Payload, Push};
use crate::{
    Count,
    handler::{Handlers, Handling},
    session::{Conversation, Fault, FaultKind, Receipt},
};

/// rohrpost: requests with an id and a type, answered under both. Nothing is sent that was not asked for but the updates of
/// groups, as its browser client takes offence at everything else.
#[derive(Debug)]
pub(crate) struct Rohrpost {
    handlers: Arc<Handlers>,
}

impl Rohrpost {
    pub(crate) fn new(handlers: Arc<Handlers>) -> Self {
        Self { handlers }
    }

    fn apply(&self, request: &Request, conversation: &mut Conversation<'_>) {
        let Request { id, body, .. } = request;
        match body {
            Body::Ping { data } => say(conversation, Reply::pong(id, data.as_ref())),
            Body::Subscribe { group } => Self::subscribe(request, group, conversation),
            Body::Unsubscribe { group } => {
                conversation.unsubscribe(group);
                say(conversation, Reply::unsubscribed(id, group));
            }
            Body::Custom { kind, request: raw } => match self.handlers.find(kind) {
                Some(handler) => {
                    let (handler, id, request) = (Arc::clone(handler), id.clone(), raw.clone());
                    conversation.handle(Handling { handler, id, request });
                }
                None => {
                    conversation.count(Count::CommandUnknown);
                    conversation.say(Payload::text(request.unknown_type().to_reply()));
                }
            },
        }
    }

    /// Subscribes, as the one for whom the request's token stands, for as long as that is accepted.
    fn subscribe(request: &Request, group: &Channel, conversation: &mut Conversation<'_>) {
        let id = &request.id;
        let done = Payload::text(Reply::subscribed(id, group).to_vec());
        let receipt = Receipt { reference: id.as_json().unwrap_or("null").into(), done: Some(done) };
        let subscribe =
            |conversation: &mut Conversation<'_>| conversation.subscribe(group.clone(), Some(receipt));
        let subscribed = match &request.token {
            Some(token) => conversation.presenting(token.reveal(), subscribe).unwrap_or_else(|error| {
                Err(Fault::new(FaultKind::AccessDenied, error.to_string()).of(group.as_str()))
            }),
            None => subscribe(conversation),
        };
        if let Err(fault) = subscribed {
            say(conversation, refusal(id, &fault));
        }
    }
}

impl Dialect for Rohrpost {
    fn name(&self) -> &'static str {
        "rohrpost"
    }

    fn receive(&self, message: Message<'_>, conversation: &mut Conversation<'_>) {
        let request = match message {
            Message::Text(text) => Request::read(text),
            Message::Binary(_) => Err(Error::Empty),
        };
        match request {
            Ok(request) => self.apply(&request, conversation),
            Err(error) => {
                conversation.count(Count::CommandMalformed);
                conversation.say(Payload::text(error.to_reply()));
            }
        }
    }

    fn push(&self, push: &Push<'_>, buffer: &mut Vec<u8>) -> Kind {
        let Push { channel: group, content, number: id, .. } = *push;
        rohrpost::Push { id, group, change: Change::Update, content }.write(buffer);
        Kind::Text
    }

    /// Of what takes time, only subscriptions can fail.
    fn answer(&self, answer: Answer<'_>, now: Timestamp) -> Vec<Payload> {
        match answer {
            Answer::Failed { reference: Some(reference), fault } => {
                let id = reference.parse::<Json>().map(Id::from);
                id.iter().map(|id| Payload::text(refusal(id, fault).to_vec())).collect()
            }
            Answer::Ended { channel: group, .. } => {
                vec![Payload::text(rohrpost::ended(now.millis() as u64, group, "ACCESS_DENIED"))]
            }
            _ => Vec::new(),
        }
    }
}

/// That a group is not subscribed to.
fn refusal(id: &Id, fault: &Fault) -> Reply {
    match fault.kind {
        FaultKind::AccessDenied => Reply::denied(id, SUBSCRIBE),
        _ => Reply::failed(id, SUBSCRIBE, &fault.message),
    }
}

fn say(conversation: &mut Conversation<'_>, reply: Reply) {
    conversation.say(Payload::text(reply.to_vec()));
}

const SUBSCRIBE: &str = "subscribe";
