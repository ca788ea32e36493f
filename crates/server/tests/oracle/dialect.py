"""The two dialects in which a client can ask for tracking: what it sends, and what it makes of what it is sent."""

import json
from dataclasses import dataclass
from itertools import count

from ledger import Event, Fault

#: What an action `view` may have beside the box, each with one value.
SCALARS = ("members", "zoom", "precision", "tolerance", "min_move")


@dataclass(frozen=True)
class Push:
    """Something on a channel: an Event, or a diff for MapLibre."""

    channel: str
    what: object


@dataclass(frozen=True)
class Reply:
    """The answer to what was sent under a number."""

    number: object
    result: object = None


@dataclass(frozen=True)
class Refusal:
    """What was sent is not allowed; under a number, if it had one."""

    number: object = None


class Text:
    """The text dialect: commands are not answered, so that a PING behind them says when they are in force."""

    def __init__(self):
        self._numbers = count(1)

    def frames(self, action):
        """The frames for an action, and the number under which its reply comes, or None."""
        return [self._command(action)], None

    def ping(self):
        number = f"p{next(self._numbers)}"
        return f"PING client_ref={number}", number

    def read(self, frame):
        """Pushes and replies of one frame. Raises Fault."""
        yield from self._read(_object(frame))

    def _read(self, envelope):
        if set(envelope) != {"source", "content", "timestamp", "client_reference"}:
            raise Fault(f"no envelope: {envelope}")
        source, content = envelope["source"], envelope["content"]
        if source == "buffer":
            for inner in content:
                yield from self._read(inner)
        elif source == "websocket":
            if content == "PONG":
                yield Reply(envelope["client_reference"])
            elif isinstance(content, dict) and set(content) == {"gap"}:
                yield Push(content["gap"]["channel"], Event("gap"))
            elif isinstance(content, dict) and content.get("error", {}).get("code") == "access_denied":
                yield Refusal()
            elif content != {"status": "open"}:
                raise Fault(f"the server says {content}")
        elif _is_diff(content):
            yield Push(source, content)
        elif isinstance(content, dict) and "change" in content:
            yield Push(source, _event(content["change"], content, "feature", {"change"}))
        else:
            yield Push(source, Event("message", content=content))

    @staticmethod
    def _command(action):
        match action:
            case {"do": "track", "channel": channel, "form": form}:
                return f"SUB {channel}" + {"events": " track", "maplibre": " track maplibre", "plain": ""}[form]
            case {"do": "untrack", "channel": channel}:
                return f"DEL {channel}"
            case {"do": "view", "box": box, "code": code, "said": said}:
                words = list(map(repr, box)) + [f"crs=epsg:{code}"] * said
                wishes = {name: [str(action[name])] for name in SCALARS if name in action}
                wishes |= {name: action[name] for name in ("fields",) if name in action} | action.get("properties", {})
                words += [f"{name}={','.join(wish)}" for name, wish in wishes.items()]
                return " ".join(["BBOX", *words])
            case {"do": "unview"}:
                return "BBOX"
            case {"do": "project", "code": code}:
                return f"PROJECTION epsg:{code}"
            case {"do": "buffer", "milliseconds": milliseconds, "count": number}:
                return f"BUFFER {milliseconds} {number}"


class Rpc:
    """JSON-RPC 2.0: every call has an id and is answered with what is in force from then on."""

    def __init__(self):
        self._numbers = count(1)

    def frames(self, action):
        number = next(self._numbers)
        method, parameters = self._call(action)
        call = {"jsonrpc": "2.0", "id": number, "method": method}
        return [json.dumps(call | ({"params": parameters} if parameters else {}))], number

    def ping(self):
        number = next(self._numbers)
        return json.dumps({"jsonrpc": "2.0", "id": number, "method": "ping"}), number

    def read(self, frame):
        """Pushes and replies of one frame. Raises Fault."""
        messages = json.loads(frame)
        for message in messages if isinstance(messages, list) else [messages]:
            if message.get("source") == "websocket":
                if message["content"] != {"status": "open"}:
                    raise Fault(f"the server says {message['content']}")
            elif message.get("jsonrpc") != "2.0":
                raise Fault(f"no JSON-RPC: {message}")
            elif "method" in message:
                yield self._push(message["method"], message["params"])
            elif "result" in message:
                yield Reply(message["id"], message["result"])
            elif message["error"].get("data", {}).get("reason") == "access_denied":
                yield Refusal(message["id"])
            else:
                raise Fault(f"the server says {message}")

    @staticmethod
    def _push(method, parameters):
        if not isinstance(parameters.get("timestamp"), (int, float)):
            raise Fault(f"{method} without timestamp: {parameters}")
        if method == "diff" and _is_diff(parameters.get("diff")):
            return Push(parameters["source"], parameters["diff"])
        if method == "gap" and set(parameters) == {"source", "timestamp"}:
            return Push(parameters["source"], Event("gap"))
        if method == "message":
            return Push(parameters["source"], Event("message", content=parameters["content"]))
        return Push(parameters["source"], _event(method, parameters, "content", {"source", "timestamp"}))

    @staticmethod
    def _call(action):
        match action:
            case {"do": "track", "channel": channel, "form": form}:
                wanted = {"events": {"track": True}, "maplibre": {"track": True, "format": "maplibre"}, "plain": {}}[form]
                return "subscribe", {"channel": channel} | wanted
            case {"do": "untrack", "channel": channel}:
                return "unsubscribe", {"channel": channel}
            case {"do": "view", "box": box, "code": code, "said": said}:
                wanted = {name: action[name] for name in ("properties", "fields", *SCALARS) if name in action}
                wanted |= {"crs": f"EPSG:{code}"} if said else {}
                return "viewport", wanted | ({} if box is None else {"bbox": box})
            case {"do": "unview"}:
                return "viewport", {}
            case {"do": "project", "code": code}:
                return "projection", {"crs": f"EPSG:{code}"}
            case {"do": "buffer", "milliseconds": milliseconds, "count": number}:
                return "buffer", {"milliseconds": milliseconds, "count": number}


def effective_fault(action, result):
    """Says where the result of a JSON-RPC call is not the state that was asked for, or nothing."""
    match action:
        case {"do": "track", "channel": channel, "form": form}:
            should = {"channel": channel, "tracked": form != "plain"}
        case {"do": "untrack", "channel": channel}:
            should = {"channel": channel, "subscribed": False}
        case {"do": "view", "box": box, "code": code}:
            should = {"bbox": box} | ({"crs": f"EPSG:{code}"} if box else {})
            should |= {name: action[name] for name in SCALARS[1:] if name in action}
            should |= {"fields": sorted(action["fields"])} if "fields" in action else {}
            should |= {"properties": set(action["properties"])} if "properties" in action else {}
            result = result | {"properties": set(result.get("properties", {}))}
        case {"do": "project", "code": code}:
            should = {"crs": f"EPSG:{code}"}
        case _:
            return None
    wrong = {name for name, value in should.items() if result.get(name) != value}
    return f"{result} to a call for {should}" if wrong else None


def _event(kind, members, content, others):
    """An event of a tracked subscription, which has no other members than it must have."""
    should = {"leave": {"key", "reason"}, "enter": {"key", content}, "update": {"key", content}}.get(kind)
    if should is None or set(members) - others != should:
        raise Fault(f"no event of a tracked subscription: {kind} {members}")
    return Event(kind, members["key"], members.get(content), members.get("reason"))


def _is_diff(content):
    return isinstance(content, dict) and bool(content) and set(content) <= {"add", "update", "remove"}


def _object(frame):
    document = json.loads(frame)
    if not isinstance(document, dict):
        raise Fault(f"no object: {frame}")
    return document
