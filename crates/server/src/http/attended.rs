//! Bodies of requests and answers that tell the lobby whether their connection is being answered.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use axum::body::Body;
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};

use crate::{admission::LobbyPlace, clock};

/// A request's body. When all of it has come, the connection no longer says nothing.
#[derive(Debug)]
pub(super) struct Arriving {
    body: Incoming,
    place: Arc<LobbyPlace>,
}

/// An answer's body. With its end, the connection says nothing again.
#[derive(Debug)]
pub(super) struct Answered {
    body: Body,
    place: Arc<LobbyPlace>,
}

impl Arriving {
    pub(super) fn new(body: Incoming, place: Arc<LobbyPlace>) -> Self {
        if body.is_end_stream() {
            place.attend();
        }
        Self { body, place }
    }
}

impl HttpBody for Arriving {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if frame.is_none() || self.body.is_end_stream() {
            self.place.attend();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Answered {
    pub(super) fn new(body: Body, place: Arc<LobbyPlace>) -> Self {
        Self { body, place }
    }
}

impl HttpBody for Answered {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Answered {
    fn drop(&mut self) {
        self.place.rest(clock::now());
    }
}
