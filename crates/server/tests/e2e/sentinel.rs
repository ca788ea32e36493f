//! What a test publishes last, so that it can tell what came before it from what did not come.

use bytes::Bytes;
use geocast_server::Count;
use serde_json::Value;

use crate::{client::Client, server::TestServer, waiting::until};

impl TestServer {
    /// Everything that reaches a subscriber of `channel` before a message published now.
    pub(crate) async fn received(&self, client: &mut Client, channel: &str) -> Vec<Value> {
        self.publish(channel, SENTINEL).await;
        client.until("sentinel").await
    }

    /// The contents of everything that publishing these brings to a subscriber of `channel`.
    pub(crate) async fn brings<P: Into<Bytes>>(
        &self,
        client: &mut Client,
        channel: &str,
        payloads: impl IntoIterator<Item = P>,
    ) -> Vec<Value> {
        for payload in payloads {
            self.publish(channel, payload).await;
        }
        self.received(client, channel)
            .await
            .into_iter()
            .map(|mut envelope| envelope["content"].take())
            .collect()
    }

    /// Waits until something was counted that often, or more often.
    pub(crate) async fn counted_at_least(&self, count: Count, times: u64) {
        until(format!("{} to be {times}", count.name()), async || match self.count(count) {
            less if less < times => Err(less),
            _ => Ok(()),
        })
        .await;
    }

    /// Waits until something was counted that often.
    pub(crate) async fn counted(&self, count: Count, times: u64) {
        self.counted_at_least(count, times).await;
        assert_eq!(self.count(count), times, "{}", count.name());
    }
}

/// Not GeoJSON, so that no viewport keeps it.
const SENTINEL: &str = "\"sentinel\"";
