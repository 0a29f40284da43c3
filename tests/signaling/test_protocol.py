"""The contract: committed files are fresh, codes are known, schemas are strict."""

import inspect
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

import rooms.errors
import sfu.errors
import signaling.errors
from signaling.protocol import document, typescript
from signaling.protocol.auth import Auth
from signaling.protocol.codes import COMMAND_CODES, CONNECT_CODES
from signaling.protocol.commands import COMMANDS
from signaling.session.handlers import HANDLERS

ROOT = Path(__file__).parents[2]


def test_the_typescript_types_are_fresh():
    committed = (ROOT / "static/src/client/protocol.ts").read_text(encoding="utf-8")
    assert committed == typescript.generate(), (
        "make them anew: python -m signaling.protocol.typescript"
    )


def test_the_document_is_fresh():
    committed = document.DOCUMENT.read_text(encoding="utf-8")
    assert committed == document.rendered(committed), "run: python -m signaling.protocol.document"


def test_a_document_without_its_marker_is_not_overwritten():
    with pytest.raises(ValueError, match="marker"):
        document.rendered("# by hand only")


def test_every_command_has_a_handler_and_a_place_in_the_document():
    text = document.DOCUMENT.read_text(encoding="utf-8")
    for name, command in COMMANDS.items():
        assert command in HANDLERS
        assert f"### `{name}`" in text


def codes_of(module) -> set[str]:
    return {
        error.code
        for _, error in inspect.getmembers(module, inspect.isclass)
        if issubclass(error, Exception) and isinstance(getattr(error, "code", None), str)
    }


def test_every_code_of_rooms_and_signalling_is_in_the_tables():
    known = COMMAND_CODES.keys() | CONNECT_CODES.keys()
    assert codes_of(rooms.errors) <= known
    assert codes_of(signaling.errors) <= known


def test_the_codes_of_offers_are_in_the_table():
    documented = inspect.getdoc(sfu.errors.SdpError)
    named = {word.strip("`.,") for word in documented.split() if word.startswith("`sdp_")}
    assert named
    assert named <= COMMAND_CODES.keys()


TOKEN = "t" * 16


@pytest.mark.parametrize(
    "auth",
    [
        {},
        {"token": TOKEN, "resume": TOKEN},
        {"token": "short"},
        {"token": "t" * 5000},
        {"token": 5},
        {"token": None},
        {"resume": TOKEN, "seq": -1},
        {"resume": TOKEN, "seq": 2**53},
        {"resume": TOKEN, "room": "../r1"},
        {"token": TOKEN, "extra": 1},
        "token",
        [TOKEN],
    ],
)
def test_bad_auth(auth):
    with pytest.raises(ValidationError):
        Auth.model_validate(auth)


def test_tokens_stay_out_of_reprs():
    assert TOKEN not in repr(Auth(token=TOKEN))
    assert TOKEN not in repr(Auth(resume=TOKEN, room="r1", seq=1))


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(st.sampled_from(sorted(COMMANDS)), anything)
def test_schemas_take_anything_without_falling_over(name, body):
    try:
        COMMANDS[name].model_validate(body)
    except ValidationError:
        return
    assert body == {} or isinstance(body, dict)
