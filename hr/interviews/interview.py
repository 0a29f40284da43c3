"""An interview as the rest of the program sees it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Role = Literal["candidate", "interviewer", "observer", "hr"]
Admission = Literal["manual", "automatic"]

DEFAULT_ORGANISATION = "default"


@dataclass(frozen=True, slots=True)
class Round:
    """One step of an interview; `index` counts from 0."""

    id: str
    title: str
    index: int
    admission: Admission


@dataclass(frozen=True, slots=True)
class Participant:
    """A person in an interview. `round_id` is None for someone who belongs to all rounds."""

    id: str
    name: str = field(repr=False)
    role: Role
    round_id: str | None


@dataclass(frozen=True, slots=True)
class Interview:
    """What HR scheduled. Rounds and participants are in their order."""

    id: str
    organisation_id: str
    title: str = field(repr=False)
    starts_at: datetime
    ends_at: datetime
    ended_at: datetime | None
    rounds: tuple[Round, ...]
    participants: tuple[Participant, ...]

    def participant(self, participant_id: str) -> Participant | None:
        return next((one for one in self.participants if one.id == participant_id), None)

    def round_of(self, participant: Participant) -> Round:
        """The round that a participant begins in."""
        return next((one for one in self.rounds if one.id == participant.round_id), self.rounds[0])
