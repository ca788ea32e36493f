use std::{
    fmt,
    sync::{Arc, Weak},
};

use parking_lot::Mutex;

use crate::{ClientTls, Prepared, ReloadError, Settings, StoreSettings, TlsError, node::Node};

/// Has a running server follow its settings when they are read again, as far as it can: in who may do what, in how many are let in and
/// how much each may, in whom proxies speak for, and in how Redis is spoken to.
pub(crate) struct Renewal {
    /// Whoever could have it read again may outlive it.
    node: Weak<Node>,
    /// How Redis is spoken to, if that is behind TLS.
    redis: Option<ClientTls>,
    source: Mutex<Option<Arc<Source>>>,
}

/// Settings, and what else is to be taken up with them.
type Source = dyn Fn() -> Result<(Settings, Prepared), ReloadError> + Send + Sync;

impl Renewal {
    pub(crate) fn new(node: &Arc<Node>, redis: Option<ClientTls>) -> Self {
        Self { node: Arc::downgrade(node), redis, source: Mutex::default() }
    }

    /// Where settings are read again. Until it is known, they stay, but what they name is read again.
    pub(crate) fn read_from(
        &self,
        source: impl Fn() -> Result<(Settings, Prepared), ReloadError> + Send + Sync + 'static,
    ) {
        *self.source.lock() = Some(Arc::new(source));
    }

    /// Reads what is to hold.
    pub(crate) fn prepare(&self) -> Result<Prepared, ReloadError> {
        let node = self.node.upgrade().ok_or("the server has ended")?;
        let source = self.source.lock().clone();
        let (settings, more) = match source {
            Some(read) => read()?,
            None => (Settings::clone(&node.settings), Prepared::nothing()),
        };
        let terms = node.access.prepare(&settings)?;
        let redis = match (&self.redis, &settings.store) {
            (Some(current), StoreSettings::Redis(wanted)) => Some((current.clone(), wanted.tls()?)),
            _ => None,
        };
        Ok(Prepared::new(move || {
            // Before the terms: who is judged by those looks at its rate again.
            node.follow(&settings.limits);
            node.access.replace(terms);
            node.door.believe(settings.trusted_proxies);
            if let Some((current, Some(wanted))) = redis {
                current.become_as(&wanted);
            }
            node.settings.filters.refresh();
            more.take_up();
        }))
    }
}

impl fmt::Debug for Renewal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Renewal").finish_non_exhaustive()
    }
}

/// How Redis is spoken to at the start, if that is behind TLS: noted in the settings, so that it can be replaced later.
pub(crate) fn note_tls(settings: &mut Settings) -> Result<Option<ClientTls>, TlsError> {
    let StoreSettings::Redis(redis) = &mut settings.store else { return Ok(None) };
    redis.tls = redis.tls()?;
    Ok(redis.tls.clone())
}
