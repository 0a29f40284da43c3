"""A presence as it is kept, and what is read out of several."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import NamedTuple

MAX_SITTINGS = 100
"""Of one person in one interview; whoever comes and goes more often is recorded no further."""

KEPT_FOR = timedelta(days=180)


class QualityPoint(NamedTuple):
    """The means of one step that began `at_s` after the presence; heights 0: no picture."""

    at_s: int
    up_kbps: int
    down_kbps: int
    estimate_kbps: int
    sent_height: int
    shown_height: int
    grade: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QualitySums:
    """What adds up over several presences.

    `frozen_ms` of `watched_ms` (all pictures together) stood still, `concealed_ms` of `heard_ms`
    of sound was made up. `good_ms` … `lost_ms` add up to the presence; during `server_ms` of them
    the server was at fault.
    """

    reconnects: int
    freezes: int
    frozen_ms: int
    watched_ms: int
    concealed_ms: int
    heard_ms: int
    good_ms: int
    fair_ms: int
    poor_ms: int
    lost_ms: int
    server_ms: int

    @property
    def present_ms(self) -> int:
        return self.good_ms + self.fair_ms + self.poor_ms + self.lost_ms

    @property
    def troubled_ratio(self) -> float:
        """The share of the presence in which the connection was poor or lost."""
        return _share(self.poor_ms + self.lost_ms, self.present_ms)

    @property
    def freeze_ratio(self) -> float:
        return _share(self.frozen_ms, self.watched_ms)

    @property
    def concealed_ratio(self) -> float:
        return _share(self.concealed_ms, self.heard_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class QualitySitting(QualitySums):
    """One person's presence on one node, from connecting until the seat was given up.

    `join_ms` is the time from the tap to a standing media path, `first_frame_ms` to the first
    picture.
    """

    id: str
    interview_id: str
    participant_id: str
    begun_at: datetime
    seen_at: datetime
    ended: bool
    path: str | None
    join_ms: int | None
    first_frame_ms: int | None
    rtt_ms: int | None
    loss_up_ratio: float | None
    loss_down_ratio: float | None
    step_ms: int
    points: tuple[QualityPoint, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityTotals(QualitySums):
    """All presences of one person in one interview together, and each of them."""

    participant_id: str
    first_frame_ms: int | None
    """The median over the presences."""
    sittings: tuple[QualitySitting, ...] = field(repr=False)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def totals_of(sittings: Iterable[QualitySitting]) -> dict[str, QualityTotals]:
    """By participant."""
    grouped: dict[str, list[QualitySitting]] = {}
    for one in sittings:
        grouped.setdefault(one.participant_id, []).append(one)
    return {participant: _totals(participant, own) for participant, own in grouped.items()}


def _totals(participant_id: str, sittings: Sequence[QualitySitting]) -> QualityTotals:
    firsts = sorted(one.first_frame_ms for one in sittings if one.first_frame_ms is not None)
    summed = [one.name for one in fields(QualitySums)]
    return QualityTotals(
        participant_id=participant_id,
        first_frame_ms=firsts[len(firsts) // 2] if firsts else None,
        sittings=tuple(sittings),
        **{name: sum(getattr(one, name) for one in sittings) for name in summed},
    )
