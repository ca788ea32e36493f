"""Whether a feature has the properties that a client asks for, in words of the text dialect or in JSON."""

import json


def has(properties, asked, in_words):
    """`asked` is by name: in words a list of them; in JSON a scalar, a list of scalars, or a range with `min` and `max`."""
    matches = _matches_words if in_words else _matches
    return all(name in (properties or {}) and matches(properties[name], wish) for name, wish in asked.items())


def _matches_words(value, words):
    """A word is the string that is equal to it, and the number or boolean that is written so."""
    if isinstance(value, str):
        return value in words
    return isinstance(value, (bool, int, float)) and json.dumps(value) in words


def _matches(value, wish):
    if isinstance(wish, dict):
        least, most = wish.get("min"), wish.get("max")
        return _is_number(value) and (least is None or value >= least) and (most is None or value <= most)
    return any(_is_equal(value, scalar) for scalar in (wish if isinstance(wish, list) else [wish]))


def _is_equal(value, scalar):
    """Numbers by their values; nothing else is equal to a number, and to Python alone `True` is 1."""
    if _is_number(value) or _is_number(scalar):
        return _is_number(value) and _is_number(scalar) and value == scalar
    return type(value) is type(scalar) and value == scalar


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)
