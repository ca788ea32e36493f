"""WebSockets and HTTP by hand: small enough for thousands at once, and able to break every rule."""

import asyncio
import base64
import ctypes
import os
import socket as sockets
import struct
from collections import Counter

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
#: No close frame came: the connection was cut, by either side.
CUT = 1006

#: socket(7); a filter that keeps nothing of each segment: `ret #0` (include/uapi/linux/filter.h).
SO_ATTACH_FILTER, DROP_ALL = 26, struct.pack("HBBI", 0x06, 0, 0, 0)

#: How many connections have ended with each code that the other side gave, or without one while this side kept them.
closes = Counter()


class Refused(Exception):
    """A handshake that was answered by something else than 101."""


class Socket(asyncio.Protocol):
    """One WebSocket of a client. Keeps nothing of what it has read but the beginning of the next frame."""

    __slots__ = ("_transport", "_bytes", "_parts", "_opened", "on_text", "code", "reason", "ended", "answers_pings", "received", "left")

    def __init__(self, on_text=None):
        self._transport, self._bytes, self._parts = None, bytearray(), None
        loop = asyncio.get_running_loop()
        self._opened = loop.create_future()
        #: Called with the bytes of each text or binary message.
        self.on_text = on_text
        self.code, self.reason, self.ended = None, "", loop.create_future()
        #: A peer that is half open answers nothing.
        self.answers_pings, self.received = True, 0
        #: Whether this side has ended it.
        self.left = False

    @classmethod
    async def open(cls, address, path="/rpc", on_text=None, headers=(), receive_buffer=None, patience=60):
        """Connects. Raises Refused, OSError, TimeoutError."""
        tcp = sockets.socket()
        if receive_buffer:
            tcp.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, receive_buffer)
        tcp.setblocking(False)
        loop, self = asyncio.get_running_loop(), cls(on_text)
        try:
            async with asyncio.timeout(patience):
                await loop.sock_connect(tcp, split(address))
                await loop.create_connection(lambda: self, sock=tcp)
                self.write(handshake(address, path, headers))
                await self._opened
        except BaseException:
            if self._transport:
                self.abort()
            else:
                tcp.close()
            raise
        return self

    def send(self, text):
        """One text message."""
        self.write(frame(TEXT, text.encode() if isinstance(text, str) else text))

    def write(self, raw):
        """Bytes as they are."""
        if not self._transport.is_closing():
            self._transport.write(raw)

    def waiting(self):
        """Bytes that were written here, and that the kernel has not taken."""
        return self._transport.get_write_buffer_size()

    def pause(self):
        """Reads no more, so that the kernel's buffer fills, and then the server's."""
        self._transport.pause_reading()

    def resume(self):
        if not self._transport.is_closing():
            self._transport.resume_reading()

    def vanish(self):
        """Has the kernel drop all that comes, as if this machine were gone: nothing is acknowledged. That needs no rights."""
        tcp, nothing = self._transport.get_extra_info("socket"), ctypes.create_string_buffer(DROP_ALL)
        tcp.setsockopt(sockets.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HP", 1, ctypes.addressof(nothing)))
        # Nothing is left of it in the kernel when it is ended here.
        tcp.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, struct.pack("ii", 1, 0))

    def abort(self):
        """Ends it without a word."""
        self.left = True
        self._transport.abort()

    @property
    def is_open(self):
        return not self.ended.done() and self.code is None

    def connection_made(self, transport):
        self._transport = transport

    def data_received(self, data):
        self.received += len(data)
        self._bytes += data
        if not self._opened.done():
            end = self._bytes.find(b"\r\n\r\n")
            if end < 0:
                return
            head = bytes(self._bytes[:end])
            if not head.startswith(b"HTTP/1.1 101"):
                self._opened.set_exception(Refused(head.split(b"\r\n")[0].decode()))
                return
            del self._bytes[:end + 4]
            self._opened.set_result(None)
        self._read_frames()

    def connection_lost(self, _):
        if not self._opened.done():
            self._opened.set_exception(Refused("cut"))
        if self.code is None:
            self.code = CUT
            if not self.left:
                closes[CUT] += 1
        if not self.ended.done():
            self.ended.set_result(self.code)

    def _read_frames(self):
        at, data = 0, self._bytes
        while len(data) - at >= 2:
            first, length, head = data[at], data[at + 1] & 0x7f, 2
            if length == 126:
                if len(data) - at < 4:
                    break
                length, head = int.from_bytes(data[at + 2:at + 4]), 4
            elif length == 127:
                if len(data) - at < 10:
                    break
                length, head = int.from_bytes(data[at + 2:at + 10]), 10
            if len(data) - at < head + length:
                break
            payload = bytes(data[at + head:at + head + length])
            at += head + length
            self._take(first & 0x0f, payload)
        del data[:at]

    def _take(self, opcode, payload):
        if opcode in (TEXT, BINARY):
            if self.on_text:
                self.on_text(payload)
        elif opcode == PING:
            if self.answers_pings:
                self.write(frame(PONG, payload))
        elif opcode == CLOSE:
            self.code = int.from_bytes(payload[:2]) if len(payload) >= 2 else 1005
            closes[self.code] += 1
            self.reason = payload[2:].decode(errors="replace")
            self.write(frame(CLOSE, payload[:2]))
            self._transport.close()


def handshake(address, path="/rpc", headers=()):
    """The request of an upgrade."""
    key = base64.b64encode(os.urandom(16)).decode()
    lines = [f"GET {path} HTTP/1.1", f"Host: {address}", "Connection: Upgrade", "Upgrade: websocket",
             "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}", *headers]
    return "\r\n".join([*lines, "", ""]).encode()


def frame(opcode, payload, fin=True, masked=True, rsv=0, length=None):
    """A frame, which may be wrong: `length` is declared instead of the true one."""
    length = len(payload) if length is None else length
    head = bytearray([(0x80 if fin else 0) | rsv << 4 | opcode])
    bit = 0x80 if masked else 0
    if length < 126:
        head.append(bit | length)
    elif length < 1 << 16:
        head += bytes([bit | 126]) + length.to_bytes(2)
    else:
        head += bytes([bit | 127]) + struct.pack(">Q", length)
    # A mask of zeros leaves the payload as it is (RFC 6455 §5.3 asks for a new one each time; no server can tell).
    return bytes(head) + (b"\0\0\0\0" if masked else b"") + payload


class Http:
    """Requests one after the other on a connection, which is made anew when it has broken."""

    def __init__(self, address, headers=(), patience=60):
        self.address, self._headers, self._patience, self._streams = address, headers, patience, None

    async def ask(self, method, path, body=b"", headers=()):
        """The status and the body of the answer. Raises OSError, TimeoutError."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self.address}", f"Content-Length: {len(body)}", *self._headers, *headers]
        request = "\r\n".join([*lines, "", ""]).encode() + body
        try:
            async with asyncio.timeout(self._patience):
                if self._streams is None:
                    self._streams = await asyncio.open_connection(*split(self.address))
                return await self._exchange(request)
        except (OSError, TimeoutError, EOFError, ValueError) as error:
            self.close()
            raise OSError(f"{method} {path}: {error!r}") from error

    async def _exchange(self, request):
        reader, writer = self._streams
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = next((int(line[15:]) for line in head.split("\r\n") if line.startswith("content-length:")), 0)
        body = await reader.readexactly(length)
        if "connection: close" in head:
            self.close()
        return int(head.split()[1]), body

    def close(self):
        if self._streams:
            self._streams[1].close()
        self._streams = None


def split(address):
    host, port = address.rsplit(":", 1)
    return host, int(port)
