//! What users of this crate's types count on, and what a field that is added could take away unseen.

use std::{error::Error, fmt::Debug, hash::Hash};

use crate::{
    Change, ChangeFormat, ChangeFormatError, ChangeKind, Channel, ChannelError, Crs, CrsError, Info,
    InfoError, Json, JsonError, LeaveReason, Number, NumberError, Offset, OffsetError, Person, PersonError,
    Pixels, PixelsError, Precision, PrecisionError, Since, Word, WordError,
};
use crate::{aiows, envelope, rohrpost, rpc, text};

fn is_value<T: Clone + PartialEq + Send + Sync + Debug>() {}
fn is_name<T: Clone + Eq + Hash + Send + Sync + Debug>() {}
fn is_error<T: Error + Clone + PartialEq + Send + Sync + 'static>() {}

#[test]
fn values_are_what_users_count_on() {
    is_name::<Channel>();
    is_name::<ChangeFormat>();
    is_name::<ChangeKind>();
    is_name::<Crs>();
    is_name::<Info>();
    is_name::<Json>();
    is_name::<LeaveReason>();
    is_name::<Offset>();
    is_name::<Person>();
    is_name::<Precision>();
    is_name::<Word>();
    is_name::<aiows::ChannelNames>();
    is_name::<aiows::JsonEncoding>();
    is_name::<aiows::Package>();
    is_name::<aiows::PackageType>();
    is_name::<rohrpost::Id>();
    is_name::<rpc::Id>();
    is_name::<rpc::Refusal>();
    is_name::<text::Members>();
    is_value::<Number>();
    is_value::<Pixels>();
    is_value::<Since>();
}

#[test]
fn messages_are_what_users_count_on() {
    is_value::<Change<'_>>();
    is_value::<aiows::Broadcast>();
    is_value::<aiows::Reply>();
    is_value::<envelope::Envelope<'_>>();
    is_value::<rohrpost::Push<'_>>();
    is_value::<rohrpost::RawRequest>();
    is_value::<rohrpost::Reply>();
    is_value::<rohrpost::Request>();
    is_value::<rohrpost::Token>();
    is_value::<rpc::Account<'_>>();
    is_value::<rpc::Call>();
    is_value::<rpc::Changed<'_>>();
    is_value::<rpc::Frame>();
    is_value::<rpc::Message<'_>>();
    is_value::<rpc::Outcome<'_>>();
    is_value::<rpc::PresenceChange<'_>>();
    is_value::<rpc::Reply<'_>>();
    is_value::<text::Command>();
}

#[test]
fn errors_are_what_users_count_on() {
    is_error::<ChangeFormatError>();
    is_error::<ChannelError>();
    is_error::<CrsError>();
    is_error::<InfoError>();
    is_error::<JsonError>();
    is_error::<NumberError>();
    is_error::<OffsetError>();
    is_error::<PersonError>();
    is_error::<PixelsError>();
    is_error::<PrecisionError>();
    is_error::<WordError>();
    is_error::<aiows::BroadcastError>();
    is_error::<aiows::PackageError>();
    is_error::<aiows::PackageTypeError>();
    is_error::<rohrpost::Error>();
    is_error::<rpc::Error>();
    is_error::<rpc::IdError>();
    is_error::<rpc::PropertyFilterError>();
    is_error::<text::Error>();
    is_error::<text::ErrorKind>();
    is_error::<text::PropertyError>();
}
