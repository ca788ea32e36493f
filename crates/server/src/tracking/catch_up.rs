use std::{collections::HashSet, rc::Rc};

use geocast_protocol::{ChangeKind, Channel, LeaveReason};

use super::{Behind, Mirror, behind::OUTDATED};
use crate::{
    connection::Frame,
    event::TrackKey,
    interest::{Sight, Withheld},
    rendering,
};

impl Behind {
    /// Makes the difference between what the subscriber has and what it is to have, as far as so many bytes go, and notes it
    /// as sent. What leaves comes first. True if that was all: then the subscriber is up to date.
    pub(crate) fn catch_up(
        &mut self,
        channel: &Channel,
        mirror: &Mirror,
        expired: &HashSet<TrackKey>,
        room: usize,
    ) -> (Vec<Frame>, bool) {
        let Self { has, sight, .. } = self;
        let mut frames = Vec::new();
        let mut left = room;
        let mut send = |frame: Frame| {
            left = left.saturating_sub(frame.bytes().len());
            frames.push(frame);
            left > 0
        };
        let mut has_room = true;
        let (mut gone, mut news) = (Vec::new(), Vec::new());
        for (key, version) in has.iter() {
            if let Some(reason) = reason(key, *version, mirror, expired, sight) {
                has_room = send(rendering::leave(channel, key, reason, sight));
                gone.push(key.clone());
                if !has_room {
                    break;
                }
            }
        }
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
                has_room = send(frame);
                news.push((entry.key.clone(), entry.version));
            }
        });
        // Who is up to date needs no such list any more, and may share this one with many who are not.
        if !has_room {
            let has = Rc::make_mut(has);
            for key in &gone {
                has.remove(key);
            }
            for (key, version) in news {
                // The key as it is written now takes the place of the former one.
                has.remove(&key);
                has.insert(key, version);
            }
        }
        (frames, has_room)
    }
}

/// Why a subscriber that has a key in this version is to have it no more, if so.
fn reason(
    key: &TrackKey,
    version: u64,
    mirror: &Mirror,
    expired: &HashSet<TrackKey>,
    sight: &Sight,
) -> Option<LeaveReason> {
    let Some(entry) = mirror.get(key) else {
        return Some(if expired.contains(key) { LeaveReason::Expired } else { LeaveReason::Deleted });
    };
    match sight.shows(&entry.event).err()? {
        Withheld::Filtered => Some(LeaveReason::Filtered),
        _ if entry.version == version || version == OUTDATED => Some(LeaveReason::Viewport),
        Withheld::Access => Some(LeaveReason::Access),
        _ => Some(LeaveReason::Moved),
    }
}
