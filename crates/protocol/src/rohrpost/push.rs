//! What is pushed.

use crate::{
    Channel,
    envelope::Content,
    json::{self, Members, text_of},
};

/// What is pushed to a subscriber of a group: `subscription-update`.
///
/// Content that already is a whole push of this group, with a number as `id`, passes as it is. Content that is the data of
/// one, an object with the members `group`, `type` (one of [`Change`]'s words) and `object`, is the data as it is, whatever
/// else it has. Any other content becomes `object`; also what names another group, or whoever may publish to one channel
/// could speak for all others.
///
/// ```
/// use geocast_protocol::{envelope::Content, rohrpost::{Change, Push}};
///
/// let group = "collection-5".parse()?;
/// let push = |content| Push { id: 7, group: &group, change: Change::Update, content }.to_vec();
/// assert_eq!(
///     push(Content::Json(br#"{"n":1.0}"#)),
///     br#"{"id":7,"type":"subscription-update","data":{"group":"collection-5","type":"update","object":{"n":1.0}}}"#,
/// );
/// let ready = br#"{"group":"collection-5","type":"create","object":{"n":1.0}}"#;
/// assert!(push(Content::Json(ready)).ends_with(br#""data":{"group":"collection-5","type":"create","object":{"n":1.0}}}"#));
/// # Ok::<(), geocast_protocol::ChannelError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Push<'a> {
    /// A number that the client tells pushes apart by; what it counts is for the caller to say.
    pub id: u64,
    /// The channel.
    pub group: &'a Channel,
    /// What happened, for content that does not say so itself.
    pub change: Change,
    /// What was published.
    pub content: Content<'a>,
}

/// What happened to an object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Change {
    /// It is new.
    Create,
    /// It is other than it was; also what is not known.
    #[default]
    Update,
    /// It is no more.
    Delete,
}

impl Change {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

impl Push<'_> {
    /// Appends the push to `out`, as compact JSON without a line end.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.reserve(self.len_hint());
        let ready = ready(self.content, self.group);
        if ready == Some(Ready::Push) {
            return self.content.write(out);
        }
        out.extend_from_slice(br#"{"id":"#);
        out.extend_from_slice(self.id.to_string().as_bytes());
        out.extend_from_slice(br#","type":"subscription-update","data":"#);
        if ready == Some(Ready::Data) {
            self.content.write(out);
        } else {
            out.extend_from_slice(br#"{"group":"#);
            json::string(out, self.group.as_str());
            out.extend_from_slice(br#","type":""#);
            out.extend_from_slice(self.change.as_str().as_bytes());
            out.extend_from_slice(br#"","object":"#);
            self.content.write(out);
            out.push(b'}');
        }
        out.push(b'}');
    }

    /// The push as bytes of its own.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out);
        out
    }

    /// About how many bytes [`Push::write`] appends: more only where strings need escapes.
    #[must_use]
    pub fn len_hint(&self) -> usize {
        OWN_BYTES + self.group.as_str().len() + self.content.len_hint()
    }
}

/// What content already is of a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ready {
    /// All of it.
    Push,
    /// Its data.
    Data,
}

fn ready(content: Content<'_>, group: &Channel) -> Option<Ready> {
    let Content::Json(json) = content else { return None };
    let members: Members<'_> = serde_json::from_slice(json).ok()?;
    if is_data(&members, group) {
        return Some(Ready::Data);
    }
    let has_number = members
        .value("id")
        .is_some_and(|id| id.get().starts_with(|first: char| first == '-' || first.is_ascii_digit()));
    let data: Members<'_> = serde_json::from_str(members.value("data")?.get()).ok()?;
    let is_push = members.value("type").and_then(text_of).as_deref() == Some("subscription-update");
    (has_number && is_push && is_data(&data, group)).then_some(Ready::Push)
}

fn is_data(members: &Members<'_>, group: &Channel) -> bool {
    let text = |name| members.value(name).and_then(text_of);
    let kind = text("type");
    let known = |change: Change| kind.as_deref() == Some(change.as_str());
    [Change::Create, Change::Update, Change::Delete].into_iter().any(known)
        && text("group").as_deref() == Some(group.as_str())
        && members.value("object").is_some()
}

/// What a push has besides its group and its content, with the longest id.
const OWN_BYTES: usize =
    r#"{"id":18446744073709551615,"type":"subscription-update","data":{"group":"","type":"update","object":}}"#
        .len();
