use std::{
    fmt::Write,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use deadpool_redis::redis::{RedisError, cmd};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};

use super::{
    address::Address,
    dialer::Dialer,
    disconnected::Disconnected,
    opener::{Identity, Opener, Role, told},
    push_reader::{Push, PushReader},
    request::write_command,
    url::{Credentials, Service},
};

/// Knows some sentinels, and asks them who the master of a service is.
#[derive(Debug)]
pub(super) struct Sentinels {
    addresses: Vec<Address>,
    service: String,
    credentials: Option<Credentials>,
    dialer: Dialer,
    /// The sentinel to ask first: the last that answered, or the one after the last that did not, or the one that told of
    /// another master.
    first: AtomicUsize,
}

impl Sentinels {
    pub(super) fn new(service: &Service, dialer: Dialer) -> Self {
        Self {
            addresses: service.sentinels.clone(),
            service: service.name.clone(),
            credentials: service.credentials.clone(),
            dialer,
            first: AtomicUsize::new(0),
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.addresses.len()
    }

    /// The master, as the first sentinel says that answers; or why none does.
    ///
    /// A sentinel that does not answer is asked last the next time, so that one is found even if whoever waits gives up
    /// before all have been tried.
    pub(super) async fn master(&self) -> Result<Address, String> {
        let first = self.first.load(Ordering::Relaxed);
        let mut reasons = format!("no sentinel knows the master of {}: ", self.service);
        for number in (0..self.len()).map(|step| (first + step) % self.len()) {
            let sentinel = &self.addresses[number];
            self.first.store((number + 1) % self.len(), Ordering::Relaxed);
            let patience = self.dialer.patience();
            let reason = match timeout(patience, self.ask(sentinel)).await {
                Ok(Ok(Some((host, port)))) => {
                    self.first.store(number, Ordering::Relaxed);
                    return Ok(Address::Tcp { host, port });
                }
                Ok(Ok(None)) => format!("{sentinel} does not know it"),
                Ok(Err(error)) => told(sentinel, &error),
                Err(_elapsed) => format!("{sentinel} did not answer within {patience:?}"),
            };
            let comma = if number == first { "" } else { ", " };
            write!(reasons, "{comma}{reason}").expect("writing to a string cannot fail");
        }
        Err(reasons)
    }

    /// Waits until the sentinel of this number tells that another master has been made, and makes it the one to ask. Sentinels
    /// learn that from each other within seconds, and the old master may go on until then: whoever hears of it first is
    /// the one to listen to.
    pub(super) async fn news(&self, number: usize) -> Result<(), Disconnected> {
        let patience = self.dialer.patience();
        let mut stream = self.dialer.dial(&self.addresses[number]).await?;
        let mut out = Vec::new();
        if let Some(Credentials { user, password }) = &self.credentials {
            let parts = ["AUTH"].into_iter().chain(user.as_deref()).chain([password.as_str()]);
            write_command(&mut out, &parts.map(str::as_bytes).collect::<Vec<_>>());
        }
        write_command(&mut out, &[b"SUBSCRIBE", SWITCH]);
        let mut pushes = PushReader::new(LONGEST_NEWS);
        // A sentinel that is silent is asked whether it is still there.
        let mut awaited = true;
        loop {
            stream.write_all(&out).await.map_err(Disconnected::Io)?;
            stream.flush().await.map_err(Disconnected::Io)?;
            out.clear();
            match timeout(if awaited { patience } else { QUIET }, stream.read_buf(pushes.buffer())).await {
                Err(_elapsed) if awaited => return Err(Disconnected::Silent(patience)),
                Err(_elapsed) => {
                    awaited = true;
                    write_command(&mut out, &[b"PING"]);
                    continue;
                }
                Ok(Ok(0)) => return Err(Disconnected::Closed),
                Ok(read) => drop(read.map_err(Disconnected::Io)?),
            }
            awaited = false;
            while let Some(push) = pushes.next()? {
                match push {
                    Push::Message { payload, .. } if self.concerns(payload) => {
                        self.first.store(number, Ordering::Relaxed);
                        return Ok(());
                    }
                    Push::Error(reason) => {
                        let reason = String::from_utf8_lossy(reason).into_owned();
                        return Err(Disconnected::Refused { command: "SUBSCRIBE", reason });
                    }
                    _ => {}
                }
            }
        }
    }

    /// Whether these news, which begin with the name of a service, are of ours.
    fn concerns(&self, news: &[u8]) -> bool {
        news.strip_prefix(self.service.as_bytes()).is_some_and(|rest| rest.first() == Some(&b' '))
    }

    async fn ask(&self, sentinel: &Address) -> Result<Option<(String, u16)>, RedisError> {
        let opener = Opener::new(
            self.dialer.clone(),
            sentinel.clone(),
            Identity::new(self.credentials.as_ref(), 0),
            Role::Any,
            self.dialer.patience(),
        );
        let mut question = cmd("SENTINEL");
        question.arg("get-master-addr-by-name").arg(&self.service);
        opener.open().await?.query(&question).await
    }
}

/// The channel on which sentinels tell of a new master: `service old-host old-port host port`.
const SWITCH: &[u8] = b"+switch-master";
/// Names and addresses.
const LONGEST_NEWS: usize = 4096;
/// For how long a sentinel may be silent before it is asked whether it is there.
const QUIET: Duration = Duration::from_secs(5);
