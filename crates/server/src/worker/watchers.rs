use bytes::Bytes;
use geocast_hub::SubscriberId;
use geocast_protocol::Channel;

use super::Worker;

/// Who is told who comes to a channel and goes.
impl Worker {
    pub(crate) fn watch(&self, id: SubscriberId, channel: &Channel) {
        self.watchers.borrow_mut().entry(channel.clone()).or_default().insert(id);
    }

    pub(crate) fn unwatch(&self, id: SubscriberId, channel: &Channel) {
        let mut watchers = self.watchers.borrow_mut();
        if let Some(ids) = watchers.get_mut(channel) {
            ids.remove(&id);
            if ids.is_empty() {
                watchers.remove(channel);
            }
        }
    }

    /// A reply is never dropped, so whoever follows from the beginning always knows who is there.
    pub(super) fn tell_watchers(&self, channel: &Channel, notification: &Bytes) {
        let watchers = self.watchers.borrow();
        for id in watchers.get(channel).into_iter().flatten() {
            self.with_mailbox(*id, |mailbox| mailbox.send(notification.clone()));
        }
    }
}
