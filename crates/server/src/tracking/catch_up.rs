use geocast_protocol::{ChangeKind, Channel, LeaveReason};

use super::{
    Behind, Mirror,
    behind::{EXPIRED, OUTDATED},
    mirror::Entry,
};
use crate::{connection::Frame, interest::Sight, rendering};

impl Behind {
    /// Makes the difference between what the subscriber has and what it is to have, as far as so many bytes go, and notes it
    /// as sent. What leaves comes first. True if that was all: then the subscriber is up to date.
    pub(crate) fn catch_up(&mut self, channel: &Channel, mirror: &Mirror, room: usize) -> (Vec<Frame>, bool) {
        let Self { has, sight, .. } = self;
        let mut frames = Vec::new();
        let mut left = room;
        let mut send = |frame: Frame| {
            left = left.saturating_sub(frame.bytes().len());
            frames.push(frame);
            left > 0
        };
        let mut has_room = true;
        has.retain(|key, version| {
            if !has_room {
                return true;
            }
            let reason = reason(mirror.get(key), *version, sight);
            if let Some(reason) = reason {
                has_room = send(rendering::leave(channel, key, reason, sight));
            }
            reason.is_none()
        });
        mirror.visit(sight.bounds(), |entry| {
            let (former, kind) = match has.get_key_value(&entry.key) {
                _ if !has_room => return,
                Some((_, version)) if *version == entry.version => return,
                Some((former, _)) => (Some(former), ChangeKind::Update),
                None => (None, ChangeKind::Enter),
            };
            if sight.shows(&entry.event).is_err() {
                return;
            }
            let (form, told) = (sight.change(kind), (kind, sight.format().unwrap_or_default()));
            if let Ok(frame) = rendering::change(&entry.event, former, told, &form) {
                // The key as it is written now takes the place of the former one.
                has.remove(&entry.key);
                has.insert(entry.key.clone(), entry.version);
                has_room = send(frame);
            }
        });
        (frames, has_room)
    }
}

/// Why a subscriber that has a key in this version is to have it no more, if so.
fn reason(entry: Option<&Entry>, version: u64, sight: &Sight) -> Option<LeaveReason> {
    match entry {
        None if version == EXPIRED => Some(LeaveReason::Expired),
        None => Some(LeaveReason::Deleted),
        Some(entry) if sight.shows(&entry.event).is_ok() => None,
        Some(entry) if entry.version == version || version == OUTDATED => Some(LeaveReason::Viewport),
        Some(_) => Some(LeaveReason::Moved),
    }
}
