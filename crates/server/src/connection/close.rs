use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode as Code;

/// Why the server ends a connection, as clients are told (RFC 6455 §7.4).
///
/// 3000–3499 mean "connect again", 3500–3999 "do not".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CloseCode {
    /// 1000: the client has asked for it.
    Asked,
    /// 1002: what the client sent is no WebSocket.
    ProtocolError,
    /// 1007: a text frame is not UTF-8.
    InvalidText,
    /// 1009: a message is larger than the bound.
    TooLarge,
    /// 1012: the server stops or restarts; connect again.
    Restart,
    /// 3008: the client does not read as fast as messages come.
    SlowConsumer,
    /// 3009: no sign of life after a ping.
    Silent,
    /// 3010: the time of the client's token is over; connect again with another.
    Expired,
    /// 3010: the client's token is not accepted any more, because keys or settings have changed; connect again with another.
    Revoked,
    /// 3500: the web page, or the channel that the address names, is not allowed any more, because settings have changed.
    Forbidden,
}

impl CloseCode {
    /// All of them.
    pub(crate) const ALL: [Self; 10] = [
        Self::Asked,
        Self::ProtocolError,
        Self::InvalidText,
        Self::TooLarge,
        Self::Restart,
        Self::SlowConsumer,
        Self::Silent,
        Self::Expired,
        Self::Revoked,
        Self::Forbidden,
    ];

    /// The stable name under which it is counted.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::ProtocolError => "protocol_error",
            Self::InvalidText => "invalid_text",
            Self::TooLarge => "too_large",
            Self::Restart => "restart",
            Self::SlowConsumer => "slow_consumer",
            Self::Silent => "silent",
            Self::Expired => "token_expired",
            Self::Revoked => "token_revoked",
            Self::Forbidden => "forbidden",
        }
    }

    /// The number on the wire.
    pub const fn code(self) -> u16 {
        match self {
            Self::Asked => 1000,
            Self::ProtocolError => 1002,
            Self::InvalidText => 1007,
            Self::TooLarge => 1009,
            Self::Restart => 1012,
            Self::SlowConsumer => 3008,
            Self::Silent => 3009,
            Self::Expired | Self::Revoked => 3010,
            Self::Forbidden => 3500,
        }
    }

    /// The text that goes with it.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Asked => "closed as asked",
            Self::ProtocolError => "protocol error",
            Self::InvalidText => "text is not UTF-8",
            Self::TooLarge => "message too large",
            Self::Restart => "server restarts",
            Self::SlowConsumer => "slow consumer",
            Self::Silent => "no answer to ping",
            Self::Expired => "token expired",
            Self::Revoked => "token no longer accepted",
            Self::Forbidden => "no longer allowed",
        }
    }
}

impl From<CloseCode> for Code {
    fn from(code: CloseCode) -> Self {
        Self::from(code.code())
    }
}
