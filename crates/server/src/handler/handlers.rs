use std::{collections::BTreeMap, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt;
use geocast_protocol::{
    Json,
    rohrpost::{Id, RawRequest, Reply},
};
use thiserror::Error;
use tokio::{runtime::Handle, sync::Semaphore, task::JoinSet, time::timeout};

use super::{HandlerError, LARGEST_ANSWER, RequestHandler};
use crate::dialect::Payload;

/// All handlers of a server.
#[derive(Debug)]
pub(crate) struct Handlers {
    handlers: ByType,
    /// One for each request that may be handled at the same time.
    slots: Arc<Semaphore>,
    timeout: Duration,
    /// That of the store, so that handlers never hold up a worker.
    runtime: Handle,
}

type ByType = BTreeMap<Box<str>, Arc<dyn RequestHandler>>;

/// Why a server cannot have these handlers.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum HandlersError {
    /// There are two of one type.
    #[error("there are two handlers of the type `{0}`")]
    Duplicate(String),
    /// The server handles this type itself.
    #[error("the type `{0}` is handled by the server itself")]
    BuiltIn(String),
}

/// A request on its way to its handler.
#[derive(Debug, Clone)]
pub(crate) struct Handling {
    pub(crate) handler: Arc<dyn RequestHandler>,
    pub(crate) id: Id,
    pub(crate) request: RawRequest,
}

impl Handlers {
    /// `most` requests are handled at the same time, each for `timeout` at most.
    pub(crate) fn new(
        list: &[Arc<dyn RequestHandler>],
        most: usize,
        timeout: Duration,
        runtime: Handle,
    ) -> Result<Self, HandlersError> {
        let handlers = by_type(list)?;
        let slots = Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS)));
        Ok(Self { handlers, slots, timeout, runtime })
    }

    /// The handler of a type.
    pub(crate) fn find(&self, kind: &str) -> Option<&Arc<dyn RequestHandler>> {
        self.handlers.get(kind)
    }

    /// Has a request of a client handled; the reply comes out of what is under way for it.
    ///
    /// # Errors
    /// The reply, if too many are under way.
    pub(crate) fn begin(&self, handling: Handling, under_way: &mut JoinSet<Payload>) -> Result<(), Payload> {
        let slot = Arc::clone(&self.slots).try_acquire_owned().ok();
        let Some(slot) = slot.filter(|_| under_way.len() < MOST_OF_ONE) else {
            let busy = HandlerError("Too many requests are being handled.".to_owned());
            return Err(reply(&handling.id, handling.handler.kind(), Err(busy)));
        };
        let limit = self.timeout;
        let work = async move {
            let _slot = slot;
            handling.answer(limit).await
        };
        under_way.spawn_on(work, &self.runtime);
        Ok(())
    }
}

impl Handling {
    async fn answer(self, limit: Duration) -> Payload {
        let Self { handler, id, request } = self;
        let answered = timeout(limit, AssertUnwindSafe(handler.handle(request)).catch_unwind()).await;
        let kind = handler.kind();
        let fault = |message: String| {
            tracing::warn!(event = "handler_failed", kind, reason = message, "a handler failed");
            Err(HandlerError(message))
        };
        let outcome = match answered {
            Ok(Ok(Ok(Some(data)))) if data.as_str().len() > LARGEST_ANSWER => {
                fault(format!("The handler answered with more than {LARGEST_ANSWER} bytes."))
            }
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_panic)) => fault("The handler failed.".to_owned()),
            Err(_elapsed) => fault(format!("The handler did not answer within {} ms.", limit.as_millis())),
        };
        reply(&id, kind, outcome)
    }
}

/// Two are the same if they are one handler's and the same request.
impl PartialEq for Handling {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.handler, &other.handler) && self.id == other.id && self.request == other.request
    }
}

/// The handlers by their types, none of which is the server's own or another's.
pub(crate) fn by_type(list: &[Arc<dyn RequestHandler>]) -> Result<ByType, HandlersError> {
    let mut handlers = BTreeMap::new();
    for handler in list {
        let kind = handler.kind();
        if BUILT_IN.contains(&kind) {
            return Err(HandlersError::BuiltIn(kind.to_owned()));
        }
        if handlers.insert(kind.into(), Arc::clone(handler)).is_some() {
            return Err(HandlersError::Duplicate(kind.to_owned()));
        }
    }
    Ok(handlers)
}

fn reply(id: &Id, kind: &str, outcome: Result<Option<Json>, HandlerError>) -> Payload {
    Payload::text(match outcome {
        Ok(data) => Reply::handled(id, kind, data.as_ref()).to_vec(),
        Err(HandlerError(message)) => Reply::failed(id, kind, &message).to_vec(),
    })
}

/// What the server handles itself.
const BUILT_IN: [&str; 3] = ["ping", "subscribe", "unsubscribe"];

/// Requests of one client that are handled at the same time: a client shall not keep all others waiting.
const MOST_OF_ONE: usize = 16;

#[cfg(test)]
mod tests {
    use async_trait::async_trait;

    use super::*;

    #[derive(Debug)]
    struct Named(&'static str);

    #[async_trait]
    impl RequestHandler for Named {
        fn kind(&self) -> &str {
            self.0
        }

        async fn handle(&self, _: RawRequest) -> Result<Option<Json>, HandlerError> {
            Ok(None)
        }
    }

    #[tokio::test]
    async fn each_type_has_one_handler() {
        let check = |kinds: &[&'static str], expected: Result<(), HandlersError>| {
            let list: Vec<Arc<dyn RequestHandler>> =
                kinds.iter().map(|&kind| Arc::new(Named(kind)) as Arc<dyn RequestHandler>).collect();
            let made = Handlers::new(&list, 1, Duration::ZERO, Handle::current());
            assert_eq!(made.map(drop), expected, "{kinds:?}");
        };
        check(&[], Ok(()));
        check(&["a", "b", "A"], Ok(()));
        check(&["a", "b", "a"], Err(HandlersError::Duplicate("a".to_owned())));
        for kind in BUILT_IN {
            check(&[kind], Err(HandlersError::BuiltIn(kind.to_owned())));
        }
    }
}
