use geocast_protocol::Channel;

use crate::{StoreError, log_limit::LogLimit};

/// Logs that a store has not confirmed a subscription. Any client can bring that about, by asking for channels.
pub(crate) fn log_unconfirmed(channel: &Channel, error: &StoreError) {
    let Some(unlogged) = UNCONFIRMED.admit() else { return };
    match error {
        StoreError::Refused(reason) => {
            tracing::warn!(event = "subscription_refused", %channel, reason, unlogged, "the store refuses a subscription, and nothing is delivered");
        }
        error => {
            tracing::warn!(event = "subscription_pending", %channel, %error, unlogged, "subscription is not in force yet");
        }
    }
}

static UNCONFIRMED: LogLimit = LogLimit::new();
