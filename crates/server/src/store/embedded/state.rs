use std::collections::BTreeMap;

use bytes::Bytes;
use geocast_protocol::Channel;
use rustc_hash::FxHashMap;

use crate::StoreError;

/// The state of all channels, bounded in bytes.
#[derive(Debug, Default)]
pub(super) struct State {
    channels: FxHashMap<Channel, BTreeMap<Box<str>, Bytes>>,
    bytes: usize,
}

impl State {
    /// Bytes of all values and keys.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many keys there are.
    pub(super) fn keys(&self) -> usize {
        self.channels.values().map(BTreeMap::len).sum()
    }

    pub(super) fn value(&self, channel: &Channel, key: &str) -> Option<&Bytes> {
        self.channels.get(channel)?.get(key)
    }

    /// The keys of a channel with their values.
    pub(super) fn entries(&self, channel: &Channel) -> impl Iterator<Item = (&Box<str>, &Bytes)> {
        self.channels.get(channel).into_iter().flatten()
    }

    /// The channels that have state.
    pub(super) fn channels(&self) -> impl Iterator<Item = &Channel> {
        self.channels.keys()
    }

    /// Sets a key, if all have at most `limit` bytes then.
    pub(super) fn set(
        &mut self,
        channel: &Channel,
        key: &str,
        value: Bytes,
        limit: usize,
    ) -> Result<(), StoreError> {
        let freed = self.value(channel, key).map_or(0, |old| size(key, old));
        let bytes = self.bytes - freed + size(key, &value);
        if bytes > limit {
            return Err(StoreError::Full(format!(
                "{bytes} bytes of state are more than the allowed {limit}"
            )));
        }
        self.bytes = bytes;
        self.channels.entry(channel.clone()).or_default().insert(key.into(), value);
        Ok(())
    }

    /// Whether there was such a key.
    pub(super) fn remove(&mut self, channel: &Channel, key: &str) -> bool {
        let Some(values) = self.channels.get_mut(channel) else { return false };
        let Some(old) = values.remove(key) else { return false };
        self.bytes -= size(key, &old);
        if values.is_empty() {
            self.channels.remove(channel);
        }
        true
    }
}

/// What an entry counts against the bound, with its place in the tree.
fn size(key: &str, value: &Bytes) -> usize {
    key.len() + value.len() + 64
}
