"""The truth about everybody's connection: measured, judged, told to whom it concerns, kept."""

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from rooms.beat import next_beat
from rooms.errors import RoomsError
from rooms.room.commands import ReportQuality
from rooms.room.events import Changed
from rooms.room.sight import sight_of
from rooms.service import RoomService
from sfu.api import MediaPlane, MediaStats, PeerId, SfuError, Slot
from signaling.protocol.base import QualityLevel
from signaling.protocol.commands import QualityReport
from signaling.protocol.events import QualityChanged
from signaling.quality.facts import GOOD, GRADES, STALE_MS, Claim, Path, Surroundings, claim_of
from signaling.quality.health import ServerHealth
from signaling.quality.judge import JITTER_MS, LOSS_RATIO, Mark, judge
from signaling.quality.ports import NoArchive, NoFigures, QualityArchive, QualityFigures
from signaling.quality.readings import Readings
from signaling.quality.sitting import Sitting, SittingRecord
from signaling.session.quality_notice import quality_facts, quality_notice
from signaling.session.visit import Visit

SAMPLE_S = 2.0

AGAIN_MS = 10_000
"""Figures of a connection that is not good are told again after so long."""

MEASURED_MS = 10_000
"""How often the operators' figures take in every path."""

KEEP_MS = 30_000
"""How often what is recorded is put away: a crash loses no more."""

MAX_WAITING = 5_000
"""Records of people who left that wait for an archive that is away; then the oldest are lost."""

SHORT_SILENCE_MS = 1_000
"""A sender who was not heard for so long freezes for everybody."""

_GONE = Path(silent_ms=60_000)
"""The path of somebody who had one and has none now."""

_log = logging.getLogger(__name__)


class _Watched:
    """One visit as it is followed here."""

    __slots__ = ("around", "begun_ms", "claim", "mark", "path", "sitting", "told_ms", "visit")

    def __init__(self, visit: Visit, now_ms: int) -> None:
        self.visit = visit
        self.begun_ms = now_ms
        self.mark = Mark()
        self.claim: Claim | None = None
        self.path: Path | None = None
        self.around = Surroundings()
        self.told_ms = now_ms
        self.sitting = Sitting(visit.guest.interview, visit.participant, now_ms)

    def notice_to(self, viewer: Visit) -> QualityChanged:
        facts = quality_facts(self.path, self.claim, paused=self.around.paused != "none")
        return quality_notice(self.visit.participant, viewer.participant, self.mark.shown, facts)


class QualityDesk:
    """Follows every visit from `begin` to `end`; `sample` every few seconds."""

    def __init__(
        self,
        rooms: RoomService,
        media: MediaPlane,
        *,
        visit_of: Callable[[str], Visit | None],
        slots_of: Callable[[PeerId], Iterable[Slot]],
        clock_ms: Callable[[], int],
        archive: QualityArchive | None = None,
        figures: QualityFigures | None = None,
    ) -> None:
        """`slots_of(viewer)`: what the slots of a viewer show now."""
        self._rooms = rooms
        self._media = media
        self._visit_of = visit_of
        self._slots_of = slots_of
        self._clock_ms = clock_ms
        self._archive = archive or NoArchive()
        self._figures = figures or NoFigures()
        self._watched: dict[str, _Watched] = {}
        self._readings = Readings()
        self._paths: Mapping[int, Path] = {}
        self._health = ServerHealth()
        self._kept_ms = self._measured_ms = clock_ms()
        self._ended: list[SittingRecord] = []

    # Coming and going.

    def begin(self, visit: Visit) -> None:
        """Somebody connected, for the first time in this visit or again."""
        watched = self._watched.get(visit.participant)
        if watched is not None and watched.visit is visit:
            watched.sitting.reconnects += 1
        else:
            self._watched[visit.participant] = _Watched(visit, self._clock_ms())

    def end(self, participant: str) -> None:
        """The seat was given up: what was recorded waits to be put away."""
        watched = self._watched.pop(participant, None)
        if watched is not None:
            self._ended.append(watched.sitting.record(ended=True))
        if not self._watched:
            self._count((), self._measured_ms)  # nobody is left to be sampled

    # What clients say.

    def report(self, visit: Visit, report: QualityReport) -> None:
        """Take what a client says of itself."""
        watched = self._watched.get(visit.participant)
        if watched is None or report.model_fields_set <= {"level"}:
            return  # only asks whether we are there
        now_ms, role, sitting = self._clock_ms(), visit.guest.role, watched.sitting
        joined, saw = sitting.join_ms is not None, sitting.first_frame_ms is not None
        span_ms = sitting.report(report, now_ms)
        watched.claim = claim_of(report, now_ms)
        self._figures.reported(role, report, span_ms)
        if sitting.join_ms is not None and not joined:
            self._figures.joined(role, sitting.join_ms)
        if sitting.first_frame_ms is not None and not saw:
            self._figures.saw(role, sitting.first_frame_ms)

    # What is measured.

    async def run(self) -> None:
        """Sample, endlessly."""
        while True:
            late_s = await next_beat(SAMPLE_S)
            try:
                await self.sample(1000 * late_s)
            except Exception:
                _log.exception("a sample of quality failed")  # the next one may not

    async def sample(self, lag_ms: float = 0) -> None:
        """Judge everybody afresh, tell what changed, put records away when it is time.

        `lag_ms`: how late the loop was. Costs nothing while nobody is here.
        """
        if self._watched:
            began = time.monotonic()
            stats = await self._stats()
            if stats is not None:
                self._judge_all(stats, lag_ms + 1000 * (time.monotonic() - began))
        if self._clock_ms() - self._kept_ms >= KEEP_MS:
            await self.keep()

    async def _stats(self) -> MediaStats | None:
        try:
            return await self._media.stats()
        except (SfuError, TimeoutError):
            return None

    def _judge_all(self, stats: MediaStats, lag_ms: float) -> None:
        now_ms = self._clock_ms()
        paths = self._paths = self._readings.take(stats, now_ms, self._slots_of)
        everybody = list(self._watched.values())
        for one in everybody:
            one.path = _path_of(one, paths)
        server = self._health.take(
            lag_ms,
            stats.datagrams_received,
            stats.datagrams_dropped,
            [(one.visit.guest.interview, one.path) for one in everybody if one.path is not None],
        )
        for one in everybody:
            one.around = self._around(one, server)
            changed = one.mark.take(judge(one.path, self._fresh(one), one.around))
            one.sitting.sample(one.path, one.claim, one.mark.shown, now_ms)
            self._show_seat(one)
            due = one.mark.shown.grade != "good" and now_ms - one.told_ms >= AGAIN_MS
            if changed or due:
                one.told_ms = now_ms
                self._tell(one)
        self._count(everybody, now_ms)

    def _count(self, everybody: Sequence[_Watched], now_ms: int) -> None:
        """Give the operators their figures."""
        grades: dict[QualityLevel, int] = dict.fromkeys(GRADES, 0)
        for one in everybody:
            grades[one.mark.shown.grade] += 1
        paused = sum(one.around.paused != "none" for one in everybody)
        self._figures.judged(grades, paused)
        if now_ms - self._measured_ms >= MEASURED_MS:
            self._measured_ms = now_ms
            for one in everybody:
                if one.path is not None:
                    self._figures.measured(one.visit.guest.role, one.path)

    def _fresh(self, one: _Watched) -> Claim | None:
        if one.claim is not None and self._clock_ms() - one.claim.at_ms > STALE_MS:
            one.claim = None
        return one.claim

    def _around(self, one: _Watched, server: QualityLevel) -> Surroundings:
        peer = one.visit.peer
        slots = () if peer is None else self._slots_of(peer)
        paused = [slot.paused for slot in slots if slot.source in ("camera", "screen")]
        return Surroundings(
            server,
            senders_weak=self._senders_weak(one),
            paused="none" if not any(paused) else "all" if all(paused) else "some",
            waited_ms=self._clock_ms() - one.begun_ms if one.path is None else 0,
        )

    def _senders_weak(self, viewer: _Watched) -> bool:
        """Whether what somebody sends whom they are shown comes to us with gaps or unevenly."""
        peer = viewer.visit.peer
        if viewer.claim is None or peer is None:
            return False
        shown = {slot.peer for slot in self._slots_of(peer) if slot.peer is not None}
        return any(_is_weak(self._paths[one]) for one in shown if one in self._paths)

    # Telling.

    def _show_seat(self, one: _Watched) -> None:
        """The room's mark of this person; who is not connected is lost already."""
        if one.visit.connection is None:
            return
        grade = one.mark.shown.grade
        try:
            live, _ = self._rooms.where(one.visit.participant)
            seat = live.seat_of(one.visit.participant)
            if seat is not None and seat.connected and seat.quality != grade:
                self._rooms.submit(ReportQuality(one.visit.participant, grade))
        except RoomsError:
            _log.debug("a seat was given up meanwhile")

    def _tell(self, one: _Watched) -> None:
        """Everyone who sees the participant, themselves included."""
        participant = one.visit.participant
        for viewer in self._viewers(participant):
            viewer.send(one.notice_to(viewer))

    def _viewers(self, participant: str) -> list[Visit]:
        try:
            live, room = self._rooms.where(participant)
        except RoomsError:
            return []
        event = Changed(room.state.seats[participant])
        hidden = live.spec.observers_hidden
        viewers = []
        for other in room.state.seats:
            visit = self._visit_of(other)
            sight = sight_of(room.state, other, observers_hidden=hidden)
            if visit is not None and visit.room == room.id and sight and sight.sees(event):
                viewers.append(visit)
        return viewers

    def greet(self, visit: Visit) -> None:
        """Tell somebody who was just shown a room whose connections in it are not good."""
        for one in self._watched.values():
            same = one.visit.room == visit.room and one.mark.shown != GOOD
            if same and visit in self._viewers(one.visit.participant):
                visit.send(one.notice_to(visit))

    # Keeping.

    async def keep(self) -> None:
        """Put away what was recorded since the last time."""
        self._kept_ms = self._clock_ms()
        ended, self._ended = self._ended, []
        records = ended + [one.sitting.record(ended=False) for one in self._watched.values()]
        if not records:
            return
        try:
            await self._archive.keep(records)
        except Exception as error:  # whatever the archive is, interviews go on without it
            self._ended = (ended + self._ended)[-MAX_WAITING:]
            _log.warning("quality records wait to be kept: %s", type(error).__name__)

    async def close(self) -> None:
        """The node stops: everybody's presence on it ends."""
        for participant in list(self._watched):
            self.end(participant)
        await self.keep()


def _is_weak(sender: Path) -> bool:
    """Whether gaps and jitter in what others get may come from this sender's way to us."""
    return (
        sender.silent_ms > SHORT_SILENCE_MS
        or (sender.loss_up_ratio or 0) > LOSS_RATIO[0]
        or (sender.jitter_ms or 0) > JITTER_MS[0]
    )


def _path_of(one: _Watched, paths: Mapping[int, Path]) -> Path | None:
    """None before their media was connected for the first time, however often it was tried."""
    peer, had_one = one.visit.peer, one.path is not None
    if not one.visit.media_up and not had_one:
        return None
    path = None if peer is None else paths.get(peer)
    return _GONE if path is None and had_one else path
