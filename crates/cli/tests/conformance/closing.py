"""The closing handshake (7)."""

import struct

from cases import case, table
from client import CLOSE, CONTINUATION, PING, PONG, TEXT, frame

HANDSHAKE = "§5.5.1: a closing frame is answered by one, with the same code"


def closing(code, reason=b""):
    return struct.pack(">H", code) + reason


@case("7.1.1", "§1.4: what was said before the end is taken")
def message_then_close(client):
    client.frame(TEXT, b"Hello World!")
    client.message(TEXT, b"Hello World!")
    client.frame(CLOSE, closing(1000))
    client.closed(1000)


@table("7.1.2", "§5.5.1: nothing counts behind a closing frame", [(CLOSE, closing(1000)), (PING, b""), (TEXT, b"Hello")])
def something_behind_the_close(client, more):
    opcode, payload = more
    client.raw(frame(CLOSE, closing(1000)) + frame(opcode, payload))
    client.closed(1000)


@case("7.1.5", "§5.4: a closing frame may come within a message")
def close_within_a_message(client):
    client.frame(TEXT, b"fragment1", fin=False)
    client.raw(frame(CLOSE, closing(1000)) + frame(CONTINUATION, b"fragment2"))
    client.closed(1000)


@case("7.3.1", HANDSHAKE)
def close_without_a_code(client):
    client.frame(CLOSE)
    client.closed(None, 1000)


@case("7.3.2", "§5.5.1: a code has two bytes")
def half_a_code(client):
    client.frame(CLOSE, b"a")
    client.closed(1002)


@table("7.3.3", HANDSHAKE, [b"", b"Hello World!", b"*" * 123])
def close_with_a_reason(client, reason):
    client.frame(CLOSE, closing(1000, reason))
    client.closed(1000)


@case("7.3.6", "§5.5: a control frame has 125 bytes at most")
def long_reason(client):
    client.frame(CLOSE, closing(1000, b"*" * 124))
    client.closed(1002)


@table("7.5", "§5.5.1: a reason is UTF-8", [b"\xff", b"\xce\xba\xe1\xbd\xb9\xed\xa0\x80edited", b"\xce"])
def reason_that_is_no_text(client, reason):
    client.frame(CLOSE, closing(1000, reason))
    # The connection is failed; with which of the two codes that fit is not said.
    client.closed(1002, 1007)


@table("7.7", HANDSHAKE, [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999])
def code_that_may_be_sent(client, code):
    client.frame(CLOSE, closing(code))
    client.closed(code)


@table("7.9", "§7.4: codes that are not to be sent", [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65535])
def code_that_may_not_be_sent(client, code):
    client.frame(CLOSE, closing(code))
    client.closed(1002)


@case("7.14", "§5.5.1: until it is closed, a connection is open")
def open_until_the_close(client):
    client.frame(TEXT, b"fragment1", fin=False)
    client.frame(PING, b"still there?")
    client.message(PONG, b"still there?")
    client.frame(CONTINUATION, b"fragment2")
    client.message(TEXT, b"fragment1fragment2")
    client.finish()
