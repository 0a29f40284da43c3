"""The reference half of `signaling/PROTOCOL.md`: `python -m signaling.protocol.document`.

The command rewrites what follows the marker; what precedes it is written by hand.
"""

import inspect
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import BaseModel

from signaling.protocol import auth, base, commands, events, hr, replies, views
from signaling.protocol.codes import COMMAND_CODES, CONNECT_CODES
from signaling.protocol.typescript import members, type_of

DOCUMENT = Path(__file__).parent.parent / "PROTOCOL.md"
MARKER = "<!-- Generated from here on by `python -m signaling.protocol.document`. Do not edit. -->"


def rendered(current: str) -> str:
    """Return the document with its reference renewed."""
    by_hand, marker, _ = current.partition(MARKER)
    if not marker:
        raise ValueError("the document has lost its marker")
    return f"{by_hand}{MARKER}\n\n" + "\n".join(_reference()).rstrip() + "\n"


def _reference() -> Iterator[str]:
    yield f"Protocol version {base.PROTOCOL_VERSION}.\n"
    yield "## Connecting\n"
    yield from _model(auth.Auth, "`auth` of namespace `/room`")
    yield from _codes("Refusals", CONNECT_CODES)
    yield "## Commands\n"
    for name, command in commands.COMMANDS.items():
        yield from _model(command, f"`{name}`")
        yield f"Reply: `{command.REPLY.__name__}`. At most {command.MAX_BYTES // 1024} KiB.\n"
    yield "## Replies\n"
    for reply in (replies.Done, replies.MediaAnswer, replies.ChatAccepted, replies.HandedOver):
        yield from _model(reply, f"`{reply.__name__}`")
    yield from _codes("Error codes of commands", COMMAND_CODES)
    yield "## Messages of the server in `/room`\n"
    for name, notice in events.NOTICES.items():
        yield from _model(notice, f"`{name}`")
    yield "## Bodies of `event`\n"
    for body in members(events.EventBody):
        yield from _model(body, f"`{body.model_fields['type'].default}`")
    yield "## Messages of the server in `/hr`\n"
    for name, listing in hr.HR_NOTICES.items():
        yield from _model(listing, f"`{name}`")
    yield "## Parts\n"
    yield from _parts()


def _parts() -> Iterator[str]:
    for part in (
        base.ProtocolError,
        events.You,
        views.RoomView,
        views.RoundView,
        views.ParticipantView,
        views.ChatView,
        views.SlotView,
        views.WantedLayer,
        commands.SlotReport,
        views.QualityFacts,
        views.IceServer,
        views.HrContact,
        hr.HrInterview,
        hr.HrRound,
        hr.HrParticipant,
        hr.QualityLine,
    ):
        yield from _model(part, f"`{part.__name__}`")


def _model(model: type[BaseModel], title: str) -> Iterator[str]:
    yield f"### {title}\n"
    if model.__doc__ and model.__doc__ != base.Message.__doc__:
        yield inspect.cleandoc(model.__doc__) + "\n"
    if not model.model_fields:
        return
    yield "| field | type | |\n|---|---|---|"
    for name, field in model.model_fields.items():
        kind = type_of(field.rebuild_annotation()).replace("|", "\\|")
        yield f"| `{name}` | `{kind}` | {'' if field.is_required() else 'may be left out'} |"
    yield ""


def _codes(title: str, table: Mapping[str, str]) -> Iterator[str]:
    yield f"### {title}\n"
    yield "| code | what it means |\n|---|---|"
    for code, meaning in table.items():
        yield f"| `{code}` | {meaning} |"
    yield ""


if __name__ == "__main__":
    DOCUMENT.write_text(rendered(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
