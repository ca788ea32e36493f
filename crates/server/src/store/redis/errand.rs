use std::sync::Arc;

use deadpool_redis::redis::{Cmd, FromRedisValue, Pipeline, RedisError, cmd, pipe};
use geocast_protocol::Channel;

use super::{
    address::Address,
    nodes::{Borrowed, Nodes},
    remedy::{Effect, Remedy, store_error},
    topology::Topology,
};
use crate::store::StoreError;

/// A connection to the one who has a channel, for a few commands about it.
pub(super) struct Errand {
    line: Borrowed,
    /// Whether the node has to be told that it was named by the owner of the slot.
    asking: bool,
}

/// Why an errand failed.
#[derive(Debug)]
pub(super) enum Failed {
    Redis(RedisError),
    Full(String),
}

impl From<RedisError> for Failed {
    fn from(error: RedisError) -> Self {
        Self::Redis(error)
    }
}

impl From<Failed> for StoreError {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Redis(error) => store_error(&error),
            Failed::Full(reason) => Self::Full(reason),
        }
    }
}

impl Errand {
    /// Sends a command, and waits for the answer.
    pub(super) async fn query<T: FromRedisValue>(&mut self, command: &Cmd) -> Result<T, RedisError> {
        if !self.asking {
            return self.line.query(command).await;
        }
        let mut commands = pipe();
        commands.add_command(cmd("ASKING")).ignore().add_command(command.clone());
        self.line.query_all::<(T,)>(&commands).await.map(|(answer,)| answer)
    }

    /// Sends several commands at once, and waits for the answers.
    pub(super) async fn query_all<T: FromRedisValue>(
        &mut self,
        commands: &Pipeline,
    ) -> Result<T, RedisError> {
        self.line.query_all(commands).await
    }
}

/// Runs an errand to the owner of `channel`; and once more if it was not carried out, or is only read and the connection
/// broke. How long both may take together is for the caller to bound.
pub(super) async fn run<T, F>(
    nodes: &Nodes,
    channel: &Channel,
    effect: Effect,
    work: impl Fn(Errand) -> F,
) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, Failed>>,
{
    let topology = nodes.topology().await.map_err(StoreError::Unavailable)?;
    let owner = owner(&topology, channel)?;
    let (remedy, failed) = match attempt(nodes, owner, false, &work).await {
        Ok(done) => return Ok(done),
        Err(failure) => failure,
    };
    let (node, asking) = match remedy {
        Remedy::Ask(node) => (node, true),
        Remedy::Move(node) => {
            // Others are to know as well. Where the slot is now is known even if nobody can be asked.
            let _unknown: Result<_, String> = nodes.look_again(Some(&topology)).await;
            (node, false)
        }
        Remedy::LookAgain => match nodes.look_again(Some(&topology)).await {
            Ok(found) if !Arc::ptr_eq(&found, &topology) => (self::owner(&found, channel)?.clone(), false),
            _ => return Err(failed.into()),
        },
        Remedy::RepeatIfRead if effect == Effect::Reads => match nodes.look_again(Some(&topology)).await {
            Ok(found) => (self::owner(&found, channel)?.clone(), false),
            Err(_nowhere) => return Err(failed.into()),
        },
        Remedy::RepeatIfRead | Remedy::Nothing => return Err(failed.into()),
    };
    attempt(nodes, &node, asking, &work).await.map_err(|(_, failed)| failed.into())
}

fn owner<'a>(topology: &'a Arc<Topology>, channel: &Channel) -> Result<&'a Address, StoreError> {
    let nobody = || StoreError::Unavailable(format!("no node of the cluster has the slot of {channel}"));
    topology.owner(channel).ok_or_else(nobody)
}

async fn attempt<T, F>(
    nodes: &Nodes,
    owner: &Address,
    asking: bool,
    work: impl Fn(Errand) -> F,
) -> Result<T, (Remedy, Failed)>
where
    F: Future<Output = Result<T, Failed>>,
{
    let line = match nodes.borrow(owner).await {
        Ok(line) => line,
        // Nothing was sent yet. Whoever cannot be reached may have been replaced.
        Err(error) => return Err((Remedy::LookAgain, error.into())),
    };
    work(Errand { line, asking }).await.map_err(|failed| match failed {
        Failed::Redis(error) => (Remedy::of(&error, owner), Failed::Redis(error)),
        full @ Failed::Full(_) => (Remedy::Nothing, full),
    })
}
