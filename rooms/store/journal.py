"""Live state written behind to Redis, and read back when an interview is first opened.

A running room never waits for Redis: `note` only marks what must be written. Each room keeps a
snapshot and the events after it; replaying them gives the same state. While Redis is lost
nothing piles up: a room with too much unwritten, or whose write failed, is written as a whole
when Redis is back.
"""

import asyncio
import logging
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass, field
from typing import cast

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from redis.exceptions import RedisError

from rooms.errors import SnapshotInvalid, StoreUnavailable
from rooms.interview import Happened, LiveInterview, Moves
from rooms.ports import InterviewSpec
from rooms.room.events import Recorded
from rooms.room.fold import replay
from rooms.room.room import LOG_LENGTH, Room
from rooms.store.codec import (
    decode_event,
    decode_moves,
    decode_state,
    encode_event,
    encode_moves,
    encode_state,
)

SNAPSHOT_EVERY = 100
"""Events after which a room is written as a whole; far below LOG_LENGTH, which bounds the log."""
KEEP_S = 30 * 24 * 3600
"""Live state is kept for so long after the last change."""
ANSWER_TIMEOUT_S = 2.0
FLUSH_PAUSE_S = 0.05
"""Changes of so long are written together."""
RETRY_PAUSE_S = 1.0

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Unwritten:
    live: LiveInterview
    events: dict[str, list[Recorded]] = field(default_factory=dict)
    whole: set[str] = field(default_factory=set)
    """Rooms to be written as a whole."""


class Journal:
    """The live store of this node's interviews."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._unwritten: dict[str, _Unwritten] = {}
        self._in_flight: dict[str, _Unwritten] = {}
        self._marked = asyncio.Event()
        self._lost = False

    @property
    def lost(self) -> bool:
        """Whether the last write failed: a fact for readiness."""
        return self._lost

    @property
    def pending(self) -> int:
        """Interviews with something unwritten."""
        return len(self._unwritten)

    async def load(self, spec: InterviewSpec) -> LiveInterview:
        """Return the interview with its stored state. Raises StoreUnavailable."""
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                moves, rooms = await self._read(spec)
        except (RedisError, OSError, TimeoutError) as error:
            raise StoreUnavailable from error
        return LiveInterview(spec, rooms, moves)

    def note(self, live: LiveInterview, happened: Iterable[Happened]) -> None:
        """Mark what happened for writing; returns at once."""
        unwritten = self._unwritten.setdefault(live.spec.id, _Unwritten(live))
        unwritten.live = live
        for one in happened:
            events = unwritten.events.setdefault(one.round, [])
            events.extend(one.recorded)
            if len(events) >= SNAPSHOT_EVERY or _crosses(one.recorded):
                unwritten.whole.add(one.round)
                events.clear()
        self._marked.set()

    async def run(self) -> None:
        """Write what is marked, until cancelled."""
        while True:
            await self._marked.wait()
            await asyncio.sleep(FLUSH_PAUSE_S)
            if not await self.flush():
                await asyncio.sleep(RETRY_PAUSE_S)

    async def flush(self) -> bool:
        """Write everything that is marked; return whether Redis took it."""
        self._marked.clear()
        batch, self._unwritten = self._unwritten, {}
        self._in_flight = batch
        try:
            for unwritten in batch.values():
                async with asyncio.timeout(ANSWER_TIMEOUT_S):
                    await self._write(unwritten)
        except (RedisError, OSError, TimeoutError) as error:
            self._note_loss(error)
            self._remember_whole(batch.values())
            return False
        except asyncio.CancelledError:
            self._remember_whole(batch.values())
            raise
        finally:
            self._in_flight = {}
        self._note_loss(None)
        return True

    def is_written(self, interview_id: str) -> bool:
        """Whether Redis has everything of the interview."""
        return interview_id not in self._unwritten and interview_id not in self._in_flight

    def _note_loss(self, error: BaseException | None) -> None:
        if (error is not None) != self._lost:
            self._lost = error is not None
            _log.warning("live store %s", f"lost: {error}" if error else "is back")

    def _remember_whole(self, batch: Iterable[_Unwritten]) -> None:
        """A failed write may have happened or not: write the rooms as a whole next time."""
        for failed in batch:
            again = self._unwritten.setdefault(failed.live.spec.id, _Unwritten(failed.live))
            again.whole |= failed.whole | failed.events.keys() | again.events.keys()
            again.events.clear()
        self._marked.set()

    async def _write(self, unwritten: _Unwritten) -> None:
        live = unwritten.live
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.set(_moves_key(live.spec.id), encode_moves(live.moves), ex=KEEP_S)
            for round_id in unwritten.whole:
                _write_whole(pipe, live.spec.id, live.rooms[round_id])
            for round_id, events in unwritten.events.items():
                if events and round_id not in unwritten.whole:
                    _append(pipe, live.spec.id, round_id, events)
            await pipe.execute()

    async def _read(self, spec: InterviewSpec) -> tuple[Moves, dict[str, Room]]:
        rooms = {}
        stored = await self._redis.get(_moves_key(spec.id))
        for one in spec.rounds:
            state_key, log_key = _room_keys(spec.id, one.id)
            state = await self._redis.get(state_key)
            log = await cast(Awaitable[list[bytes]], self._redis.lrange(log_key, 0, -1))
            rooms[one.id] = _rebuild(one.id, state, log)
        try:
            return (decode_moves(stored) if stored else Moves()), rooms
        except SnapshotInvalid as error:
            _log.error("moves of an interview could not be read: %s", error)
            return Moves(), rooms


def _crosses(recorded: tuple[Recorded, ...]) -> bool:
    return any(one.seq % SNAPSHOT_EVERY == 0 for one in recorded)


def _moves_key(interview_id: str) -> str:
    return f"mianshi:live:{{{interview_id}}}:moves"


def _room_keys(interview_id: str, round_id: str) -> tuple[str, str]:
    """The keys of a room's snapshot and log; the braces keep an interview on one shard."""
    prefix = f"mianshi:live:{{{interview_id}}}:{round_id}"
    return f"{prefix}:state", f"{prefix}:log"


def _write_whole(pipe: Pipeline, interview_id: str, room: Room) -> None:
    state_key, log_key = _room_keys(interview_id, room.id)
    pipe.set(state_key, encode_state(room.state), ex=KEEP_S)
    pipe.delete(log_key)
    _append(pipe, interview_id, room.id, room.log)


def _append(pipe: Pipeline, interview_id: str, round_id: str, events: Iterable[Recorded]) -> None:
    _, log_key = _room_keys(interview_id, round_id)
    encoded = [encode_event(one) for one in events]
    if encoded:
        pipe.rpush(log_key, *encoded)
        pipe.ltrim(log_key, -LOG_LENGTH, -1)
        pipe.expire(log_key, KEEP_S)


def _rebuild(round_id: str, state: bytes | str | None, log: list[bytes]) -> Room:
    """Return the room as stored; an unreadable one begins anew rather than locking people out."""
    try:
        events = [decode_event(one) for one in log]
        base = decode_state(state) if state else None
        after = [one for one in events if one.seq > (base.seq if base else 0)]
        return Room(round_id, replay(after, base), events)
    except (SnapshotInvalid, AssertionError) as error:
        _log.error("room %s could not be read and begins anew: %s", round_id, error)
        return Room(round_id)
