use std::collections::BTreeMap;

use geocast_protocol::Channel;

use super::Connection;
use crate::{
    clock,
    dialect::{Answer, AnyDialect},
    session::{ChannelAccount, Report, Sent},
    worker::Topic,
};

impl Connection {
    /// Says what is believed about the client.
    pub(super) fn report(&mut self, reference: &str, dialect: &AnyDialect) {
        let channels: Vec<Channel> =
            self.session.subscriptions().map(|(channel, _)| channel.clone()).collect();
        let (accounts, sent) = (self.accounts(), self.sent());
        let mut withheld: BTreeMap<&'static str, u64> = BTreeMap::new();
        let of_channels = accounts.iter().flat_map(|account| account.withheld.iter().copied());
        for (reason, number) in of_channels.chain([("replaced", sent.replaced), ("slow", sent.slow)]) {
            *withheld.entry(reason).or_default() += number;
        }
        let withheld: Vec<(&str, u64)> = withheld.into_iter().filter(|(_, number)| *number > 0).collect();
        let view = self.session.view();
        let report = Report { channels: &channels, view, withheld: &withheld, accounts: &accounts, sent };
        let answer = dialect.answer(Answer::Report { reference, report: &report }, clock::timestamp());
        answer.into_iter().for_each(|payload| self.say(payload));
    }

    fn accounts(&self) -> Vec<ChannelAccount> {
        let account = |channel: &Channel, is_tracked| {
            let topic = if is_tracked { Topic::state(channel) } else { Topic::messages(channel) };
            let account = self.worker.account_of(self.id, &topic)?;
            Some(ChannelAccount {
                channel: channel.clone(),
                is_tracked,
                events: account.events,
                granted: account.granted,
                withheld: account.withheld.iter().map(|(reason, number)| (reason.name(), *number)).collect(),
            })
        };
        let subscriptions = self.session.subscriptions();
        subscriptions
            .filter_map(|(channel, subscription)| account(channel, subscription.track.is_some()))
            .collect()
    }

    fn sent(&self) -> Sent {
        let (tally, waiting) = self.worker.sent(self.id).unwrap_or_default();
        Sent {
            granted: tally.total() + waiting,
            delivered: tally.left,
            waiting,
            replaced: tally.replaced,
            slow: tally.dropped,
        }
    }
}
