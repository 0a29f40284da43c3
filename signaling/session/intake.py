"""From what a socket delivered to a checked command: rate, size, name, schema, in that order."""

from pydantic import ValidationError

from signaling.errors import InvalidMessage, RateLimited, TooLarge, UnknownCommand
from signaling.protocol.commands import COMMANDS, Command, MediaOffer, QualityReport
from signaling.session.limits import COMMANDS as COMMAND_RATE
from signaling.session.limits import OFFERS, REPORTS, Bucket

MAX_REASON_CHARS = 200


class Intake:
    """The limits of one connection."""

    def __init__(self, now_ms: int) -> None:
        self._commands = Bucket(COMMAND_RATE, now_ms)
        self._scarce = {
            MediaOffer: (Bucket(OFFERS, now_ms), "Too many offers; slow down."),
            QualityReport: (Bucket(REPORTS, now_ms), "Too many reports; slow down."),
        }

    def command(self, name: str, body: object, size_bytes: int, now_ms: int) -> Command:
        """Return the command. `size_bytes`: of the message as it came over the wire.

        Raises RateLimited, UnknownCommand, TooLarge, InvalidMessage.
        """
        if not self._commands.take(now_ms):
            raise RateLimited("Too many commands; slow down.")
        schema = COMMANDS.get(name)
        if schema is None:
            raise UnknownCommand("There is no such command.")
        if size_bytes > schema.MAX_BYTES:
            raise TooLarge(f"At most {schema.MAX_BYTES} bytes.")
        bucket, refusal = self._scarce.get(schema, (None, ""))
        if bucket is not None and not bucket.take(now_ms):
            raise RateLimited(refusal)
        return parse(schema, body)


def parse(schema: type[Command], body: object) -> Command:
    """Check `body` against `schema`; no body at all counts as an empty one."""
    try:
        return schema.model_validate({} if body is None else body)
    except ValidationError as error:
        raise InvalidMessage(describe(error)) from None


def describe(error: ValidationError) -> str:
    """Say which field is wrong and how, without repeating what was sent."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(part)[:32] for part in first["loc"]) or "body"
    return f"{place}: {first['msg']}"[:MAX_REASON_CHARS]
