"""A WebSocket client that keeps no rules, but holds its server to them (RFC 6455). It shares no code with anybody."""

import base64
import contextlib
import hashlib
import os
import socket
import struct

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
#: Seconds until something that has to come is given up.
PATIENCE = 60
#: §1.3
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Unexpected(Exception):
    """The server has done something else than it should."""


class Client:
    """A connection, open when it is made."""

    def __init__(self, address, path="/pipeline", extensions=None):
        self.socket = socket.create_connection(address, PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._read = b""
        self.extensions = self._shake_hands(address, path, extensions)

    def _shake_hands(self, address, path, extensions):
        key = base64.b64encode(os.urandom(16))
        fields = [f"GET {path} HTTP/1.1", f"Host: {address[0]}:{address[1]}", "Connection: Upgrade", "Upgrade: websocket"]
        fields += ["Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key.decode()}"]
        fields += [f"Sec-WebSocket-Extensions: {extensions}"] if extensions else []
        self.socket.sendall("\r\n".join([*fields, "", ""]).encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self._take(1)
        status, *lines = head.decode().strip().split("\r\n")
        answer = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        accept = base64.b64encode(hashlib.sha1(key + GUID).digest()).decode()
        equal(status.split()[1], "101", "the status of the handshake")
        equal(answer.get("sec-websocket-accept"), accept, "Sec-WebSocket-Accept")
        return answer.get("sec-websocket-extensions")

    def frame(self, opcode, payload=b"", fin=True, reserved=0, chop=None, masked=True):
        """Sends a frame, in pieces of `chop` bytes if that is given."""
        self.raw(frame(opcode, payload, fin, reserved, masked), chop)

    def raw(self, data, chop=None):
        """Sends bytes. A server that has closed meanwhile, as it should, takes no more of them."""
        with contextlib.suppress(ConnectionError):
            for start in range(0, len(data), chop or len(data) or 1):
                self.socket.sendall(data[start : start + chop] if chop else data)

    def message(self, opcode, payload, reserved=0):
        """Expects one message in a frame of its own."""
        expected = opcode, payload, reserved
        got = self.next()
        if got != expected:
            raise Unexpected(f"got {shown(got)} instead of {shown(expected)}")

    def closed(self, *codes):
        """Expects a closing frame with one of these codes, and then the end of the connection (§7.1.1)."""
        got = self.next()
        opcode, payload, _ = got
        if opcode != CLOSE:
            raise Unexpected(f"got {shown(got)} instead of the end with {codes}")
        code = struct.unpack(">H", payload[:2])[0] if payload else None
        if code not in codes:
            raise Unexpected(f"closed with {code}: {payload[2:].decode()!r} instead of {codes}")
        # A server closes first (§7.1.1); what it says of the reason is text.
        payload[2:].decode()
        self.over()

    def over(self):
        """Expects that nothing comes any more."""
        with contextlib.suppress(ConnectionResetError):
            rest = self._read or self.socket.recv(64)
            if rest:
                raise Unexpected(f"{rest!r} came behind the end")
        self.socket.close()

    def alive(self):
        """Expects that the connection is open, that all that was sent has been taken, and nothing is on its way."""
        token = os.urandom(8)
        self.frame(PING, token)
        self.message(PONG, token)

    def finish(self):
        """Closes in order (§7.1.2)."""
        self.alive()
        self.frame(CLOSE, struct.pack(">H", 1000))
        self.closed(1000)

    def next(self):
        """The next frame: its opcode, payload and reserved bits. Held to what a server may send (§5.1 to §5.5)."""
        first, second = self._take(2)
        fin, reserved, opcode = first & 0x80, first & 0x70, first & 0x0F
        if not fin or second & 0x80 or opcode not in (TEXT, BINARY, CLOSE, PING, PONG):
            raise Unexpected(f"a frame begins with {first:#04x} {second:#04x}")
        length = second
        if second == 126:
            (length,) = struct.unpack(">H", self._take(2))
        elif second == 127:
            (length,) = struct.unpack(">Q", self._take(8))
        if (second == 126 and length < 126) or (second == 127 and length < 65536):
            raise Unexpected(f"{length} bytes are announced in a longer form than they need")
        if opcode >= CLOSE and length > 125:
            raise Unexpected(f"a control frame has {length} bytes")
        return opcode, self._take(length), reserved

    def _take(self, length):
        while len(self._read) < length:
            try:
                more = self.socket.recv(65536)
            except TimeoutError:
                raise Unexpected(f"nothing comes; the last that did is {self._read!r}") from None
            if not more:
                raise Unexpected(f"the connection ended without a closing frame, behind {self._read!r}")
            self._read += more
        taken, self._read = self._read[:length], self._read[length:]
        return taken


def frame(opcode, payload=b"", fin=True, reserved=0, masked=True, length=None):
    """A client's frame; `length` is what it claims to be long, if that is not what it is."""
    length = len(payload) if length is None else length
    head = bytes([(0x80 if fin else 0) | reserved << 4 | opcode])
    mark = 0x80 if masked else 0
    if length < 126:
        head += bytes([mark | length])
    elif length < 65536:
        head += bytes([mark | 126]) + struct.pack(">H", length)
    else:
        head += bytes([mark | 127]) + struct.pack(">Q", length)
    if not masked:
        return head + payload
    mask = os.urandom(4)
    # As numbers: a loop over the bytes takes seconds for a long payload.
    key = int.from_bytes((mask * (len(payload) // 4 + 1))[: len(payload)], "big")
    return head + mask + (int.from_bytes(payload, "big") ^ key).to_bytes(len(payload), "big")


def equal(got, expected, what):
    if got != expected:
        raise Unexpected(f"{what} is {got!r} instead of {expected!r}")


def shown(got):
    opcode, payload, reserved = got
    return f"opcode {opcode:#x}, reserved {reserved:#x}, {len(payload)} bytes {payload[:60]!r}"
