use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf, split},
    time::timeout,
};

use super::{
    address::Address,
    dialer::{DialError, Dialer, Stream},
    disconnected::Disconnected,
    push_reader::PushReader,
};

/// The bytes of one subscriber connection: what came and is not dealt with, and what is to be said next.
pub(super) struct Wire {
    reader: ReadHalf<Stream>,
    writer: WriteHalf<Stream>,
    pub(super) pushes: PushReader,
    pub(super) out: Vec<u8>,
}

impl Wire {
    /// Connects. Messages above `max_message` bytes will be skipped.
    pub(super) async fn open(
        dialer: &Dialer,
        address: &Address,
        max_message: usize,
    ) -> Result<Self, DialError> {
        let (reader, writer) = split(dialer.dial(address).await?);
        Ok(Self { reader, writer, pushes: PushReader::new(max_message), out: Vec::new() })
    }

    /// Waits for more. Nothing is lost if this is given up.
    pub(super) async fn read(&mut self) -> Result<(), Disconnected> {
        match self.reader.read_buf(self.pushes.buffer()).await.map_err(Disconnected::Io)? {
            0 => Err(Disconnected::Closed),
            _ => Ok(()),
        }
    }

    /// Sends what is to be said, for `patience` at most.
    pub(super) async fn write(&mut self, patience: Duration) -> Result<(), Disconnected> {
        if self.out.is_empty() {
            return Ok(());
        }
        let write = async {
            self.writer.write_all(&self.out).await?;
            self.writer.flush().await
        };
        let written = timeout(patience, write).await;
        written.map_err(|_elapsed| Disconnected::Stuck(patience))?.map_err(Disconnected::Io)?;
        self.out.clear();
        Ok(())
    }
}
