"""Frames: lengths, pings, reserved bits, opcodes, fragments (1 to 5, 10)."""

from cases import case, table
from client import BINARY, CONTINUATION, PING, PONG, TEXT, frame

TEXTS = "§5.6: a message comes as it was sent"


@table("1.1", TEXTS, [0, 125, 126, 127, 128, 65535])
def text_of_length(client, length):
    client.frame(TEXT, b"*" * length)
    client.message(TEXT, b"*" * length)
    client.finish()


@table("1.2", TEXTS, [0, 125, 126, 127, 128, 65535])
def bytes_of_length(client, length):
    client.frame(BINARY, b"\xfe" * length)
    client.message(BINARY, b"\xfe" * length)
    client.finish()


@table("1.3", TEXTS, [(TEXT, b"*"), (BINARY, b"\xfe")])
def long_message_in_pieces(client, kind):
    opcode, byte = kind
    client.frame(opcode, byte * 65535, chop=997)
    client.message(opcode, byte * 65535)
    client.finish()


@table("2", "§5.5.2: a ping is answered with its payload", [b"", b"Hello, world!", b"\x00\xff\xfe\xfd", b"\xfe" * 125])
def ping(client, payload):
    client.frame(PING, payload)
    client.message(PONG, payload)
    client.frame(PING, payload, chop=1)
    client.message(PONG, payload)
    client.finish()


@case("2.5", "§5.5: a control frame has 125 bytes at most")
def long_ping(client):
    client.frame(PING, b"\xfe" * 126)
    client.closed(1002)


@table("2.7", "§5.5.3: a pong that nobody asked for is passed over", [b"", b"unsolicited pong payload"])
def pong(client, payload):
    client.frame(PONG, payload)
    client.finish()


@table("2.10", "§5.5.2: each ping is answered, in order", [None, 1])
def many_pings(client, chop):
    for number in range(10):
        client.frame(PING, b"payload-%d" % number, chop=chop)
    for number in range(10):
        client.message(PONG, b"payload-%d" % number)
    client.finish()


RESERVED = "§5.2: what is reserved fails the connection"


@table("3", RESERVED, [1, 2, 3, 4, 5, 6, 7])
def reserved_bits(client, bits):
    client.frame(TEXT, b"Hello, world!")
    client.frame(TEXT, b"Hello, world!", reserved=bits)
    client.frame(PING)
    client.message(TEXT, b"Hello, world!")
    client.closed(1002)


@table("3.8", RESERVED, [PING, PONG, BINARY])
def reserved_bits_elsewhere(client, opcode):
    client.frame(opcode, b"x", reserved=4)
    client.closed(1002)


@table("4", RESERVED, [3, 4, 5, 6, 7, 0xB, 0xC, 0xD, 0xE, 0xF])
def reserved_opcode(client, opcode):
    client.frame(TEXT, b"Hello, world!")
    client.frame(opcode, b"reserved opcode payload")
    client.frame(PING)
    client.message(TEXT, b"Hello, world!")
    client.closed(1002)


@table("4.3", "§5.1: a client that does not mask is failed", [TEXT, BINARY, PING])
def unmasked(client, opcode):
    client.frame(opcode, b"plain", masked=False)
    client.closed(1002)


@table("5.1", "§5.5: control frames are not fragmented", [PING, PONG])
def fragmented_control(client, opcode):
    client.frame(opcode, b"fragment1", fin=False)
    client.closed(1002)


@table("5.3", "§5.4: fragments are one message", [(chop, between) for chop in (None, 1) for between in (False, True)])
def two_fragments(client, how):
    chop, between = how
    client.frame(TEXT, b"fragment1", fin=False, chop=chop)
    if between:
        # Answered at once, although the message goes on.
        client.frame(PING, b"ping", chop=chop)
        client.message(PONG, b"ping")
    client.frame(CONTINUATION, b"fragment2", chop=chop)
    client.message(TEXT, b"fragment1fragment2")
    client.finish()


@table("5.9", "§5.4: nothing is continued that has not begun", [True, False])
def continuation_of_nothing(client, fin):
    client.frame(CONTINUATION, b"non-continuation payload", fin=fin)
    client.frame(TEXT, b"Hello, world!")
    client.closed(1002)


@case("5.15", "§5.4: nothing is continued that is over")
def continuation_of_what_is_over(client):
    client.raw(
        frame(TEXT, b"fragment1", fin=False)
        + frame(CONTINUATION, b"fragment2")
        + frame(CONTINUATION, b"fragment3", fin=False)
        + frame(TEXT, b"fragment4")
    )
    client.message(TEXT, b"fragment1fragment2")
    client.closed(1002)


@table("5.18", "§5.4: a message does not begin within another", [TEXT, BINARY])
def message_within_another(client, opcode):
    client.frame(TEXT, b"fragment1", fin=False)
    client.frame(opcode, b"fragment2")
    client.closed(1002)


@table("5.19", "§5.4: control frames come between fragments", [None, 1])
def pings_between_fragments(client, chop):
    for number in range(1, 6):
        opcode = TEXT if number == 1 else CONTINUATION
        client.frame(opcode, b"fragment%d" % number, fin=number == 5, chop=chop)
        if number in (2, 4):
            client.frame(PING, b"ping%d" % number, chop=chop)
            client.message(PONG, b"ping%d" % number)
    client.message(TEXT, b"fragment1fragment2fragment3fragment4fragment5")
    client.finish()


@table("5.21", "§5.4: fragments may be empty", [b"", b"x"])
def empty_fragments(client, middle):
    client.raw(frame(TEXT, fin=False) + frame(CONTINUATION, middle, fin=False) + frame(CONTINUATION))
    client.message(TEXT, middle)
    client.finish()


@case("10.1.1", "§5.4: fragments are one message")
def many_fragments(client):
    text = b"*" * 65535
    pieces = [text[start : start + 1300] for start in range(0, len(text), 1300)]
    for place, piece in enumerate(pieces):
        client.frame(CONTINUATION if place else TEXT, piece, fin=place == len(pieces) - 1)
    client.message(TEXT, text)
    client.finish()
