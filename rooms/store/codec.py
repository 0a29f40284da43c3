"""Live state as JSON, strictly checked on the way back in."""

import json
from typing import Any, TypeVar, get_args

from pydantic import TypeAdapter, ValidationError

from rooms.errors import SnapshotInvalid
from rooms.interview import Moves
from rooms.room import events as e
from rooms.room.model import RoomState

T = TypeVar("T")

FORMAT = 1

_STATE = TypeAdapter(RoomState)
_MOVES = TypeAdapter(Moves)
_EVENTS: dict[str, TypeAdapter[Any]] = {
    event.__name__: TypeAdapter(event) for event in get_args(e.Event)
}


def encode_state(state: RoomState) -> bytes:
    return _wrap(_STATE.dump_json(state))


def decode_state(stored: bytes | str) -> RoomState:
    return _decode(_STATE, _unwrap(stored))


def encode_moves(moves: Moves) -> bytes:
    return _wrap(_MOVES.dump_json(moves))


def decode_moves(stored: bytes | str) -> Moves:
    return _decode(_MOVES, _unwrap(stored))


def encode_event(recorded: e.Recorded) -> bytes:
    name = type(recorded.event).__name__
    body = _EVENTS[name].dump_json(recorded.event).decode()
    return (
        f'{{"seq":{recorded.seq},"at_ms":{recorded.at_ms},"type":"{name}","event":{body}}}'.encode()
    )


def decode_event(stored: bytes | str) -> e.Recorded:
    document = _document(stored)
    try:
        adapter = _EVENTS[document["type"]]
        event = _decode(adapter, document["event"])
        return e.Recorded(int(document["seq"]), int(document["at_ms"]), event)
    except (KeyError, TypeError, ValueError) as error:
        raise SnapshotInvalid from error


def _wrap(body: bytes) -> bytes:
    return b'{"format":%d,"body":%s}' % (FORMAT, body)


def _unwrap(stored: bytes | str) -> object:
    document = _document(stored)
    if document.get("format") != FORMAT:
        raise SnapshotInvalid(f"Stored state of format {document.get('format')!r}.")
    return document.get("body")


def _document(stored: bytes | str) -> dict[str, Any]:
    try:
        document = json.loads(stored)
    except ValueError as error:
        raise SnapshotInvalid from error
    if not isinstance(document, dict):
        raise SnapshotInvalid
    return document


def _decode(adapter: TypeAdapter[T], body: object) -> T:
    try:
        return adapter.validate_python(body)
    except ValidationError as error:
        raise SnapshotInvalid(f"Stored state does not fit: {error.error_count()} errors.") from None
