"""Texts: what is UTF-8 (RFC 3629) is taken, what is not fails the connection with 1007, as soon as that is certain (6)."""

from cases import case, table
from client import BINARY, CONTINUATION, TEXT, frame

VALID = "§8.1: a text is UTF-8"
INVALID = "§8.1: a text that is not UTF-8 fails the connection"
FAST = "§8.1: and does so when it can be none any more"
#: Greek, and behind it the first value that is no code point.
GREEK = "κόσμε".encode()
BEYOND = b"\xf4\x90\x80\x80"


def encoded(number, length):
    """A number in the form of a character of so many bytes, whether or not it is one (RFC 2279 §2)."""
    if length == 1:
        return bytes([number])
    tail = [0x80 | number >> 6 * place & 0x3F for place in reversed(range(length - 1))]
    head = (0xFF00 >> length & 0xFF) | number >> 6 * (length - 1)
    return bytes([head, *tail])


def surrogate(number):
    return encoded(number, 3)


@table("6.1", "§5.6: a text may be empty", [1, 3])
def empty(client, frames):
    for number in range(frames):
        client.frame(CONTINUATION if number else TEXT, fin=number == frames - 1)
    client.message(TEXT, b"")
    client.finish()


@table("6.2", "§5.6: a fragment may end within a character", [None, 1])
def divided_characters(client, chop):
    text = "Hello-µ@ßöäüàá-UTF-8!! 𐍈".encode()
    for size in range(1, 5):
        pieces = [text[start : start + size] for start in range(0, len(text), size)]
        for place, piece in enumerate(pieces):
            client.frame(CONTINUATION if place else TEXT, piece, fin=place == len(pieces) - 1, chop=chop)
        client.message(TEXT, text)
    client.finish()


@case("6.2.5", "§5.6: bytes need be no text")
def bytes_that_are_no_text(client):
    for payload in (b"\xff\xfe", GREEK + BEYOND, surrogate(0xD800)):
        client.frame(BINARY, payload[:1], fin=False)
        client.frame(CONTINUATION, payload[1:], chop=1)
        client.message(BINARY, payload)
    client.finish()


@case("6.4.1", FAST)
def fragment_that_cannot_be_text(client):
    client.frame(TEXT, GREEK, fin=False)
    client.alive()
    client.frame(CONTINUATION, BEYOND, fin=False)
    client.closed(1007)


@case("6.4.2", FAST)
def fragment_that_divides_what_cannot_be(client):
    client.frame(TEXT, GREEK + BEYOND[:1], fin=False)
    client.alive()
    client.frame(CONTINUATION, BEYOND[1:2], fin=False)
    client.closed(1007)


@table("6.4.3", FAST, [1, 2, 3, 4, 11, 300])
def frame_that_cannot_be_text(client, rest):
    """The frame is never completed."""
    whole = frame(TEXT, GREEK + BEYOND[:2] + b"x" * rest)
    client.raw(whole[:-rest])
    client.closed(1007)


@table("6.4.4", FAST, [1, 2, 3, 4, 11, 300])
def continuation_that_cannot_be_text(client, rest):
    client.frame(TEXT, GREEK + BEYOND[:1], fin=False)
    client.alive()
    whole = frame(CONTINUATION, BEYOND[1:2] + b"x" * rest)
    client.raw(whole[: -rest - 1])
    client.raw(whole[-rest - 1 : -rest])
    client.closed(1007)


@table("6.4.5", FAST, [600, 5000, 32000])
def long_frame_that_cannot_be_text(client, length):
    text = b"\xce\xba" * (length // 2)
    whole = frame(TEXT, text + b"\xba" + text)
    client.raw(whole[: -len(text)], chop=1000)
    client.closed(1007)


@table(
    "6.5",
    VALID,
    [
        GREEK,
        *(encoded(number, length) for length, number in [(1, 0), (2, 0x80), (3, 0x800), (4, 0x10000)]),
        *(encoded(number, length) for length, number in [(1, 0x7F), (2, 0x7FF), (3, 0xFFFF), (4, 0x10FFFF)]),
        *(encoded(number, 3) for number in (0xD7FF, 0xE000, 0xFFFD, 0xFFFE, 0xFDD0)),
        *(encoded(plane << 16 | last, 4) for plane in range(1, 17) for last in (0xFFFE, 0xFFFF)),
    ],
)
def characters(client, text):
    client.frame(TEXT, text)
    client.message(TEXT, text)
    client.frame(TEXT, b"a" + text + b"z", chop=1)
    client.message(TEXT, b"a" + text + b"z")
    client.finish()


@table(
    "6.6",
    INVALID,
    [
        # What ends before it is over.
        *(GREEK[:length] for length in range(1, len(GREEK), 2)),
        *(encoded(number, length)[:-1] for length, number in [(2, 0x80), (3, 0x800), (4, 0x10000)]),
        # Continuations without a beginning, and beginnings without a continuation.
        *(b"\x80" * length for length in (1, 2, 7)),
        b"\xbf",
        *(bytes([first, 0x20]) for first in (0xC2, 0xDF, 0xE0, 0xEF, 0xF0, 0xF4)),
        # Forms that are longer than needed.
        *(encoded(0x2F, length) for length in range(2, 7)),
        *(encoded(0, length) for length in range(2, 7)),
        encoded(0x7F, 2),
        encoded(0x7FF, 3),
        encoded(0xFFFF, 4),
        # Beyond the last code point.
        BEYOND,
        encoded(0x1FFFFF, 4),
        encoded(0x200000, 5),
        encoded(0x7FFFFFFF, 6),
        # Bytes that are nowhere.
        *(bytes([byte]) for byte in (0xC0, 0xC1, 0xF5, 0xF8, 0xFC, 0xFE, 0xFF)),
        # Halves of UTF-16, alone and in pairs.
        *(surrogate(number) for number in (0xD800, 0xDB7F, 0xDBFF, 0xDC00, 0xDF80, 0xDFFF)),
        surrogate(0xD800) + surrogate(0xDC00),
        surrogate(0xDBFF) + surrogate(0xDFFF),
    ],
)
def no_characters(client, text):
    client.frame(TEXT, b"Hello")
    client.frame(TEXT, b"a" + text)
    client.message(TEXT, b"Hello")
    client.closed(1007)
