use std::{
    io,
    net::{SocketAddr, TcpListener},
};

use anyhow::{Context, anyhow, bail};
use tokio::net::TcpSocket;

/// What may be used by others as well.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reuse {
    /// The port, although connections of an old server linger on it.
    pub(crate) address: bool,
    /// The port, together with servers that listen on it at the same time.
    pub(crate) port: bool,
}

/// Listens on the first address of a host that allows it. The option that says where is named where it does not.
pub(super) async fn bind(option: &str, host: &str, port: u16, reuse: Reuse) -> anyhow::Result<TcpListener> {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let addresses = tokio::net::lookup_host((bare, port));
    let addresses = addresses.await.with_context(|| {
        format!(
            "`{host}` is no address of this machine; try --host 127.0.0.1, or --host 0.0.0.0 for all networks"
        )
    })?;
    let mut last = None;
    for address in addresses {
        match listen(address, reuse) {
            Ok(listener) => return Ok(listener),
            Err(error) => last = Some((address, error)),
        }
    }
    let Some((address, error)) = last else { bail!("`{host}` has no address") };
    Err(explain(option, address, error))
}

fn listen(address: SocketAddr, reuse: Reuse) -> io::Result<TcpListener> {
    let socket = if address.is_ipv6() { TcpSocket::new_v6()? } else { TcpSocket::new_v4()? };
    socket.set_reuseaddr(reuse.address)?;
    socket.set_reuseport(reuse.port)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}

fn explain(option: &str, address: SocketAddr, error: io::Error) -> anyhow::Error {
    let port = address.port();
    match error.kind() {
        io::ErrorKind::AddrInUse => anyhow!(
            "port {port} is in use on {ip}; choose another one with {option} {next}, or any that is free with {option} 0",
            ip = address.ip(),
            next = port.checked_add(1).unwrap_or(8765),
        ),
        io::ErrorKind::PermissionDenied => {
            anyhow!(
                "port {port} needs more rights than this user has; choose one above 1023, such as {option} 8765"
            )
        }
        io::ErrorKind::AddrNotAvailable => anyhow!(
            "{ip} is no address of this machine; try --host 127.0.0.1, or --host 0.0.0.0 for all networks",
            ip = address.ip(),
        ),
        _ => anyhow::Error::new(error).context(format!("cannot listen on {address}")),
    }
}

/// Connections that may wait to be accepted: as many as Linux allows by default, so that all clients can come back at
/// once after a restart.
const BACKLOG: u32 = 4096;
