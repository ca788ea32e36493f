//! What is said when a subscription is over that nobody has ended.

use crate::{Channel, json};

/// The push that says that a group is not delivered any more: an update of the group with `error` in the place of an object,
/// because the browser client takes every other frame for an answer, and throws if it has not asked for one. The id is a
/// number, as that of a [`Push`](super::Push).
///
/// ```
/// use geocast_protocol::rohrpost;
///
/// assert_eq!(
///     rohrpost::ended(7, &"collection-5".parse()?, "ACCESS_DENIED"),
///     br#"{"id":7,"type":"subscription-update","data":{"group":"collection-5","error":"ACCESS_DENIED"}}"#,
/// );
/// # Ok::<(), geocast_protocol::ChannelError>(())
/// ```
#[must_use]
pub fn ended(id: u64, group: &Channel, error: &str) -> Vec<u8> {
    let mut out = format!(r#"{{"id":{id},"type":"subscription-update","data":{{"group":"#).into_bytes();
    json::string(&mut out, group.as_str());
    out.extend_from_slice(br#","error":"#);
    json::string(&mut out, error);
    out.extend_from_slice(b"}}");
    out
}
