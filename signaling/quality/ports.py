"""Where the truth goes besides the people: to a record, and to the operators' figures."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from signaling.protocol.base import QualityLevel, Role
from signaling.protocol.commands import QualityReport
from signaling.quality.facts import Path
from signaling.quality.sitting import SittingRecord


class QualityArchive(Protocol):
    """Where records are put away."""

    async def keep(self, records: Sequence[SittingRecord]) -> None:
        """Store each record in place of the one with the same id."""


class QualityFigures(Protocol):
    """The operators' figures."""

    def joined(self, role: Role, join_ms: int) -> None:
        """How long a visit took from the tap to a standing media path; once a visit."""

    def saw(self, role: Role, first_frame_ms: int) -> None:
        """How long it took to the first picture; once a visit."""

    def reported(self, role: Role, report: QualityReport, span_ms: int) -> None:
        """A client's report; `span_ms`: the time that it may speak for."""

    def measured(self, role: Role, path: Path) -> None:
        """A path, every 10 s."""

    def judged(self, grades: Mapping[QualityLevel, int], paused: int) -> None:
        """Connections by grade now, and how many get no picture for want of bandwidth."""


class NoArchive(QualityArchive):
    """Keeps nothing."""

    async def keep(self, records: Sequence[SittingRecord]) -> None:
        return


class NoFigures(QualityFigures):
    """Counts nothing."""

    def joined(self, role: Role, join_ms: int) -> None:
        return

    def saw(self, role: Role, first_frame_ms: int) -> None:
        return

    def reported(self, role: Role, report: QualityReport, span_ms: int) -> None:
        return

    def measured(self, role: Role, path: Path) -> None:
        return

    def judged(self, grades: Mapping[QualityLevel, int], paused: int) -> None:
        return
