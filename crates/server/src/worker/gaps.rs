use geocast_hub::SubscriberId;
use geocast_protocol::Channel;

use super::{Topic, Worker, topic::TopicKind};
use crate::{Count, clock, connection::Frame, dialect::AnyDialect};

impl Worker {
    /// Messages of every channel may have been missed: says so to those who get messages, and reads again what is tracked,
    /// whose subscribers are told what has changed meanwhile.
    pub(super) fn missed(&self) {
        self.holds.borrow_mut().miss(None);
        let topics: Vec<Topic> = self.hub.borrow().channels().cloned().collect();
        for Topic { channel, kind } in topics {
            match kind {
                TopicKind::State => self.read(&channel),
                TopicKind::Messages => self.tell_of_gap(&channel),
                TopicKind::Missed => {}
            }
        }
    }

    /// The same, of these channels alone.
    pub(super) fn missed_on(&self, channels: &[Channel]) {
        self.holds.borrow_mut().miss(Some(channels));
        for channel in channels {
            self.read(channel);
            self.tell_of_gap(channel);
        }
    }

    /// Says to one subscriber that messages of a channel may be missing in front of what comes next.
    pub(crate) fn tell_one_of_gap(&self, id: SubscriberId, channel: &Channel, dialect: &AnyDialect) {
        if let Some(notice) = dialect.gap(channel, clock::timestamp()) {
            self.with_mailbox(id, |mailbox| mailbox.answer(&[Frame::from(&notice)]));
            self.node.count(Count::Gaps);
        }
    }

    fn tell_of_gap(&self, channel: &Channel) {
        let (topic, now) = (Topic::messages(channel), clock::timestamp());
        let members = self.hub.borrow().members(&topic);
        // Made once for each dialect, of which there are few.
        let mut notices: Vec<(AnyDialect, Option<Frame>)> = Vec::new();
        for id in members {
            let dialect = self.hub.borrow().interest(id, &topic).map(|sight| sight.dialect.clone());
            let Some(dialect) = dialect else { continue };
            let place = notices.iter().position(|(known, _)| *known == dialect).unwrap_or_else(|| {
                let notice = dialect.gap(channel, now).as_ref().map(Frame::from);
                notices.push((dialect, notice));
                notices.len() - 1
            });
            if let Some(notice) = &notices[place].1 {
                self.with_mailbox(id, |mailbox| mailbox.answer(std::slice::from_ref(notice)));
                self.node.count(Count::Gaps);
            }
        }
    }
}
