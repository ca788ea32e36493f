use geocast_protocol::{
    ChangeFormat, Channel, Word,
    text::{Bbox, Command},
};

use super::CommandLineBox;
use crate::arguments::{Look, SubArguments};

/// What is sent first by `sub`.
pub(super) fn subscription(arguments: &SubArguments) -> Vec<Command> {
    let mut commands = look(&arguments.look);
    commands.extend(arguments.buffer.map(super::Buffer::command));
    let track = arguments.track.then_some(ChangeFormat::Changes);
    let subscribe = |channel: &Channel| Command::Subscribe { channel: channel.clone(), track, since: None };
    commands.extend(arguments.channels.iter().map(subscribe));
    commands
}

/// What is sent by `get`. Answers come in the order of the questions, so a second question whose answer is always a
/// single one marks the end of the first.
pub(super) fn question(arguments: &Look, channel: &Channel, key: Option<&Word>) -> Vec<Command> {
    let mut commands = look(arguments);
    commands.push(Command::Get {
        channel: channel.clone(),
        key: key.cloned(),
        client_reference: Some(QUESTION.parse().expect("a plain word")),
    });
    commands.push(mark(channel));
    commands
}

/// A question whose answer is always a single one.
pub(super) fn mark(channel: &Channel) -> Command {
    let end: Word = END.parse().expect("a plain word");
    Command::Get { channel: channel.clone(), key: Some(end.clone()), client_reference: Some(end) }
}

/// The box says itself which system it is meant in, so that it does not matter which one the output is in.
fn look(look: &Look) -> Vec<Command> {
    let projection = look.projection.map(Command::Projection);
    // What is wished of features comes with a box, if only with one around everything.
    let is_plain = look.fields.is_empty()
        && look.precision.is_none()
        && look.zoom.is_none()
        && look.tolerance.is_none()
        && look.min_move.is_none();
    let bbox = look.bbox.or_else(|| (!is_plain).then(CommandLineBox::world)).map(|bbox| {
        Command::Bbox(Some(Bbox {
            zoom: look.zoom,
            fields: look.fields.clone(),
            precision: look.precision,
            tolerance: look.tolerance,
            min_move: look.min_move,
            ..bbox.viewport(look.bbox_crs)
        }))
    });
    projection.into_iter().chain(bbox).collect()
}

/// What the answers to the question carry.
pub(super) const QUESTION: &str = "geocast-get";
/// What the answer to the mark carries.
pub(super) const END: &str = "geocast-end";

#[cfg(test)]
mod tests {
    use crate::arguments::{Command, Invocation};

    fn check(line: &str, expected: &[&str]) {
        let line = ["geocast"].into_iter().chain(line.split(' ')).map(Into::into);
        let commands = match Invocation::read(line).unwrap().command {
            Command::Sub(arguments) => super::subscription(&arguments),
            Command::Get(arguments) => {
                super::question(&arguments.look, &arguments.channel, arguments.key.as_ref())
            }
            other => panic!("{other:?}"),
        };
        let commands: Vec<_> = commands.iter().map(ToString::to_string).collect();
        assert_eq!(commands, expected);
    }

    #[test]
    fn what_is_typed_becomes_commands() {
        check("sub a b", &["SUB a", "SUB b"]);
        check(
            "sub a --bbox -1,2,3,4 --projection EPSG:3857 --buffer 1s,5",
            &["PROJECTION EPSG:3857", "BBOX -1 2 3 4 crs=EPSG:4326", "BUFFER 1000 5", "SUB a"],
        );
        check("sub a b --track --explain", &["SUB a track", "SUB b track"]);
        check(
            "sub a --bbox 1,2,3,4 --fields line,name --precision 5 --zoom 12 --tolerance 1 --min-move 2 --track",
            &[
                "BBOX 1 2 3 4 12 crs=EPSG:4326 fields=line,name precision=5 tolerance=1 min_move=2",
                "SUB a track",
            ],
        );
        check(
            "sub a --fields line --precision 5",
            &["BBOX -180 -90 180 90 crs=EPSG:4326 fields=line precision=5", "SUB a"],
        );
        check("sub a --zoom 7", &["BBOX -180 -90 180 90 7 crs=EPSG:4326", "SUB a"]);
        check("sub a --bbox 1,2,3,4 --bbox-crs epsg:2056", &["BBOX 1 2 3 4 crs=EPSG:2056", "SUB a"]);
        check("get a", &["GET a client_ref=geocast-get", "GET a geocast-end client_ref=geocast-end"]);
        check("get a k", &["GET a k client_ref=geocast-get", "GET a geocast-end client_ref=geocast-end"]);
    }
}
