//! Being seen by others.

use geocast_protocol::{Channel, rpc::Present};

use super::Connection;
use crate::{
    clock,
    dialect::{Answer, AnyDialect},
    presence::{self, Roll, Seat},
    session::{Attendee, Muster},
};

/// Where a client is counted.
#[derive(Debug, Default)]
pub(super) struct Seats(Vec<Seat>);

impl Connection {
    /// Has the client counted on a channel. Whatever it was counted as before, it is at no moment not counted.
    pub(super) fn attend(&mut self, channel: &Channel, attendee: Attendee) {
        let Some(presence) = &self.worker.node.presence else { return };
        let Attendee { person, watches } = attendee;
        let seat = presence.join(channel, person, watches);
        self.stand_up(channel);
        if watches {
            self.worker.watch(self.id, channel);
        }
        self.seats.get_or_insert_default().0.push(seat);
    }

    /// Counts the client no more on a channel, if it is.
    pub(super) fn stand_up(&mut self, channel: &Channel) {
        let Some(Seats(seats)) = self.seats.as_deref_mut() else { return };
        let Some(place) = seats.iter().position(|seat| seat.channel() == channel) else { return };
        seats.swap_remove(place);
        if seats.is_empty() {
            self.seats = None;
        }
        self.worker.unwatch(self.id, channel);
    }

    /// Counts the client nowhere any more.
    pub(super) fn depart(&mut self) {
        for seat in self.seats.take().into_iter().flat_map(|seats| seats.0) {
            self.worker.unwatch(self.id, seat.channel());
        }
    }

    /// Whether the client is told who comes to a channel and goes.
    pub(super) fn is_watching(&self, channel: &Channel) -> bool {
        let seats = self.seats.iter().flat_map(|seats| &seats.0);
        seats.filter(|seat| seat.channel() == channel).any(Seat::is_watching)
    }

    /// Says who is on a channel.
    pub(super) fn muster(&mut self, muster: &Muster, dialect: &AnyDialect) {
        let Some(presence) = &self.worker.node.presence else { return };
        let Muster { channel, most, reference } = muster;
        let Roll { clients, entries, is_truncated, is_stale } = presence.roll(channel, *most);
        // All answers of a batch leave half of what may wait for the client to everything else.
        let taken: usize = self.gathered.iter().flatten().map(|payload| payload.bytes.len()).sum();
        let room = self.session.limits().outbox / 2;
        let room = room.saturating_sub(taken) / 4;
        let fitting = presence::fitting(entries.iter().map(|(person, _)| &**person), room);
        let is_truncated = is_truncated || fitting < entries.len();
        let entries: Vec<Present<'_>> = entries[..fitting]
            .iter()
            .map(|(person, connections)| Present { person, connections: *connections })
            .collect();
        let told =
            Answer::Presence { reference, channel, clients, entries: &entries, is_truncated, is_stale };
        let answer = dialect.answer(told, clock::timestamp());
        answer.into_iter().for_each(|payload| self.say(payload));
    }
}
