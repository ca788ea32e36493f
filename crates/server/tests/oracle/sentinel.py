"""What is published to see that everything before it has come: a feature without geometry, which is on every map whose client
asks for no properties, and a note, which everybody is sent. There is no digit in either, so nobody's rights withhold them."""

from feature import in_letters

#: The feature's key, and what the note is known by.
KEY, NOTE = "sentinel", "note"
#: Numbers of sentinels begin here, where a plan's never come.
FIRST = 1_000_000_000


def is_one(version):
    return version >= FIRST


def feature(version):
    return {"type": "Feature", "id": KEY, "geometry": None, "properties": {"v": in_letters(version)}}


def note(version):
    return {NOTE: KEY, "v": in_letters(version)}
