"""From what signalling recorded to HR's table: implements `signaling.quality.ports`.

Each of the two has a record of its own, since neither imports the other; they meet only here.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hr.interviews.service import Clock
from hr.quality.record import QualityPoint, QualitySitting
from hr.quality.service import QualityService
from signaling.quality.ports import QualityArchive
from signaling.quality.sitting import SittingRecord

FORGET_EVERY = timedelta(hours=1)


class SqlQualityArchive(QualityArchive):
    """Keeps records, and forgets those that were kept for long enough."""

    def __init__(self, quality: QualityService, now: Clock) -> None:
        self._quality = quality
        self._now = now
        self._forget_at = now()

    async def keep(self, records: Sequence[SittingRecord]) -> None:
        await self._quality.keep([sitting_of(one) for one in records])
        if self._now() >= self._forget_at:
            self._forget_at = self._now() + FORGET_EVERY
            await self._quality.forget_old()


def sitting_of(record: SittingRecord) -> QualitySitting:
    return QualitySitting(
        id=record.id,
        interview_id=record.interview,
        participant_id=record.participant,
        begun_at=_moment(record.begun_at_ms),
        seen_at=_moment(record.seen_at_ms),
        ended=record.ended,
        path=record.path,
        join_ms=record.join_ms,
        first_frame_ms=record.first_frame_ms,
        reconnects=record.reconnects,
        freezes=record.freezes,
        frozen_ms=record.frozen_ms,
        watched_ms=record.watched_ms,
        concealed_ms=record.concealed_ms,
        heard_ms=record.heard_ms,
        good_ms=record.graded_ms["good"],
        fair_ms=record.graded_ms["fair"],
        poor_ms=record.graded_ms["poor"],
        lost_ms=record.graded_ms["lost"],
        server_ms=record.server_ms,
        rtt_ms=record.rtt_ms,
        loss_up_ratio=record.loss_up_ratio,
        loss_down_ratio=record.loss_down_ratio,
        step_ms=record.step_ms,
        points=tuple(QualityPoint(**point._asdict()) for point in record.points),
    )


def _moment(unix_ms: int) -> datetime:
    return datetime.fromtimestamp(unix_ms / 1000, UTC)
