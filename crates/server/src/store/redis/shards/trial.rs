use tokio::time::timeout;

use super::{Shards, conversation::Conversation, entry::ShardId, placements::Placements};
use crate::store::redis::{
    address::Address, disconnected::Disconnected, push_reader::Push, topology::Topology, wire::Wire,
};

impl Shards {
    /// Whether all masters let us have by now what was given up. Waits for each no longer than for a command.
    pub(super) async fn try_again(&self, topology: &Topology) -> bool {
        for master in topology.masters() {
            match timeout(self.settings.command_timeout, self.listens(master)).await {
                Ok(Ok(true)) => {}
                Ok(Ok(false)) | Err(_) => return false,
                Ok(Err(reason)) => {
                    tracing::debug!(%reason, %master, "shards cannot be heard yet");
                    return false;
                }
            }
        }
        tracing::info!(event = "shards_heard", "what is published with SPUBLISH is heard from here on");
        true
    }

    /// Whether one of them lets a connection of its own listen to its shard.
    async fn listens(&self, master: &Address) -> Result<bool, Disconnected> {
        let Some(probe) = self.probe_channel(master) else { return Ok(false) };
        let mut wire = Wire::open(self.nodes.dialer(), master, self.settings.max_message).await?;
        let credentials = self.settings.url.credentials.as_ref();
        // Nothing is wanted of it but an answer.
        let (id, mut nothing) = (ShardId(0), Placements::default());
        let mut conversation = Conversation::new(id, master.clone(), credentials, Some(probe), &mut wire.out);
        wire.write(self.settings.command_timeout).await?;
        while conversation.probe.is_outstanding() {
            wire.read().await?;
            while let Some(push) = wire.pushes.next()? {
                match push {
                    Push::Message { .. } | Push::TooLong { .. } => {}
                    answer => conversation.answer(answer, &mut nothing)?,
                }
            }
        }
        Ok(conversation.probe_channel().is_some())
    }
}
