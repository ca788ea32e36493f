use anyhow::bail;
use geocast_protocol::Channel;

use super::{
    connection::{Connection, Incoming},
    envelope::Envelope,
    output::{self, Output},
    setup,
    standing::{self, Said},
};
use crate::{arguments::GetArguments, exit::Exit, progress::waiting};

/// `geocast get`: the state of a channel, or one key of it.
pub(crate) async fn get(arguments: GetArguments) -> anyhow::Result<Exit> {
    arguments.look.check()?;
    let mut printed = 0;
    let answer = tokio::time::timeout(arguments.timeout, ask(&arguments, &mut printed)).await;
    match answer {
        Ok(Err(error)) if output::is_closed(&error) => Ok(Exit::Success),
        Ok(Err(error)) => Err(error),
        Ok(Ok(())) if printed > 0 => Ok(Exit::Success),
        Ok(Ok(())) => {
            let GetArguments { channel, key, look, .. } = &arguments;
            let key = key.as_ref().map(|key| format!(" under the key {key}")).unwrap_or_default();
            let place = look.bbox.map(|_| " in this box").unwrap_or_default();
            eprintln!(
                "geocast: the state of {channel} has nothing{key}{place}, or the server does not show it"
            );
            Ok(Exit::Incomplete)
        }
        Err(_) => {
            eprintln!("geocast: no complete answer within {:?}", arguments.timeout);
            Ok(Exit::Incomplete)
        }
    }
}

async fn ask(arguments: &GetArguments, printed: &mut usize) -> anyhow::Result<()> {
    let commands = setup::question(&arguments.look, &arguments.channel, arguments.key.as_ref());
    let commands: Vec<String> = commands.iter().map(ToString::to_string).collect();
    let url = &arguments.server.url;
    let mut connection =
        waiting(&format!("connecting to {url}"), Connection::open(&arguments.server, &commands)).await?;
    let mut output = Output::new(&arguments.look);
    let enough = arguments.count.map_or(usize::MAX, usize::from);
    'answers: loop {
        let incoming = match *printed {
            0 => waiting(&format!("waiting for {url}"), connection.next()).await,
            _ => connection.next().await,
        };
        let frame = match incoming {
            Incoming::Frame(frame) => frame,
            Incoming::Sign => continue,
            Incoming::End { reason, .. } => bail!("the connection ended before the answer: {reason}"),
        };
        for envelope in Envelope::read(&frame)? {
            if let Some(error) = envelope.error() {
                bail!("the server answers: {} ({})", error.message, error.code);
            }
            match envelope.client_reference.as_deref() {
                Some(setup::QUESTION) if envelope.content != "null" => {
                    output.print(&envelope)?;
                    *printed += 1;
                }
                Some(setup::END) => break 'answers,
                _ => {}
            }
            if *printed >= enough {
                break 'answers;
            }
        }
    }
    output.flush()?;
    if *printed == 0 {
        let looking = look_for_refusal(&mut connection, &arguments.channel);
        waiting(&format!("waiting for {url}"), looking).await?;
    }
    connection.close().await;
    Ok(())
}

/// Fails if the channel may not be read: in the text dialect that looks as if it had no state.
async fn look_for_refusal(connection: &mut Connection, channel: &Channel) -> anyhow::Result<()> {
    connection.say(standing::reason(channel)).await?;
    // Answers come in the order of the questions: without a refusal before it, this one is the end.
    connection.say(setup::mark(channel).to_string()).await?;
    loop {
        let frame = match connection.next().await {
            Incoming::Frame(frame) => frame,
            Incoming::Sign => continue,
            Incoming::End { .. } => return Ok(()),
        };
        match standing::read(&frame) {
            Some(Said::Refuses(reason)) => bail!(standing::refusal(&reason)),
            Some(_) => {}
            None => {
                let mut envelopes = Envelope::read(&frame)?.into_iter();
                if envelopes.any(|envelope| envelope.client_reference.as_deref() == Some(setup::END)) {
                    return Ok(());
                }
            }
        }
    }
}
