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
        let of_channels = accounts.iter().flat_map(|account| account.withheld.iter().copied());
        let withheld = by_name(of_channels.chain([("replaced", sent.replaced), ("slow", sent.slow)]));
        let view = self.session.view();
        let report = Report { channels: &channels, view, withheld: &withheld, accounts: &accounts, sent };
        let answer = dialect.answer(Answer::Report { reference, report: &report }, clock::timestamp());
        answer.into_iter().for_each(|payload| self.say(payload));
    }

    fn accounts(&self) -> Vec<ChannelAccount> {
        let account = |channel: &Channel, is_tracked| {
            let topic = if is_tracked { Topic::state(channel) } else { Topic::messages(channel) };
            let account = self.worker.account_of(self.id, &topic);
            // What was missed is given apart from what comes.
            let missed = self.worker.account_of(self.id, &Topic::missed(channel));
            let accounts = [Some(account.as_ref()?), missed.as_ref()];
            let accounts = || accounts.iter().flatten();
            let withheld = accounts().flat_map(|account| &account.withheld);
            Some(ChannelAccount {
                channel: channel.clone(),
                is_tracked,
                events: accounts().map(|account| account.events).sum(),
                granted: accounts().map(|account| account.granted).sum(),
                withheld: by_name(withheld.map(|(reason, number)| (reason.name(), *number))),
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

/// Numbers by reason, each reason once: several may have one name.
fn by_name(withheld: impl IntoIterator<Item = (&'static str, u64)>) -> Vec<(&'static str, u64)> {
    let mut numbers: BTreeMap<&'static str, u64> = BTreeMap::new();
    for (reason, number) in withheld {
        *numbers.entry(reason).or_default() += number;
    }
    numbers.into_iter().filter(|(_, number)| *number > 0).collect()
}
