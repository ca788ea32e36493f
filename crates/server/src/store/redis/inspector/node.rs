use std::collections::BTreeMap;

use deadpool_redis::redis::{Cmd, FromRedisValue, cmd, pipe};

use super::{
    LackingRight, RedisKind, RedisUse, RedisValue,
    rights::{Need, needs},
};
use crate::store::{
    StoreError,
    redis::{RedisNature, RedisSettings, address::Address, opener::Line, remedy::store_error},
};

/// One Redis, over a connection of its own. Every answer is waited for as long as
/// [`command_timeout`](RedisSettings::command_timeout); every error is a [`StoreError`], which says what Redis said.
#[derive(Debug)]
pub struct RedisNode {
    address: Address,
    line: Line,
    database: u32,
    is_cluster: bool,
}

impl RedisNode {
    pub(super) fn new(address: Address, line: Line, settings: &RedisSettings) -> Self {
        let url = &settings.url;
        Self { address, line, database: url.database, is_cluster: url.is_cluster() }
    }

    /// Its host and port, or the path of its socket.
    #[must_use]
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Its port, and its host without brackets; `None` for a socket.
    #[must_use]
    pub fn host_and_port(&self) -> Option<(&str, u16)> {
        match &self.address {
            Address::Tcp { host, port } => Some((host, *port)),
            Address::Unix(_) => None,
        }
    }

    /// What it says about itself (INFO), by name.
    ///
    /// # Errors
    /// It does not say it, or nothing at all.
    pub async fn info(&mut self) -> Result<BTreeMap<String, String>, StoreError> {
        let text: String = self.query(&cmd("INFO")).await?;
        let lines = text.lines().filter_map(|line| line.split_once(':'));
        Ok(lines.map(|(name, value)| (name.to_owned(), value.trim_end().to_owned())).collect())
    }

    /// What a parameter is set to (CONFIG GET). `None`: it does not know it.
    ///
    /// # Errors
    /// It does not say it, as many that others run do not.
    pub async fn config(&mut self, name: &str) -> Result<Option<String>, StoreError> {
        let answer: Vec<String> = self.query(cmd("CONFIG").arg("GET").arg(name)).await?;
        Ok(answer.into_iter().nth(1))
    }

    /// What it says it is (HELLO); `None` if it does not know that question.
    pub async fn nature(&mut self) -> Option<RedisNature> {
        RedisNature::of(&mut self.line).await
    }

    /// Who we are (ACL WHOAMI).
    ///
    /// # Errors
    /// It does not say it: it is older than Redis 6, or may not.
    pub async fn user(&mut self) -> Result<String, StoreError> {
        self.query(cmd("ACL").arg("WHOAMI")).await
    }

    /// How many keys the database has (DBSIZE).
    ///
    /// # Errors
    /// It does not say it.
    pub async fn size(&mut self) -> Result<u64, StoreError> {
        self.query(&cmd("DBSIZE")).await
    }

    /// Some keys with their types (SCAN, TYPE), and where to go on; at the end, that is 0 again.
    ///
    /// # Errors
    /// It does not say them.
    pub async fn keys(
        &mut self,
        cursor: u64,
        about: usize,
    ) -> Result<(u64, Vec<(Vec<u8>, RedisKind)>), StoreError> {
        let (cursor, keys): (u64, Vec<Vec<u8>>) =
            self.query(cmd("SCAN").arg(cursor).arg("COUNT").arg(about)).await?;
        let types: Vec<String> = self.each(keys.iter().map(|key| of("TYPE", key))).await?;
        let known = keys.into_iter().zip(types);
        Ok((
            cursor,
            known.filter_map(|(key, name)| RedisKind::named(&name).map(|kind| (key, kind))).collect(),
        ))
    }

    /// How many fields a hash has (HLEN), and for how many milliseconds yet (PTTL), if not for ever.
    ///
    /// # Errors
    /// It does not say it.
    pub async fn hash(&mut self, key: &[u8]) -> Result<(u64, Option<u64>), StoreError> {
        let length = self.query(&of("HLEN", key)).await?;
        let left: i64 = self.query(&of("PTTL", key)).await?;
        Ok((length, u64::try_from(left).ok()))
    }

    /// Some fields of a hash (HRANDFIELD, or HSCAN where that is not there), at most so many, with their values (HSTRLEN, HGET)
    /// if these have at most so many bytes.
    ///
    /// # Errors
    /// It does not say them.
    pub async fn fields(
        &mut self,
        key: &[u8],
        most: usize,
        longest: u64,
    ) -> Result<Vec<(Vec<u8>, RedisValue)>, StoreError> {
        let mut fields: Vec<Vec<u8>> = match self.query(of("HRANDFIELD", key).arg(most)).await {
            Ok(fields) => fields,
            Err(_older_or_not_allowed) => {
                let scan = of("HSCAN", key).arg(0).arg("COUNT").arg(most).clone();
                let (_, found): (u64, Vec<Vec<u8>>) = self.query(&scan).await?;
                found.into_iter().step_by(2).take(most).collect()
            }
        };
        fields.sort();
        let mut found = Vec::new();
        for field in fields {
            let length: u64 = self.query(of("HSTRLEN", key).arg(&field)).await?;
            let value = if length > longest {
                RedisValue::Longer(length)
            } else {
                let value: Option<Vec<u8>> = self.query(of("HGET", key).arg(&field)).await?;
                // It may be gone meanwhile.
                let Some(value) = value else { continue };
                RedisValue::Whole(value)
            };
            found.push((field, value));
        }
        Ok(found)
    }

    /// The bytes under a key (STRLEN, GET), if they are at most so many.
    ///
    /// # Errors
    /// It does not say them.
    pub async fn text(&mut self, key: &[u8], longest: u64) -> Result<RedisValue, StoreError> {
        let length: u64 = self.query(&of("STRLEN", key)).await?;
        if length > longest {
            return Ok(RedisValue::Longer(length));
        }
        let value: Option<Vec<u8>> = self.query(&of("GET", key)).await?;
        Ok(RedisValue::Whole(value.unwrap_or_default()))
    }

    /// The channels that anybody is subscribed to here (PUBSUB CHANNELS, in a cluster also PUBSUB SHARDCHANNELS), with the number
    /// of subscribers of the first of them, in the order of their names.
    ///
    /// # Errors
    /// It does not say them.
    pub async fn channels(&mut self, most: usize) -> Result<Vec<(Vec<u8>, Option<u64>)>, StoreError> {
        let mut known = self.heard("CHANNELS", "NUMSUB", most).await?;
        if self.is_cluster {
            // Redis 7 knows them.
            known.extend(self.heard("SHARDCHANNELS", "SHARDNUMSUB", most).await.unwrap_or_default());
        }
        Ok(known)
    }

    /// What the user lacks for this use: each right that is needed is asked for by a command that is queued (MULTI) and never carried
    /// out (DISCARD).
    ///
    /// # Errors
    /// It cannot be asked, as the user may not MULTI.
    pub async fn lacking(&mut self, wanted: &RedisUse) -> Result<Vec<LackingRight>, StoreError> {
        let mut lacking = Vec::new();
        for need in needs(wanted, self.database, self.is_cluster) {
            // One by one: an answer that is lost must not leave the others to be carried out.
            if let Some(refusal) = self.refusal(&need).await? {
                lacking.extend(need.lacking(&refusal));
            }
        }
        Ok(lacking)
    }

    async fn heard(
        &mut self,
        channels: &str,
        numbers: &str,
        most: usize,
    ) -> Result<Vec<(Vec<u8>, Option<u64>)>, StoreError> {
        let mut names: Vec<Vec<u8>> = self.query(cmd("PUBSUB").arg(channels)).await?;
        names.sort();
        let mut question = cmd("PUBSUB");
        question.arg(numbers);
        names.iter().take(most).for_each(|name| {
            question.arg(name);
        });
        let counts: Vec<(Vec<u8>, u64)> = self.query(&question).await?;
        let counts: BTreeMap<_, _> = counts.into_iter().collect();
        let count = |name: &Vec<u8>| counts.get(name).copied();
        Ok(names.into_iter().map(|name| (count(&name), name)).map(|(count, name)| (name, count)).collect())
    }

    /// What Redis says to one that it does not let do this; `None` if it would let.
    async fn refusal(&mut self, need: &Need) -> Result<Option<String>, StoreError> {
        let () = self.query(&cmd("MULTI")).await?;
        let answer = self.line.query::<String>(&need.command()).await;
        if let Err(error) = &answer
            && error.is_timeout()
        {
            return Err(store_error(error));
        }
        // Who may not do that either has nothing queued that could be carried out: the connection ends with this.
        let discarded: Result<(), StoreError> = self.query(&cmd("DISCARD")).await;
        match answer {
            Err(error) if error.code() == Some("NOPERM") => Ok(Some(error.to_string())),
            Ok(_) | Err(_) => discarded.map(|()| None),
        }
    }

    async fn query<T: FromRedisValue>(&mut self, command: &Cmd) -> Result<T, StoreError> {
        self.line.query(command).await.map_err(|error| store_error(&error))
    }

    async fn each<T: FromRedisValue>(
        &mut self,
        commands: impl Iterator<Item = Cmd>,
    ) -> Result<Vec<T>, StoreError> {
        let mut together = pipe();
        commands.for_each(|command| {
            together.add_command(command);
        });
        if together.is_empty() {
            return Ok(Vec::new());
        }
        self.line.query_all(&together).await.map_err(|error| store_error(&error))
    }
}

fn of(verb: &str, key: &[u8]) -> Cmd {
    let mut command = cmd(verb);
    command.arg(key);
    command
}
