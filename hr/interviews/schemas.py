"""What the API takes and gives for interviews."""

import unicodedata
from datetime import datetime, timedelta
from typing import Annotated, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from hr.interviews.interview import Admission, Interview, Role

MAX_ROUNDS = 20
MAX_PARTICIPANTS = 200
MAX_LENGTH = timedelta(days=31)
MAX_PAGE = 200


def _is_printable(value: str) -> str:
    """Refuse control characters and lone surrogates: they break logs, terminals and databases."""
    if any(unicodedata.category(char) in ("Cc", "Cs") for char in value):
        raise ValueError("should contain no control characters")
    return value


Text = Annotated[
    str,
    Field(min_length=1, max_length=120),
    AfterValidator(_is_printable),
]


class Schema(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class NewRound(Schema):
    title: Text
    admission: Admission = "manual"


class NewParticipant(Schema):
    """`round` is the index of the round in the list; a candidate begins in the first one."""

    name: Text
    role: Role
    round: Annotated[int, Field(ge=0, lt=MAX_ROUNDS)] | None = None


class NewInterview(Schema):
    """The body of `POST /api/interviews`."""

    title: Text
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    rounds: Annotated[tuple[NewRound, ...], Field(min_length=1, max_length=MAX_ROUNDS)]
    participants: Annotated[tuple[NewParticipant, ...], Field(max_length=MAX_PARTICIPANTS)] = ()

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.ends_at <= self.starts_at:
            raise ValueError("ends_at should be after starts_at")
        if self.ends_at - self.starts_at > MAX_LENGTH:
            raise ValueError(f"an interview lasts {MAX_LENGTH.days} days at most")
        for participant in self.participants:
            if participant.round is not None and participant.round >= len(self.rounds):
                raise ValueError(f"participant round {participant.round} is not in rounds")
        return self


class RoundOut(Schema):
    id: str
    title: str
    index: int
    admission: Admission


class ParticipantOut(Schema):
    """`link` is given once, when it was made."""

    id: str
    name: str
    role: Role
    round: str | None
    link: str | None = None
    bound: bool = False
    asks_device: bool = False


class InterviewOut(Schema):
    id: str
    title: str
    starts_at: datetime
    ends_at: datetime
    ended_at: datetime | None
    rounds: tuple[RoundOut, ...]
    participants: tuple[ParticipantOut, ...]


def round_outs(interview: Interview) -> tuple[RoundOut, ...]:
    return tuple(
        RoundOut(id=one.id, title=one.title, index=one.index, admission=one.admission)
        for one in interview.rounds
    )
