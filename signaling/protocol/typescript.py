"""TypeScript types of every message: `python -m signaling.protocol.typescript > protocol.ts`.

The output depends on the models alone, so a test can tell that the committed file is stale.
"""

import sys
import types
import typing
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from signaling.protocol import auth, base, commands, events, hr, replies, views
from signaling.protocol.codes import COMMAND_CODES, CONNECT_CODES

HEADER = """\
// Generated from signaling/protocol by `python -m signaling.protocol.typescript`. Do not edit.
/* eslint-disable */
"""

CONSTANTS = (
    "PROTOCOL_VERSION",
    "MAX_MESSAGE_BYTES",
    "MAX_COMMAND_BYTES",
    "MAX_SDP_BYTES",
    "MAX_CHAT_CHARS",
    "MAX_CHAT_REPLAY",
)
LITERALS = (
    "Role",
    "Placement",
    "SourceKind",
    "ReactionName",
    "QualityLevel",
    "QualityCause",
    "QualityReason",
)
_SCALARS: dict[Any, str] = {
    str: "string",
    int: "number",
    float: "number",
    bool: "boolean",
    type(None): "null",
}
_FROM_CLIENT = (auth, commands)
"""Modules whose fields with a default may be left out; the server leaves nothing out."""


def generate() -> str:
    """Return the whole file."""
    return "\n".join(_parts()).rstrip() + "\n"


def _parts() -> Iterator[str]:
    yield HEADER
    for name in CONSTANTS:
        yield f"export const {name} = {getattr(base, name)};"
    yield ""
    for name in LITERALS:
        yield f"export type {name} = {_literal(getattr(base, name))};"
    yield _codes("ConnectErrorCode", CONNECT_CODES)
    yield _codes("CommandErrorCode", COMMAND_CODES)
    yield ""
    for module in (base, auth, views, replies, commands, events, hr):
        for model in _models(module):
            yield _interface(model, optional=module in _FROM_CLIENT)
    yield f"export type EventBody = {_union(members(events.EventBody))};\n"
    yield _ACKNOWLEDGEMENT
    yield from _tables()


_ACKNOWLEDGEMENT = """\
/** The acknowledgement of a command. */
export type Acknowledgement<Reply> =
  | { ok: true; data: Reply }
  | { ok: false; error: ProtocolError };
"""


def _tables() -> Iterator[str]:
    yield "/** Commands of namespace `/room`: event name, body, acknowledged data. */"
    yield "export interface Commands {"
    for name, command in commands.COMMANDS.items():
        yield f"  '{name}': {{ body: {command.__name__}; reply: {command.REPLY.__name__} }};"
    yield "}\n"
    yield from _notices("Notices", "/room", events.NOTICES)
    yield from _notices("HrNotices", "/hr", hr.HR_NOTICES)


def _notices(name: str, namespace: str, table: dict[str, Any]) -> Iterator[str]:
    yield f"/** What the server sends in namespace `{namespace}`: event name and body. */"
    yield f"export interface {name} {{"
    for event, notice in table.items():
        yield f"  '{event}': {notice.__name__};"
    yield "}\n"


def _models(module: types.ModuleType) -> Iterator[type[BaseModel]]:
    """The concrete models that `module` defines, in the order of the source."""
    for value in vars(module).values():
        if not (isinstance(value, type) and issubclass(value, BaseModel)):
            continue
        if value.__module__ == module.__name__ and not _is_base(value):
            yield value


def _is_base(model: type[BaseModel]) -> bool:
    return model in (base.Message, commands.Command, events.Notice)


def _interface(model: type[BaseModel], *, optional: bool) -> str:
    if not model.model_fields:
        empty = f"export type {model.__name__} = Record<string, never>;\n"
        return f"{_comment(model)}\n{empty}"
    lines = [_comment(model), f"export interface {model.__name__} {{"]
    for name, field in model.model_fields.items():
        mark = "?" if optional and not field.is_required() else ""
        annotation = typing.get_type_hints(model, include_extras=True)[name]
        lines.append(f"  {name}{mark}: {type_of(annotation)};")
    lines.append("}\n")
    return "\n".join(line for line in lines if line)


def _comment(model: type[BaseModel]) -> str:
    text = (model.__doc__ or "").strip()
    if not text:
        return ""
    lines = [line.strip() for line in text.splitlines()]
    if len(lines) == 1:
        return f"/** {lines[0]} */"
    return "\n".join(["/**", *(f" * {line}".rstrip() for line in lines), " */"])


def type_of(annotation: object) -> str:
    for name in LITERALS:
        if annotation == getattr(base, name):
            return name
    if annotation == events.EventBody:
        return "EventBody"
    if annotation in _SCALARS:
        return _SCALARS[annotation]
    origin = get_origin(annotation)
    return annotation.__name__ if isinstance(annotation, type) and not origin else _made(annotation)


def _made(annotation: object) -> str:
    """A type made of others."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return type_of(arguments[0])
    if origin is Literal:
        return _literal(annotation)
    if origin in (Union, types.UnionType):
        return _union(arguments)
    if origin is list:
        item = type_of(arguments[0])
        return f"({item})[]" if "|" in item else f"{item}[]"
    if origin is dict:
        return f"Record<{type_of(arguments[0])}, {type_of(arguments[1])}>"
    raise TypeError(f"no TypeScript for {annotation}")


def members(annotation: object) -> tuple[Any, ...]:
    return get_args(get_args(annotation)[0])


def _union(members: tuple[Any, ...]) -> str:
    return " | ".join(type_of(member) for member in members)


def _literal(annotation: object) -> str:
    return " | ".join(f"'{value}'" for value in get_args(annotation))


def _codes(name: str, table: dict[str, str]) -> str:
    return f"export type {name} =\n" + "\n".join(f"  | '{code}'" for code in table) + ";"


if __name__ == "__main__":
    sys.stdout.write(generate())
