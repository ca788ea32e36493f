"""Tokens of clients, signed by the oracle itself (RFC 7519, HS256), and the ways to present them."""

import base64
import hashlib
import hmac
import json

#: What all nodes of a run read from a file.
SECRET = "the oracle's secret, which is no secret at all"


def signed(claims):
    """A token in compact form."""
    text = ".".join(_encoded(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims))
    return f"{text}.{_encoded(hmac.digest(SECRET.encode(), text.encode(), hashlib.sha256))}"


def claims_of(token):
    """What a token says, unchecked."""
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def presented(kind):
    """What a client adds to its address, its header and its sub-protocols."""
    if "geo" not in kind:
        return "", {}, None
    token = signed({"sub": ["*"], "geo": kind["geo"]})
    match kind["presents"]:
        case "query":
            return f"?token={token}", {}, None
        case "header":
            return "", {"Authorization": f"Bearer {token}"}, None
        case "protocol":
            return "", {}, [f"geocast.{kind['dialect']}", f"bearer.{token}"]


def _encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
