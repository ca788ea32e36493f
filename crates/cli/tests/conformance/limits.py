"""The largest message (9), which here has 64 KiB, and compressed messages (12 and 13, RFC 7692)."""

import os
import zlib

from cases import case, table
from client import BINARY, CONTINUATION, TEXT, equal, frame

#: What the server is started with. One byte less than a script can take.
LARGEST = 65535
TOO_LARGE = "§7.4.1: what is too large fails the connection with 1009"


@table("9.1", TOO_LARGE, [(TEXT, b"*"), (BINARY, b"\xfe")])
def message_beyond_the_limit(client, kind):
    opcode, byte = kind
    client.frame(opcode, byte * LARGEST)
    client.message(opcode, byte * LARGEST)
    client.frame(opcode, byte * (LARGEST + 1))
    client.closed(1009)


@table("9.2", TOO_LARGE, [LARGEST + 1, 2**31, 2**32, 2**62, 2**63 - 1])
def declared_beyond_the_limit(client, length):
    """Told from the header alone."""
    client.raw(frame(TEXT, b"x", length=length))
    client.closed(1009)


@case("9.2.6", TOO_LARGE)
def much_beyond_the_limit(client):
    """All of it is sent: a server that goes at once would have its closing frame thrown away with what it has not read."""
    client.frame(BINARY, b"\xfe" * (4 << 20))
    client.closed(1009)


@table("9.3", TOO_LARGE, [256, 4096, 30000])
def fragments_beyond_the_limit(client, size):
    sent = 0
    while sent <= LARGEST:
        client.frame(CONTINUATION if sent else TEXT, b"*" * size, fin=False)
        sent += size
    client.closed(1009)


@table("9.5", "§5.4: it does not matter how bytes come", [16, 64, 256, 1024])
def message_in_pieces(client, chop):
    text = b"*" * (LARGEST // 64 * chop // 16)
    client.frame(TEXT, text[:LARGEST], chop=chop)
    client.message(TEXT, text[:LARGEST])
    client.finish()


OFFER = "permessage-deflate; client_max_window_bits"
AGREED = "RFC 7692 §7: messages are compressed each by itself"


def compressed(data):
    compressor = zlib.compressobj(wbits=-15)
    return (compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-4]


@table("12.1", AGREED, [0, 1, 16, 1024, 8192, 65535])
def compressed_message(connect, length):
    client = connect(extensions=OFFER)
    equal((client.extensions or "").replace(" ", ""), "permessage-deflate;server_no_context_takeover;client_no_context_takeover", "what is agreed upon")
    for opcode, data in [(TEXT, b"Faust " * length), (BINARY, os.urandom(length))]:
        data = data[:length]
        client.frame(opcode, compressed(data), reserved=4)
        client.message(opcode, data)
        # In fragments, of which only the first is marked (§6.1).
        packed = compressed(data)
        half = len(packed) // 2
        client.frame(opcode, packed[:half], fin=False, reserved=4)
        client.alive()
        client.frame(CONTINUATION, packed[half:])
        client.message(opcode, data)
        # What is not marked is not compressed (§6.2).
        client.frame(opcode, data)
        client.message(opcode, data)
    client.finish()


@table("12.6", "RFC 7692 §6: the mark is on the first fragment of a message, and on nothing else", [0, 1])
def mark_elsewhere(connect, place):
    client = connect(extensions=OFFER)
    if place == 0:
        client.frame(TEXT, compressed(b"fragments")[:2], fin=False, reserved=4)
        client.frame(CONTINUATION, compressed(b"fragments")[2:], reserved=4)
    else:
        client.frame(0x9, b"ping", reserved=4)
    client.closed(1002)


@table("12.7", "§8.1, §7.4.1: what a compressed message says is held to the same rules", [
    (compressed(b"a\xff"), 1007),
    (b"\xff" * 8, 1007),
    (compressed(b"*" * LARGEST)[:-3], 1007),
    (compressed(b"*" * (LARGEST + 1)), 1009),
    (compressed(b"*" * (64 << 20)), 1009),
])
def compressed_and_wrong(connect, row):
    payload, code = row
    client = connect(extensions=OFFER)
    client.frame(TEXT, payload, reserved=4)
    client.closed(code)


@table("13", "RFC 7692 §7.1: what is agreed upon is what was offered", [
    ("permessage-deflate; server_max_window_bits=9", "server_max_window_bits=9"),
    ("permessage-deflate; server_no_context_takeover; server_max_window_bits=15", "server_max_window_bits=15"),
    ("permessage-deflate; server_max_window_bits=7, permessage-deflate; server_max_window_bits=10", "server_max_window_bits=10"),
    ("permessage-deflate; server_max_window_bits=8", None),
    ("permessage-deflate; unheard_of", None),
    ("x-webkit-deflate-frame", None),
])
def agreements(connect, row):
    offer, expected = row
    client = connect(extensions=offer)
    agreed = client.extensions
    equal(agreed is None if expected is None else (agreed or "").endswith(expected), True, f"whether {expected} is what {agreed} says")
    client.frame(TEXT, b"plain")
    client.message(TEXT, b"plain")
    client.finish()
