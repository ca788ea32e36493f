use super::{
    super::{Admission, Asked, Effect, Fault, FaultKind, Publication, Receipt, Session},
    Conversation,
};
use crate::{Count, Event};

/// What is published.
impl Conversation<'_> {
    /// Publishes something. With a receipt, the client is told when the store has it.
    ///
    /// # Errors
    /// [`FaultKind::AccessDenied`], [`FaultKind::PayloadRefused`].
    pub fn publish(&mut self, publication: Publication, receipt: Option<Receipt>) -> Result<(), Fault> {
        let rules = &self.session.rules;
        let admitted = rules.access.publishes(self.session.asking(), &publication.channel, self.now.wall);
        let admitted = admitted.map_err(|error| {
            let subject = publication.channel.as_str();
            Fault::new(FaultKind::AccessDenied, error.to_string()).of(subject)
        });
        let readable = || {
            Event::check(&publication.payload, &rules.settings.limits.payload())
                .map_err(|error| Fault::new(FaultKind::PayloadRefused, error.to_string()))
        };
        if let Err(fault) = admitted.and_then(|()| readable()) {
            self.count(Count::PublishRefused);
            return Err(fault);
        }
        let asked = self.asked(receipt);
        self.wants(Effect::Publish(publication, asked));
        Ok(())
    }

    /// Sends something to other clients on a channel of the server's own, which nobody has to be allowed.
    pub(crate) fn publish_freely(&mut self, publication: Publication) {
        let asked = Asked { admission: Admission::default(), ..self.asked(None) };
        self.wants(Effect::Publish(publication, asked));
    }

    /// Publishes something for a filter, whatever the settings let the client do. The program's own policy is asked.
    pub(crate) fn publish_for_filter(&mut self, publication: Publication) {
        let Session { rules, client, .. } = &*self.session;
        if let Err(refused) = rules.access.publishes_for_filter(self.session.asking(), &publication.channel) {
            tracing::warn!(event = "filter_publication_dropped", %client, %refused, "what a filter wanted published is dropped");
            return self.count(Count::PublishRefused);
        }
        self.publish_freely(publication);
    }
}
