use std::{
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::future::LocalBoxFuture;
use geocast_protocol::Channel;

use super::effects::Done;
use crate::session::{Asked, Effect, Receipt};

/// An effect that takes time.
pub(super) struct Work {
    doing: LocalBoxFuture<'static, Done>,
    request: Option<Box<Request>>,
}

/// What a client wants of a channel, and is still to be answered.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) channel: Channel,
    pub(super) asked: Asked,
}

impl Work {
    /// Of no channel in particular, or to be done whatever becomes of it.
    pub(super) fn new(doing: impl Future<Output = Done> + 'static) -> Self {
        Self { doing: Box::pin(doing), request: None }
    }

    /// To be given up with the channel.
    pub(super) fn on(channel: &Channel, asked: Asked, doing: impl Future<Output = Done> + 'static) -> Self {
        let request = Request { channel: channel.clone(), asked };
        Self { doing: Box::pin(doing), request: Some(Box::new(request)) }
    }

    /// Whether it is done for somebody who is to be answered.
    pub(super) fn is_request(&self) -> bool {
        self.request.is_some()
    }

    /// What it is done for, if that is of this channel.
    pub(super) fn request_of(&self, channel: &Channel) -> Option<&Request> {
        self.request.as_deref().filter(|request| request.channel == *channel)
    }
}

impl Future for Work {
    type Output = Done;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Done> {
        self.doing.as_mut().poll(context)
    }
}

impl Request {
    /// What an effect is about, if it is a request of a channel.
    pub(super) fn of(effect: &Effect) -> Option<Self> {
        let (channel, asked) = match effect {
            Effect::Subscribe(channel, _, asked)
            | Effect::Resume(channel, _, asked)
            | Effect::Confirm(channel, _, asked) => (channel, asked.clone()),
            // It has been answered.
            Effect::Replay(channel, _, asked) => (channel, Asked { receipt: None, ..asked.clone() }),
            Effect::Fetch(fetch, asked) => (&fetch.channel, asked.clone().under(fetch.reference.as_deref())),
            Effect::Recall(recall, asked) => (&recall.channel, asked.clone().under(Some(&recall.reference))),
            _ => return None,
        };
        Some(Self { channel: channel.clone(), asked })
    }
}

impl Asked {
    /// To be answered under this reference.
    pub(super) fn under(self, reference: Option<&str>) -> Self {
        let receipt = reference.map(|reference| Receipt { reference: reference.into(), done: None });
        Self { receipt, ..self }
    }
}
