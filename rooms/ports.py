"""What rooms need from outside: interviews (implemented by `hr`) and media (by `signaling`)."""

from dataclasses import dataclass
from typing import Literal, Protocol

Admission = Literal["manual", "automatic"]


@dataclass(frozen=True, slots=True)
class RoundSpec:
    """One round; its id is unique across interviews and names its room."""

    id: str
    title: str
    admission: Admission = "manual"


@dataclass(frozen=True, slots=True)
class InterviewSpec:
    """What HR scheduled. `rounds` is in order and not empty; times are Unix milliseconds."""

    id: str
    title: str
    rounds: tuple[RoundSpec, ...]
    opens_at_ms: int
    closes_at_ms: int
    observers_hidden: bool = False


class InterviewSource(Protocol):
    async def interview(self, interview_id: str) -> InterviewSpec | None:
        """Return the interview as scheduled now, or None if there is none (any more)."""


class Stage(Protocol):
    """Media effects. Calls for a participant without a peer connection do nothing."""

    def place(self, participant: str, scene: str | None) -> None:
        """Let the participant see and be seen by those of the scene, or by nobody."""

    def set_enabled(
        self, participant: str, source: Literal["microphone", "camera", "screen"], enabled: bool
    ) -> None:
        """Forward or drop what the participant sends."""
